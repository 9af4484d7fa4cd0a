/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The client's series, registered once.
 *
 * Threads: as base/metrics.h.
 */
#ifndef OPENCOST_CLIENT_METRICS_H
#define OPENCOST_CLIENT_METRICS_H

#include <stdint.h>

#include "base/metrics.h"
#include "cost/cost_set.h"
#include "fetch_verdict.h"

enum dataset { DATASET_ALLOCATION, DATASET_HEALTH, DATASETS };

struct client_metrics {
    struct {
        struct metric *requests; /* one a try */
        struct metric *retries;
        struct metric *failures[FAILURE_REASONS];
        struct metric *last_success; /* gauge, Unix seconds */
        struct metric_histogram *duration;
    } of[DATASETS];
    struct metric *circuit_open; /* gauge */
    struct {
        struct metric *figures, *no_namespace, *idle_unasked, *not_an_allocation;
    } rows_rejected;
};

/* `metrics` may be NULL: then nothing is counted. */
void client_metrics_init(struct client_metrics *series, struct metrics *metrics);

/* A try has ended at `now_s`, Unix seconds; `error` is NULL when it succeeded. */
void client_metrics_count_try(const struct client_metrics *series, enum dataset dataset,
                              int64_t duration_ms, int64_t now_s, const struct error *error);

void client_metrics_count_defects(const struct client_metrics *series,
                                  const struct cost_defects *defects);

#endif
