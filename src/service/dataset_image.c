/* SPDX-License-Identifier: Apache-2.0 */
#include "dataset_image.h"

#include <inttypes.h>
#include <stdio.h>

#include "snapshot_format.h"

/* Beyond it nothing is kept, stale or not: CACHE_TTL's limit, and that of the stale times. */
#define AGE_MAX_MS ((int64_t)31 * 24 * 3600 * 1000)

void tier_key_format(uint64_t origin_hash, const char *dataset_key, char key[TIER_KEY_MAX])
{
    (void)snprintf(key, TIER_KEY_MAX, "%016" PRIx64 ":%d:%s", origin_hash, SNAPSHOT_VERSION,
                   dataset_key);
}

bool dataset_image_write(struct strbuf *out, struct text origin, const struct dataset *dataset,
                         int64_t took_ms, const struct time_source *time, struct error *reterr)
{
    const struct snapshot_dataset head = {
        .window = dataset->window,
        .include_idle = cost_set_includes_idle(dataset->set),
        .fetched_wall_ms = took_ms > 0 ? took_ms : 0,
        .ttl_ms = dataset->ttl_ms,
    };
    struct strbuf body CLEANUP(strbuf_finish);
    strbuf_init(&body, DATASET_IMAGE_LIMIT_BYTES);
    if (!snapshot_put_dataset(&body, &head, dataset->set, reterr))
        return false;
    int64_t age_ms = time_monotonic_ms(time) - dataset->fetched_ms;
    snapshot_put_head(out, origin, head.fetched_wall_ms + (age_ms > 0 ? age_ms : 0), 1);
    strbuf_append(out, body.data, body.length);
    snapshot_put_checksum(out);
    return !strbuf_failed(out) || error_no_memory(reterr);
}

static bool read_only_dataset(const struct dataset_image *image, struct snapshot_reader *reader,
                              struct snapshot_dataset *ret_dataset,
                              struct dataset_image_head *ret_head, struct error *reterr)
{
    if (reader->left != 1)
        return error_set(reterr, ERR_INVALID, "damaged: not one dataset");
    if (!snapshot_next(reader, ret_dataset, reterr))
        return false;
    if (strcmp(ret_dataset->window.canonical, image->window->canonical) != 0 ||
        ret_dataset->include_idle != image->include_idle)
        return error_set(reterr, ERR_INVALID, "of another window");
    int64_t took_ms = ret_dataset->fetched_wall_ms;
    int64_t made_ms = reader->created_wall_ms;
    if (made_ms < took_ms || made_ms - took_ms > AGE_MAX_MS || took_ms > AGE_MAX_MS)
        return error_set(reterr, ERR_INVALID, "damaged: its times make no sense");
    *ret_head = (struct dataset_image_head){
        .age_ms = made_ms - took_ms, .took_ms = took_ms, .ttl_ms = ret_dataset->ttl_ms};
    return true;
}

bool dataset_image_look(const struct dataset_image *image, struct dataset_image_head *ret_head,
                        struct error *reterr)
{
    struct snapshot_reader reader;
    struct snapshot_dataset dataset;
    return snapshot_look(image->bytes, image->origin, &reader, reterr) &&
           read_only_dataset(image, &reader, &dataset, ret_head, reterr);
}

struct cost_set *dataset_image_read(const struct dataset_image *image,
                                    struct dataset_image_head *ret_head, struct error *reterr)
{
    struct snapshot_reader reader;
    struct snapshot_dataset dataset;
    if (!snapshot_open(image->bytes, image->origin, &reader, reterr) ||
        !read_only_dataset(image, &reader, &dataset, ret_head, reterr))
        return NULL;
    return snapshot_cost_set(&reader, &dataset, reterr);
}
