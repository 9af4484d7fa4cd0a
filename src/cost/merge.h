/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Adding rows up, and what efficiency means then.
 *
 * Threads: any; pure functions.
 */
#ifndef COST_MERGE_H
#define COST_MERGE_H

#include <stdbool.h>

#include "base/attrs.h"
#include "cost/cost_set.h"

/* True when `usage` can be divided by. Usage is made of products, which unlike the figures have no
 * limit of their own. */
bool usage_is_bounded(decimal usage) NODISCARD;

/* Cannot overflow: see decimal.h on the limit of figures. */
void cost_figures_add(struct cost_figures *sum, const struct cost_figures *addend);

/* False when a sum is not bounded. The efficiencies as sent are those of the first addend: they
 * count only as long as it is the only one. */
bool cost_usage_add(struct cost_usage *sum, const struct cost_usage *addend) NODISCARD;

/* Usage over request. Without a request: 1 when there is usage that cost something, else 0. */
decimal efficiency_ratio(decimal usage, decimal request, decimal cost) NODISCARD;

/* The mean of both efficiencies, weighted by cost; 0 when both cost nothing. */
decimal efficiency_mean(const struct cost_figures *figures, decimal cpu, decimal memory) NODISCARD;

#endif
