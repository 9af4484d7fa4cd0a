/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From an allocation as OpenCost sent it to what it adds to a cost set: where it belongs, and which
 * figures it brings.
 *
 * Threads: any; pure functions.
 */
#ifndef COST_NORMALIZE_H
#define COST_NORMALIZE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attrs.h"
#include "base/error.h"
#include "base/text.h"
#include "cost/allocation.h"
#include "cost/cost_set.h"

/* The rows an allocation belongs to. The texts are borrowed from the allocation. */
struct place {
    struct text namespace_name; /* empty: it belongs to none */
    struct text pod;            /* empty: it is part of no pod row */
    bool is_special;
    bool is_idle;
};

struct place place_of_allocation(const struct allocation *allocation) NODISCARD;

struct contribution {
    struct cost_figures figures;
    struct cost_usage usage;
    uint64_t pod_count; /* as sent; only for allocations that are part of no pod row */
    uint64_t defects;
};

/* Fails with ERR_UPSTREAM_BODY when a product of figures does not fit. */
bool contribution_of_allocation(const struct allocation *allocation, const struct place *place,
                                struct contribution *ret_contribution,
                                struct error *reterr) NODISCARD;

#endif
