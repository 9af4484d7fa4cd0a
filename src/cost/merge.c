/* SPDX-License-Identifier: Apache-2.0 */
#include "merge.h"

void cost_figures_add(struct cost_figures *sum, const struct cost_figures *addend)
{
    sum->total += addend->total;
    sum->cpu += addend->cpu;
    sum->memory += addend->memory;
    sum->storage += addend->storage;
    sum->network += addend->network;
    sum->gpu += addend->gpu;
    sum->load_balancer += addend->load_balancer;
    sum->shared += addend->shared;
    sum->external += addend->external;
    sum->idle += addend->idle;
}

bool usage_is_bounded(decimal usage)
{
    return usage < DECIMAL_DIVISOR_LIMIT && usage > -DECIMAL_DIVISOR_LIMIT;
}

/* Both are bounded, so the addition itself cannot overflow. */
static bool add_bounded(decimal *sum, decimal addend)
{
    *sum += addend;
    return usage_is_bounded(*sum);
}

bool cost_usage_add(struct cost_usage *sum, const struct cost_usage *addend)
{
    if (sum->allocations == 0) {
        sum->cpu_efficiency = addend->cpu_efficiency;
        sum->memory_efficiency = addend->memory_efficiency;
        sum->total_efficiency = addend->total_efficiency;
    }
    sum->allocations += addend->allocations;
    return add_bounded(&sum->cpu_request, addend->cpu_request) &&
           add_bounded(&sum->cpu_usage, addend->cpu_usage) &&
           add_bounded(&sum->memory_request, addend->memory_request) &&
           add_bounded(&sum->memory_usage, addend->memory_usage);
}

decimal efficiency_ratio(decimal usage, decimal request, decimal cost)
{
    if (request > 0)
        return decimal_divide(usage, request);
    return usage > 0 && cost > 0 ? DECIMAL_ONE : 0;
}

decimal efficiency_mean(const struct cost_figures *figures, decimal cpu, decimal memory)
{
    decimal cost = figures->cpu + figures->memory;
    decimal weighted_cpu;
    decimal weighted_memory;
    decimal weighted;
    if (cost <= 0)
        return 0;
    /* Ratios so absurd that they do not fit have no mean worth showing. */
    if (!decimal_multiply(cpu, figures->cpu, &weighted_cpu) ||
        !decimal_multiply(memory, figures->memory, &weighted_memory) ||
        __builtin_add_overflow(weighted_cpu, weighted_memory, &weighted))
        return 0;
    return decimal_divide(weighted, cost);
}

struct cost_efficiency cost_efficiency_of(const struct cost_figures *figures,
                                          const struct cost_usage *usage)
{
    if (usage->allocations == 1)
        return (struct cost_efficiency){.cpu = usage->cpu_efficiency,
                                        .memory = usage->memory_efficiency,
                                        .total = usage->total_efficiency};
    decimal cpu = efficiency_ratio(usage->cpu_usage, usage->cpu_request, figures->cpu);
    decimal memory = efficiency_ratio(usage->memory_usage, usage->memory_request, figures->memory);
    return (struct cost_efficiency){
        .cpu = cpu, .memory = memory, .total = efficiency_mean(figures, cpu, memory)};
}
