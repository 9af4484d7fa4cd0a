/* SPDX-License-Identifier: Apache-2.0 */
#include "cost/window.h"

#include <stdio.h>
#include <string.h>

#include "base/civil_time.h"
#include "base/parse.h"
#include "base/strbuf.h"

/* 9999-12-31T23:59:59Z, the last that RFC 3339 can say. */
#define LAST_UNIX_S INT64_C(253402300799)

const char window_expected[] =
    "Input should be today, yesterday, week, month, lastweek, lastmonth, a number followed by m, "
    "h, d or w (such as 7d), or a start and end as Unix seconds or RFC 3339 UTC times (such as "
    "2026-01-01T00:00:00Z,2026-02-01T00:00:00Z), end after start and at most 366 days apart";

static bool parse_word(struct text text, struct window *ret_window)
{
    static const struct text words[] = {
        TEXT_INIT("today"), TEXT_INIT("yesterday"), TEXT_INIT("week"),
        TEXT_INIT("month"), TEXT_INIT("lastweek"),  TEXT_INIT("lastmonth"),
    };

    for (size_t i = 0; i < ARRAY_LENGTH(words); i++) {
        if (!text_equals(text, words[i]))
            continue;
        *ret_window = (struct window){.is_absolute = false};
        memcpy(ret_window->canonical, text.data, text.length);
        return true;
    }
    return false;
}

/* `<n>m`, `<n>h`, `<n>d`, `<n>w`. Weeks are written as days: OpenCost ends both tonight at 24:00.
 * The other units stay as they are, because OpenCost rounds the end up to the unit asked for. */
static bool parse_duration(struct text text, struct window *ret_window)
{
    static const struct {
        char unit;
        char canonical_unit;
        int canonical_factor;
        int64_t max; /* the most that stays within WINDOW_MAX_DAYS */
    } units[] = {
        {'m', 'm', 1, (int64_t)WINDOW_MAX_DAYS * 24 * 60},
        {'h', 'h', 1, (int64_t)WINDOW_MAX_DAYS * 24},
        {'d', 'd', 1, WINDOW_MAX_DAYS},
        {'w', 'd', 7, WINDOW_MAX_DAYS / 7},
    };
    struct strbuf canonical;

    if (text.length < 2)
        return false;
    for (size_t i = 0; i < ARRAY_LENGTH(units); i++) {
        int64_t count;
        if (text.data[text.length - 1] != units[i].unit)
            continue;
        if (!parse_digits(text.data, text.length - 1, units[i].max, &count) || count < 1)
            return false;
        *ret_window = (struct window){.is_absolute = false};
        strbuf_init_fixed(&canonical, ret_window->canonical, sizeof(ret_window->canonical));
        strbuf_append_int(&canonical, count * units[i].canonical_factor);
        strbuf_append_char(&canonical, units[i].canonical_unit);
        return true;
    }
    return false;
}

static bool parse_unix_time(struct text text, int64_t *ret_unix_s)
{
    return parse_digits(text.data, text.length, LAST_UNIX_S, ret_unix_s);
}

static bool parse_rfc3339_time(struct text text, int64_t *ret_unix_s)
{
    return rfc3339_parse_z(text.data, text.length, ret_unix_s);
}

/* Two times of one kind with `separator` between them. */
static bool parse_pair(struct text text, char separator,
                       bool (*parse_time)(struct text text, int64_t *ret_unix_s),
                       struct window *ret_window)
{
    const char *middle = text.length > 0 ? memchr(text.data, separator, text.length) : NULL;
    if (middle == NULL)
        return false;
    struct text first = {.data = text.data, .length = (size_t)(middle - text.data)};
    struct text second = {.data = middle + 1, .length = text.length - first.length - 1};

    int64_t start_s;
    int64_t end_s;
    if (!parse_time(first, &start_s) || !parse_time(second, &end_s))
        return false;
    if (end_s <= start_s || end_s - start_s > (int64_t)WINDOW_MAX_DAYS * SECONDS_PER_DAY)
        return false;
    *ret_window = window_of_span(start_s, end_s);
    return true;
}

bool window_parse(struct text text, struct window *ret_window)
{
    return parse_word(text, ret_window) || parse_duration(text, ret_window) ||
           parse_pair(text, ',', parse_unix_time, ret_window) ||
           parse_pair(text, '-', parse_unix_time, ret_window) ||
           parse_pair(text, ',', parse_rfc3339_time, ret_window);
}

struct window window_of_span(int64_t start_s, int64_t end_s)
{
    char start[RFC3339_TEXT_MAX];
    char end[RFC3339_TEXT_MAX];
    rfc3339_format(start_s, start);
    rfc3339_format(end_s, end);

    struct window window = {.is_absolute = true, .start_s = start_s, .end_s = end_s};
    snprintf(window.canonical, sizeof(window.canonical), "%.20s,%.20s", start, end);
    return window;
}

struct window window_of_month(int64_t now_s, int months_back)
{
    struct civil_date today = civil_date_of(now_s);
    int month = today.month - months_back;
    int64_t start_s = civil_midnight(today.year, month, 1);
    int64_t end_s = months_back == 0
                        ? civil_midnight(today.year, today.month, today.day) + SECONDS_PER_DAY
                        : civil_midnight(today.year, month + 1, 1);
    return window_of_span(start_s, end_s);
}
