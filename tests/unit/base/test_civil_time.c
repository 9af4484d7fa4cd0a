/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>
#include <time.h>

#include "base/civil_time.h"
#include "base/text.h"

static void every_day_of_800_years_is_the_one_gmtime_names(void **state)
{
    (void)state;
    int64_t first = civil_midnight(1600, 1, 1);
    int64_t last = civil_midnight(2400, 12, 31);
    assert_true(last - first > INT64_C(800) * 365 * SECONDS_PER_DAY);
    for (int64_t day_s = first; day_s <= last; day_s += SECONDS_PER_DAY) {
        struct tm expected;
        time_t moment = (time_t)(day_s + SECONDS_PER_DAY - 1); /* the day's last second */
        struct civil_date date = civil_date_of(moment);
        assert_non_null(gmtime_r(&moment, &expected));
        assert_int_equal(date.year, expected.tm_year + 1900);
        assert_int_equal(date.month, expected.tm_mon + 1);
        assert_int_equal(date.day, expected.tm_mday);
        assert_true(civil_midnight(date.year, date.month, date.day) == day_s);
    }
}

static void months_outside_the_year_move_the_year(void **state)
{
    (void)state;
    assert_true(civil_midnight(2026, 0, 1) == civil_midnight(2025, 12, 1));
    assert_true(civil_midnight(2026, -11, 1) == civil_midnight(2025, 1, 1));
    assert_true(civil_midnight(2026, 13, 1) == civil_midnight(2027, 1, 1));
    assert_true(civil_midnight(2026, 27, 1) == civil_midnight(2028, 3, 1));
    assert_true(civil_midnight(1970, 1, 1) == 0);
}

static const struct {
    struct text text;
    int64_t unix_s;
    bool is_strict; /* also accepted by rfc3339_parse_z() */
} good_times[] = {
    {TEXT_INIT("1970-01-01T00:00:00Z"), 0, true},
    {TEXT_INIT("2026-11-23T14:59:34Z"), 1795445974, true},
    {TEXT_INIT("2024-02-29T23:59:59Z"), 1709251199, true},
    {TEXT_INIT("2000-02-29T00:00:00Z"), 951782400, true},
    {TEXT_INIT("0001-01-01T00:00:00Z"), -62135596800, true},
    {TEXT_INIT("9999-12-31T23:59:59Z"), 253402300799, true},
    {TEXT_INIT("2026-11-23t14:59:34z"), 1795445974, false},
    {TEXT_INIT("2026-11-23T14:59:34.5Z"), 1795445974, false},
    {TEXT_INIT("2026-11-23T14:59:34.999999999999Z"), 1795445974, false},
    {TEXT_INIT("2026-11-23T16:29:34+01:30"), 1795445974, false},
    {TEXT_INIT("2026-11-23T09:59:34.25-05:00"), 1795445974, false},
    {TEXT_INIT("2026-11-23T14:59:34-00:00"), 1795445974, false},
    {TEXT_INIT("2016-12-31T23:59:60Z"), 1483228800, false},      /* a leap second */
    {TEXT_INIT("2017-01-01T00:59:60+01:00"), 1483228800, false}, /* the same one */
};

static void rfc_3339_times_are_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(good_times); i++) {
        struct text text = good_times[i].text;
        int64_t unix_s = -1;
        if (!rfc3339_parse(text.data, text.length, &unix_s) || unix_s != good_times[i].unix_s)
            fail_msg("%s: %lld", text.data, (long long)unix_s);
        if (rfc3339_parse_z(text.data, text.length, &unix_s) != good_times[i].is_strict)
            fail_msg("%s: the strict form", text.data);
    }
}

static void what_is_no_rfc_3339_time_is_refused(void **state)
{
    static const struct text cases[] = {
        TEXT_INIT(""),
        TEXT_INIT("2026-11-23"),
        TEXT_INIT("2026-11-23T14:59Z"),
        TEXT_INIT("2026-11-23T14:59:34"),
        TEXT_INIT("2026-11-23 14:59:34Z"),
        TEXT_INIT("2026-11-23T14:59:34Z "),
        TEXT_INIT(" 2026-11-23T14:59:34Z"),
        TEXT_INIT("2026-11-23T14:59:34ZZ"),
        TEXT_INIT("2026-11-23T14:59:34Z\0"),
        TEXT_INIT("2026-11-23T14:59:34.Z"),
        TEXT_INIT("2026-11-23T14:59:34,5Z"),
        TEXT_INIT("2026-11-23T14:59:34+0100"),
        TEXT_INIT("2026-11-23T14:59:34+01"),
        TEXT_INIT("2026-11-23T14:59:34+24:00"),
        TEXT_INIT("2026-11-23T14:59:34+01:60"),
        TEXT_INIT("2026-11-23T14:59:34*01:00"),
        TEXT_INIT("2026-11-23T24:00:00Z"),
        TEXT_INIT("2026-11-23T14:60:00Z"),
        TEXT_INIT("2026-11-23T14:59:61Z"),
        TEXT_INIT("2026-11-23T14:59:60Z"), /* no leap second ends there */
        TEXT_INIT("2026-00-23T14:59:34Z"),
        TEXT_INIT("2026-13-23T14:59:34Z"),
        TEXT_INIT("2026-11-00T14:59:34Z"),
        TEXT_INIT("2026-11-31T14:59:34Z"),
        TEXT_INIT("2026-02-29T14:59:34Z"),
        TEXT_INIT("1900-02-29T14:59:34Z"),
        TEXT_INIT("0000-01-01T00:00:00Z"),
        TEXT_INIT("26-11-23T14:59:34Z"),
        TEXT_INIT("+2026-11-23T14:59:34Z"),
        TEXT_INIT("-026-11-23T14:59:34Z"),
        TEXT_INIT("2026-11-23T14:59:3\xC2\xB2Z"),
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        int64_t unix_s = 0;
        if (rfc3339_parse(cases[i].data, cases[i].length, &unix_s) ||
            rfc3339_parse_z(cases[i].data, cases[i].length, &unix_s))
            fail_msg("accepted: %s", cases[i].data);
    }
}

static void times_are_written_as_they_are_read(void **state)
{
    char text[RFC3339_TEXT_MAX];
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(good_times); i++) {
        if (!good_times[i].is_strict)
            continue;
        rfc3339_format(good_times[i].unix_s, text);
        assert_string_equal(text, good_times[i].text.data);
    }
    rfc3339_format(-1, text);
    assert_string_equal(text, "1969-12-31T23:59:59Z");
}

static void times_beyond_four_digit_years_stay_at_the_ends(void **state)
{
    char text[RFC3339_TEXT_MAX];
    (void)state;
    rfc3339_format(INT64_MAX, text);
    assert_string_equal(text, "9999-12-31T23:59:59Z");
    rfc3339_format(INT64_MIN, text);
    assert_string_equal(text, "0001-01-01T00:00:00Z");
    rfc3339_format_us(INT64_MAX, text);
    assert_string_equal(text, "9999-12-31T23:59:59.775807Z");
    civil_format_month(INT64_MAX, text);
    assert_string_equal(text, "9999-12");
}

static void microseconds_are_left_out_only_when_zero(void **state)
{
    static const struct {
        int64_t unix_us;
        const char *text;
    } cases[] = {
        {INT64_C(1795445974000000), "2026-11-23T14:59:34Z"},
        {INT64_C(1795445974123456), "2026-11-23T14:59:34.123456Z"},
        {INT64_C(1795445974000001), "2026-11-23T14:59:34.000001Z"},
        {INT64_C(1795445974100000), "2026-11-23T14:59:34.100000Z"},
        {-1, "1969-12-31T23:59:59.999999Z"},
    };
    char text[RFC3339_TEXT_MAX];
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        rfc3339_format_us(cases[i].unix_us, text);
        assert_string_equal(text, cases[i].text);
    }
}

static void http_dates_are_those_strftime_writes(void **state)
{
    (void)state;
    for (int64_t unix_s = -86400; unix_s < INT64_C(86400) * 366 * 130; unix_s += 86399) {
        time_t moment = (time_t)unix_s;
        struct tm broken_down;
        char expected[40];
        char text[RFC3339_TEXT_MAX];
        assert_non_null(gmtime_r(&moment, &broken_down));
        assert_int_equal(
            strftime(expected, sizeof(expected), "%a, %d %b %Y %H:%M:%S GMT", &broken_down), 29);
        http_date_format(unix_s, text);
        assert_string_equal(text, expected);
    }
}

static void months_are_written_with_four_and_two_digits(void **state)
{
    char text[RFC3339_TEXT_MAX];
    (void)state;
    civil_format_month(civil_midnight(2026, 3, 31), text);
    assert_string_equal(text, "2026-03");
    civil_format_month(civil_midnight(987, 12, 1), text);
    assert_string_equal(text, "0987-12");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_day_of_800_years_is_the_one_gmtime_names),
        cmocka_unit_test(months_outside_the_year_move_the_year),
        cmocka_unit_test(rfc_3339_times_are_read),
        cmocka_unit_test(what_is_no_rfc_3339_time_is_refused),
        cmocka_unit_test(times_are_written_as_they_are_read),
        cmocka_unit_test(times_beyond_four_digit_years_stay_at_the_ends),
        cmocka_unit_test(microseconds_are_left_out_only_when_zero),
        cmocka_unit_test(http_dates_are_those_strftime_writes),
        cmocka_unit_test(months_are_written_with_four_and_two_digits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
