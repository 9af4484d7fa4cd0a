/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Text is copied in runs that need no change; what lies between two runs is written by
 * append_special(). Escapes are spelled as Python's json module spells them.
 */
#include "base/json_text.h"

#include <stdbool.h>
#include <stdint.h>

#include "base/json_scan.h"
#include "base/utf8.h"

enum { FIRST_BEYOND_BMP = 0x10000, UNICODE_ESCAPE_BYTES = 6 };

static void append_unicode_escape(struct strbuf *buf, uint32_t unit)
{
    static const char digits[] = "0123456789abcdef";
    const char escape[UNICODE_ESCAPE_BYTES] = {
        '\\',
        'u',
        digits[unit >> 12 & 0xF],
        digits[unit >> 8 & 0xF],
        digits[unit >> 4 & 0xF],
        digits[unit & 0xF],
    };
    strbuf_append(buf, escape, sizeof(escape));
}

static void append_character_ascii(struct strbuf *buf, uint32_t character)
{
    if (character < FIRST_BEYOND_BMP) {
        append_unicode_escape(buf, character);
        return;
    }
    uint32_t rest = character - FIRST_BEYOND_BMP;
    append_unicode_escape(buf, 0xD800 | rest >> 10);
    append_unicode_escape(buf, 0xDC00 | (rest & 0x3FF));
}

static void append_escaped_byte(struct strbuf *buf, unsigned char c)
{
    char letter;
    switch (c) {
    case '"':
    case '\\':
        letter = (char)c;
        break;
    case '\b':
        letter = 'b';
        break;
    case '\f':
        letter = 'f';
        break;
    case '\n':
        letter = 'n';
        break;
    case '\r':
        letter = 'r';
        break;
    case '\t':
        letter = 't';
        break;
    default:
        append_unicode_escape(buf, c);
        return;
    }
    strbuf_append(buf, (const char[]){'\\', letter}, 2);
}

/* Writes the one character at `text`, which is not plain, and returns its length. */
static size_t append_special(struct strbuf *buf, const char *text, size_t length, bool ascii)
{
    uint32_t character;
    size_t taken = utf8_next(text, length, &character);
    bool is_valid = character != UTF8_INVALID;
    if (is_valid && character < 0x80)
        append_escaped_byte(buf, (unsigned char)character);
    else if (ascii)
        append_character_ascii(buf, is_valid ? character : UTF8_REPLACEMENT);
    else if (is_valid)
        strbuf_append(buf, text, taken);
    else
        strbuf_append_text(buf, "\xEF\xBF\xBD");
    return taken;
}

static void append_string(struct strbuf *buf, const char *text, size_t length, bool ascii)
{
    size_t i = 0;
    strbuf_append_char(buf, '"');
    while (i < length) {
        size_t run = (size_t)(json_plain_end(text + i, text + length) - (text + i));
        strbuf_append(buf, text + i, run);
        i += run;
        if (i < length)
            i += append_special(buf, text + i, length - i, ascii);
    }
    strbuf_append_char(buf, '"');
}

void json_append_string(struct strbuf *buf, const char *text, size_t length)
{
    append_string(buf, text, length, false);
}

void json_append_string_ascii(struct strbuf *buf, const char *text, size_t length)
{
    append_string(buf, text, length, true);
}

void json_append_spaced_ascii(struct strbuf *buf, const char *json, size_t length)
{
    bool in_string = false;
    size_t i = 0;
    while (i < length) {
        unsigned char c = (unsigned char)json[i];
        if (c >= 0x80) {
            i += append_special(buf, json + i, length - i, true);
            continue;
        }
        strbuf_append_char(buf, json[i++]);
        if (c == '\\' && in_string && i < length)
            strbuf_append_char(buf, json[i++]);
        else if (c == '"')
            in_string = !in_string;
        else if (!in_string && (c == ',' || c == ':'))
            strbuf_append_char(buf, ' ');
    }
}
