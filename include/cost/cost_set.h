/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The cost set of a window: what one OpenCost answer says, as rows by pod and by namespace.
 *
 * Built once, by one thread, from allocations in the order OpenCost sent them; immutable
 * afterwards. Every view (namespaces, pods, months, recommendations) is computed from it, which is
 * why they agree to the last decimal.
 *
 * Rules (docs/OPENCOST_INTEGRATION.md has them with examples):
 *   - each part is cost + adjustment; absent figures fall back to their other names, null and
 *     non-numbers count as 0 and as a defect; an absent, null or non-numeric total is the sum of
 *     the parts;
 *   - allocations of the same namespace and pod are summed into one row; rows keep the order of
 *     first appearance;
 *   - special rows (names that contain __idle__, __unmounted__, __unallocated__, __shared__ or
 *     __external__) count for the money and never as a pod; all __idle__ allocations become one
 *     row, and none if idle was not asked for;
 *   - an allocation without namespace and without special name is skipped and counted; one with a
 *     namespace but no pod counts for its namespace and is no pod row.
 *
 * Threads: a builder belongs to one thread at a time; a finished set may be read by any number of
 * threads.
 */
#ifndef COST_COST_SET_H
#define COST_COST_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attrs.h"
#include "base/error.h"
#include "base/text.h"
#include "cost/allocation.h"
#include "cost/decimal.h"

/* Money of a row, in USD. cpu to external add up to the sum of the parts; `total` is OpenCost's
 * own. */
struct cost_figures {
    decimal total;
    decimal cpu;
    decimal memory;
    decimal storage;
    decimal network;
    decimal gpu;
    decimal load_balancer;
    decimal shared;
    decimal external;
    decimal idle; /* paid for and not used; not a part of the total's sum */
};

/* What efficiencies are made of. OpenCost's own ratio is kept while a row stems from a single
 * allocation; one merged from several is sum(usage x minutes) / sum(request x minutes). */
struct cost_usage {
    uint32_t allocations; /* merged into this row */
    /* As sent, if `allocations` is 1. */
    decimal cpu_efficiency, memory_efficiency, total_efficiency;
    decimal cpu_request, cpu_usage;       /* core-minutes */
    decimal memory_request, memory_usage; /* byte-minutes */
};

struct pod_cost {
    struct text name; /* pod name; NUL-terminated too */
    uint32_t namespace_index;
    uint32_t next_in_namespace; /* index of the namespace's next pod row; POD_NONE ends the list */
    bool is_special;
    struct cost_figures figures;
    struct cost_usage usage;
};

#define POD_NONE UINT32_MAX

struct namespace_cost {
    struct text name; /* NUL-terminated too */
    /* Of the list through next_in_namespace; POD_NONE if it has no pod rows. */
    uint32_t first_pod, last_pod;
    uint64_t pod_count;
    bool is_special; /* counted neither as a namespace nor for pods */
    struct cost_figures figures;
    struct cost_usage usage;
};

/* What was wrong with the answer, for the log and the metrics. */
struct cost_defects {
    uint64_t figures;         /* null, missing or not numbers, counted as 0 */
    uint64_t rows_skipped;    /* allocations with no namespace and no special name */
    uint64_t idle_dropped;    /* __idle__ allocations that came unasked */
    uint64_t entries_ignored; /* neither maps nor allocations: see cost_set_builder_ignore() */
};

struct cost_set;
struct cost_set_builder;

/* `include_idle` keeps the __idle__ row. NULL only when out of memory. */
struct cost_set_builder *cost_set_builder_create(bool include_idle) NODISCARD;

/* Accepts NULL. */
void cost_set_builder_destroy(struct cost_set_builder *builder);

/* Applies the rules above. The allocation and its texts are borrowed for the call. Fails with
 * ERR_NO_MEMORY, or with ERR_UPSTREAM_BODY when a product of figures does not fit (no real cluster
 * comes near); the builder is then unusable. */
bool cost_set_builder_add(struct cost_set_builder *builder, const struct allocation *allocation,
                          struct error *reterr) NODISCARD;

/* Counts a value that should have been a map or an allocation and was none. */
void cost_set_builder_ignore(struct cost_set_builder *builder);

/* Hands out the finished set, which is the caller's to destroy, and destroys the builder (also on
 * failure). NULL when out of memory or when the builder had failed before. */
struct cost_set *cost_set_builder_finish(struct cost_set_builder *builder) NODISCARD;

/* Accepts NULL. */
void cost_set_destroy(struct cost_set *set);

/* Bytes of memory the set keeps, for the cache's budget. */
size_t cost_set_bytes(const struct cost_set *set) NODISCARD;

/* As the builder was told. */
bool cost_set_includes_idle(const struct cost_set *set) NODISCARD;

/* Rows, borrowed from the set, in order of first appearance. */
const struct pod_cost *cost_set_pods(const struct cost_set *set, size_t *ret_count);
const struct namespace_cost *cost_set_namespaces(const struct cost_set *set, size_t *ret_count);

/* NULL when there is no such namespace. */
const struct namespace_cost *cost_set_find_namespace(const struct cost_set *set,
                                                     struct text name) NODISCARD;

const struct cost_defects *cost_set_defects(const struct cost_set *set) NODISCARD;

/* Sum of total_cost over all rows. */
decimal cost_set_total(const struct cost_set *set) NODISCARD;

/* The earliest `start` among rows that are not special, in Unix seconds; false when no row told. A
 * window that begins before it is covered only in part. */
bool cost_set_data_start(const struct cost_set *set, int64_t *ret_start_s) NODISCARD;

/* Efficiencies of a row (pod or namespace): OpenCost's own for a single allocation, else weighted
 * by minutes; the total is the mean of both weighted by CPU and memory cost, 0 when both cost
 * nothing. */
struct cost_efficiency {
    decimal cpu, memory, total;
};
struct cost_efficiency cost_efficiency_of(const struct cost_figures *figures,
                                          const struct cost_usage *usage) NODISCARD;

#endif
