/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cost/decimal.h"

/* The largest decimal, by its digits: there are no literals of 128 bits. */
#define LARGEST (((decimal)1 << 126) - 1 + ((decimal)1 << 126))

static decimal read_decimal(const char *text)
{
    decimal value = 0;
    if (decimal_parse(text, strlen(text), &value) != DECIMAL_OK)
        fail_msg("%s was not read", text);
    return value;
}

static void assert_shown(decimal value, const char *expected)
{
    char text[DECIMAL_TEXT_MAX];
    size_t length = decimal_format(value, text);
    assert_string_equal(text, expected);
    assert_int_equal(length, strlen(expected));
}

static void numbers_are_read_and_shown_as_plain_decimals(void **state)
{
    static const struct {
        const char *read;
        const char *shown;
    } cases[] = {
        {"0", "0.0"},
        {"-0", "0.0"},
        {"0.000000", "0.0"}, /* fixed decimals of older servers */
        {"50", "50.0"},
        {"0.3", "0.3"},
        {"-186.57", "-186.57"},
        {"123.45000", "123.45"},
        {"1e3", "1000.0"},
        {"1E+3", "1000.0"},
        {"3.2e-7", "0.00000032"},
        {"-3.2e-7", "-0.00000032"},
        {"0.123456789", "0.123456789"},
        {"5e-9", "0.000000005"},
        {"17179869184", "17179869184.0"}, /* bytes */
        {"18446744073.709551615",
         "18446744073.709551615"}, /* 2^64 - 1 units: the last of 64 bits */
        {"18446744073.709551616", "18446744073.709551616"},
        {"999999999999999999.999999999", "999999999999999999.999999999"},
        {"-999999999999999999.999999999", "-999999999999999999.999999999"},
        {"0.00000000000000000000000000012e28", "1.2"},
        {"12000000000000000000000000000000e-31", "1.2"},
        {"0e999999999999999999999999", "0.0"}, /* zero whatever its exponent */
        {"1e-999999999999999999999999", "0.0"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++)
        assert_shown(read_decimal(cases[i].read), cases[i].shown);
}

static void digits_beyond_the_ninth_are_rounded_half_even(void **state)
{
    static const struct {
        const char *read;
        const char *shown;
    } cases[] = {
        {"0.0000000005", "0.0"},         /* half of an even unit (0) */
        {"0.0000000015", "0.000000002"}, /* half of an odd one */
        {"0.0000000025", "0.000000002"},
        {"0.00000000050000000000000000000000000001", "0.000000001"}, /* just above half */
        {"0.0000000004999999999999999999", "0.0"},
        {"0.00000000049", "0.0"},
        {"0.0000000006", "0.000000001"},
        {"-0.0000000015", "-0.000000002"}, /* the same way on both sides of zero */
        {"-0.0000000025", "-0.000000002"},
        {"-0.0000000005", "0.0"},
        {"5e-10", "0.0"},
        {"6e-10", "0.000000001"},
        {"9e-11", "0.0"},
        {"0.9999999996", "1.0"}, /* the carry runs through */
        {"15e-10", "0.000000002"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++)
        assert_shown(read_decimal(cases[i].read), cases[i].shown);
}

static void what_is_no_json_number_is_refused(void **state)
{
    static const char *const cases[] = {
        "",    "-",   "+1",  "01",       "-01",  "00",    ".5",   "5.",    "1.e3", "e3",
        "1e",  "1e+", "1e-", "1e1.",     " 1",   "1 ",    "1,5",  "0x1",   "NaN",  "null",
        "1_0", "--1", "1-",  "Infinity", "1..2", "1e5e5", "1.5.", "\"1\"", "1e 5", "\xD9\xA1"};
    decimal untouched = 42;
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++)
        if (decimal_parse(cases[i], strlen(cases[i]), &untouched) != DECIMAL_NOT_A_NUMBER)
            fail_msg("\"%s\" was not refused", cases[i]);
    assert_int_equal(decimal_parse("1\0", 2, &untouched), DECIMAL_NOT_A_NUMBER);
    assert_int_equal(decimal_parse(NULL, 0, &untouched), DECIMAL_NOT_A_NUMBER);
    assert_true(untouched == 42);
}

static void numbers_of_1e18_and_more_are_out_of_range(void **state)
{
    static const char *const cases[] = {
        "1e18",
        "-1e18",
        "1000000000000000000",
        "999999999999999999.9999999999", /* would be rounded up to it */
        "1e400",
        "1e99999999999999999999999999999",
        "0.00000001e26",
        "340282366920938463463374607431768211456",
    };
    decimal untouched = 42;
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++)
        if (decimal_parse(cases[i], strlen(cases[i]), &untouched) != DECIMAL_OUT_OF_RANGE)
            fail_msg("%s was not out of range", cases[i]);
    assert_true(untouched == 42);
}

static void a_very_long_number_is_read_to_its_last_digit(void **state)
{
    enum { ZEROS = 10000 };
    static const char start[] = "0.1234567885"; /* ends on half of an even unit */
    char text[sizeof(start) + ZEROS];
    decimal value;
    (void)state;
    memset(text, '0', sizeof(text));
    memcpy(text, start, sizeof(start) - 1);
    assert_int_equal(decimal_parse(text, sizeof(text), &value), DECIMAL_OK);
    assert_true(value == 123456788);
    text[sizeof(text) - 1] = '1';
    assert_int_equal(decimal_parse(text, sizeof(text), &value), DECIMAL_OK);
    assert_true(value == 123456789);
}

static void a_tenth_and_two_tenths_are_three_tenths(void **state)
{
    (void)state;
    assert_shown(read_decimal("0.1") + read_decimal("0.2"), "0.3");
}

static void the_largest_decimals_fit_their_text(void **state)
{
    (void)state;
    assert_shown(LARGEST, "170141183460469231731687303715.884105727");
    assert_shown(-LARGEST - 1, "-170141183460469231731687303715.884105728");
}

/* A fixed generator: a failure is the same on every run. */
static uint64_t next_random(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

static decimal random_decimal(uint64_t *seed)
{
    decimal value = (decimal)next_random(seed) * (decimal)(next_random(seed) >> 1);
    value >>= next_random(seed) % 127;
    value %= DECIMAL_READ_LIMIT;
    return next_random(seed) % 2 == 0 ? value : -value;
}

static void what_is_shown_reads_as_the_same_number(void **state)
{
    uint64_t seed = 20261123;
    (void)state;
    for (int i = 0; i < 20000; i++) {
        decimal value = random_decimal(&seed);
        decimal again = 0;
        char text[DECIMAL_TEXT_MAX];
        size_t length = decimal_format(value, text);
        assert_int_equal(decimal_parse(text, length, &again), DECIMAL_OK);
        if (again != value)
            fail_msg("%s was read as another number", text);
        if (length > 2 && text[length - 1] == '0')
            assert_int_equal(text[length - 2], '.');
    }
}

static void cents_are_rounded_half_even(void **state)
{
    static const struct {
        const char *value;
        const char *shown;
    } cases[] = {
        {"20", "20.00"},     {"0", "0.00"},
        {"0.005", "0.00"},   {"0.015", "0.02"},
        {"0.025", "0.02"},   {"0.025000001", "0.03"},
        {"-1.234", "-1.23"}, {"-0.001", "0.00"},
        {"9.995", "10.00"},  {"999999999999999999.99", "999999999999999999.99"},
    };
    char text[DECIMAL_TEXT_MAX];
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        size_t length = decimal_format_cents(read_decimal(cases[i].value), text);
        assert_string_equal(text, cases[i].shown);
        assert_int_equal(length, strlen(text));
    }
}

static void products_are_exact_and_rounded_half_even(void **state)
{
    static const struct {
        const char *value;
        const char *factor;
        const char *product;
    } cases[] = {
        {"0.1", "0.2", "0.02"},
        {"-1.5", "2", "-3.0"},
        {"-1.5", "-2", "3.0"},
        {"0", "-7", "0.0"},
        {"0.000000001", "0.5", "0.0"}, /* half of an even unit */
        {"0.000000003", "0.5", "0.000000002"},
        {"0.000000005", "0.5", "0.000000002"},
        {"-0.000000003", "0.5", "-0.000000002"},
        {"0.333333333", "0.333333333", "0.111111111"},
        {"999999999999", "999999999999", "999999999998000000000001.0"},
        {"1099511627776", "527040", "579486608303063040.0"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        decimal product = 0;
        assert_true(decimal_multiply(read_decimal(cases[i].value), read_decimal(cases[i].factor),
                                     &product));
        assert_shown(product, cases[i].product);
    }
}

static void a_product_that_does_not_fit_is_refused(void **state)
{
    decimal product = 42;
    decimal large = DECIMAL_READ_LIMIT - 1;
    (void)state;
    assert_false(decimal_multiply(large, large, &product));
    assert_false(decimal_multiply(LARGEST, 2 * DECIMAL_ONE, &product));
    assert_false(decimal_multiply(LARGEST, DECIMAL_ONE + 1, &product));
    assert_true(product == 42);

    /* The largest factors of products that do fit: intermediate results must not get in the way. */
    assert_true(decimal_multiply(LARGEST, DECIMAL_ONE, &product));
    assert_true(product == LARGEST);
    assert_true(decimal_multiply(DECIMAL_ONE, -LARGEST, &product));
    assert_true(product == -LARGEST);
    assert_true(decimal_multiply(LARGEST - 1, DECIMAL_ONE / 2, &product));
    assert_true(product == LARGEST / 2);
}

static void quotients_are_rounded_half_even(void **state)
{
    static const struct {
        const char *dividend;
        const char *divisor;
        const char *quotient;
    } cases[] = {
        {"1", "3", "0.333333333"},
        {"2", "3", "0.666666667"},
        {"-2", "3", "-0.666666667"},
        {"-2", "-3", "0.666666667"},
        {"5000", "30", "166.666666667"},
        {"0.000000001", "2", "0.0"},
        {"0.000000003", "2", "0.000000002"},
        {"0.000000005", "2", "0.000000002"},
        {"-0.000000003", "2", "-0.000000002"},
        {"0", "-5", "0.0"},
        {"1", "0.000000001", "1000000000.0"},
        {"999999999999999999", "0.000000001", "999999999999999999000000000.0"},
        {"999999999999999999.999999999", "999999999999999999.999999999", "1.0"},
        {"1", "999999999999999999", "0.0"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++)
        assert_shown(
            decimal_divide(read_decimal(cases[i].dividend), read_decimal(cases[i].divisor)),
            cases[i].quotient);
}

static void long_division_agrees_with_the_short_way(void **state)
{
    uint64_t seed = 7;
    (void)state;
    for (int i = 0; i < 2000; i++) {
        decimal dividend = random_decimal(&seed) % 1000000000000000000;
        decimal divisor = random_decimal(&seed) % 1000000000000000 + 1;
        decimal scale = (decimal)1000000000000000000 * 100;
        if (divisor == 0)
            continue;
        assert_true(decimal_divide(dividend, divisor) ==
                    decimal_divide(dividend * scale, divisor * scale));
    }
}

static void a_quotient_that_does_not_fit_becomes_the_largest(void **state)
{
    (void)state;
    assert_true(decimal_divide(LARGEST, 1) == LARGEST);
    assert_true(decimal_divide(-LARGEST, 1) == -LARGEST);
    assert_true(decimal_divide(LARGEST, DECIMAL_ONE - 1) == LARGEST);
    assert_true(decimal_divide(LARGEST, DECIMAL_ONE) == LARGEST);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_read_and_shown_as_plain_decimals),
        cmocka_unit_test(digits_beyond_the_ninth_are_rounded_half_even),
        cmocka_unit_test(what_is_no_json_number_is_refused),
        cmocka_unit_test(numbers_of_1e18_and_more_are_out_of_range),
        cmocka_unit_test(a_very_long_number_is_read_to_its_last_digit),
        cmocka_unit_test(a_tenth_and_two_tenths_are_three_tenths),
        cmocka_unit_test(the_largest_decimals_fit_their_text),
        cmocka_unit_test(what_is_shown_reads_as_the_same_number),
        cmocka_unit_test(cents_are_rounded_half_even),
        cmocka_unit_test(products_are_exact_and_rounded_half_even),
        cmocka_unit_test(a_product_that_does_not_fit_is_refused),
        cmocka_unit_test(quotients_are_rounded_half_even),
        cmocka_unit_test(long_division_agrees_with_the_short_way),
        cmocka_unit_test(a_quotient_that_does_not_fit_becomes_the_largest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
