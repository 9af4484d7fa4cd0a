/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/parse.h"
#include "base/text.h"

static void integers_are_read_as_pydantic_reads_them(void **state)
{
    static const struct {
        struct text text;
        enum parse_result result;
        int64_t value;
    } cases[] = {
        {TEXT_INIT("0"), PARSE_OK, 0},
        {TEXT_INIT("42"), PARSE_OK, 42},
        {TEXT_INIT("-1"), PARSE_OK, -1},
        {TEXT_INIT("+1"), PARSE_OK, 1},
        {TEXT_INIT("-0"), PARSE_OK, 0},
        {TEXT_INIT("007"), PARSE_OK, 7},
        {TEXT_INIT(" 10 "), PARSE_OK, 10},
        {TEXT_INIT("\t10\r\n"), PARSE_OK, 10},
        {TEXT_INIT("1_000_000"), PARSE_OK, 1000000},
        {TEXT_INIT("10.0"), PARSE_OK, 10},
        {TEXT_INIT("10.000"), PARSE_OK, 10},
        {TEXT_INIT("10."), PARSE_OK, 10},
        {TEXT_INIT("-10.0"), PARSE_OK, -10},
        {TEXT_INIT("100"), PARSE_OK, 100},
        {TEXT_INIT("9223372036854775807"), PARSE_OK, INT64_MAX},
        {TEXT_INIT("-9223372036854775808"), PARSE_OK, INT64_MIN},
        /* Beyond 64 bits: at the end of the range. */
        {TEXT_INIT("9223372036854775808"), PARSE_OK, INT64_MAX},
        {TEXT_INIT("-9223372036854775809"), PARSE_OK, INT64_MIN},
        {TEXT_INIT("99999999999999999999999999999999"), PARSE_OK, INT64_MAX},
        {TEXT_INIT("-99999999999999999999999999999999"), PARSE_OK, INT64_MIN},
        {TEXT_INIT("00000000000000000000000000000000000001"), PARSE_OK, 1},
        {TEXT_INIT(""), PARSE_INVALID, 0},
        {TEXT_INIT("   "), PARSE_INVALID, 0},
        {TEXT_INIT("+"), PARSE_INVALID, 0},
        {TEXT_INIT("-"), PARSE_INVALID, 0},
        {TEXT_INIT("+-1"), PARSE_INVALID, 0},
        {TEXT_INIT("--1"), PARSE_INVALID, 0},
        {TEXT_INIT("- 1"), PARSE_INVALID, 0},
        {TEXT_INIT("1 0"), PARSE_INVALID, 0},
        {TEXT_INIT("10.5"), PARSE_INVALID, 0},
        {TEXT_INIT("10.0.0"), PARSE_INVALID, 0},
        {TEXT_INIT("."), PARSE_INVALID, 0},
        {TEXT_INIT(".0"), PARSE_INVALID, 0},
        {TEXT_INIT("0x10"), PARSE_INVALID, 0},
        {TEXT_INIT("1e1"), PARSE_INVALID, 0},
        {TEXT_INIT("_1"), PARSE_INVALID, 0},
        {TEXT_INIT("1_"), PARSE_INVALID, 0},
        {TEXT_INIT("1__0"), PARSE_INVALID, 0},
        {TEXT_INIT("-_1"), PARSE_INVALID, 0},
        {TEXT_INIT("1_.0"), PARSE_INVALID, 0},
        {TEXT_INIT("abc"), PARSE_INVALID, 0},
        {TEXT_INIT("nan"), PARSE_INVALID, 0},
        {TEXT_INIT("1\0"), PARSE_INVALID, 0},
        {TEXT_INIT("1\0002"), PARSE_INVALID, 0},
        {TEXT_INIT("1,000"), PARSE_INVALID, 0},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        int64_t value = 0;
        enum parse_result result = parse_integer(cases[i].text.data, cases[i].text.length, &value);
        if (result != cases[i].result || value != cases[i].value)
            fail_msg("\"%s\": result %d, value %lld", cases[i].text.data, (int)result,
                     (long long)value);
    }
}

static void integers_of_more_than_4300_digits_are_too_long(void **state)
{
    enum { LONGEST = 4300 };
    char digits[LONGEST + 1];
    int64_t value = 0;
    (void)state;
    memset(digits, '1', sizeof(digits));
    assert_int_equal(parse_integer(digits, LONGEST, &value), PARSE_OK);
    assert_true(value == INT64_MAX);
    assert_int_equal(parse_integer(digits, LONGEST + 1, &value), PARSE_TOO_LONG);
    memset(digits, 'x', sizeof(digits));
    assert_int_equal(parse_integer(digits, LONGEST + 1, &value), PARSE_INVALID);
}

static void booleans_are_twelve_words_in_any_case(void **state)
{
    static const struct {
        struct text text;
        int expected; /* -1: none */
    } cases[] = {
        {TEXT_INIT("1"), 1},       {TEXT_INIT("true"), 1},   {TEXT_INIT("t"), 1},
        {TEXT_INIT("yes"), 1},     {TEXT_INIT("y"), 1},      {TEXT_INIT("on"), 1},
        {TEXT_INIT("TRUE"), 1},    {TEXT_INIT("On"), 1},     {TEXT_INIT("0"), 0},
        {TEXT_INIT("false"), 0},   {TEXT_INIT("f"), 0},      {TEXT_INIT("no"), 0},
        {TEXT_INIT("n"), 0},       {TEXT_INIT("off"), 0},    {TEXT_INIT("FaLsE"), 0},
        {TEXT_INIT("N"), 0},       {TEXT_INIT(""), -1},      {TEXT_INIT(" true"), -1},
        {TEXT_INIT("true "), -1},  {TEXT_INIT("2"), -1},     {TEXT_INIT("01"), -1},
        {TEXT_INIT("tru"), -1},    {TEXT_INIT("truee"), -1}, {TEXT_INIT("1\0"), -1},
        {TEXT_INIT("enable"), -1}, {TEXT_INIT("-"), -1},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        bool value = cases[i].expected == 0;
        bool ok = parse_boolean(cases[i].text.data, cases[i].text.length, &value);
        if (ok != (cases[i].expected >= 0) || (ok && value != (cases[i].expected == 1)))
            fail_msg("\"%s\": ok %d, value %d", cases[i].text.data, ok, value);
    }
}

static void digits_allow_no_liberties(void **state)
{
    static const struct {
        struct text text;
        int64_t max;
        int64_t expected; /* -1: refused */
    } cases[] = {
        {TEXT_INIT("0"), 10, 0},
        {TEXT_INIT("10"), 10, 10},
        {TEXT_INIT("11"), 10, -1},
        {TEXT_INIT("0010"), 10, 10},
        {TEXT_INIT("9223372036854775807"), INT64_MAX, INT64_MAX},
        {TEXT_INIT("9223372036854775808"), INT64_MAX, -1},
        {TEXT_INIT("99999999999999999999"), INT64_MAX, -1},
        {TEXT_INIT(""), 10, -1},
        {TEXT_INIT("+1"), 10, -1},
        {TEXT_INIT("-1"), 10, -1},
        {TEXT_INIT(" 1"), 10, -1},
        {TEXT_INIT("1 "), 10, -1},
        {TEXT_INIT("1_0"), 10, -1},
        {TEXT_INIT("1\0"), 10, -1},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        int64_t value = -1;
        bool ok = parse_digits(cases[i].text.data, cases[i].text.length, cases[i].max, &value);
        if (ok != (cases[i].expected >= 0) || value != cases[i].expected)
            fail_msg("\"%s\": ok %d, value %lld", cases[i].text.data, ok, (long long)value);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(integers_are_read_as_pydantic_reads_them),
        cmocka_unit_test(integers_of_more_than_4300_digits_are_too_long),
        cmocka_unit_test(booleans_are_twelve_words_in_any_case),
        cmocka_unit_test(digits_allow_no_liberties),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
