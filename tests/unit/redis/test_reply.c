/* SPDX-License-Identifier: Apache-2.0 */
/* Replies off the wire: what they are, in pieces of any size, and where it ends. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/attrs.h"
#include "reply.h"

enum { ELEMENTS_MAX = 256 };

/* The only reply in `bytes`; NULL: there is none yet, or a fault, whose reason is left in the
 * second. */
static struct reply *read_in_pieces(struct text bytes, size_t piece, struct fault *ret_fault)
{
    struct reply_reader *reader = reply_reader_create();
    struct reply *reply = NULL;
    bool goes_on = true;
    assert_non_null(reader);
    fault_set(ret_fault, FAULT_REASONS, "none");
    for (size_t at = 0; at < bytes.length && goes_on; at += piece) {
        size_t length = bytes.length - at < piece ? bytes.length - at : piece;
        struct reply *next = NULL;
        assert_true(reply_reader_feed(reader, bytes.data + at, length));
        goes_on = reply_reader_next(reader, &next, ret_fault);
        assert_true(reply == NULL || next == NULL);
        reply = goes_on && next != NULL ? next : reply;
    }
    reply_reader_destroy(reader);
    return reply;
}

static struct reply *read_whole(struct text bytes, struct fault *ret_fault)
{
    return read_in_pieces(bytes, bytes.length, ret_fault);
}

static void every_kind_is_read_in_pieces_of_any_size(void **state)
{
    static const struct text all = TEXT_INIT(
        "*7\r\n$5\r\na\r\nbc\r\n$0\r\n\r\n$-1\r\n:-42\r\n+fine\r\n-ERR not\r\n*1\r\n*0\r\n");
    (void)state;
    for (size_t piece = 1; piece <= all.length; piece++) {
        struct fault fault;
        struct reply *reply = read_in_pieces(all, piece, &fault);
        assert_non_null(reply);
        struct reply *const *elements = reply_elements(reply, 7);
        assert_non_null(elements);
        assert_null(reply_elements(reply, 6));
        assert_true(reply_is_string(elements[0], "a\r\nbc"));
        assert_true(reply_is_string(elements[1], ""));
        assert_int_equal(elements[2]->kind, REPLY_NIL);
        assert_false(reply_is_string(elements[2], ""));
        assert_int_equal(elements[3]->kind, REPLY_INTEGER);
        assert_int_equal(elements[3]->integer, -42);
        assert_true(reply_is_status(elements[4], "fine"));
        assert_false(reply_is_string(elements[4], "fine"));
        assert_int_equal(elements[5]->kind, REPLY_ERROR);
        assert_int_equal(reply_text(elements[5]).length, 0);
        assert_int_equal(elements[6]->kind, REPLY_ARRAY);
        assert_int_equal(elements[6]->elements[0]->count, 0);
        reply_free(reply);
    }
}

static void what_is_announced_is_bounded(void **state)
{
    static const struct {
        struct text bytes;
        bool is_fine;
    } cases[] = {
        {TEXT_INIT("*256\r\n"), true}, /* as far as it goes */
        {TEXT_INIT("*257\r\n"), false},
        {TEXT_INIT("*2147483647\r\n"), false},
        {TEXT_INIT("*2\r\n*128\r\n"), true},
        {TEXT_INIT("*128\r\n*128\r\n*1\r\n"), false}, /* in all */
        {TEXT_INIT("*9223372036854775807\r\n"), false},
        {TEXT_INIT("*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n"), false},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct fault fault;
        assert_null(read_whole(cases[i].bytes, &fault));
        assert_int_equal(fault.reason, cases[i].is_fine ? FAULT_REASONS : FAULT_PROTOCOL);
    }
}

/* The bound is on one reply, not on the connection. */
static void many_replies_with_many_elements_are_fine(void **state)
{
    (void)state;
    struct reply_reader *reader = reply_reader_create();
    struct fault fault;
    assert_non_null(reader);
    for (int i = 0; i < ELEMENTS_MAX; i++) {
        struct reply *reply = NULL;
        assert_true(reply_reader_feed(reader, "*3\r\n:1\r\n:2\r\n:3\r\n", 16));
        assert_true(reply_reader_next(reader, &reply, &fault));
        assert_non_null(reply);
        reply_free(reply);
        assert_true(reply_reader_next(reader, &reply, &fault));
        assert_null(reply);
    }
    reply_reader_destroy(reader);
}

static void what_is_no_reply_is_a_fault(void **state)
{
    static const char *const cases[] = {
        "x\r\n", "HTTP/1.1 200 OK\r\n", "$x\r\n", "$-2\r\n", ":1x\r\n", "*x\r\n", "\r\n"};
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct fault fault;
        assert_null(read_whole(text_of(cases[i]), &fault));
        if (fault.reason != FAULT_PROTOCOL)
            fail_msg("no fault: %s", cases[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_is_read_in_pieces_of_any_size),
        cmocka_unit_test(what_is_announced_is_bounded),
        cmocka_unit_test(many_replies_with_many_elements_are_fine),
        cmocka_unit_test(what_is_no_reply_is_a_fault),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
