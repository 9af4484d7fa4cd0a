/* SPDX-License-Identifier: Apache-2.0 */
#include "base/parse.h"

#include <string.h>
#include <strings.h>

#include "base/ascii.h"
#include "base/text.h"

enum { INTEGER_DIGITS_MAX = 4300 }; /* Python's limit for reading integers */

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static void trim_spaces(const char **text, size_t *length)
{
    while (*length > 0 && is_space((*text)[0])) {
        (*text)++;
        (*length)--;
    }
    while (*length > 0 && is_space((*text)[*length - 1]))
        (*length)--;
}

/* Cuts a point with nothing but zeros behind it. */
static size_t without_zero_fraction(const char *text, size_t length)
{
    size_t end = length;
    while (end > 0 && text[end - 1] == '0')
        end--;
    return end > 0 && text[end - 1] == '.' ? end - 1 : length;
}

/* Checks digits with single underscores between them. */
static bool is_digit_groups(const char *text, size_t length, size_t *ret_digits)
{
    size_t digits = 0;
    for (size_t i = 0; i < length; i++) {
        if (ascii_is_digit(text[i])) {
            digits++;
            continue;
        }
        bool separates = text[i] == '_' && i > 0 && ascii_is_digit(text[i - 1]) && i + 1 < length &&
                         ascii_is_digit(text[i + 1]);
        if (!separates)
            return false;
    }
    *ret_digits = digits;
    return digits > 0;
}

/* Adds the digits up on the negative side, where one more number fits, and stays at the end of the
 * range once there. */
static int64_t sum_negative(const char *text, size_t length)
{
    int64_t value = 0;
    for (size_t i = 0; i < length; i++) {
        if (text[i] == '_')
            continue;
        if (__builtin_mul_overflow(value, (int64_t)10, &value) ||
            __builtin_sub_overflow(value, (int64_t)(text[i] - '0'), &value))
            return INT64_MIN;
    }
    return value;
}

enum parse_result parse_integer(const char *text, size_t length, int64_t *ret_value)
{
    size_t digits;
    bool is_negative = false;
    trim_spaces(&text, &length);
    if (length > 0 && (text[0] == '-' || text[0] == '+')) {
        is_negative = text[0] == '-';
        text++;
        length--;
    }
    length = without_zero_fraction(text, length);
    if (!is_digit_groups(text, length, &digits))
        return PARSE_INVALID;
    if (digits > INTEGER_DIGITS_MAX)
        return PARSE_TOO_LONG;
    int64_t value = sum_negative(text, length);
    if (is_negative)
        *ret_value = value;
    else
        *ret_value = value == INT64_MIN ? INT64_MAX : -value;
    return PARSE_OK;
}

bool parse_boolean(const char *text, size_t length, bool *ret_value)
{
    static const struct {
        struct text word;
        bool value;
    } words[] = {
        /* The usual two first. */
        {TEXT_INIT("true"), true}, {TEXT_INIT("false"), false}, {TEXT_INIT("1"), true},
        {TEXT_INIT("0"), false},   {TEXT_INIT("yes"), true},    {TEXT_INIT("no"), false},
        {TEXT_INIT("on"), true},   {TEXT_INIT("off"), false},   {TEXT_INIT("t"), true},
        {TEXT_INIT("f"), false},   {TEXT_INIT("y"), true},      {TEXT_INIT("n"), false},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(words); i++) {
        if (length == words[i].word.length && strncasecmp(text, words[i].word.data, length) == 0) {
            *ret_value = words[i].value;
            return true;
        }
    }
    return false;
}

bool parse_digits(const char *text, size_t length, int64_t max, int64_t *ret_value)
{
    int64_t value = 0;
    if (length == 0)
        return false;
    for (size_t i = 0; i < length; i++) {
        if (!ascii_is_digit(text[i]) || __builtin_mul_overflow(value, (int64_t)10, &value) ||
            __builtin_add_overflow(value, (int64_t)(text[i] - '0'), &value) || value > max)
            return false;
    }
    *ret_value = value;
    return true;
}
