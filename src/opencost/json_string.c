/* SPDX-License-Identifier: Apache-2.0 */
/* The rare part of JSON strings: escapes and characters beyond ASCII. */
#include <stdint.h>

#include "base/ascii.h"
#include "base/utf8.h"
#include "json_reader.h"

static bool is_high_surrogate(uint32_t unit)
{
    return unit >= 0xD800 && unit <= 0xDBFF;
}

static bool is_low_surrogate(uint32_t unit)
{
    return unit >= 0xDC00 && unit <= 0xDFFF;
}

/* Four hexadecimal digits that are known to be there. */
static uint32_t hex4(const char *digits)
{
    uint32_t value = 0;
    for (int i = 0; i < 4; i++)
        value = value << 4 | (uint32_t)ascii_hex_value(digits[i]);
    return value;
}

/* Passes the four digits at *p. */
static bool pass_hex4(struct json_reader *reader, const char **p, uint32_t *ret_unit)
{
    const char *digits = *p;
    for (; *p < digits + 4; (*p)++) {
        if (*p == reader->end)
            return json_want_more(reader);
        if (ascii_hex_value(**p) < 0)
            return json_fail(reader, *p, "four hexadecimal digits");
    }
    *ret_unit = hex4(digits);
    return true;
}

/* Passes the second half of a surrogate pair. */
static bool pass_low_surrogate(struct json_reader *reader, const char **p)
{
    static const char prefix[] = "\\u";
    const char *escape = *p;
    for (int i = 0; i < 2; i++, (*p)++) {
        if (*p == reader->end)
            return json_want_more(reader);
        if (**p != prefix[i])
            return json_fail(reader, escape, "the second half of a surrogate pair");
    }
    uint32_t unit;
    if (!pass_hex4(reader, p, &unit))
        return false;
    return is_low_surrogate(unit) ||
           json_fail(reader, escape, "the second half of a surrogate pair");
}

/* Passes the escape whose backslash is at *p. *has_nul becomes true if it stands for NUL. */
static bool pass_escape(struct json_reader *reader, const char **p, bool *has_nul)
{
    const char *backslash = *p;
    if (++*p == reader->end)
        return json_want_more(reader);
    char c = *(*p)++;
    if (c != 'u') {
        bool known = c == '"' || c == '\\' || c == '/' || c == 'b' || c == 'f' || c == 'n' ||
                     c == 'r' || c == 't';
        return known || json_fail(reader, backslash, "a known escape");
    }
    uint32_t unit;
    if (!pass_hex4(reader, p, &unit))
        return false;
    *has_nul |= unit == 0;
    if (is_low_surrogate(unit))
        return json_fail(reader, backslash, "the first half of a surrogate pair");
    return !is_high_surrogate(unit) || pass_low_surrogate(reader, p);
}

/* Passes the UTF-8 sequence at *p, which is not ASCII. */
static bool pass_utf8(struct json_reader *reader, const char **p)
{
    size_t left = (size_t)(reader->end - *p);
    uint32_t character;
    size_t length = utf8_next(*p, left, &character);
    if (character == UTF8_INVALID)
        return utf8_is_beginning(*p, left) ? json_want_more(reader)
                                           : json_fail(reader, *p, "UTF-8");
    *p += length;
    return true;
}

bool json_read_special_string(struct json_reader *reader, const char *p,
                              struct json_string *ret_string)
{
    const char *text = reader->cursor + 1;
    ret_string->has_escapes = ret_string->has_nul = false;
    for (;;) {
        p = json_plain_end(p, reader->end);
        if (p == reader->end)
            return json_want_more(reader);
        if (*p == '"')
            break;
        if (*p == '\\') {
            ret_string->has_escapes = true;
            if (!pass_escape(reader, &p, &ret_string->has_nul))
                return false;
        } else if ((signed char)*p < 0) {
            if (!pass_utf8(reader, &p))
                return false;
        } else {
            return json_fail(reader, p, "no control character in a string");
        }
    }
    ret_string->raw = (struct text){.data = text, .length = (size_t)(p - text)};
    reader->cursor = p + 1;
    return true;
}

/* Reads one (valid) escape at `p`, behind its backslash; returns where it ends. */
static const char *decode_escape(const char *p, uint32_t *ret_character)
{
    static const char letters[] = "bfnrt";
    static const char meanings[] = "\b\f\n\r\t";
    char c = *p++;
    if (c != 'u') {
        const char *letter = strchr(letters, c);
        *ret_character = (uint32_t)(letter != NULL ? meanings[letter - letters] : c);
        return p;
    }
    uint32_t unit = hex4(p);
    p += 4;
    if (is_high_surrogate(unit)) {
        unit = 0x10000 + ((unit - 0xD800) << 10) + (hex4(p + 2) - 0xDC00);
        p += 6;
    }
    *ret_character = unit;
    return p;
}

size_t json_unescape(struct text raw, char *meaning, size_t size)
{
    size_t length = 0;
    const char *end = raw.data + raw.length;
    for (const char *p = raw.data; p < end;) {
        char utf8[4] = {*p};
        size_t count = 1;
        if (*p == '\\') {
            uint32_t character;
            p = decode_escape(p + 1, &character);
            count = utf8_encode(character, utf8);
        } else {
            p++;
        }
        for (size_t i = 0; i < count; i++, length++) {
            if (length < size)
                meaning[length] = utf8[i];
        }
    }
    return length;
}
