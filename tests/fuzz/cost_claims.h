/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_FUZZ_COST_CLAIMS_H
#define TESTS_FUZZ_COST_CLAIMS_H

#include "cost/cost_set.h"

/* Aborts unless the set is what its header promises: rows linked once each, sums that agree, and
 * reports that are JSON. */
void cost_claims_check(const struct cost_set *set);

#endif
