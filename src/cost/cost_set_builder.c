/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The builder fills the set that it will hand out. What is only needed while building, the table of
 * pods and the spare rows, is given back at the end.
 */
#include <stdlib.h>

#include "cost/cost_set.h"
#include "cost_set_rows.h"
#include "merge.h"
#include "names.h"
#include "normalize.h"

struct cost_set_builder {
    struct cost_set *set;
    bool failed;                /* the set is half-built and must not be handed out */
    struct row_table pod_table; /* by pod name; the seed says of which namespace */
    uint32_t pod_capacity;
    uint32_t namespace_capacity;
};

struct cost_set_builder *cost_set_builder_create(bool include_idle)
{
    struct cost_set_builder *builder = calloc(1, sizeof(*builder));
    if (builder == NULL)
        return NULL;
    builder->set = cost_set_create();
    if (builder->set == NULL) {
        free(builder);
        return NULL;
    }
    builder->set->includes_idle = include_idle;
    return builder;
}

struct cost_set *cost_set_builder_set(struct cost_set_builder *builder)
{
    return builder->set;
}

void cost_set_builder_destroy(struct cost_set_builder *builder)
{
    if (builder == NULL)
        return;
    row_table_finish(&builder->pod_table);
    cost_set_destroy(builder->set);
    free(builder);
}

void cost_set_builder_ignore(struct cost_set_builder *builder)
{
    builder->set->defects.entries_ignored++;
}

/* Makes room for one more row; returns the rows, which may have moved, or NULL when out of memory
 * (they are then where they were). */
static void *grow_rows(void *rows, uint32_t count, uint32_t *capacity, size_t row_bytes)
{
    enum { ROWS_MIN = 8 };

    if (count < *capacity)
        return rows;
    if (*capacity > POD_NONE / 2)
        return NULL; /* row numbers would reach POD_NONE */
    uint32_t wanted = *capacity > 0 ? *capacity * 2 : ROWS_MIN;
    void *grown = reallocarray(rows, wanted, row_bytes);
    if (grown)
        *capacity = wanted;
    return grown;
}

/* Gives spare rows back. A shrink that fails leaves them where they are, which does no harm. */
static void *trim_rows(void *rows, uint32_t count, size_t row_bytes)
{
    void *trimmed = count > 0 ? realloc(rows, count * row_bytes) : NULL;
    return trimmed ? trimmed : rows;
}

struct namespace_cost *cost_set_builder_namespace(struct cost_set_builder *builder,
                                                  struct text name, uint32_t *ret_row)
{
    struct cost_set *set = builder->set;
    uint32_t hash = row_table_hash(name, set->hash_seed);
    if (cost_set_find_namespace_row(set, name, hash, ret_row))
        return &set->namespaces[*ret_row];

    void *rows = grow_rows(set->namespaces, set->namespace_count, &builder->namespace_capacity,
                           sizeof(*set->namespaces));
    if (rows == NULL)
        return NULL;
    set->namespaces = rows;
    struct namespace_cost *added = &set->namespaces[set->namespace_count];
    *added = (struct namespace_cost){
        .first_pod = POD_NONE, .last_pod = POD_NONE, .is_special = name_is_special(name)};
    if (!name_arena_copy(&set->names, name, &added->name) ||
        !row_table_add(&set->namespace_table, hash, set->namespace_count))
        return NULL;
    *ret_row = set->namespace_count++;
    return added;
}

static struct pod_cost *find_pod(const struct cost_set_builder *builder, uint32_t namespace_row,
                                 struct text name, uint32_t hash)
{
    struct pod_cost *pods = builder->set->pods;
    struct row_probe probe = row_table_probe(&builder->pod_table, hash);
    uint32_t row;
    while (row_table_next(&builder->pod_table, &probe, &row))
        if (pods[row].namespace_index == namespace_row && text_equals(pods[row].name, name))
            return &pods[row];
    return NULL;
}

static void append_to_namespace(struct cost_set *set, uint32_t namespace_row, uint32_t pod_row)
{
    struct namespace_cost *home = &set->namespaces[namespace_row];
    if (home->last_pod == POD_NONE)
        home->first_pod = pod_row;
    else
        set->pods[home->last_pod].next_in_namespace = pod_row;
    home->last_pod = pod_row;
}

struct pod_cost *cost_set_builder_pod(struct cost_set_builder *builder, uint32_t namespace_row,
                                      struct text name)
{
    struct cost_set *set = builder->set;
    uint32_t hash = row_table_hash(name, set->hash_seed + 1 + namespace_row);
    struct pod_cost *found = find_pod(builder, namespace_row, name, hash);
    if (found)
        return found;

    void *rows = grow_rows(set->pods, set->pod_count, &builder->pod_capacity, sizeof(*set->pods));
    if (rows == NULL)
        return NULL;
    set->pods = rows;
    struct pod_cost *added = &set->pods[set->pod_count];
    *added = (struct pod_cost){.namespace_index = namespace_row, .next_in_namespace = POD_NONE};
    if (!name_arena_copy(&set->names, name, &added->name) ||
        !row_table_add(&builder->pod_table, hash, set->pod_count))
        return NULL;
    append_to_namespace(set, namespace_row, set->pod_count++);
    return added;
}

static bool add_to_rows(struct cost_set_builder *builder, const struct place *place,
                        const struct contribution *contribution, struct error *reterr)
{
    uint32_t namespace_row;
    struct namespace_cost *home =
        cost_set_builder_namespace(builder, place->namespace_name, &namespace_row);
    if (home == NULL)
        return error_no_memory(reterr);
    cost_figures_add(&home->figures, &contribution->figures);
    if (!cost_usage_add(&home->usage, &contribution->usage))
        return error_set(reterr, ERR_UPSTREAM_BODY, "the usage of a namespace is too large to sum");
    if (__builtin_add_overflow(home->pod_count, contribution->pod_count, &home->pod_count))
        home->pod_count = UINT64_MAX;
    if (place->pod.length == 0)
        return true;

    struct pod_cost *pod = cost_set_builder_pod(builder, namespace_row, place->pod);
    if (pod == NULL)
        return error_no_memory(reterr);
    pod->is_special |= place->is_special;
    cost_figures_add(&pod->figures, &contribution->figures);
    if (!cost_usage_add(&pod->usage, &contribution->usage))
        return error_set(reterr, ERR_UPSTREAM_BODY, "the usage of a pod is too large to sum");
    return true;
}

static void note_start(struct cost_set *set, const struct allocation *allocation)
{
    if (!allocation->has_start)
        return;
    if (!set->has_data_start || allocation->start_s < set->data_start_s)
        set->data_start_s = allocation->start_s;
    set->has_data_start = true;
}

bool cost_set_builder_add(struct cost_set_builder *builder, const struct allocation *allocation,
                          struct error *reterr)
{
    struct cost_set *set = builder->set;
    struct place place = place_of_allocation(allocation);
    if (place.is_idle && !builder->set->includes_idle) {
        set->defects.idle_dropped++;
        return true;
    }
    if (place.namespace_name.length == 0) {
        set->defects.rows_skipped++;
        return true;
    }

    struct contribution contribution;
    if (!contribution_of_allocation(allocation, &place, &contribution, reterr) ||
        !add_to_rows(builder, &place, &contribution, reterr)) {
        builder->failed = true;
        return false;
    }
    set->defects.figures += contribution.defects;
    set->total += contribution.figures.total;
    if (!place.is_special)
        note_start(set, allocation);
    return true;
}

bool cost_set_counts_pod(const struct pod_cost *pod)
{
    return !pod->is_special && !name_is_unmounted_volumes(pod->name);
}

/* Only now is it known which rows are special: a row becomes so with any allocation in it. */
static void count_pods(struct cost_set *set)
{
    for (uint32_t i = 0; i < set->pod_count; i++) {
        const struct pod_cost *pod = &set->pods[i];
        struct namespace_cost *home = &set->namespaces[pod->namespace_index];
        if (cost_set_counts_pod(pod) && home->pod_count < UINT64_MAX)
            home->pod_count++;
    }
}

struct cost_set *cost_set_builder_finish(struct cost_set_builder *builder)
{
    if (builder->failed) {
        cost_set_builder_destroy(builder);
        return NULL;
    }
    struct cost_set *set = builder->set;
    count_pods(set);
    set->pods = trim_rows(set->pods, set->pod_count, sizeof(*set->pods));
    set->namespaces = trim_rows(set->namespaces, set->namespace_count, sizeof(*set->namespaces));
    builder->set = NULL;
    cost_set_builder_destroy(builder);
    return set;
}
