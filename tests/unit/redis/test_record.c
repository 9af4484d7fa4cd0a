/* SPDX-License-Identifier: Apache-2.0 */
/* What is read back from Redis: only what was written, whatever others have put there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/attrs.h"
#include "base/wire.h"
#include "record.h"

enum { RECORD_MAX = 1024, HOUR_MS = 3600 * 1000 };

static const struct text token = TEXT_INIT("0123456789abcdef0123456789abcdef");

static struct text value_record(struct strbuf *out, struct text bytes, int64_t keep_ms)
{
    strbuf_clear(out);
    record_put_value_head(out, bytes.length, keep_ms);
    strbuf_append(out, bytes.data, bytes.length);
    return (struct text){out->data, out->length};
}

static void a_value_is_as_old_as_its_lifetime_less_what_is_left(void **state)
{
    (void)state;
    struct strbuf out CLEANUP(strbuf_finish);
    strbuf_init(&out, RECORD_MAX);
    struct tier_value value;
    struct text record = value_record(&out, TEXT("costs"), HOUR_MS);
    assert_true(record_get_value(record, HOUR_MS, &value));
    assert_int_equal(value.stored_ms_ago, 0);
    assert_true(text_equals(value.bytes, TEXT("costs")));
    assert_true(record_get_value(record, 1, &value));
    assert_int_equal(value.stored_ms_ago, HOUR_MS - 1);
    assert_true(record_get_value(record, 0, &value));
    /* No time to live, none such key, a clock that went back. */
    assert_false(record_get_value(record, -1, &value));
    assert_false(record_get_value(record, -2, &value));
    assert_false(record_get_value(record, HOUR_MS + 1, &value));
    assert_false(record_get_value(record, INT64_MAX, &value));
    assert_false(record_get_value(record, INT64_MIN, &value));
}

/* Ages are added up and taken from the time of day. */
static void a_lifetime_beyond_all_reason_is_none(void **state)
{
    (void)state;
    static const int64_t beyond[] = {RECORD_KEEP_MAX_MS + 1, INT64_MAX, -1};
    struct strbuf out CLEANUP(strbuf_finish);
    strbuf_init(&out, RECORD_MAX);
    struct tier_value value;
    for (size_t i = 0; i < ARRAY_LENGTH(beyond); i++) {
        strbuf_clear(&out);
        assert_false(record_get_value(value_record(&out, TEXT("costs"), beyond[i]), 1, &value));
    }
    strbuf_clear(&out);
    assert_true(record_get_value(value_record(&out, TEXT("costs"), RECORD_KEEP_MAX_MS), 1, &value));
}

static void an_empty_value_is_one(void **state)
{
    (void)state;
    struct strbuf out CLEANUP(strbuf_finish);
    strbuf_init(&out, RECORD_MAX);
    struct tier_value value;
    assert_true(record_get_value(value_record(&out, TEXT(""), 1), 1, &value));
    assert_int_equal(value.bytes.length, 0);
}

/* Cut at every byte, with one too many, and with every bit of the head flipped. */
static void what_is_not_exactly_a_value_is_none(void **state)
{
    (void)state;
    struct strbuf out CLEANUP(strbuf_finish);
    struct strbuf changed CLEANUP(strbuf_finish);
    strbuf_init(&out, RECORD_MAX);
    strbuf_init(&changed, RECORD_MAX);
    struct tier_value value;
    struct text record = value_record(&out, TEXT("costs"), HOUR_MS);
    size_t head = record.length - strlen("costs");
    for (size_t length = 0; length < record.length; length++)
        assert_false(record_get_value((struct text){record.data, length}, 1, &value));
    strbuf_append(&changed, record.data, record.length);
    strbuf_append_char(&changed, '!');
    assert_false(record_get_value((struct text){changed.data, changed.length}, 1, &value));
    for (size_t bit = 0; bit < head * 8; bit++) {
        strbuf_clear(&changed);
        strbuf_append(&changed, record.data, record.length);
        changed.data[bit / 8] = (char)(changed.data[bit / 8] ^ (1 << bit % 8));
        struct text spoilt = {changed.data, changed.length};
        /* Of all of these only the lifetime may read as another one. */
        if (record_get_value(spoilt, 1, &value))
            assert_true(value.stored_ms_ago != HOUR_MS - 1 &&
                        text_equals(value.bytes, TEXT("costs")));
    }
}

static void a_failure_is_read_by_those_who_waited_for_it(void **state)
{
    (void)state;
    struct strbuf out CLEANUP(strbuf_finish);
    strbuf_init(&out, RECORD_MAX);
    struct error error;
    struct error read;
    for (int code = ERR_NONE + 1; code <= ERR_UPSTREAM_UNAVAILABLE; code++) {
        strbuf_clear(&out);
        error_set(&error, (enum error_code)code, "it was %d", code);
        error.http_status = 503;
        record_put_failure(&out, token, &error);
        struct text record = {out.data, out.length};
        assert_true(record_get_failure(record, token, &read));
        assert_int_equal(read.code, code);
        assert_int_equal(read.http_status, 503);
        assert_string_equal(read.text, error.text);
        assert_false(record_get_failure(record, TEXT("f123456789abcdef0123456789abcdef"), &read));
    }
}

static void put_failure(struct strbuf *out, const char *code, int64_t status, struct text text)
{
    strbuf_clear(out);
    strbuf_append(out, "kubecent\x02", 9);
    wire_put_text(out, token);
    wire_put_text(out, text_of(code));
    wire_put_signed(out, status);
    wire_put_text(out, text);
}

static void what_is_not_exactly_a_failure_is_none(void **state)
{
    (void)state;
    struct strbuf out CLEANUP(strbuf_finish);
    char long_text[RECORD_MAX / 2];
    struct error error;
    strbuf_init(&out, RECORD_MAX);
    memset(long_text, 'x', sizeof long_text);
    put_failure(&out, "upstream_timeout", 0, TEXT("fine"));
    assert_true(record_get_failure((struct text){out.data, out.length}, token, &error));
    for (size_t length = 0; length < out.length; length++)
        assert_false(record_get_failure((struct text){out.data, length}, token, &error));
    static const struct {
        const char *code;
        int64_t status;
        struct text text;
    } cases[] = {
        {"none", 0, TEXT_INIT("no failure")},
        {"of_tomorrow", 0, TEXT_INIT("a newer release's")},
        {"", 0, TEXT_INIT("")},
        {"upstream_timeout", -1, TEXT_INIT("status")},
        {"upstream_timeout", (int64_t)1 << 40, TEXT_INIT("status")},
        {"upstream_timeout", 0, TEXT_INIT("\xff\xfe")},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        put_failure(&out, cases[i].code, cases[i].status, cases[i].text);
        assert_false(record_get_failure((struct text){out.data, out.length}, token, &error));
    }
    put_failure(&out, "upstream_timeout", 0, (struct text){long_text, sizeof long_text});
    assert_false(record_get_failure((struct text){out.data, out.length}, token, &error));
    /* Lines of the log stay lines. */
    put_failure(&out, "upstream_timeout", 0, TEXT("a\nb"));
    assert_true(record_get_failure((struct text){out.data, out.length}, token, &error));
    assert_string_equal(error.text, "a b");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_value_is_as_old_as_its_lifetime_less_what_is_left),
        cmocka_unit_test(a_lifetime_beyond_all_reason_is_none),
        cmocka_unit_test(an_empty_value_is_one),
        cmocka_unit_test(what_is_not_exactly_a_value_is_none),
        cmocka_unit_test(a_failure_is_read_by_those_who_waited_for_it),
        cmocka_unit_test(what_is_not_exactly_a_failure_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
