/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/civil_time.h"
#include "cost/window.h"

#define MARCH_1 INT64_C(1772323200) /* 2026-03-01T00:00:00Z */

static void accepted_windows_have_one_canonical_text(void **state)
{
    static const struct {
        const char *window;
        const char *canonical;
    } cases[] = {
        {"today", "today"},
        {"yesterday", "yesterday"},
        {"week", "week"},
        {"month", "month"},
        {"lastweek", "lastweek"},
        {"lastmonth", "lastmonth"},
        {"1m", "1m"},
        {"90m", "90m"},
        {"24h", "24h"}, /* not 1d: OpenCost rounds the end differently */
        {"1d", "1d"},
        {"7d", "7d"},
        {"1w", "7d"},
        {"2w", "14d"},
        {"52w", "364d"},
        {"07d", "7d"},
        {"007w", "49d"},
        {"00000000000000000000000000000000000000000000000000000001h", "1h"},
        {"527040m", "527040m"}, /* 366 days in each unit */
        {"8784h", "8784h"},
        {"366d", "366d"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct window window;
        if (!window_parse(text_of(cases[i].window), &window))
            fail_msg("%s was refused", cases[i].window);
        assert_string_equal(window.canonical, cases[i].canonical);
        assert_false(window.is_absolute);
    }
}

static void pairs_of_times_become_the_rfc_3339_pair(void **state)
{
    static const struct {
        const char *window;
        const char *canonical;
        int64_t start_s;
        int64_t end_s;
    } cases[] = {
        {"1772323200,1772409600", "2026-03-01T00:00:00Z,2026-03-02T00:00:00Z", MARCH_1,
         MARCH_1 + SECONDS_PER_DAY},
        {"1772323200-1772409600", "2026-03-01T00:00:00Z,2026-03-02T00:00:00Z", MARCH_1,
         MARCH_1 + SECONDS_PER_DAY},
        {"2026-03-01T00:00:00Z,2026-03-02T00:00:00Z", "2026-03-01T00:00:00Z,2026-03-02T00:00:00Z",
         MARCH_1, MARCH_1 + SECONDS_PER_DAY},
        {"0,1", "1970-01-01T00:00:00Z,1970-01-01T00:00:01Z", 0, 1},
        {"00-001", "1970-01-01T00:00:00Z,1970-01-01T00:00:01Z", 0, 1},
        {"0-31622400", "1970-01-01T00:00:00Z,1971-01-02T00:00:00Z", 0,
         INT64_C(366) * SECONDS_PER_DAY},
        {"2024-01-01T00:00:00Z,2025-01-01T00:00:00Z", /* a leap year as a whole */
         "2024-01-01T00:00:00Z,2025-01-01T00:00:00Z", 1704067200, 1735689600},
        {"2024-02-29T23:59:59Z,2024-03-01T00:00:00Z", "2024-02-29T23:59:59Z,2024-03-01T00:00:00Z",
         1709251199, 1709251200},
        {"253402300798,253402300799", "9999-12-31T23:59:58Z,9999-12-31T23:59:59Z", 253402300798,
         253402300799},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct window window;
        if (!window_parse(text_of(cases[i].window), &window))
            fail_msg("%s was refused", cases[i].window);
        assert_string_equal(window.canonical, cases[i].canonical);
        assert_true(window.is_absolute);
        assert_int_equal(window.start_s, cases[i].start_s);
        assert_int_equal(window.end_s, cases[i].end_s);
    }
}

static void everything_else_is_refused(void **state)
{
    static const char *const cases[] = {
        "",
        " ",
        "Today",
        "TODAY",
        "todayx",
        "toda",
        " today",
        "today ",
        "current",
        "weeks",
        "year",
        "last month",
        "7",
        "d",
        "-7d",
        "+7d",
        "0d",
        "000h",
        "7D",
        "7 d",
        " 7d",
        "7d ",
        "7.5d",
        "1e2d",
        "0x7d",
        "1_0d",
        "7dd",
        "7d7h",
        "1y",
        "30s",
        "7\xC2\xB5m",
        "367d",
        "8785h",
        "527041m",
        "53w",
        "99999999999999999999999999999999d",
        "7d offset 1d",
        ",",
        "-",
        "1772323200",
        "1772323200,",
        ",1772323200",
        "1772409600,1772323200", /* end before start */
        "1772323200,1772323200", /* no time at all */
        "0,31622401",            /* a second more than 366 days */
        "1772323200|1772409600",
        "1772323200, 1772409600",
        "1772323200,1772409600,",
        "1772323200-1772409600-1772496000",
        "1772323200--1772409600",
        "-1,1",
        "1.5,2.5",
        "253402300799,253402300800", /* the year 10000 */
        "99999999999999999999,99999999999999999999999",
        "2026-01-01,2026-02-01",
        "2026-03-01T00:00:00Z",
        "2026-03-01T00:00:00Z,",
        "2026-03-02T00:00:00Z,2026-03-01T00:00:00Z",
        "2026-03-01T00:00:00Z,2026-03-01T00:00:00Z",
        "2026-03-01T00:00:00Z-2026-03-02T00:00:00Z",
        "2026-03-01T00:00:00Z,1772409600", /* mixed */
        "1772323200,2026-03-02T00:00:00Z",
        "2026-03-01T00:00:00.0Z,2026-03-02T00:00:00Z",
        "2026-03-01T00:00:00+00:00,2026-03-02T00:00:00+00:00",
        "2026-03-01t00:00:00z,2026-03-02t00:00:00z",
        "2026-03-01 00:00:00Z,2026-03-02 00:00:00Z",
        "2026-02-29T00:00:00Z,2026-03-02T00:00:00Z", /* no such days, hours, months */
        "2026-02-28T24:00:00Z,2026-03-02T00:00:00Z",
        "2026-13-01T00:00:00Z,2027-01-02T00:00:00Z",
        "2026-01-01T00:00:00Z,2027-01-02T00:00:01Z", /* a second more than 366 days */
    };
    struct window window;
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++)
        if (window_parse(text_of(cases[i]), &window))
            fail_msg("\"%s\" was accepted", cases[i]);
    assert_false(window_parse((struct text){.data = "7d\0", .length = 3}, &window));
    assert_false(window_parse((struct text){.data = "today\0", .length = 6}, &window));
    assert_false(window_parse((struct text){.data = NULL, .length = 0}, &window));
}

static void canonical_windows_are_their_own_canonical_text(void **state)
{
    static const char *const cases[] = {"lastmonth", "3w", "48h", "0-86400"};
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct window first;
        struct window second;
        assert_true(window_parse(text_of(cases[i]), &first));
        assert_true(window_parse(text_of(first.canonical), &second));
        assert_string_equal(second.canonical, first.canonical);
    }
}

static void months_begin_on_the_first_and_end_where_the_next_begins(void **state)
{
    const int64_t now_s = 1795446245; /* 2026-11-23T15:04:05Z */
    static const struct {
        int months_back;
        const char *canonical;
    } cases[] = {
        {0, "2026-11-01T00:00:00Z,2026-11-24T00:00:00Z"}, /* up to the next midnight */
        {1, "2026-10-01T00:00:00Z,2026-11-01T00:00:00Z"},
        {9, "2026-02-01T00:00:00Z,2026-03-01T00:00:00Z"},
        {10, "2026-01-01T00:00:00Z,2026-02-01T00:00:00Z"},
        {11, "2025-12-01T00:00:00Z,2026-01-01T00:00:00Z"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct window window = window_of_month(now_s, cases[i].months_back);
        assert_string_equal(window.canonical, cases[i].canonical);
        assert_true(window.is_absolute);
    }
}

static void the_current_month_keeps_its_text_all_day(void **state)
{
    (void)state;
    struct window first = window_of_month(MARCH_1, 0);
    struct window last = window_of_month(MARCH_1 + SECONDS_PER_DAY - 1, 0);
    struct window next_day = window_of_month(MARCH_1 + SECONDS_PER_DAY, 0);
    assert_string_equal(first.canonical, "2026-03-01T00:00:00Z,2026-03-02T00:00:00Z");
    assert_string_equal(last.canonical, first.canonical);
    assert_string_equal(next_day.canonical, "2026-03-01T00:00:00Z,2026-03-03T00:00:00Z");
    assert_string_equal(window_of_month(MARCH_1 - 1, 0).canonical,
                        "2026-02-01T00:00:00Z,2026-03-01T00:00:00Z");
}

static void the_refusal_names_every_form(void **state)
{
    static const char *const forms[] = {"today",    "yesterday", "week", "month",
                                        "lastweek", "lastmonth", "7d",   "Unix seconds",
                                        "RFC 3339", "366 days"};
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(forms); i++)
        assert_non_null(strstr(window_expected, forms[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accepted_windows_have_one_canonical_text),
        cmocka_unit_test(pairs_of_times_become_the_rfc_3339_pair),
        cmocka_unit_test(everything_else_is_refused),
        cmocka_unit_test(canonical_windows_are_their_own_canonical_text),
        cmocka_unit_test(months_begin_on_the_first_and_end_where_the_next_begins),
        cmocka_unit_test(the_current_month_keeps_its_text_all_day),
        cmocka_unit_test(the_refusal_names_every_form),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
