/* SPDX-License-Identifier: Apache-2.0 */
/* The inside of a cost set: for the builder, which fills it, and for cost_set.c, which shows it. */
#ifndef COST_COST_SET_ROWS_H
#define COST_COST_SET_ROWS_H

#include <stdbool.h>
#include <stdint.h>

#include "cost/cost_set.h"
#include "name_arena.h"
#include "row_table.h"

struct cost_set {
    struct shared shared;
    struct pod_cost *pods;
    uint32_t pod_count;
    struct namespace_cost *namespaces;
    uint32_t namespace_count;
    struct row_table namespace_table; /* by name, seed 0 */
    struct name_arena names;
    struct cost_defects defects;
    decimal total;
    bool has_data_start;
    int64_t data_start_s;
};

/* With one reference. NULL only when out of memory. */
struct cost_set *cost_set_create(void) NODISCARD;

/* Finds the row of a namespace by its name and the hash of it. */
bool cost_set_find_namespace_row(const struct cost_set *set, struct text name, uint32_t hash,
                                 uint32_t *ret_row) NODISCARD;

#endif
