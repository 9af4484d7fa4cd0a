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
    if (!start)
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

void json_append_decimal(struct strbuf *out, const char *key, decimal value)
{
    char text[DECIMAL_TEXT_MAX];
    size_t length = decimal_format(value, text);
    strbuf_append_text(out, key);
    strbuf_append(out, text, length);
}

void json_append_text(struct strbuf *out, const char *key, struct text value)
{
    strbuf_append_text(out, key);
    json_append_string(out, value.data, value.length);
}

void json_append_count(struct strbuf *out, const char *key, uint64_t value)
{
    strbuf_append_text(out, key);
    strbuf_append_int(out, value < INT64_MAX ? (int64_t)value : INT64_MAX);
}
