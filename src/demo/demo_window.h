/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The `window` parameter as OpenCost reads it.
 *
 * The sample cluster's clock stands at the end of the day: "now" is tonight 24:00. So a window
 * means the same from midnight to midnight, and equal requests of one day get equal answers.
 *
 * Threads: any; pure functions.
 */
#ifndef DEMO_WINDOW_H
#define DEMO_WINDOW_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attrs.h"

/* From start to end, in Unix seconds. */
struct demo_span {
    int64_t start_s;
    int64_t end_s; /* not part of the span */
};

/* Accepted, case-sensitive: today, yesterday, week, month, lastweek, lastmonth, <n>m, <n>h, <n>d,
 * <n>w, a pair of Unix times `S,E` or `S-E`, a pair of RFC 3339 times `S,E`. `today_s` is this
 * day's midnight. False for anything else. The span may be empty or end before it starts: OpenCost
 * reads such windows too, and fails later. */
bool demo_window_parse(const char *text, int64_t today_s, struct demo_span *ret_window) NODISCARD;

/* What both spans cover; empty (end not after start) when they do not meet. */
struct demo_span demo_span_overlap(struct demo_span a, struct demo_span b) NODISCARD;

#endif
