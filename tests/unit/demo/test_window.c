/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/civil_time.h"
#include "demo_window.h"

/* Monday, 23 November 2026. */
static int64_t today(void)
{
    return civil_midnight(2026, 11, 23);
}

static void assert_window(const char *text, int64_t today_s, const char *start, const char *end)
{
    struct demo_span window;
    char actual_start[RFC3339_TEXT_MAX];
    char actual_end[RFC3339_TEXT_MAX];
    if (!demo_window_parse(text, today_s, &window))
        fail_msg("\"%s\" was not accepted", text);
    rfc3339_format(window.start_s, actual_start);
    rfc3339_format(window.end_s, actual_end);
    assert_string_equal(actual_start, start);
    assert_string_equal(actual_end, end);
}

static void each_form_names_its_span(void **state)
{
    static const struct {
        const char *text, *start, *end;
    } cases[] = {
        {"today", "2026-11-23T00:00:00Z", "2026-11-24T00:00:00Z"},
        {"yesterday", "2026-11-22T00:00:00Z", "2026-11-23T00:00:00Z"},
        {"week", "2026-11-22T00:00:00Z", "2026-11-24T00:00:00Z"},
        {"lastweek", "2026-11-15T00:00:00Z", "2026-11-22T00:00:00Z"},
        {"month", "2026-11-01T00:00:00Z", "2026-11-24T00:00:00Z"},
        {"lastmonth", "2026-10-01T00:00:00Z", "2026-11-01T00:00:00Z"},
        {"90m", "2026-11-23T22:30:00Z", "2026-11-24T00:00:00Z"},
        {"24h", "2026-11-23T00:00:00Z", "2026-11-24T00:00:00Z"},
        {"36h", "2026-11-22T12:00:00Z", "2026-11-24T00:00:00Z"},
        {"1d", "2026-11-23T00:00:00Z", "2026-11-24T00:00:00Z"},
        {"7d", "2026-11-17T00:00:00Z", "2026-11-24T00:00:00Z"},
        {"1w", "2026-11-17T00:00:00Z", "2026-11-24T00:00:00Z"},
        {"0d", "2026-11-24T00:00:00Z", "2026-11-24T00:00:00Z"}, /* empty, not an error */
        {"2026-10-01T00:00:00Z,2026-11-01T00:00:00Z", "2026-10-01T00:00:00Z",
         "2026-11-01T00:00:00Z"},
        {"1790812800,1793491200", "2026-10-01T00:00:00Z", "2026-11-01T00:00:00Z"},
        {"1790812800-1793491200", "2026-10-01T00:00:00Z", "2026-11-01T00:00:00Z"},
        {"0,1", "1970-01-01T00:00:00Z", "1970-01-01T00:00:01Z"},
        /* End before start is read; the answer refuses it. */
        {"2,1", "1970-01-01T00:00:02Z", "1970-01-01T00:00:01Z"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++)
        assert_window(cases[i].text, today(), cases[i].start, cases[i].end);
}

static void weeks_begin_on_sunday(void **state)
{
    (void)state;
    const int64_t sunday_s = civil_midnight(2026, 11, 22);
    const int64_t saturday_s = civil_midnight(2026, 11, 21);
    assert_window("week", sunday_s, "2026-11-22T00:00:00Z", "2026-11-23T00:00:00Z");
    assert_window("week", saturday_s, "2026-11-15T00:00:00Z", "2026-11-22T00:00:00Z");
}

static void last_month_of_january_is_in_the_year_before(void **state)
{
    (void)state;
    assert_window("lastmonth", civil_midnight(2027, 1, 31), "2026-12-01T00:00:00Z",
                  "2027-01-01T00:00:00Z");
}

static void other_forms_are_refused(void **state)
{
    static const char *const cases[] = {
        "",
        "d",
        "foo",
        "Today",
        " today",
        "1y",
        "30s",
        "-1d",
        "+1d",
        "1.5d",
        "1d ",
        "99999999999999999999d",
        "1000000d", /* beyond four-digit years */
        "2026-01-01,2026-02-01",
        "2026-10-01T00:00:00Z",
        "2026-10-01T00:00:00Z,",
        "2026-10-01T00:00:00Z,1793491200",
        "2026-10-01T00:00:00+02:00,2026-11-01T00:00:00Z",
        "2026-10-01T00:00:00.5Z,2026-11-01T00:00:00Z",
        "1790812800",
        "1790812800,",
        ",1790812800",
        "1,2,3",
        "1-2-3",
        "253402300800,253402300801", /* the year 10000 */
        "1d offset 1d",
    };
    struct demo_span window;
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++)
        if (demo_window_parse(cases[i], today(), &window))
            fail_msg("\"%s\" was accepted", cases[i]);
}

static void overlap_is_what_both_cover(void **state)
{
    (void)state;
    struct demo_span overlap =
        demo_span_overlap((struct demo_span){10, 20}, (struct demo_span){15, 30});
    assert_int_equal(overlap.start_s, 15);
    assert_int_equal(overlap.end_s, 20);

    overlap = demo_span_overlap((struct demo_span){10, 20}, (struct demo_span){20, 30});
    assert_true(overlap.end_s <= overlap.start_s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_form_names_its_span),
        cmocka_unit_test(weeks_begin_on_sunday),
        cmocka_unit_test(last_month_of_january_is_in_the_year_before),
        cmocka_unit_test(other_forms_are_refused),
        cmocka_unit_test(overlap_is_what_both_cover),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
