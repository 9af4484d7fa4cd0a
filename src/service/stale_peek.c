/* SPDX-License-Identifier: Apache-2.0 */
#include "stale_peek.h"

#include <stdlib.h>
#include <utlist.h>

#include "dataset_image.h"
#include "dataset_load.h"
#include "warm_dataset.h"

struct stale_peek {
    struct cost_service *service;
    struct stale_peek *next, *previous;
    struct dataset_order order;
    struct tier_peek *peek; /* NULL while loading */
    void (*done)(void *context);
    void *context;
};

static void peek_end(struct stale_peek *peek)
{
    void (*done)(void *context) = peek->done;
    void *context = peek->context;
    DL_DELETE2(peek->service->loop.peeks, peek, previous, next);
    free(peek);
    done(context);
}

static bool is_servable(const struct cost_service *service, int64_t age_ms, int64_t ttl_ms)
{
    return age_ms < ttl_ms + service->options.stale_if_error_ms;
}

static bool cache_has_servable(const struct cost_service *service, const char *key)
{
    struct cache_hit hit;
    (void)cache_peek(service->options.cache, key, scheduler_now_ms(service->options.scheduler),
                     &hit);
    bool servable = hit.value != NULL && is_servable(service, hit.age_ms, hit.ttl_ms);
    shared_release(hit.value);
    return servable;
}

static void loaded(void *context, const struct dataset_loaded *loaded)
{
    struct stale_peek *peek = context;
    struct cost_service *service = peek->service;
    struct warm_dataset warm = {.dataset = loaded->dataset};
    if (loaded->dataset == NULL && loaded->error.code == ERR_INVALID)
        log_warning(service->options.log, LOG_EVENT("cache.shared_ignored"),
                    LOG_STR("key", peek->order.key), LOG_STR("reason", loaded->error.text));
    if (loaded->dataset != NULL && !service->loop.stopping)
        warm_dataset_store(&warm, service->options.cache, service->options.log);
    warm_dataset_finish(&warm);
    peek_end(peek);
}

static void peeked(void *context, const struct tier_value *value)
{
    struct stale_peek *peek = context;
    struct cost_service *service = peek->service;
    struct dataset_image_head head;
    peek->peek = NULL;
    if (value != NULL) {
        const struct dataset_image image = dataset_image_of(service, &peek->order, value->bytes);
        if (dataset_image_look(&image, &head, NULL) &&
            is_servable(service, dataset_image_age_ms(&head, value), head.ttl_ms) &&
            dataset_load_start(service, &peek->order, value, loaded, peek))
            return;
    }
    peek_end(peek);
}

bool stale_peek_begin(struct cost_service *service, const struct dataset_order *order,
                      void (*done)(void *context), void *context)
{
    const struct cost_service_options *options = &service->options;
    if (options->tier == NULL || options->stale_if_error_ms == 0 || service->loop.stopping ||
        cache_has_servable(service, order->key))
        return false;
    struct stale_peek *peek = calloc(1, sizeof(*peek));
    if (peek == NULL)
        return false;
    char key[TIER_KEY_MAX];
    tier_key_format(service->origin_hash, order->key, key);
    *peek =
        (struct stale_peek){.service = service, .order = *order, .done = done, .context = context};
    peek->peek = tier_peek(options->tier, key, peeked, peek);
    if (peek->peek == NULL) {
        free(peek);
        return false;
    }
    DL_APPEND2(service->loop.peeks, peek, previous, next);
    return true;
}

static struct stale_peek *first_peeking(const struct cost_service *service)
{
    struct stale_peek *peek = service->loop.peeks;
    /* The analyzer takes what utlist's macros remove from a list for being reachable still. */
    while (peek != NULL && peek->peek == NULL) /* NOLINT(clang-analyzer-unix.Malloc) */
        peek = peek->next;
    return peek;
}

void stale_peeks_stop(struct cost_service *service)
{
    for (struct stale_peek *peek = first_peeking(service); peek != NULL;
         peek = first_peeking(service)) {
        tier_peek_cancel(service->options.tier, peek->peek);
        peek_end(peek);
    }
}
