/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "sample.h"

decimal sample_decimal(const char *text)
{
    decimal value = 0;
    if (decimal_parse(text, strlen(text), &value) != DECIMAL_OK)
        fail_msg("%s is no decimal", text);
    return value;
}

struct allocation sample_allocation(const char *name)
{
    static const enum figure base[] = {
        FIGURE_CPU_COST,     FIGURE_RAM_COST,      FIGURE_PV_COST,
        FIGURE_NETWORK_COST, FIGURE_GPU_COST,      FIGURE_LOAD_BALANCER_COST,
        FIGURE_SHARED_COST,  FIGURE_EXTERNAL_COST, FIGURE_TOTAL_COST,
    };
    struct allocation allocation = {.name = text_of(name)};
    for (size_t i = 0; i < ARRAY_LENGTH(base); i++)
        allocation.state[base[i]] = FIGURE_PRESENT;
    return allocation;
}

void sample_set(struct allocation *allocation, enum figure figure, const char *value)
{
    allocation->state[figure] = FIGURE_PRESENT;
    allocation->value[figure] = sample_decimal(value);
}

void sample_set_absent(struct allocation *allocation, enum figure figure)
{
    allocation->state[figure] = FIGURE_ABSENT;
    allocation->value[figure] = sample_decimal("777"); /* must not be looked at */
}

void sample_set_invalid(struct allocation *allocation, enum figure figure)
{
    allocation->state[figure] = FIGURE_INVALID;
    allocation->value[figure] = sample_decimal("777");
}

void sample_set_properties(struct allocation *allocation, const char *namespace_name,
                           const char *pod)
{
    allocation->has_namespace = namespace_name != NULL;
    allocation->has_pod = pod != NULL;
    if (namespace_name)
        allocation->namespace_name = text_of(namespace_name);
    if (pod)
        allocation->pod = text_of(pod);
}

void sample_add(struct cost_set_builder *builder, struct allocation allocation)
{
    struct error error = {.code = ERR_NONE};
    if (!cost_set_builder_add(builder, &allocation, &error))
        fail_msg("%s", error.text);
}

struct allocation sample_cpu(const char *name, const char *cost)
{
    struct allocation allocation = sample_allocation(name);
    sample_set(&allocation, FIGURE_CPU_COST, cost);
    sample_set(&allocation, FIGURE_TOTAL_COST, cost);
    return allocation;
}

struct cost_set *sample_set_of(struct allocation allocation)
{
    struct cost_set_builder *builder = cost_set_builder_create(true);
    assert_non_null(builder);
    sample_add(builder, allocation);
    struct cost_set *set = cost_set_builder_finish(builder);
    assert_non_null(set);
    return set;
}

void assert_decimal_equal(decimal actual, const char *expected)
{
    char text[DECIMAL_TEXT_MAX];
    decimal_format(actual, text);
    assert_string_equal(text, expected);
}
