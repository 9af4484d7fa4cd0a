/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reports are mostly decimals, hundreds of thousands of them: they are written straight into the
 * buffer, with one reservation for all the decimals of a row.
 */
#include "report_json.h"

#include <string.h>

#include "base/json_text.h"

void json_append_decimals(struct strbuf *out, const struct decimal_member *members, size_t count,
                          const void *object)
{
    char *start = strbuf_reserve(out, count * (MEMBER_KEY_MAX + DECIMAL_TEXT_MAX));
    if (start == NULL)
        return;
    char *cursor = start;
    for (size_t i = 0; i < count; i++) {
        memcpy(cursor, members[i].key, MEMBER_KEY_MAX);
        cursor += members[i].key_length;
        const decimal *value = (const void *)((const char *)object + members[i].offset);
        cursor += decimal_format(*value, cursor);
    }
    strbuf_commit(out, (size_t)(cursor - start));
}

void json_append_decimal(struct strbuf *out, struct text key, decimal value)
{
    char text[DECIMAL_TEXT_MAX];
    size_t length = decimal_format(value, text);
    strbuf_append(out, key.data, key.length);
    strbuf_append(out, text, length);
}

/* True when none of the eight characters needs an escape or a second look: all of them ASCII, no
 * control characters, quotes or backslashes. Each test sets the high bit of the bytes it finds, and
 * perhaps of bytes above one that it has found, which does not matter here. */
static bool word_is_plain(uint64_t word)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    const uint64_t high_bits = ones * 0x80;
    uint64_t quotes = word ^ (ones * '"');
    uint64_t backslashes = word ^ (ones * '\\');
    uint64_t found = word | (word - ones * ' ') | (quotes - ones) | (backslashes - ones);
    return (found & high_bits) == 0;
}

static bool is_plain(struct text value)
{
    uint64_t word;
    size_t i = 0;
    for (; i + sizeof(word) <= value.length; i += sizeof(word)) {
        memcpy(&word, value.data + i, sizeof(word));
        if (!word_is_plain(word))
            return false;
    }
    if (i == value.length)
        return true;
    memcpy(&word, "plainpad", sizeof(word));
    memcpy(&word, value.data + i, value.length - i);
    return word_is_plain(word);
}

void json_append_text(struct strbuf *out, struct text key, struct text value)
{
    if (!is_plain(value)) {
        strbuf_append(out, key.data, key.length);
        json_append_string(out, value.data, value.length);
        return;
    }
    size_t length = key.length + value.length + 2;
    char *cursor = strbuf_reserve(out, length);
    if (cursor == NULL)
        return;
    cursor = mempcpy(cursor, key.data, key.length);
    *cursor++ = '"';
    if (value.length > 0)
        cursor = mempcpy(cursor, value.data, value.length);
    *cursor = '"';
    strbuf_commit(out, length);
}

void json_append_count(struct strbuf *out, struct text key, uint64_t value)
{
    strbuf_append(out, key.data, key.length);
    strbuf_append_int(out, value < INT64_MAX ? (int64_t)value : INT64_MAX);
}
