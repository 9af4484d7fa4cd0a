/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Decimals are whole numbers of billionths ("units"). Signs are taken off first and put back last,
 * so that all the arithmetic in between is unsigned and rounds the same way on both sides of zero.
 *
 * 128-bit division is a slow call into the compiler's runtime: whatever fits takes the 64-bit way.
 */
#include "cost/decimal.h"

#include <string.h>

#include "base/ascii.h"

__extension__ typedef unsigned __int128 magnitude;

enum {
    FRACTION_DIGITS = 9,
    LIMIT_DIGITS = 18,  /* digits before the point of any number below DECIMAL_READ_LIMIT */
    FAST_DIGITS = 18,   /* any number of so many digits fits 64 bits */
    UNITS = 1000000000, /* DECIMAL_ONE in plain int */
    UNITS_PER_CENT = 10000000,
};

#define DECIMAL_MAX ((decimal)(~(magnitude)0 >> 1))

static magnitude magnitude_of(decimal value)
{
    return value < 0 ? -(magnitude)value : (magnitude)value;
}

static decimal with_sign(magnitude value, bool is_negative)
{
    return is_negative ? -(decimal)value : (decimal)value;
}

/* 1 when `quotient` must go up by one for rounding half-even, else 0. */
static unsigned int half_even_carry(magnitude quotient, magnitude remainder, magnitude divisor)
{
    magnitude rest = divisor - remainder;
    return remainder > rest || (remainder == rest && (quotient & 1) != 0) ? 1 : 0;
}

/* A JSON number, taken apart but not yet read. */
struct number {
    bool is_negative;
    const char *integer;
    size_t integer_length;
    const char *fraction;
    size_t fraction_length;
    int64_t exponent;
};

static size_t count_digits(const char *cursor, const char *end)
{
    const char *start = cursor;
    while (cursor < end && ascii_is_digit(*cursor))
        cursor++;
    return (size_t)(cursor - start);
}

/* Reads the exponent, which must reach to `end`. A size beyond any use is cut down to one that is
 * still beyond the digits of any text, so that sums with lengths cannot overflow. */
static bool read_exponent(const char *cursor, const char *end, int64_t *ret_exponent)
{
    static const int64_t plenty = INT64_MAX / 100;

    bool is_negative = cursor < end && *cursor == '-';
    if (cursor < end && (*cursor == '-' || *cursor == '+'))
        cursor++;
    if (cursor == end || count_digits(cursor, end) != (size_t)(end - cursor))
        return false;
    int64_t exponent = 0;
    for (; cursor < end; cursor++)
        if (exponent < plenty)
            exponent = exponent * 10 + (*cursor - '0');
    *ret_exponent = is_negative ? -exponent : exponent;
    return true;
}

/* The grammar of RFC 8259, section 6. */
static bool split_number(const char *text, size_t length, struct number *ret_number)
{
    if (length == 0)
        return false;
    const char *cursor = text;
    const char *end = text + length;
    struct number number = {.is_negative = *cursor == '-'};

    cursor += number.is_negative;
    number.integer = cursor;
    number.integer_length = count_digits(cursor, end);
    if (number.integer_length == 0 || (number.integer_length > 1 && *cursor == '0'))
        return false;
    cursor += number.integer_length;

    if (cursor < end && *cursor == '.') {
        number.fraction = ++cursor;
        number.fraction_length = count_digits(cursor, end);
        if (number.fraction_length == 0)
            return false;
        cursor += number.fraction_length;
    }
    if (cursor < end) {
        if ((*cursor != 'e' && *cursor != 'E') || !read_exponent(cursor + 1, end, &number.exponent))
            return false;
    }
    *ret_number = number;
    return true;
}

static uint64_t append_digits(uint64_t value, const char *digits, size_t length)
{
    for (size_t i = 0; i < length; i++)
        value = value * 10 + (uint64_t)(digits[i] - '0');
    return value;
}

static unsigned int digit_at(const struct number *number, size_t index)
{
    size_t length = number->integer_length;
    const char *digit =
        index < length ? number->integer + index : number->fraction + index - length;
    return (unsigned int)(*digit - '0');
}

/* 1 when the digits from `index` on are more than half of the unit before them, or exactly half of
 * an odd one. */
static unsigned int tail_carry(const struct number *number, size_t index, bool unit_is_odd)
{
    size_t count = number->integer_length + number->fraction_length;
    if (index >= count)
        return 0;
    unsigned int digit = digit_at(number, index);
    if (digit != 5)
        return digit > 5;
    for (index++; index < count; index++)
        if (digit_at(number, index) != 0)
            return 1;
    return unit_is_odd;
}

/* Any number of digits, any exponent: the digits d1 d2 d3... stand for 0.d1d2d3... x 10^point. */
static enum decimal_result read_digits(const struct number *number, magnitude *ret_units)
{
    size_t count = number->integer_length + number->fraction_length;
    size_t index = 0;
    while (index < count && digit_at(number, index) == 0)
        index++;

    *ret_units = 0;
    if (index == count)
        return DECIMAL_OK;
    int64_t point = (int64_t)number->integer_length - (int64_t)index + number->exponent;
    if (point > LIMIT_DIGITS)
        return DECIMAL_OUT_OF_RANGE;
    int64_t kept = point + FRACTION_DIGITS;
    if (kept < 0)
        return DECIMAL_OK;

    magnitude units = 0;
    for (; kept > 0; kept--, index++)
        units = units * 10 + (index < count ? digit_at(number, index) : 0);
    units += tail_carry(number, index, (units & 1) != 0);
    if (units >= (magnitude)DECIMAL_READ_LIMIT)
        return DECIMAL_OUT_OF_RANGE;
    *ret_units = units;
    return DECIMAL_OK;
}

enum decimal_result decimal_parse(const char *text, size_t length, decimal *ret_value)
{
    static const uint32_t scale[FRACTION_DIGITS + 1] = {
        1000000000, 100000000, 10000000, 1000000, 100000, 10000, 1000, 100, 10, 1,
    };
    struct number number;
    if (!split_number(text, length, &number))
        return DECIMAL_NOT_A_NUMBER;

    magnitude units;
    if (number.exponent == 0 && number.fraction_length <= FRACTION_DIGITS &&
        number.integer_length + number.fraction_length <= FAST_DIGITS) {
        uint64_t digits = append_digits(0, number.integer, number.integer_length);
        digits = append_digits(digits, number.fraction, number.fraction_length);
        units = (magnitude)digits * scale[number.fraction_length];
    } else {
        enum decimal_result result = read_digits(&number, &units);
        if (result != DECIMAL_OK)
            return result;
    }
    *ret_value = with_sign(units, number.is_negative);
    return DECIMAL_OK;
}

/* Two digits a step halve the divisions, which are what this costs. */
static char *put_pair(char *cursor, uint32_t value)
{
    static const char pairs[] = "00010203040506070809"
                                "10111213141516171819"
                                "20212223242526272829"
                                "30313233343536373839"
                                "40414243444546474849"
                                "50515253545556575859"
                                "60616263646566676869"
                                "70717273747576777879"
                                "80818283848586878889"
                                "90919293949596979899";
    memcpy(cursor, pairs + (size_t)value * 2, 2);
    return cursor + 2;
}

static char *put_four(char *cursor, uint32_t value)
{
    return put_pair(put_pair(cursor, value / 100), value % 100);
}

static char digit_char(uint64_t digit)
{
    static const char digits[] = "0123456789";
    return digits[digit];
}

/* Writes exactly `width` digits, with leading zeros, and returns the end. */
static char *put_digits(char *cursor, uint64_t value, int width)
{
    int left = width;
    for (; left >= 2; left -= 2, value /= 100)
        put_pair(cursor + left - 2, (uint32_t)(value % 100));
    if (left == 1)
        *cursor = digit_char(value % 10);
    return cursor + width;
}

static char *put_integer_64(char *cursor, uint64_t value)
{
    if (value < 10) {
        *cursor = digit_char(value);
        return cursor + 1;
    }
    int width = 1;
    for (uint64_t bound = 10; width < 20 && value >= bound; bound *= 10)
        width++;
    return put_digits(cursor, value, width);
}

static char *put_integer(char *cursor, magnitude value)
{
    static const uint64_t group = UINT64_C(1000000000000000000);

    if (value <= UINT64_MAX)
        return put_integer_64(cursor, (uint64_t)value);
    cursor = put_integer_64(cursor, (uint64_t)(value / group)); /* below 2^128 / 1e18: fits */
    return put_digits(cursor, (uint64_t)(value % group), LIMIT_DIGITS);
}

/* OpenCost rounds to five decimals, so the last four digits are nearly always zeros. */
static char *put_fraction(char *cursor, uint32_t units)
{
    if (units == 0) {
        *cursor = '0';
        return cursor + 1;
    }
    uint32_t high = units / 10000;
    uint32_t low = units % 10000;
    *cursor++ = digit_char(high / 10000);
    cursor = put_four(cursor, high % 10000);
    if (low != 0)
        cursor = put_four(cursor, low);
    while (cursor[-1] == '0') /* ends, for not all of them are */
        cursor--;
    return cursor;
}

size_t decimal_format(decimal value, char text[DECIMAL_TEXT_MAX])
{
    magnitude units = magnitude_of(value);
    magnitude integer;
    uint32_t fraction;
    if (units <= UINT64_MAX) {
        integer = (uint64_t)units / UNITS;
        fraction = (uint32_t)((uint64_t)units % UNITS);
    } else {
        integer = units / UNITS;
        fraction = (uint32_t)(units % UNITS);
    }

    char *cursor = text;
    if (value < 0)
        *cursor++ = '-';
    cursor = put_integer(cursor, integer);
    *cursor++ = '.';
    cursor = put_fraction(cursor, fraction);
    *cursor = '\0';
    return (size_t)(cursor - text);
}

size_t decimal_format_cents(decimal value, char text[DECIMAL_TEXT_MAX])
{
    magnitude units = magnitude_of(value);
    magnitude cents = units / UNITS_PER_CENT;
    cents += half_even_carry(cents, units % UNITS_PER_CENT, UNITS_PER_CENT);

    char *cursor = text;
    if (value < 0 && cents > 0)
        *cursor++ = '-';
    cursor = put_integer(cursor, cents / 100);
    *cursor++ = '.';
    cursor = put_digits(cursor, (uint64_t)(cents % 100), 2);
    *cursor = '\0';
    return (size_t)(cursor - text);
}

bool decimal_multiply(decimal value, decimal factor, decimal *ret_product)
{
    magnitude a = magnitude_of(value);
    magnitude b = magnitude_of(factor);

    /* With a = ah x 1e9 + al and b likewise, a x b / 1e9 = ah x b + al x bh + al x bl / 1e9. Only
     * the last term has a fraction, and only the first can overflow before the sum does. */
    magnitude a_high = a / UNITS;
    magnitude a_low = a % UNITS;
    magnitude low = a_low * (b % UNITS);
    magnitude product;
    if (__builtin_mul_overflow(a_high, b, &product) ||
        __builtin_add_overflow(product, a_low * (b / UNITS) + low / UNITS, &product))
        return false;
    product += half_even_carry(product, low % UNITS, UNITS);
    if (product > (magnitude)DECIMAL_MAX)
        return false;
    *ret_product = with_sign(product, (value < 0) != (factor < 0));
    return true;
}

/* Digit by digit: the remainder stays below the divisor, so ten times it fits. False when the
 * quotient does not. */
static bool long_division(magnitude dividend, magnitude divisor, magnitude *ret_quotient,
                          magnitude *ret_remainder)
{
    magnitude quotient = dividend / divisor;
    magnitude remainder = dividend % divisor;
    for (int i = 0; i < FRACTION_DIGITS; i++) {
        remainder *= 10;
        if (quotient > (magnitude)DECIMAL_MAX / 10)
            return false;
        quotient = quotient * 10 + remainder / divisor;
        remainder %= divisor;
    }
    *ret_quotient = quotient;
    *ret_remainder = remainder;
    return true;
}

decimal decimal_divide(decimal dividend, decimal divisor)
{
    bool is_negative = (dividend < 0) != (divisor < 0);
    magnitude a = magnitude_of(dividend);
    magnitude b = magnitude_of(divisor);

    magnitude scaled;
    magnitude quotient;
    magnitude remainder;
    if (!__builtin_mul_overflow(a, UNITS, &scaled)) {
        quotient = scaled / b;
        remainder = scaled - quotient * b;
    } else if (!long_division(a, b, &quotient, &remainder)) {
        return with_sign((magnitude)DECIMAL_MAX, is_negative);
    }
    quotient += half_even_carry(quotient, remainder, b);
    if (quotient > (magnitude)DECIMAL_MAX)
        quotient = (magnitude)DECIMAL_MAX;
    return with_sign(quotient, is_negative);
}
