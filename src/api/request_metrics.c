/* SPDX-License-Identifier: Apache-2.0 */
#include "request_metrics.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "routes.h"

/* The steps of OpenTelemetry's HTTP metrics, with finer ones below for cached answers. */
static const double duration_bounds_s[] = {0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01,
                                           0.025,  0.05,    0.075,  0.1,   0.25,   0.5,   0.75,
                                           1,      2.5,     5,      7.5,   10};

static const char *const methods[] = {"GET", "HEAD", "OPTIONS", "other"};

/* Statuses we send; 0: the client left before. */
static const int statuses[] = {0, 200, 204, 304, 307, 400, 401, 404, 405, 413, 422, 429, 500, 503};

/* What is asked for as a rule, and what alerts look for. */
static const int usual_statuses[] = {200, 500, 503};

enum {
    ROUTES_MAX = 16,
    METHODS = ARRAY_LENGTH(methods),
    STATUSES = ARRAY_LENGTH(statuses) + 1, /* the last place stands for all others */
};

struct request_metrics {
    struct metrics *metrics;
    _Atomic(struct metric *) requests[METHODS][ROUTES_MAX][STATUSES];
    _Atomic(struct metric_histogram *) durations[METHODS][ROUTES_MAX];
};

static size_t method_index(const char *method)
{
    size_t i = 0;
    while (i < METHODS - 1 && strcmp(methods[i], method) != 0)
        i++;
    return i;
}

/* Routes are noted by the table's own strings, so the pointer tells; behind the last route comes
 * "unmatched". */
static size_t route_index(const char *route)
{
    size_t count = 0;
    const struct route *routes = routes_all(&count);
    size_t i = 0;
    while (i < count && routes[i].path != route)
        i++;
    return i;
}

static size_t status_index(int status)
{
    size_t i = 0;
    while (i < ARRAY_LENGTH(statuses) && statuses[i] != status)
        i++;
    return i;
}

static struct metric *requests_series(struct request_metrics *rm, size_t method, size_t route,
                                      int status, const char *route_name)
{
    _Atomic(struct metric *) *place = &rm->requests[method][route][status_index(status)];
    struct metric *series = atomic_load_explicit(place, memory_order_acquire);
    if (series != NULL)
        return series;
    char code[16] = "other";
    if (status_index(status) < ARRAY_LENGTH(statuses))
        (void)snprintf(code, sizeof(code), "%d", status);
    const struct metric_label labels[] = {
        {"method", methods[method]}, {"route", route_name}, {"code", code}, {NULL, NULL}};
    series = metrics_counter(rm->metrics, "kubecent_http_requests_total", "HTTP requests answered.",
                             labels);
    atomic_store_explicit(place, series, memory_order_release);
    return series;
}

/* The first 503 would be no rate if its series began with it. */
static void register_usual(struct request_metrics *rm)
{
    size_t count = 0;
    const struct route *routes = routes_all(&count);
    size_t get = method_index("GET");
    assert(count < ROUTES_MAX);
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < ARRAY_LENGTH(usual_statuses); k++)
            (void)requests_series(rm, get, i, usual_statuses[k], routes[i].path);
    }
}

struct request_metrics *request_metrics_create(struct metrics *metrics)
{
    struct request_metrics *request_metrics = calloc(1, sizeof(*request_metrics));
    if (request_metrics == NULL)
        return NULL;
    request_metrics->metrics = metrics;
    register_usual(request_metrics);
    return request_metrics;
}

void request_metrics_destroy(struct request_metrics *request_metrics)
{
    free(request_metrics);
}

static struct metric_histogram *duration_series(struct request_metrics *rm, size_t method,
                                                size_t route, const char *route_name)
{
    _Atomic(struct metric_histogram *) *place = &rm->durations[method][route];
    struct metric_histogram *series = atomic_load_explicit(place, memory_order_acquire);
    if (series != NULL)
        return series;
    const struct metric_label labels[] = {
        {"method", methods[method]}, {"route", route_name}, {NULL, NULL}};
    series = metrics_histogram(rm->metrics, "kubecent_http_request_duration_seconds",
                               "From the complete request to the last byte handed to the network.",
                               labels, duration_bounds_s, ARRAY_LENGTH(duration_bounds_s));
    atomic_store_explicit(place, series, memory_order_release);
    return series;
}

void request_metrics_count(struct request_metrics *request_metrics,
                           const struct http_summary *summary)
{
    size_t method = method_index(summary->method);
    size_t route = route_index(summary->route);
    const char *route_name = summary->route == NULL ? "unmatched" : summary->route;
    metric_add(requests_series(request_metrics, method, route, summary->status, route_name), 1);
    metric_observe_ns(duration_series(request_metrics, method, route, route_name),
                      summary->duration_ns);
}
