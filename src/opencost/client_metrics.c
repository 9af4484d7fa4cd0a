/* SPDX-License-Identifier: Apache-2.0 */
#include "client_metrics.h"

enum { NS_PER_MS = 1000000 };

static const char *const dataset_names[DATASETS] = {
    [DATASET_ALLOCATION] = "allocation",
    [DATASET_HEALTH] = "health",
};

static const char *const reason_names[FAILURE_REASONS] = {
    [FAILURE_TIMEOUT] = "timeout",     [FAILURE_CONNECT] = "connect",   [FAILURE_TLS] = "tls",
    [FAILURE_HTTP_4XX] = "http_4xx",   [FAILURE_HTTP_5XX] = "http_5xx", [FAILURE_DECODE] = "decode",
    [FAILURE_TOO_LARGE] = "too_large", [FAILURE_OTHER] = "other",
};

/* A small cluster answers in tenths of a second, a wide window on a large one in minutes. */
static const double duration_bounds[] = {0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 60, 120, 300};

static struct metric *rejected_rows(struct metrics *metrics, const char *reason)
{
    const struct metric_label labels[] = {{"reason", reason}, {NULL, NULL}};
    return metrics_counter(metrics, "kubecent_rows_rejected_total",
                           "What was wrong in OpenCost's answers: figures counted as 0, rows and "
                           "entries left out.",
                           labels);
}

static void register_failures(struct client_metrics *series, struct metrics *metrics)
{
    for (int dataset = 0; dataset < DATASETS; dataset++) {
        for (int reason = 0; reason < FAILURE_REASONS; reason++) {
            const struct metric_label labels[] = {{"dataset", dataset_names[dataset]},
                                                  {"reason", reason_names[reason]},
                                                  {NULL, NULL}};
            series->of[dataset].failures[reason] =
                metrics_counter(metrics, "kubecent_opencost_failures_total",
                                "Requests to OpenCost that failed, by reason.", labels);
        }
    }
}

void client_metrics_init(struct client_metrics *series, struct metrics *metrics)
{
    *series = (struct client_metrics){0};
    if (metrics == NULL)
        return;
    for (int dataset = 0; dataset < DATASETS; dataset++) {
        const struct metric_label labels[] = {{"dataset", dataset_names[dataset]}, {NULL, NULL}};
        series->of[dataset].requests =
            metrics_counter(metrics, "kubecent_opencost_requests_total",
                            "Requests sent to OpenCost, repeated ones included.", labels);
        series->of[dataset].last_success = metrics_gauge(
            metrics, "kubecent_opencost_last_success_timestamp_seconds",
            "When OpenCost last answered such a request well, in Unix seconds; 0: never.", labels);
        series->of[dataset].duration =
            metrics_histogram(metrics, "kubecent_opencost_request_duration_seconds",
                              "Time a request to OpenCost took, decoding included.", labels,
                              duration_bounds, ARRAY_LENGTH(duration_bounds));
    }
    /* Health checks are never repeated. */
    series->of[DATASET_ALLOCATION].retries =
        metrics_counter(metrics, "kubecent_opencost_retries_total",
                        "Requests to OpenCost that repeat a failed one.",
                        (const struct metric_label[]){
                            {"dataset", dataset_names[DATASET_ALLOCATION]}, {NULL, NULL}});
    series->circuit_open = metrics_gauge(
        metrics, "kubecent_opencost_circuit_open",
        "1 while OpenCost is not asked, but for probes, because it failed time and again.", NULL);
    register_failures(series, metrics);
    series->rows_rejected.figures = rejected_rows(metrics, "not_a_number");
    series->rows_rejected.no_namespace = rejected_rows(metrics, "no_namespace");
    series->rows_rejected.idle_unasked = rejected_rows(metrics, "idle_unasked");
    series->rows_rejected.not_an_allocation = rejected_rows(metrics, "not_an_allocation");
}

void client_metrics_count_try(const struct client_metrics *series, enum dataset dataset,
                              int64_t duration_ms, int64_t now_s, const struct error *error)
{
    metric_observe_ns(series->of[dataset].duration, duration_ms * NS_PER_MS);
    if (error == NULL)
        metric_set(series->of[dataset].last_success, now_s);
    else
        metric_add(series->of[dataset].failures[failure_reason_of(error)], 1);
}

void client_metrics_count_defects(const struct client_metrics *series,
                                  const struct cost_defects *defects)
{
    metric_add(series->rows_rejected.figures, (int64_t)defects->figures);
    metric_add(series->rows_rejected.no_namespace, (int64_t)defects->rows_skipped);
    metric_add(series->rows_rejected.idle_unasked, (int64_t)defects->idle_dropped);
    metric_add(series->rows_rejected.not_an_allocation, (int64_t)defects->entries_ignored);
}
