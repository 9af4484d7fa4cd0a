/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reports are mostly decimals, hundreds of thousands of them: they are written straight into the
 * buffer, with one reservation for all the decimals of a row.
 */
#include "report_json.h"

#include <string.h>

#include "base/json_scan.h"
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

/* Stands in JSON as it is. */
static bool is_plain(struct text value)
{
    if (value.length == 0)
        return true;
    const char *end = value.data + value.length;
    return json_plain_end(value.data, end) == end;
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
