/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rules are told in cost/cost_set.h; OpenCost's own formulas, which they follow, stand in its
 * core/pkg/opencost/allocation.go (TotalCost, CPUEfficiency, TotalEfficiency).
 */
#include "normalize.h"

#include "merge.h"
#include "names.h"

/* Splits "a/b"; false for names with no slash or several, or with an empty part. */
static bool split_in_two(struct text name, struct text *ret_first, struct text *ret_second)
{
    const char *slash = name.length > 0 ? memchr(name.data, '/', name.length) : NULL;
    if (slash == NULL)
        return false;
    struct text first = {.data = name.data, .length = (size_t)(slash - name.data)};
    struct text second = {.data = slash + 1, .length = name.length - first.length - 1};
    if (first.length == 0 || second.length == 0 || memchr(second.data, '/', second.length))
        return false;
    *ret_first = first;
    *ret_second = second;
    return true;
}

/* What the properties leave open is taken from the name. */
static void fill_from_name(struct text name, struct place *place)
{
    struct text first;
    struct text second;
    if (split_in_two(name, &first, &second)) {
        if (place->namespace_name.length == 0)
            place->namespace_name = first;
        if (place->pod.length == 0)
            place->pod = second;
    } else if (place->is_special && place->namespace_name.length == 0) {
        place->namespace_name = name;
        place->pod = name;
    }
}

struct place place_of_allocation(const struct allocation *allocation)
{
    struct place place = {
        .namespace_name = allocation->has_namespace ? allocation->namespace_name : TEXT(""),
        .pod = allocation->has_pod ? allocation->pod : TEXT(""),
    };
    place.is_idle = name_is_idle(allocation->name) || name_is_idle(place.namespace_name) ||
                    name_is_idle(place.pod);
    if (place.is_idle)
        return (struct place){.namespace_name = TEXT(IDLE_NAME),
                              .pod = TEXT(IDLE_NAME),
                              .is_special = true,
                              .is_idle = true};

    place.is_special = name_is_special(allocation->name) || name_is_special(place.namespace_name) ||
                       name_is_special(place.pod);
    if (place.namespace_name.length == 0 || place.pod.length == 0)
        fill_from_name(allocation->name, &place);
    return place;
}

/* Counts as a defect what had to be read as 0 though it stood for something. A figure that we can
 * work out ourselves (idle cost, total efficiency) is none. */
struct figure_reader {
    const struct allocation *allocation;
    uint64_t defects;
};

static bool is_absent(const struct figure_reader *reader, enum figure figure)
{
    return reader->allocation->state[figure] == FIGURE_ABSENT;
}

/* A figure that every answer should have. */
static decimal read_required(struct figure_reader *reader, enum figure figure)
{
    if (reader->allocation->state[figure] == FIGURE_PRESENT)
        return reader->allocation->value[figure];
    reader->defects++;
    return 0;
}

/* A figure that some versions of OpenCost do not send, but that must be a number if sent. */
static decimal read_optional(struct figure_reader *reader, enum figure figure)
{
    return is_absent(reader, figure) ? 0 : read_required(reader, figure);
}

/* Cost and adjustment are below 1e18 each, so nothing of one allocation can overflow. */
static decimal read_adjusted(struct figure_reader *reader, enum figure cost, enum figure adjustment)
{
    return read_required(reader, cost) + read_optional(reader, adjustment);
}

/* The first of `cost` and its stand-ins that is there at all. */
static decimal read_with_stand_ins(struct figure_reader *reader, enum figure cost,
                                   enum figure adjustment, enum figure second, enum figure third)
{
    enum figure found = cost;
    if (is_absent(reader, cost) && !is_absent(reader, second))
        found = second;
    else if (is_absent(reader, cost) && !is_absent(reader, third))
        found = third;
    return read_adjusted(reader, found, adjustment);
}

static struct cost_figures read_costs(struct figure_reader *reader)
{
    struct cost_figures costs = {
        .cpu = read_adjusted(reader, FIGURE_CPU_COST, FIGURE_CPU_COST_ADJUSTMENT),
        .memory = read_with_stand_ins(reader, FIGURE_RAM_COST, FIGURE_RAM_COST_ADJUSTMENT,
                                      FIGURE_MEMORY_ALLOCATABLE_COST, FIGURE_MEMORY_COST),
        .storage = read_with_stand_ins(reader, FIGURE_PV_COST, FIGURE_PV_COST_ADJUSTMENT,
                                       FIGURE_STORAGE_ALLOCATABLE_COST, FIGURE_STORAGE_COST),
        .network = read_adjusted(reader, FIGURE_NETWORK_COST, FIGURE_NETWORK_COST_ADJUSTMENT),
        .gpu = read_adjusted(reader, FIGURE_GPU_COST, FIGURE_GPU_COST_ADJUSTMENT),
        .load_balancer =
            read_adjusted(reader, FIGURE_LOAD_BALANCER_COST, FIGURE_LOAD_BALANCER_COST_ADJUSTMENT),
        .shared = read_required(reader, FIGURE_SHARED_COST),
        .external = read_required(reader, FIGURE_EXTERNAL_COST),
        .total = read_required(reader, FIGURE_TOTAL_COST),
    };
    if (reader->allocation->state[FIGURE_TOTAL_COST] != FIGURE_PRESENT)
        costs.total = costs.cpu + costs.memory + costs.storage + costs.network + costs.gpu +
                      costs.load_balancer + costs.shared + costs.external;
    return costs;
}

static bool is_present(const struct allocation *allocation, enum figure figure)
{
    return allocation->state[figure] == FIGURE_PRESENT;
}

/* The part of a cost that was paid for and not used. An efficiency nobody told gives no waste: we
 * do not invent figures. */
static bool waste_of(const struct allocation *allocation, decimal cost, enum figure efficiency,
                     decimal *ret_waste)
{
    decimal used = is_present(allocation, efficiency) ? allocation->value[efficiency] : DECIMAL_ONE;
    if (used < 0)
        used = 0;
    else if (used > DECIMAL_ONE)
        used = DECIMAL_ONE;
    return decimal_multiply(cost > 0 ? cost : 0, DECIMAL_ONE - used, ret_waste);
}

static bool read_idle(const struct allocation *allocation, const struct place *place,
                      struct cost_figures *costs)
{
    decimal cpu = 0;
    decimal memory = 0;

    if (place->is_idle) {
        costs->idle = costs->total;
        return true;
    }
    if (is_present(allocation, FIGURE_IDLE_COST)) {
        costs->idle = allocation->value[FIGURE_IDLE_COST];
        return true;
    }
    if (!place->is_special &&
        (!waste_of(allocation, costs->cpu, FIGURE_CPU_EFFICIENCY, &cpu) ||
         !waste_of(allocation, costs->memory, FIGURE_RAM_EFFICIENCY, &memory)))
        return false;
    costs->idle = cpu + memory;
    return true;
}

/* An average held for the minutes of the allocation. */
static bool read_over_minutes(struct figure_reader *reader, enum figure average, decimal minutes,
                              decimal *ret_product)
{
    return decimal_multiply(read_optional(reader, average), minutes, ret_product) &&
           usage_is_bounded(*ret_product);
}

/* OpenCost's own ratios; those it did not tell are worked out as it would have. */
static void read_efficiencies(const struct allocation *allocation, const struct cost_figures *costs,
                              struct cost_usage *usage)
{
    usage->cpu_efficiency =
        is_present(allocation, FIGURE_CPU_EFFICIENCY)
            ? allocation->value[FIGURE_CPU_EFFICIENCY]
            : efficiency_ratio(usage->cpu_usage, usage->cpu_request, costs->cpu);
    usage->memory_efficiency =
        is_present(allocation, FIGURE_RAM_EFFICIENCY)
            ? allocation->value[FIGURE_RAM_EFFICIENCY]
            : efficiency_ratio(usage->memory_usage, usage->memory_request, costs->memory);
    usage->total_efficiency =
        is_present(allocation, FIGURE_TOTAL_EFFICIENCY)
            ? allocation->value[FIGURE_TOTAL_EFFICIENCY]
            : efficiency_mean(costs, usage->cpu_efficiency, usage->memory_efficiency);
}

static bool read_usage(struct figure_reader *reader, const struct cost_figures *costs,
                       struct cost_usage *ret_usage)
{
    struct cost_usage usage = {.allocations = 1};
    decimal minutes = read_optional(reader, FIGURE_MINUTES);
    if (!read_over_minutes(reader, FIGURE_CPU_REQUEST, minutes, &usage.cpu_request) ||
        !read_over_minutes(reader, FIGURE_CPU_USAGE, minutes, &usage.cpu_usage) ||
        !read_over_minutes(reader, FIGURE_RAM_REQUEST, minutes, &usage.memory_request) ||
        !read_over_minutes(reader, FIGURE_RAM_USAGE, minutes, &usage.memory_usage))
        return false;
    /* Without these the waste was 0: they are looked at once more, to be counted. */
    (void)read_optional(reader, FIGURE_CPU_EFFICIENCY);
    (void)read_optional(reader, FIGURE_RAM_EFFICIENCY);
    read_efficiencies(reader->allocation, costs, &usage);
    *ret_usage = usage;
    return true;
}

/* Whole pods; fractions are cut off, and what is below zero is none. */
static uint64_t read_pod_count(struct figure_reader *reader)
{
    decimal count = read_optional(reader, FIGURE_POD_COUNT);
    return count > 0 ? (uint64_t)(count / DECIMAL_ONE) : 0;
}

bool contribution_of_allocation(const struct allocation *allocation, const struct place *place,
                                struct contribution *ret_contribution, struct error *reterr)
{
    struct figure_reader reader = {.allocation = allocation};
    struct contribution contribution = {.figures = read_costs(&reader)};

    if (!read_idle(allocation, place, &contribution.figures) ||
        !read_usage(&reader, &contribution.figures, &contribution.usage))
        return error_set(reterr, ERR_UPSTREAM_BODY,
                         "the figures of allocation \"%.*s\" are too large to multiply",
                         (int)(allocation->name.length < 100 ? allocation->name.length : 100),
                         allocation->name.length > 0 ? allocation->name.data : "");
    if (place->pod.length == 0 && !place->is_special)
        contribution.pod_count = read_pod_count(&reader);
    contribution.defects = reader.defects;
    *ret_contribution = contribution;
    return true;
}
