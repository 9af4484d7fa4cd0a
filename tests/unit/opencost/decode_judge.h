/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The decoder's judge: reads the same answers with jansson, as whole documents, by the same rules
 * written down a second time.
 *
 * Deliberate differences between the two, which the judge cannot decide:
 *   - of repeated keys jansson keeps the last. So does the decoder within an allocation; but two
 *     allocations of one name are two rows added up, and a second `data` is refused;
 *   - nesting beyond 512 levels (jansson: 2,048) and single allocations beyond 64 MiB are refused.
 */
#ifndef TESTS_DECODE_JUDGE_H
#define TESTS_DECODE_JUDGE_H

#include <stdbool.h>

#include "cost/cost_set.h"
#include "decode_support.h"

enum verdict { VERDICT_ACCEPTED, VERDICT_REFUSED, VERDICT_HAS_REPEATED_KEYS };

/* *ret_set is new, and NULL unless accepted. */
enum verdict judge(const struct body *body, bool include_idle, struct cost_set **ret_set);

#endif
