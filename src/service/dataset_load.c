/* SPDX-License-Identifier: Apache-2.0 */
#include "dataset_load.h"

#include <stdlib.h>
#include <xxhash.h>

struct dataset_load {
    struct loop_job job;
    struct cost_service *service;
    struct dataset_order order;
    char *bytes;
    size_t length;
    int64_t stored_ms; /* by our own clock */
    struct dataset_loaded loaded;
    dataset_loaded_fn *done;
    void *context;
};

struct dataset_image dataset_image_of(const struct cost_service *service,
                                      const struct dataset_order *order, struct text bytes)
{
    return (struct dataset_image){.bytes = bytes,
                                  .origin = text_of(service->options.origin),
                                  .window = &order->window,
                                  .include_idle = order->include_idle};
}

int64_t dataset_image_age_ms(const struct dataset_image_head *head, const struct tier_value *value)
{
    return head->age_ms + (value->stored_ms_ago > 0 ? value->stored_ms_ago : 0);
}

uint64_t dataset_image_hash(struct text bytes)
{
    return XXH3_64bits(bytes.data, bytes.length);
}

/* Job thread. The lifetime is that of whoever fetched, as it would be in the local cache. */
static void load_bytes(struct loop_job *job)
{
    struct dataset_load *load = CONTAINER_OF(job, struct dataset_load, job);
    struct dataset_loaded *loaded = &load->loaded;
    const struct text bytes = {.data = load->bytes, .length = load->length};
    const struct dataset_image image = dataset_image_of(load->service, &load->order, bytes);
    struct dataset_image_head head;
    struct cost_set *set = dataset_image_read(&image, &head, &loaded->error);
    if (set == NULL) {
        loaded->hash = dataset_image_hash(bytes);
        return;
    }
    loaded->took_ms = head.took_ms;
    loaded->dataset =
        dataset_create(set, &load->order.window, load->stored_ms - head.age_ms, head.ttl_ms);
    if (loaded->dataset == NULL)
        (void)error_no_memory(&loaded->error);
}

static void bytes_loaded(struct loop_job *job, bool cancelled)
{
    struct dataset_load *load = CONTAINER_OF(job, struct dataset_load, job);
    if (cancelled)
        (void)error_set(&load->loaded.error, ERR_SHUTDOWN, "the server is stopping");
    load->done(load->context, &load->loaded);
    free(load->bytes);
    free(load);
}

bool dataset_load_start(struct cost_service *service, const struct dataset_order *order,
                        const struct tier_value *value, dataset_loaded_fn *done, void *context)
{
    struct dataset_load *load = calloc(1, sizeof(*load));
    if (load == NULL)
        return false;
    int64_t ago_ms = value->stored_ms_ago > 0 ? value->stored_ms_ago : 0;
    load->service = service;
    load->order = *order;
    load->length = value->bytes.length;
    load->stored_ms = scheduler_now_ms(service->options.scheduler) - ago_ms;
    load->done = done;
    load->context = context;
    load->job = (struct loop_job){.work = load_bytes, .done = bytes_loaded};
    load->bytes = malloc(load->length);
    if (load->bytes != NULL)
        memcpy(load->bytes, value->bytes.data, load->length);
    if (load->bytes != NULL && scheduler_job(service->options.scheduler, &load->job))
        return true;
    free(load->bytes);
    free(load);
    return false;
}
