/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
#include "support/alloc_fault.h"

static void appended_pieces_form_one_text(void **state)
{
    struct strbuf buf CLEANUP(strbuf_finish);
    (void)state;
    strbuf_init(&buf, 1000);
    assert_string_equal(strbuf_text(&buf), "");
    strbuf_append_text(&buf, "one ");
    strbuf_append(&buf, "two three", 3);
    strbuf_append_char(&buf, ' ');
    strbuf_append_int(&buf, -3);
    strbuf_append_format(&buf, " %s-%d", "four", 5);
    assert_false(strbuf_failed(&buf));
    assert_string_equal(strbuf_text(&buf), "one two -3 four-5");
    assert_int_equal(buf.length, strlen("one two -3 four-5"));
}

static void a_text_may_hold_nul(void **state)
{
    struct strbuf buf CLEANUP(strbuf_finish);
    (void)state;
    strbuf_init(&buf, 10);
    strbuf_append(&buf, "a\0b", 3);
    assert_int_equal(buf.length, 3);
    assert_memory_equal(buf.data, "a\0b\0", 4);
}

static void the_limit_is_reached_but_never_exceeded(void **state)
{
    struct strbuf buf CLEANUP(strbuf_finish);
    (void)state;
    strbuf_init(&buf, 100);
    for (int i = 0; i < 100; i++)
        strbuf_append_char(&buf, 'x');
    assert_false(strbuf_failed(&buf));
    assert_int_equal(buf.length, 100);
    strbuf_append_char(&buf, 'y');
    assert_true(strbuf_failed(&buf));
    assert_int_equal(buf.length, 100);
}

static void failure_is_sticky_until_cleared(void **state)
{
    struct strbuf buf CLEANUP(strbuf_finish);
    (void)state;
    strbuf_init(&buf, 4);
    strbuf_append_text(&buf, "12345");
    strbuf_append_text(&buf, "1");
    strbuf_append_int(&buf, 1);
    strbuf_append_format(&buf, "%d", 1);
    assert_true(strbuf_failed(&buf));
    assert_null(strbuf_reserve(&buf, 1));
    assert_string_equal(strbuf_text(&buf), "");
    strbuf_clear(&buf);
    strbuf_append_text(&buf, "1234");
    assert_false(strbuf_failed(&buf));
    assert_string_equal(strbuf_text(&buf), "1234");
}

static void a_formatted_text_beyond_the_limit_fails(void **state)
{
    struct strbuf buf CLEANUP(strbuf_finish);
    (void)state;
    strbuf_init(&buf, 4);
    strbuf_append_format(&buf, "%s", "1234");
    assert_false(strbuf_failed(&buf));
    strbuf_append_format(&buf, "%s", "5");
    assert_true(strbuf_failed(&buf));
    assert_string_equal(strbuf_text(&buf), "1234");
}

static void integers_are_written_as_printf_writes_them(void **state)
{
    char expected[32];
    struct strbuf buf CLEANUP(strbuf_finish);
    (void)state;
    strbuf_init(&buf, 100);
    int64_t power = 1;
    for (int digits = 1; digits <= 19; digits++, power *= digits <= 19 ? 10 : 1) {
        const int64_t values[] = {power - 1, power, power + 1, -power, power * 5 / 4};
        for (size_t i = 0; i < ARRAY_LENGTH(values); i++) {
            strbuf_clear(&buf);
            strbuf_append_int(&buf, values[i]);
            (void)snprintf(expected, sizeof(expected), "%" PRId64, values[i]);
            assert_string_equal(strbuf_text(&buf), expected);
        }
    }
    strbuf_clear(&buf);
    strbuf_append_int(&buf, INT64_MIN);
    strbuf_append_char(&buf, ' ');
    strbuf_append_int(&buf, INT64_MAX);
    assert_string_equal(strbuf_text(&buf), "-9223372036854775808 9223372036854775807");
}

static void reserved_bytes_count_once_committed(void **state)
{
    struct strbuf buf CLEANUP(strbuf_finish);
    (void)state;
    strbuf_init(&buf, 10);
    char *room = strbuf_reserve(&buf, 10);
    assert_non_null(room);
    memset(room, 'x', 10);
    assert_int_equal(buf.length, 0);
    strbuf_commit(&buf, 5);
    assert_string_equal(strbuf_text(&buf), "xxxxx");
    assert_null(strbuf_reserve(&buf, 6));
    assert_true(strbuf_failed(&buf));
}

static void taken_bytes_belong_to_the_caller(void **state)
{
    struct strbuf buf;
    size_t length = 0;
    (void)state;
    strbuf_init(&buf, 100);
    strbuf_append_text(&buf, "mine");
    char *bytes = strbuf_take(&buf, &length);
    assert_string_equal(bytes, "mine");
    assert_int_equal(length, 4);
    assert_int_equal(buf.length, 0);
    free(bytes);
    strbuf_append_text(&buf, "next");
    assert_string_equal(strbuf_text(&buf), "next");
    strbuf_finish(&buf);
}

static void nothing_is_taken_from_a_failed_or_unused_buffer(void **state)
{
    struct strbuf buf;
    (void)state;
    strbuf_init(&buf, 3);
    assert_null(strbuf_take(&buf, NULL));
    strbuf_append_text(&buf, "123");
    strbuf_append_text(&buf, "4");
    assert_null(strbuf_take(&buf, NULL));
    assert_false(strbuf_failed(&buf));
    strbuf_append_text(&buf, "");
    char *empty = strbuf_take(&buf, NULL);
    assert_string_equal(empty, "");
    free(empty);
}

static void a_zeroed_buffer_may_be_finished(void **state)
{
    struct strbuf buf = {0};
    (void)state;
    strbuf_finish(&buf);
    strbuf_append_char(&buf, 'x');
    assert_true(strbuf_failed(&buf));
    strbuf_finish(&buf);
}

static void the_highest_limit_does_not_overflow(void **state)
{
    struct strbuf buf CLEANUP(strbuf_finish);
    (void)state;
    strbuf_init(&buf, SIZE_MAX);
    strbuf_append_text(&buf, "x");
    assert_false(strbuf_failed(&buf));
    assert_null(strbuf_reserve(&buf, SIZE_MAX));
    assert_true(strbuf_failed(&buf));
}

static void fixed_memory_is_filled_and_never_replaced(void **state)
{
    char memory[8];
    struct strbuf buf;
    (void)state;
    strbuf_init_fixed(&buf, memory, sizeof(memory));
    strbuf_append_text(&buf, "1234567");
    assert_false(strbuf_failed(&buf));
    assert_ptr_equal(strbuf_text(&buf), memory);
    strbuf_append_text(&buf, "8");
    assert_true(strbuf_failed(&buf));
    assert_string_equal(memory, "1234567");
}

static void no_memory_fails_the_buffer_and_keeps_its_text(void **state)
{
    struct strbuf buf CLEANUP(strbuf_finish);
    (void)state;
    if (!alloc_fault_supported())
        skip();
    strbuf_init(&buf, 10000);
    alloc_fault_arm(1);
    strbuf_append_text(&buf, "x");
    assert_true(alloc_fault_hit());
    assert_true(strbuf_failed(&buf));
    strbuf_clear(&buf);
    alloc_fault_arm(2);
    for (int i = 0; i < 1000; i++)
        strbuf_append_char(&buf, 'x');
    assert_true(alloc_fault_hit());
    alloc_fault_disarm();
    assert_true(strbuf_failed(&buf));
    assert_true(buf.length > 0 && buf.length < 1000);
    assert_int_equal(strlen(strbuf_text(&buf)), buf.length);
}

static void shrinking_may_fail_unnoticed(void **state)
{
    struct strbuf buf;
    (void)state;
    if (!alloc_fault_supported())
        skip();
    strbuf_init(&buf, 10);
    strbuf_append_text(&buf, "kept");
    alloc_fault_arm(1);
    char *bytes = strbuf_take(&buf, NULL);
    assert_true(alloc_fault_hit());
    alloc_fault_disarm();
    assert_string_equal(bytes, "kept");
    free(bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(appended_pieces_form_one_text),
        cmocka_unit_test(a_text_may_hold_nul),
        cmocka_unit_test(the_limit_is_reached_but_never_exceeded),
        cmocka_unit_test(failure_is_sticky_until_cleared),
        cmocka_unit_test(a_formatted_text_beyond_the_limit_fails),
        cmocka_unit_test(integers_are_written_as_printf_writes_them),
        cmocka_unit_test(reserved_bytes_count_once_committed),
        cmocka_unit_test(taken_bytes_belong_to_the_caller),
        cmocka_unit_test(nothing_is_taken_from_a_failed_or_unused_buffer),
        cmocka_unit_test(a_zeroed_buffer_may_be_finished),
        cmocka_unit_test(the_highest_limit_does_not_overflow),
        cmocka_unit_test(fixed_memory_is_filled_and_never_replaced),
        cmocka_unit_test(no_memory_fails_the_buffer_and_keeps_its_text),
        cmocka_unit_test(shrinking_may_fail_unnoticed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
