/* SPDX-License-Identifier: Apache-2.0 */
/* The inside of a cost set: for cost_set.c, which shows it, for the builder, which fills it, and
 * for the codec, which does both. */
#ifndef COST_COST_SET_ROWS_H
#define COST_COST_SET_ROWS_H

#include <stdbool.h>
#include <stdint.h>

#include "cost/cost_set.h"
#include "name_arena.h"
#include "row_table.h"

struct cost_set {
    struct pod_cost *pods;
    uint32_t pod_count;
    struct namespace_cost *namespaces;
    uint32_t namespace_count;
    struct row_table namespace_table; /* by name */
    uint64_t hash_seed;               /* of this set's own, see row_table_hash() */
    struct name_arena names;
    struct cost_defects defects;
    decimal total;
    bool includes_idle;
    bool has_data_start;
    int64_t data_start_s;
};

/* NULL only when out of memory. */
struct cost_set *cost_set_create(void) NODISCARD;

/* Finds the row of a namespace by its name and the hash of it. */
bool cost_set_find_namespace_row(const struct cost_set *set, struct text name, uint32_t hash,
                                 uint32_t *ret_row) NODISCARD;

/* A pod row that counts as a pod of its namespace. */
bool cost_set_counts_pod(const struct pod_cost *pod) NODISCARD;

/* The set that is being built. */
struct cost_set *cost_set_builder_set(struct cost_set_builder *builder) NODISCARD;

/* The row of that name, found or added; a new one is the last, and holds nothing but its name. A
 * pod goes to the end of its namespace's list. Rows may move when others are added. NULL when out
 * of memory; the builder is then good for nothing but to be destroyed. */
struct namespace_cost *cost_set_builder_namespace(struct cost_set_builder *builder,
                                                  struct text name, uint32_t *ret_row) NODISCARD;
struct pod_cost *cost_set_builder_pod(struct cost_set_builder *builder, uint32_t namespace_row,
                                      struct text name) NODISCARD;

#endif
