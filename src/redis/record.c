/* SPDX-License-Identifier: Apache-2.0 */
#include "record.h"

#include <limits.h>

#include "base/utf8.h"
#include "base/wire.h"

static const struct text value_magic = TEXT_INIT("kubecent\x01");
static const struct text failure_magic = TEXT_INIT("kubecent\x02");

static bool skip_magic(struct text *record, struct text magic)
{
    if (record->length < magic.length || memcmp(record->data, magic.data, magic.length) != 0)
        return false;
    record->data += magic.length;
    record->length -= magic.length;
    return true;
}

void record_put_value_head(struct strbuf *out, size_t length, int64_t keep_ms)
{
    strbuf_append(out, value_magic.data, value_magic.length);
    wire_put_unsigned(out, (uint64_t)keep_ms);
    wire_put_unsigned(out, length);
}

bool record_get_value(struct text record, int64_t ttl_ms, struct tier_value *ret_value)
{
    if (!skip_magic(&record, value_magic))
        return false;
    struct wire_reader reader = wire_reader_of(record);
    uint64_t keep_ms = wire_get_unsigned(&reader);
    struct text bytes = wire_get_text(&reader); /* its length, then itself */
    /* Without a time to live (-1), or with one longer than what it began with, nobody knows its
     * age: somebody has changed it, or Redis' clock has gone back. */
    if (!wire_is_complete(&reader) || keep_ms > RECORD_KEEP_MAX_MS || ttl_ms < 0 ||
        ttl_ms > (int64_t)keep_ms)
        return false;
    *ret_value = (struct tier_value){.bytes = bytes, .stored_ms_ago = (int64_t)keep_ms - ttl_ms};
    return true;
}

void record_put_failure(struct strbuf *out, struct text token, const struct error *error)
{
    strbuf_append(out, failure_magic.data, failure_magic.length);
    wire_put_text(out, token);
    wire_put_text(out, text_of(error_code_name(error->code)));
    wire_put_signed(out, error->http_status);
    wire_put_text(out, text_of(error->text));
}

/* Codes travel by their names: their numbers may differ between releases. */
static bool find_code(struct text name, enum error_code *ret_code)
{
    for (int code = ERR_NONE + 1; code <= ERR_UPSTREAM_UNAVAILABLE; code++) {
        if (text_equals(name, text_of(error_code_name((enum error_code)code)))) {
            *ret_code = (enum error_code)code;
            return true;
        }
    }
    return false;
}

bool record_get_failure(struct text record, struct text token, struct error *ret_error)
{
    enum error_code code = ERR_NONE;
    if (!skip_magic(&record, failure_magic))
        return false;
    struct wire_reader reader = wire_reader_of(record);
    struct text of_token = wire_get_text(&reader);
    struct text name = wire_get_text(&reader);
    int64_t http_status = wire_get_int64(&reader);
    struct text text = wire_get_text(&reader);
    if (!wire_is_complete(&reader) || !text_equals(of_token, token) || !find_code(name, &code) ||
        http_status < 0 || http_status > INT_MAX || text.length >= sizeof ret_error->text ||
        !utf8_is_valid(text.data, text.length))
        return false;
    error_set(ret_error, code, "%.*s", (int)text.length, text.length > 0 ? text.data : "");
    ret_error->http_status = (int)http_status;
    return true;
}
