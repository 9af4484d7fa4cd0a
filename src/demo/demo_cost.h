/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the sample cluster cost in a window: prices times what was requested or used, whichever is
 * more, hour by hour while a pod ran. The rules are OpenCost's.
 *
 * The day of "now" counts whole, so that figures stay the same until midnight. Data begin on the
 * 9th of the month six months back: about 200 days, of which the first month is partial. The
 * cluster was set up that day: when a month turns, its story moves on by a month, and past figures
 * change with it once.
 *
 * Threads: any; no shared state.
 */
#ifndef DEMO_COST_H
#define DEMO_COST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attrs.h"
#include "base/error.h"
#include "demo_cluster.h"
#include "demo_pods.h"
#include "demo_window.h"

enum { DEMO_ROW_NAME_MAX = 128, DEMO_VOLUME_NAME_MAX = 48 }; /* bytes, NUL included */

/* Of CPU in cores, of RAM in bytes, of GPUs in pieces. */
struct demo_resource {
    double allocated_hours; /* what is paid for: the larger of request and use */
    double request_hours;
    double limit_hours;
    double usage_hours;
    double usage_max;
    double cost;
};

struct demo_figures {
    struct demo_span ran;
    struct demo_resource cpu, ram, gpu;
    double transfer_bytes, receive_bytes;
    double cross_zone_cost, internet_cost;
    double load_balancer_hours, load_balancer_cost;
    double volume_byte_hours, volume_cost;
};

/* One pod, or the volumes of a namespace that no pod mounts. */
struct demo_row {
    char name[DEMO_ROW_NAME_MAX]; /* "namespace/pod" */
    char pod[DEMO_POD_NAME_MAX];
    char volume[DEMO_VOLUME_NAME_MAX]; /* "" when it has none */
    const struct demo_namespace *home;
    const struct demo_workload *workload; /* NULL for unmounted volumes */
    int node;                             /* index into demo_nodes, or DEMO_NO_NODE */
    struct demo_figures figures;
};

struct demo_cost_set {
    struct demo_span window;  /* as asked */
    struct demo_span covered; /* the part with data; empty when there are none */
    struct demo_row *rows;    /* sorted by name */
    size_t row_count;
    size_t row_capacity;
    struct demo_figures idle; /* only the three costs are filled in */
};

/* One entry of an answer: rows of one pod, or of one namespace. */
struct demo_allocation {
    char name[DEMO_ROW_NAME_MAX];
    const struct demo_row *members; /* borrowed from the set */
    size_t member_count;
    struct demo_figures figures; /* of all members */
};

enum demo_aggregate { DEMO_BY_NAMESPACE_AND_POD, DEMO_BY_NAMESPACE };

/* Everything known on the day that begins at `today_s`. */
struct demo_span demo_data_span(int64_t today_s) NODISCARD;

/* Fills in the costs of `window` (end not before start). Needs demo_cost_set_finish(), also after a
 * failure (ERR_NO_MEMORY). */
bool demo_cost_set_init(struct demo_cost_set *set, struct demo_span window, int64_t today_s,
                        struct error *reterr) NODISCARD;

/* Accepts a zeroed struct. */
void demo_cost_set_finish(struct demo_cost_set *set);

/* New array for free(), sorted by name as OpenCost sorts its keys; NULL when out of memory. Valid
 * as long as the set. */
struct demo_allocation *demo_aggregate(const struct demo_cost_set *set, enum demo_aggregate by,
                                       size_t *ret_count) NODISCARD;

double demo_total_cost(const struct demo_figures *figures) NODISCARD;

/* Use divided by request; without a request 1 if anything was used, else 0. */
double demo_efficiency(const struct demo_resource *resource) NODISCARD;

/* The mean of CPU and RAM efficiency weighted by cost; 0 when both cost nothing. */
double demo_total_efficiency(const struct demo_figures *figures) NODISCARD;

#endif
