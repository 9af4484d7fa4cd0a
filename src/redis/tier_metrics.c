/* SPDX-License-Identifier: Apache-2.0 */
#include "tier_metrics.h"

/* Redis on the same network answers in fractions of a millisecond. */
static const double duration_bounds[] = {0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025,
                                         0.05,   0.1,   0.25,   0.5,   1,    5};

void tier_metrics_init(struct tier_metrics *series, struct metrics *metrics)
{
    *series = (struct tier_metrics){0};
    if (metrics == NULL)
        return;
    series->requests = metrics_counter(metrics, "kubecent_redis_requests_total",
                                       "Look-ups in the shared cache.", NULL);
    series->hits = metrics_counter(metrics, "kubecent_redis_hits_total",
                                   "Look-ups in the shared cache that found what would do.", NULL);
    series->leases = metrics_counter(
        metrics, "kubecent_redis_leases_total",
        "Look-ups in the shared cache after which this replica fetches for all.", NULL);
    series->lease_waits = metrics_counter(
        metrics, "kubecent_redis_lease_waits_total",
        "Look-ups in the shared cache that had to wait for another replica's fetch.", NULL);
    for (int reason = 0; reason < FAULT_REASONS; reason++) {
        const struct metric_label labels[] = {
            {"reason", fault_reason_name((enum fault_reason)reason)}, {NULL, NULL}};
        series->failures[reason] =
            metrics_counter(metrics, "kubecent_redis_failures_total",
                            "What went wrong with Redis, by reason.", labels);
    }
    series->up = metrics_gauge(metrics, "kubecent_redis_up",
                               "1 while there is a connection to Redis that works.", NULL);
    series->duration = metrics_histogram(metrics, "kubecent_redis_request_duration_seconds",
                                         "Time Redis took to answer a look-up.", NULL,
                                         duration_bounds, ARRAY_LENGTH(duration_bounds));
}
