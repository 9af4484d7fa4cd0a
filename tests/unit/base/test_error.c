/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/error.h"
#include "base/utf8.h"

static void an_error_has_a_code_and_a_formatted_line(void **state)
{
    struct error error = {.http_status = 500};
    (void)state;
    assert_false(error_set(&error, ERR_LIMIT, "%s holds %d", "queue", 7));
    assert_int_equal(error.code, ERR_LIMIT);
    assert_int_equal(error.http_status, 0);
    assert_string_equal(error.text, "queue holds 7");
}

static void a_caller_who_does_not_care_passes_null(void **state)
{
    (void)state;
    assert_false(error_set(NULL, ERR_IO, "lost"));
    assert_false(error_no_memory(NULL));
}

static void control_characters_become_spaces(void **state)
{
    struct error error;
    (void)state;
    error_set(&error, ERR_IO, "a\nb\tc\rd\x1b[m\x7f.");
    assert_string_equal(error.text, "a b c d [m .");
}

static void long_texts_are_cut_between_characters(void **state)
{
    char text[sizeof(((struct error *)NULL)->text) * 2];
    struct error error;
    (void)state;
    /* Four-byte characters behind zero to three single bytes: the cut falls on each of their
     * bytes. */
    for (size_t offset = 0; offset < 4; offset++) {
        memset(text, 'x', offset);
        for (size_t i = offset; i + 4 < sizeof(text); i += 4)
            memcpy(text + i, "\xF0\x9F\x98\x80", 5);
        error_set(&error, ERR_IO, "%s", text);
        size_t length = strlen(error.text);
        assert_true(length >= sizeof(error.text) - 4 && length < sizeof(error.text));
        assert_true(utf8_is_valid(error.text, length));
    }
}

static void a_text_that_just_fits_is_whole(void **state)
{
    char text[sizeof(((struct error *)NULL)->text)];
    struct error error;
    (void)state;
    memset(text, 'y', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    error_set(&error, ERR_IO, "%s", text);
    assert_string_equal(error.text, text);
}

static void running_out_of_memory_says_so(void **state)
{
    struct error error = {.http_status = 500};
    (void)state;
    assert_false(error_no_memory(&error));
    assert_int_equal(error.code, ERR_NO_MEMORY);
    assert_int_equal(error.http_status, 0);
    assert_string_equal(error.text, "out of memory");
}

static void every_code_has_a_name_of_its_own(void **state)
{
    (void)state;
    for (int code = ERR_NONE; code <= ERR_UPSTREAM_UNAVAILABLE; code++) {
        const char *name = error_code_name((enum error_code)code);
        assert_string_not_equal(name, "unknown");
        for (int other = ERR_NONE; other < code; other++)
            assert_string_not_equal(name, error_code_name((enum error_code)other));
    }
    assert_string_equal(error_code_name(ERR_UPSTREAM_TIMEOUT), "upstream_timeout");
    assert_string_equal(error_code_name((enum error_code)1000), "unknown");
}

static void errors_are_equal_that_say_the_same(void **state)
{
    struct error one = {.code = ERR_NONE};
    struct error other = {.code = ERR_NONE};
    (void)state;
    assert_true(error_equals(&one, &other));
    error_set(&one, ERR_IO, "port %d", 1);
    assert_false(error_equals(&one, &other));
    error_set(&other, ERR_IO, "port %d", 2);
    assert_false(error_equals(&one, &other));
    error_set(&other, ERR_INVALID, "port %d", 1);
    assert_false(error_equals(&one, &other));
    error_set(&other, ERR_IO, "port %d", 1);
    assert_true(error_equals(&one, &other));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_error_has_a_code_and_a_formatted_line),
        cmocka_unit_test(a_caller_who_does_not_care_passes_null),
        cmocka_unit_test(control_characters_become_spaces),
        cmocka_unit_test(long_texts_are_cut_between_characters),
        cmocka_unit_test(a_text_that_just_fits_is_whole),
        cmocka_unit_test(running_out_of_memory_says_so),
        cmocka_unit_test(every_code_has_a_name_of_its_own),
        cmocka_unit_test(errors_are_equal_that_say_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
