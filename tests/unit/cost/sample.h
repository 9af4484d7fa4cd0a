/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Allocations and sets as tests write them: figures are given as text, the way OpenCost sends them.
 *
 * Failures end the test (cmocka).
 */
#ifndef TESTS_UNIT_COST_SAMPLE_H
#define TESTS_UNIT_COST_SAMPLE_H

#include "cost/cost_set.h"

decimal sample_decimal(const char *text);

/* A named allocation with every base figure present and 0. `name` is borrowed. */
struct allocation sample_allocation(const char *name);

void sample_set(struct allocation *allocation, enum figure figure, const char *value);
void sample_set_absent(struct allocation *allocation, enum figure figure);
void sample_set_invalid(struct allocation *allocation, enum figure figure);
void sample_set_properties(struct allocation *allocation, const char *namespace_name,
                           const char *pod);

/* Adds one, which must succeed. */
void sample_add(struct cost_set_builder *builder, struct allocation allocation);

/* An allocation named `name` that costs `cost` of CPU and in all. */
struct allocation sample_cpu(const char *name, const char *cost);

/* A set of a single allocation, idle included. */
struct cost_set *sample_set_of(struct allocation allocation);

void assert_decimal_equal(decimal actual, const char *expected);

#endif
