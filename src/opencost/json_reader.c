/* SPDX-License-Identifier: Apache-2.0 */
#include "json_reader.h"

#include <float.h>
#include <stdlib.h>

static const char *digits_end(const char *p, const char *end)
{
    while (p < end && ascii_is_digit(*p))
        p++;
    return p;
}

/* At least one digit is wanted at *p. */
static bool pass_digits(struct json_reader *reader, const char **p)
{
    const char *first = *p;
    *p = digits_end(first, reader->end);
    if (*p == reader->end)
        return json_want_more(reader);
    return *p > first || json_fail(reader, first, "a digit");
}

/* True when the number would round to an infinite double. `number` ends before a byte that cannot
 * go on with it, so strtod() stops by itself. */
static bool exceeds_double(const char *number)
{
    double value = strtod(number, NULL);
    return value > DBL_MAX || value < -DBL_MAX;
}

bool json_read_number(struct json_reader *reader, struct text *ret_number)
{
    enum { SAFE_LENGTH = 300 }; /* digits without an exponent that cannot reach 1e308 */
    const char *number = reader->cursor;
    const char *p = *number == '-' ? number + 1 : number;
    bool leads_with_zero = p < reader->end && *p == '0';
    const char *first_digit = p;
    if (!pass_digits(reader, &p))
        return false;
    if (leads_with_zero && p > first_digit + 1)
        return json_fail(reader, first_digit + 1, "no digit behind a leading zero");
    if (*p == '.') {
        p++;
        if (!pass_digits(reader, &p))
            return false;
    }
    bool has_exponent = *p == 'e' || *p == 'E';
    if (has_exponent) {
        p++;
        if (p < reader->end && (*p == '+' || *p == '-'))
            p++;
        if (!pass_digits(reader, &p))
            return false;
    }
    if ((has_exponent || p - number > SAFE_LENGTH) && exceeds_double(number))
        return json_fail(reader, number, "a number within the range of a double");
    *ret_number = (struct text){.data = number, .length = (size_t)(p - number)};
    reader->cursor = p;
    return true;
}

static bool skip_word(struct json_reader *reader, struct text word)
{
    size_t available = (size_t)(reader->end - reader->cursor);
    size_t compared = available < word.length ? available : word.length;
    if (memcmp(reader->cursor, word.data, compared) != 0)
        return json_fail(reader, reader->cursor, "a JSON value");
    if (compared < word.length)
        return json_want_more(reader);
    reader->cursor += word.length;
    return true;
}

static bool skip_object(struct json_reader *reader)
{
    bool has_member;
    struct json_string key;
    if (!json_object_begin(reader, &has_member))
        return false;
    while (has_member) {
        if (!json_read_key(reader, &key) || !json_skip_value(reader) ||
            !json_object_next(reader, &has_member))
            return false;
    }
    return true;
}

static bool skip_array(struct json_reader *reader)
{
    bool has_element;
    if (!json_array_begin(reader, &has_element))
        return false;
    while (has_element) {
        if (!json_skip_value(reader) || !json_array_next(reader, &has_element))
            return false;
    }
    return true;
}

bool json_skip_value(struct json_reader *reader)
{
    struct json_string string;
    struct text number;
    switch (*reader->cursor) {
    case '"':
        return json_read_string(reader, &string);
    case '{':
        return skip_object(reader);
    case '[':
        return skip_array(reader);
    case 't':
        return skip_word(reader, TEXT("true"));
    case 'f':
        return skip_word(reader, TEXT("false"));
    case 'n':
        return skip_word(reader, TEXT("null"));
    default:
        if (json_starts_number(*reader->cursor))
            return json_read_number(reader, &number);
        return json_fail(reader, reader->cursor, "a JSON value");
    }
}
