/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Costs as the JSON that OpenCost writes (of 2026: no "status" in the envelope): its fields in its
 * order, numbers rounded to five decimals in their shortest form.
 *
 * Threads: any; one at a time per buffer.
 */
#ifndef DEMO_JSON_H
#define DEMO_JSON_H

#include <stdbool.h>
#include <stddef.h>

#include "base/strbuf.h"
#include "demo_cost.h"

/* Appends one map name -> allocation. */
void demo_json_map(struct strbuf *out, const struct demo_cost_set *set,
                   const struct demo_allocation *allocations, size_t count, bool include_idle);

/* Appends a number as OpenCost rounds and prints it. */
void demo_json_number(struct strbuf *out, double value);

#endif
