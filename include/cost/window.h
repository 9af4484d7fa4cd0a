/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The span of time that costs are summed over, as callers write it and as OpenCost is asked for it.
 *
 * Accepted, case-sensitive: today, yesterday, week, month, lastweek, lastmonth; <n>m, <n>h, <n>d,
 * <n>w with n >= 1; two Unix times in seconds `S,E` or `S-E`; two RFC 3339 times
 * `YYYY-MM-DDThh:mm:ssZ,YYYY-MM-DDThh:mm:ssZ`. End after start, at most 366 days. (OpenCost:
 * core/pkg/opencost/window.go; its `offset` form is not ours.)
 *
 * Windows that OpenCost treats alike have the same canonical text: `1w` is `7d`, a Unix pair is the
 * RFC 3339 pair. `24h` is not `1d`: OpenCost rounds the end up to the next hour for one and to the
 * next day for the other.
 *
 * Threads: any; pure functions that read no clock.
 */
#ifndef COST_WINDOW_H
#define COST_WINDOW_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attrs.h"
#include "base/text.h"

enum {
    WINDOW_TEXT_MAX = 48, /* bytes for a canonical window, NUL included */
    WINDOW_MAX_DAYS = 366,
};

struct window {
    char canonical[WINDOW_TEXT_MAX]; /* what OpenCost is asked for, and part of the cache key */
    bool is_absolute;                /* a pair of times: start and end are known without a clock */
    int64_t start_s;                 /* Unix seconds; only if is_absolute */
    int64_t end_s;
};

/* One sentence that names the accepted forms; the `msg` of the 422 answer. */
extern const char window_expected[];

/* False when `text` is none of the accepted forms. */
bool window_parse(struct text text, struct window *ret_window) NODISCARD;

/* The absolute window from `start_s` to `end_s` (Unix seconds, end after start). */
struct window window_of_span(int64_t start_s, int64_t end_s) NODISCARD;

/* The calendar month that lies `months_back` months before the one of `now_s` (0 to 11). A past
 * month is the whole of it; the current one ends at the next midnight UTC, so that the key, and
 * with it the cache entry, lasts for the day. */
struct window window_of_month(int64_t now_s, int months_back) NODISCARD;

#endif
