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

/* `dataset` (the receiver's to release) or `error`, one of them NULL: ERR_INVALID when the bytes are no
 * good, ERR_NO_MEMORY, or ERR_SHUTDOWN. */
typedef void dataset_loaded_fn(void *context, struct dataset *dataset, int64_t took_ms,
                               const struct error *error);

/* False when out of memory; `done` then never runs. Else exactly once, and not before this returns. */
bool dataset_load_start(struct cost_service *service, const struct dataset_order *order,
                        const struct tier_value *value, dataset_loaded_fn *done,
                        void *context) NODISCARD;

/* What is to be found under the order's key. */
struct dataset_image dataset_image_of(const struct cost_service *service,
                                      const struct dataset_order *order, struct text bytes);

/* How old a value is by now. */
int64_t dataset_image_age_ms(const struct dataset_image_head *head, const struct tier_value *value);

#endif
