/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What namespaces cost, as metrics: kubecent_namespace_cost{namespace,window}, from what the cache
 * has of chosen windows, and kubecent_currency_info.
 *
 * Of each window the 200 namespaces that cost most are shown, so that the number of series is
 * bounded. A window whose dataset has left the cache keeps the figures it had last: OpenCost's
 * outages are no gaps in a graph. OpenCost is never asked on behalf of a scrape.
 *
 * Threads: whichever renders the metrics.
 */
#ifndef SERVICE_NAMESPACE_COSTS_H
#define SERVICE_NAMESPACE_COSTS_H

#include <stddef.h>

#include "base/attrs.h"
#include "base/metrics.h"
#include "base/time_source.h"
#include "cache/cache.h"
#include "cost/window.h"

enum { NAMESPACE_COSTS_MAX = 200 }; /* of a window */

struct namespace_costs;

struct namespace_costs_options {
    const struct window *windows; /* copied */
    size_t window_count;
    struct cache *cache; /* borrowed, as all below */
    const struct time_source *time;
    struct metrics *metrics;
};

/* Registers the families. NULL only when out of memory. */
struct namespace_costs *
namespace_costs_create(const struct namespace_costs_options *options) NODISCARD;

/* When nobody renders the metrics any more. Accepts NULL. */
void namespace_costs_destroy(struct namespace_costs *costs);

#endif
