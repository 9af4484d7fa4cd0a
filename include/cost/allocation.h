/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One allocation as OpenCost sent it, before any rule of ours is applied.
 *
 * The decoder fills it from JSON; cost_set.h turns it into a row. Which JSON key is which figure is
 * the decoder's business, what the figures mean is cost_set's.
 *
 * Threads: plain data.
 */
#ifndef COST_ALLOCATION_H
#define COST_ALLOCATION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"
#include "cost/decimal.h"

/* Every number we read of an allocation. Costs in USD, averages in cores or bytes. */
enum figure {
    FIGURE_CPU_COST,
    FIGURE_CPU_COST_ADJUSTMENT,
    FIGURE_RAM_COST,
    FIGURE_RAM_COST_ADJUSTMENT,
    FIGURE_MEMORY_ALLOCATABLE_COST, /* stands in for the RAM cost where that is absent */
    FIGURE_MEMORY_COST,             /* likewise, last choice */
    FIGURE_PV_COST,
    FIGURE_PV_COST_ADJUSTMENT,
    FIGURE_STORAGE_ALLOCATABLE_COST, /* stands in for the PV cost where that is absent */
    FIGURE_STORAGE_COST,             /* likewise, last choice */
    FIGURE_NETWORK_COST,
    FIGURE_NETWORK_COST_ADJUSTMENT,
    FIGURE_GPU_COST,
    FIGURE_GPU_COST_ADJUSTMENT,
    FIGURE_LOAD_BALANCER_COST,
    FIGURE_LOAD_BALANCER_COST_ADJUSTMENT,
    FIGURE_SHARED_COST,
    FIGURE_EXTERNAL_COST,
    FIGURE_TOTAL_COST,
    FIGURE_IDLE_COST,
    FIGURE_POD_COUNT,
    FIGURE_MINUTES,
    FIGURE_CPU_EFFICIENCY,
    FIGURE_RAM_EFFICIENCY,
    FIGURE_TOTAL_EFFICIENCY,
    FIGURE_CPU_REQUEST, /* cpuCoreRequestAverage */
    FIGURE_CPU_USAGE,   /* cpuCoreUsageAverage */
    FIGURE_RAM_REQUEST, /* ramByteRequestAverage */
    FIGURE_RAM_USAGE,   /* ramByteUsageAverage */
    FIGURE_COUNT,
};

enum figure_state {
    FIGURE_ABSENT,  /* no such key */
    FIGURE_INVALID, /* the key is there, its value is null or no number */
    FIGURE_PRESENT,
};

struct allocation {
    struct text name; /* the map key, or the member `name` of the list form */
    struct text namespace_name;
    struct text pod;
    bool has_namespace; /* properties.namespace is there, a string and not empty */
    bool has_pod;
    bool has_start; /* `start` is there and an RFC 3339 time */
    int64_t start_s;
    enum figure_state state[FIGURE_COUNT];
    decimal value[FIGURE_COUNT]; /* meaningful where the state is FIGURE_PRESENT */
};

#endif
