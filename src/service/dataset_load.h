/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bytes that the tier has become a dataset: copied here and now, read by a job thread.
 *
 * Threads: the loop thread.
 */
#ifndef SERVICE_DATASET_LOAD_H
#define SERVICE_DATASET_LOAD_H

#include "dataset_image.h"
#include "service_internal.h"

/* What the bytes were. */
struct dataset_loaded {
    struct dataset *dataset; /* the receiver's to release; NULL: see `error` */
    int64_t took_ms;
    struct error error; /* ERR_INVALID when the bytes are no good, ERR_NO_MEMORY, or ERR_SHUTDOWN */
    uint64_t hash;      /* of bytes that are no good */
};

typedef void dataset_loaded_fn(void *context, const struct dataset_loaded *loaded);

/* False when out of memory; `done` then never runs. Else exactly once, and not before this
 * returns. */
bool dataset_load_start(struct cost_service *service, const struct dataset_order *order,
                        const struct tier_value *value, dataset_loaded_fn *done,
                        void *context) NODISCARD;

/* What is to be found under the order's key. */
struct dataset_image dataset_image_of(const struct cost_service *service,
                                      const struct dataset_order *order, struct text bytes);

/* To know bytes again. */
uint64_t dataset_image_hash(struct text bytes);

/* How old a value is by now. */
int64_t dataset_image_age_ms(const struct dataset_image_head *head, const struct tier_value *value);

#endif
