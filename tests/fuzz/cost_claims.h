/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_FUZZ_COST_CLAIMS_H
#define TESTS_FUZZ_COST_CLAIMS_H

#include "cost/cost_set.h"

/* Abort unless the set is what its header promises: rows linked once each, and reports that are
 * JSON; */
void cost_claims_check(const struct cost_set *set);

/* and, of a set summed up from allocations, sums that agree. */
void cost_claims_check_sums(const struct cost_set *set);

#endif
