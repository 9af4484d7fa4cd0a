/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A dataset as the bytes that replicas share: a snapshot (snapshot_format.h) of this one dataset.
 *
 * Replicas need not agree on what time it is. So the times in it are those of a clock that starts
 * when the fetch began: `fetched` is how long OpenCost took, `created` minus `fetched` how old the
 * dataset was when the bytes were made. How old it has become since, only the tier can tell.
 *
 * Threads: any; pure functions.
 */
#ifndef SERVICE_DATASET_IMAGE_H
#define SERVICE_DATASET_IMAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attrs.h"
#include "base/error.h"
#include "base/strbuf.h"
#include "base/text.h"
#include "base/time_source.h"
#include "cost/cost_set.h"
#include "cost/window.h"
#include "dataset.h"

/* The key in the tier tells apart what must not be taken for the same: other OpenCosts, other
 * formats. */
enum { TIER_KEY_MAX = DATASET_KEY_MAX + 32 };

void tier_key_format(uint64_t origin_hash, const char *dataset_key, char key[TIER_KEY_MAX]);

/* Eight million pods; not worth sharing beyond. */
#define DATASET_IMAGE_LIMIT_BYTES ((size_t)1 << 29)

/* Bytes from elsewhere, and what they should be. */
struct dataset_image {
    struct text bytes; /* borrowed */
    struct text origin;
    const struct window *window;
    bool include_idle;
};

struct dataset_image_head {
    int64_t age_ms; /* when the bytes were made */
    int64_t took_ms;
    int64_t ttl_ms;
};

/* Age is taken when the bytes are nearly done, as making them may take a second. False: *reterr. */
bool dataset_image_write(struct strbuf *out, struct text origin, const struct dataset *dataset,
                         int64_t took_ms, const struct time_source *time,
                         struct error *reterr) NODISCARD;

/* What the bytes claim; takes no time and believes them. False and *reterr: they are foreign, of a
 * newer version, of something else, or damaged. */
bool dataset_image_look(const struct dataset_image *image, struct dataset_image_head *ret_head,
                        struct error *reterr) NODISCARD;

/* Checks all of it. New set, or NULL and *reterr, ERR_INVALID or ERR_NO_MEMORY. */
struct cost_set *dataset_image_read(const struct dataset_image *image,
                                    struct dataset_image_head *ret_head,
                                    struct error *reterr) NODISCARD;

#endif
