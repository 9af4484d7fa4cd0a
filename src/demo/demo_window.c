/* SPDX-License-Identifier: Apache-2.0 */
#include "demo_window.h"

#include <stddef.h>
#include <string.h>

#include "base/civil_time.h"
#include "base/parse.h"

enum { DAYS_PER_WEEK = 7 };

/* OpenCost knows no upper limit. Ours keeps every date within four-digit years. */
static const int64_t longest_duration_s = (int64_t)1000 * 365 * SECONDS_PER_DAY;
static const int64_t last_unix_time_s = 253402300799; /* 9999-12-31T23:59:59Z */

static bool parse_keyword(const char *text, int64_t today_s, struct demo_span *ret_window)
{
    const int64_t tonight_s = today_s + SECONDS_PER_DAY;
    const int64_t week_s = (int64_t)DAYS_PER_WEEK * SECONDS_PER_DAY;
    const struct civil_date date = civil_date_of(today_s);
    const int64_t first_s = civil_midnight(date.year, date.month, 1);
    /* The first day of the Unix calendar was a Thursday; OpenCost's weeks begin on Sunday. */
    const int64_t days_since_sunday = (today_s / SECONDS_PER_DAY + 4) % DAYS_PER_WEEK;
    const int64_t sunday_s = today_s - days_since_sunday * SECONDS_PER_DAY;

    const struct {
        const char *word;
        struct demo_span window;
    } keywords[] = {
        {"today", {today_s, tonight_s}},
        {"yesterday", {today_s - SECONDS_PER_DAY, today_s}},
        {"week", {sunday_s, tonight_s}},
        {"lastweek", {sunday_s - week_s, sunday_s}},
        {"month", {first_s, tonight_s}},
        {"lastmonth", {civil_midnight(date.year, date.month - 1, 1), first_s}},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(keywords); i++) {
        if (strcmp(text, keywords[i].word) == 0) {
            *ret_window = keywords[i].window;
            return true;
        }
    }
    return false;
}

/* Seconds of `m`, `h`, `d` or `w`; 0 for another letter. */
static int64_t unit_seconds(char unit)
{
    switch (unit) {
    case 'm':
        return SECONDS_PER_MINUTE;
    case 'h':
        return SECONDS_PER_HOUR;
    case 'd':
        return SECONDS_PER_DAY;
    case 'w':
        return (int64_t)DAYS_PER_WEEK * SECONDS_PER_DAY;
    default:
        return 0;
    }
}

/* OpenCost rounds the end of such a window up to the next full unit. Tonight 24:00 is full in every
 * unit, so nothing is left to round. */
static bool parse_duration(const char *text, int64_t today_s, struct demo_span *ret_window)
{
    const size_t length = strlen(text);
    const int64_t unit_s = length > 1 ? unit_seconds(text[length - 1]) : 0;
    int64_t count;
    if (unit_s == 0 || !parse_digits(text, length - 1, longest_duration_s / unit_s, &count))
        return false;
    ret_window->end_s = today_s + SECONDS_PER_DAY;
    ret_window->start_s = ret_window->end_s - count * unit_s;
    return true;
}

static bool parse_unix_pair(const char *text, const char *separator, struct demo_span *ret_window)
{
    return parse_digits(text, (size_t)(separator - text), last_unix_time_s, &ret_window->start_s) &&
           parse_digits(separator + 1, strlen(separator + 1), last_unix_time_s, &ret_window->end_s);
}

static bool parse_pair(const char *text, struct demo_span *ret_window)
{
    const char *comma = strchr(text, ',');
    if (comma == NULL) {
        const char *dash = strchr(text, '-');
        return dash != NULL && parse_unix_pair(text, dash, ret_window);
    }
    if (rfc3339_parse_z(text, (size_t)(comma - text), &ret_window->start_s))
        return rfc3339_parse_z(comma + 1, strlen(comma + 1), &ret_window->end_s);
    return parse_unix_pair(text, comma, ret_window);
}

bool demo_window_parse(const char *text, int64_t today_s, struct demo_span *ret_window)
{
    struct demo_span window;
    if (!parse_keyword(text, today_s, &window) && !parse_duration(text, today_s, &window) &&
        !parse_pair(text, &window))
        return false;
    *ret_window = window;
    return true;
}

struct demo_span demo_span_overlap(struct demo_span a, struct demo_span b)
{
    return (struct demo_span){
        .start_s = a.start_s > b.start_s ? a.start_s : b.start_s,
        .end_s = a.end_s < b.end_s ? a.end_s : b.end_s,
    };
}
