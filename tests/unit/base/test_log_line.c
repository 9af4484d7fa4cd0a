/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "log_line.h"

static const int64_t noon_us = INT64_C(1770811200000000); /* 2026-02-11T12:00:00Z */

#define FIELDS(...) ((const struct log_field[]){__VA_ARGS__, {.kind = LOG_FIELD_END}})

static struct log_record record_of(const struct log_field *fields)
{
    return (struct log_record){
        .level = LOG_LEVEL_INFO,
        .wall_us = noon_us + 123456,
        .file = "cache.c",
        .line = 42,
        .function = "cache_put",
        .fields = fields,
    };
}

static void expect_line(enum log_format format, const struct log_record *record,
                        const char *expected)
{
    struct strbuf out CLEANUP(strbuf_finish);
    strbuf_init(&out, 100000);
    log_line_append(&out, format, record, SIZE_MAX);
    assert_string_equal(strbuf_text(&out), expected);
}

static void json_has_own_fields_first_and_structlogs_keys_behind(void **state)
{
    const struct log_record record =
        record_of(FIELDS(LOG_EVENT("cache.set"), LOG_STR("key", "cost:namespaces:7d:idle=False"),
                         LOG_INT("ttl_seconds", 300)));
    (void)state;
    expect_line(LOG_FORMAT_JSON, &record,
                "{\"key\": \"cost:namespaces:7d:idle=False\", \"ttl_seconds\": 300, "
                "\"event\": \"cache.set\", \"level\": \"info\", "
                "\"timestamp\": \"2026-02-11T12:00:00.123456Z\", \"filename\": \"cache.c\", "
                "\"lineno\": 42, \"func_name\": \"cache_put\"}\n");
}

static void a_line_without_fields_and_fraction_is_short(void **state)
{
    struct log_record record = record_of(FIELDS(LOG_EVENT("opencost.ready")));
    (void)state;
    record.wall_us = noon_us;
    expect_line(LOG_FORMAT_JSON, &record,
                "{\"event\": \"opencost.ready\", \"level\": \"info\", "
                "\"timestamp\": \"2026-02-11T12:00:00Z\", \"filename\": \"cache.c\", "
                "\"lineno\": 42, \"func_name\": \"cache_put\"}\n");
}

static void each_kind_of_value_has_its_json_form(void **state)
{
    static const struct {
        struct log_field field;
        const char *json;
    } cases[] = {
        {{.kind = LOG_FIELD_STRING, .key = LOG_KEY("v"), .text = "a\"b\n", .length = SIZE_MAX},
         "\"a\\\"b\\n\""},
        {{.kind = LOG_FIELD_STRING, .key = LOG_KEY("v"), .text = "abc", .length = 2}, "\"ab\""},
        {{.kind = LOG_FIELD_STRING, .key = LOG_KEY("v"), .text = "\xC3\xBC", .length = SIZE_MAX},
         "\"\\u00fc\""},
        {{.kind = LOG_FIELD_STRING, .key = LOG_KEY("v"), .text = NULL, .length = SIZE_MAX}, "null"},
        {{.kind = LOG_FIELD_STRING, .key = LOG_KEY("v"), .text = NULL, .length = 3}, "null"},
        {{.kind = LOG_FIELD_INTEGER, .key = LOG_KEY("v"), .integer = INT64_MIN},
         "-9223372036854775808"},
        {{.kind = LOG_FIELD_BOOLEAN, .key = LOG_KEY("v"), .integer = 1}, "true"},
        {{.kind = LOG_FIELD_BOOLEAN, .key = LOG_KEY("v"), .integer = 0}, "false"},
        {{.kind = LOG_FIELD_HUNDREDTHS, .key = LOG_KEY("v"), .integer = 123}, "1.23"},
        {{.kind = LOG_FIELD_HUNDREDTHS, .key = LOG_KEY("v"), .integer = 5}, "0.05"},
        {{.kind = LOG_FIELD_HUNDREDTHS, .key = LOG_KEY("v"), .integer = 0}, "0.00"},
        {{.kind = LOG_FIELD_HUNDREDTHS, .key = LOG_KEY("v"), .integer = -5}, "-0.05"},
        {{.kind = LOG_FIELD_HUNDREDTHS, .key = LOG_KEY("v"), .integer = -250}, "-2.50"},
        {{.kind = LOG_FIELD_RAW,
          .key = LOG_KEY("v"),
          .text = "[{\"a\":1,\"b\":\"x,\\\":\xC3\xA9\"}]",
          .length = SIZE_MAX},
         "[{\"a\": 1, \"b\": \"x,\\\":\\u00e9\"}]"},
        {{.kind = LOG_FIELD_RAW, .key = LOG_KEY("v"), .text = NULL, .length = SIZE_MAX}, "null"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        char expected[200];
        struct strbuf out CLEANUP(strbuf_finish);
        const struct log_record record = record_of(FIELDS(LOG_EVENT("e"), cases[i].field));
        strbuf_init(&out, 1000);
        log_line_append(&out, LOG_FORMAT_JSON, &record, SIZE_MAX);
        (void)snprintf(expected, sizeof(expected), "{\"v\": %s, \"event\": \"e\"", cases[i].json);
        if (strncmp(strbuf_text(&out), expected, strlen(expected)) != 0)
            fail_msg("case %zu: %s", i, strbuf_text(&out));
    }
}

static void each_level_has_its_name(void **state)
{
    static const char *const json_names[] = {"debug", "info", "warning", "error", "critical"};
    static const char *const console_starts[] = {"DEBUG   e", "INFO    e", "WARNING e", "ERROR   e",
                                                 "CRITICAL e"};
    (void)state;
    for (int level = LOG_LEVEL_DEBUG; level <= LOG_LEVEL_CRITICAL; level++) {
        char expected[64];
        struct strbuf out CLEANUP(strbuf_finish);
        struct log_record record = record_of(FIELDS(LOG_EVENT("e")));
        record.level = (enum log_level)level;
        strbuf_init(&out, 1000);
        log_line_append(&out, LOG_FORMAT_JSON, &record, SIZE_MAX);
        (void)snprintf(expected, sizeof(expected), "\"level\": \"%s\"", json_names[level]);
        assert_non_null(strstr(strbuf_text(&out), expected));
        (void)snprintf(expected, sizeof(expected), "12:00:00.123 %s\n", console_starts[level]);
        expect_line(LOG_FORMAT_CONSOLE, &record, expected);
    }
}

static void console_lines_are_for_people(void **state)
{
    const struct log_record record = record_of(
        FIELDS(LOG_EVENT("cache.set"), LOG_STR("key", "cost:pods"), LOG_INT("ttl_seconds", 300),
               LOG_BOOL("idle", false), LOG_HUNDREDTHS("ms", 120), LOG_STR("none", NULL)));
    (void)state;
    expect_line(LOG_FORMAT_CONSOLE, &record,
                "12:00:00.123 INFO    cache.set key=cost:pods ttl_seconds=300 idle=false ms=1.20 "
                "none=null\n");
}

static void console_values_are_quoted_only_where_needed(void **state)
{
    static const struct {
        const char *value;
        const char *shown;
    } cases[] = {
        {"a=b", "a=b"},
        {"/api/v1/cost?window=7d", "/api/v1/cost?window=7d"},
        {"f\xC3\xBCr", "f\xC3\xBCr"},
        {"two words", "\"two words\""},
        {"", "\"\""},
        {"say\"", "\"say\\\"\""},
        {"line\nbreak", "\"line\\nbreak\""},
        {"\x1b[31mred", "\"\\u001b[31mred\""},
        {"\x7f", "\"\x7f\""},
        {"\xC2\x9B", "\"\\u009b\""}, /* a control character beyond ASCII */
        {"\xFF", "\"\\ufffd\""},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        char expected[100];
        const struct log_record record =
            record_of(FIELDS(LOG_EVENT("e"), LOG_STR("v", cases[i].value)));
        (void)snprintf(expected, sizeof(expected), "12:00:00.123 INFO    e v=%s\n", cases[i].shown);
        expect_line(LOG_FORMAT_CONSOLE, &record, expected);
    }
}

static void milliseconds_before_1970_are_positive(void **state)
{
    struct log_record record = record_of(FIELDS(LOG_EVENT("e")));
    (void)state;
    record.wall_us = -1000;
    expect_line(LOG_FORMAT_CONSOLE, &record, "23:59:59.999 INFO    e\n");
}

static void nothing_from_outside_can_forge_a_line(void **state)
{
    const char *evil = "x\", \"event\": \"forged\"}\n{\"event\": \"forged";
    const struct log_record record = record_of(FIELDS(LOG_EVENT("real"), LOG_STR("v", evil)));
    struct strbuf out CLEANUP(strbuf_finish);
    (void)state;
    strbuf_init(&out, 1000);
    log_line_append(&out, LOG_FORMAT_JSON, &record, SIZE_MAX);
    assert_ptr_equal(strchr(strbuf_text(&out), '\n'), out.data + out.length - 1);
    json_t *line = json_loads(strbuf_text(&out), JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(line);
    assert_string_equal(json_string_value(json_object_get(line, "event")), "real");
    assert_string_equal(json_string_value(json_object_get(line, "v")), evil);
    json_decref(line);
}

static void values_beyond_the_limit_are_cut_and_the_line_says_so(void **state)
{
    const struct log_record record = record_of(
        FIELDS(LOG_EVENT("e"), LOG_STR("text", "123\xE2\x82\xAC"), LOG_JSON("raw", "[1,2,3]"),
               LOG_STR("short", "12345"), LOG_JSON("ok", "[1]")));
    struct strbuf out CLEANUP(strbuf_finish);
    (void)state;
    strbuf_init(&out, 1000);
    log_line_append(&out, LOG_FORMAT_JSON, &record, 5);
    const char *expected = "{\"text\": \"123\", \"raw\": \"[1,2,\", \"short\": \"12345\", "
                           "\"ok\": [1], \"truncated\": true, \"event\": \"e\"";
    assert_memory_equal(strbuf_text(&out), expected, strlen(expected));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_has_own_fields_first_and_structlogs_keys_behind),
        cmocka_unit_test(a_line_without_fields_and_fraction_is_short),
        cmocka_unit_test(each_kind_of_value_has_its_json_form),
        cmocka_unit_test(each_level_has_its_name),
        cmocka_unit_test(console_lines_are_for_people),
        cmocka_unit_test(console_values_are_quoted_only_where_needed),
        cmocka_unit_test(milliseconds_before_1970_are_positive),
        cmocka_unit_test(nothing_from_outside_can_forge_a_line),
        cmocka_unit_test(values_beyond_the_limit_are_cut_and_the_line_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
