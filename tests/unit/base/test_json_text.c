/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/json_text.h"
#include "base/text.h"

static void strings_are_escaped_as_python_escapes_them(void **state)
{
    static const struct {
        struct text text;
        const char *utf8;
        const char *ascii;
    } cases[] = {
        {TEXT_INIT(""), "\"\"", "\"\""},
        {TEXT_INIT("plain /text"), "\"plain /text\"", "\"plain /text\""},
        {TEXT_INIT("say \"hi\""), "\"say \\\"hi\\\"\"", "\"say \\\"hi\\\"\""},
        {TEXT_INIT("a\\b"), "\"a\\\\b\"", "\"a\\\\b\""},
        {TEXT_INIT("\b\f\n\r\t"), "\"\\b\\f\\n\\r\\t\"", "\"\\b\\f\\n\\r\\t\""},
        {TEXT_INIT("\0\x01\x1f"), "\"\\u0000\\u0001\\u001f\"", "\"\\u0000\\u0001\\u001f\""},
        {TEXT_INIT("\x7f"), "\"\x7f\"", "\"\x7f\""},
        {TEXT_INIT("f\xC3\xBCr"), "\"f\xC3\xBCr\"", "\"f\\u00fcr\""},
        {TEXT_INIT("\xE2\x82\xAC"), "\"\xE2\x82\xAC\"", "\"\\u20ac\""},
        {TEXT_INIT("\xF0\x9F\x98\x80"), "\"\xF0\x9F\x98\x80\"", "\"\\ud83d\\ude00\""},
        {TEXT_INIT("\xF4\x8F\xBF\xBF"), "\"\xF4\x8F\xBF\xBF\"", "\"\\udbff\\udfff\""},
        /* Malformed: one replacement for each beginning of a character, or for a lone byte. */
        {TEXT_INIT("a\xFFz"), "\"a\xEF\xBF\xBDz\"", "\"a\\ufffdz\""},
        {TEXT_INIT("\xE2\x82"), "\"\xEF\xBF\xBD\"", "\"\\ufffd\""},
        {TEXT_INIT("\xE2\x82z"), "\"\xEF\xBF\xBDz\"", "\"\\ufffdz\""},
        {TEXT_INIT("\xC0\xAF"), "\"\xEF\xBF\xBD\xEF\xBF\xBD\"", "\"\\ufffd\\ufffd\""},
        {TEXT_INIT("\xC3\""), "\"\xEF\xBF\xBD\\\"\"", "\"\\ufffd\\\"\""},
        {TEXT_INIT("\xF0\x9F\x98\n"), "\"\xEF\xBF\xBD\\n\"", "\"\\ufffd\\n\""},
    };
    struct strbuf out CLEANUP(strbuf_finish);
    (void)state;
    strbuf_init(&out, 1000);
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        strbuf_clear(&out);
        json_append_string(&out, cases[i].text.data, cases[i].text.length);
        assert_string_equal(strbuf_text(&out), cases[i].utf8);
        strbuf_clear(&out);
        json_append_string_ascii(&out, cases[i].text.data, cases[i].text.length);
        assert_string_equal(strbuf_text(&out), cases[i].ascii);
    }
}

/* Whatever two or three bytes come in, a strict reader takes what comes out. */
static void the_output_is_valid_json_for_any_bytes(void **state)
{
    struct strbuf out CLEANUP(strbuf_finish);
    (void)state;
    strbuf_init(&out, 1000);
    for (unsigned i = 0; i < 256U * 256U; i++) {
        const char bytes[] = {(char)(i >> 8), (char)i, (char)(i * 7 >> 4)};
        strbuf_clear(&out);
        if (i % 2 == 0)
            json_append_string(&out, bytes, sizeof(bytes));
        else
            json_append_string_ascii(&out, bytes, sizeof(bytes));
        json_t *value =
            json_loadb(strbuf_text(&out), out.length, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
        assert_non_null(value);
        json_decref(value);
    }
}

static void a_full_buffer_fails_instead_of_cutting(void **state)
{
    char memory[5];
    struct strbuf out;
    (void)state;
    strbuf_init_fixed(&out, memory, sizeof(memory));
    json_append_string(&out, "abcd", 4);
    assert_true(strbuf_failed(&out));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(strings_are_escaped_as_python_escapes_them),
        cmocka_unit_test(the_output_is_valid_json_for_any_bytes),
        cmocka_unit_test(a_full_buffer_fails_instead_of_cutting),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
