/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tier's series, registered once, where there is a tier.
 *
 * Threads: as base/metrics.h.
 */
#ifndef REDIS_TIER_METRICS_H
#define REDIS_TIER_METRICS_H

#include "base/metrics.h"
#include "redis/fault.h"

struct tier_metrics {
    struct metric *requests; /* claims and peeks */
    struct metric *hits;     /* of them: a value was found that would do */
    struct metric *leases;   /* of the claims: this replica fetches */
    struct metric *lease_waits;
    struct metric *failures[FAULT_REASONS];
    struct metric *up; /* gauge */
    struct metric_histogram *duration;
};

/* `metrics` may be NULL: then nothing is counted. */
void tier_metrics_init(struct tier_metrics *series, struct metrics *metrics);

#endif
