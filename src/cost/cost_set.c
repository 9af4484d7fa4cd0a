/* SPDX-License-Identifier: Apache-2.0 */
#include "cost/cost_set.h"

#include <stdlib.h>
#include <sys/random.h>

#include "cost_set_rows.h"

/* Where the kernel gives no random bytes, the address is at least not the same everywhere. */
static uint64_t new_hash_seed(const struct cost_set *set)
{
    uint64_t seed;
    if (getrandom(&seed, sizeof(seed), GRND_NONBLOCK) != (ssize_t)sizeof(seed))
        seed = (uint64_t)(uintptr_t)set;
    return seed;
}

struct cost_set *cost_set_create(void)
{
    struct cost_set *set = calloc(1, sizeof(*set));
    if (set == NULL)
        return NULL;
    set->hash_seed = new_hash_seed(set);
    return set;
}

void cost_set_destroy(struct cost_set *set)
{
    if (set == NULL)
        return;
    free(set->pods);
    free(set->namespaces);
    row_table_finish(&set->namespace_table);
    name_arena_finish(&set->names);
    free(set);
}

size_t cost_set_bytes(const struct cost_set *set)
{
    return sizeof(*set) + set->pod_count * sizeof(*set->pods) +
           set->namespace_count * sizeof(*set->namespaces) +
           row_table_bytes(&set->namespace_table) + set->names.bytes;
}

bool cost_set_includes_idle(const struct cost_set *set)
{
    return set->includes_idle;
}

const struct pod_cost *cost_set_pods(const struct cost_set *set, size_t *ret_count)
{
    *ret_count = set->pod_count;
    return set->pods;
}

const struct namespace_cost *cost_set_namespaces(const struct cost_set *set, size_t *ret_count)
{
    *ret_count = set->namespace_count;
    return set->namespaces;
}

bool cost_set_find_namespace_row(const struct cost_set *set, struct text name, uint32_t hash,
                                 uint32_t *ret_row)
{
    struct row_probe probe = row_table_probe(&set->namespace_table, hash);
    uint32_t row;
    while (row_table_next(&set->namespace_table, &probe, &row)) {
        if (text_equals(set->namespaces[row].name, name)) {
            *ret_row = row;
            return true;
        }
    }
    return false;
}

const struct namespace_cost *cost_set_find_namespace(const struct cost_set *set, struct text name)
{
    uint32_t row;
    if (!cost_set_find_namespace_row(set, name, row_table_hash(name, set->hash_seed), &row))
        return NULL;
    return &set->namespaces[row];
}

const struct cost_defects *cost_set_defects(const struct cost_set *set)
{
    return &set->defects;
}

decimal cost_set_total(const struct cost_set *set)
{
    return set->total;
}

bool cost_set_data_start(const struct cost_set *set, int64_t *ret_start_s)
{
    if (set->has_data_start)
        *ret_start_s = set->data_start_s;
    return set->has_data_start;
}
