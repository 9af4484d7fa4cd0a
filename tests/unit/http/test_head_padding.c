/* SPDX-License-Identifier: Apache-2.0 */
/* Heads become exactly as long as they should, or stay as they are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h needs those above */
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "head_padding.h"

enum { BODY_BYTES = 75889, HEAD_ROOM = 2 * PADDED_HEAD_BYTES };

/* The head as libmicrohttpd writes it, byte by byte. */
static size_t length_on_the_wire(const struct http_headers *headers)
{
    char head[HEAD_ROOM];
    size_t length = (size_t)snprintf(head, sizeof(head),
                                     "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n", BODY_BYTES);

    for (size_t i = 0; i < headers->count; i++)
        length += (size_t)snprintf(head + length, sizeof(head) - length, "%s: %s\r\n",
                                   headers->list[i].name, headers->list[i].value);
    return length + strlen("\r\n");
}

/* One header, so long that the head is of `length`. */
static struct http_headers *head_of(size_t length)
{
    struct http_headers *headers = calloc(1, sizeof(*headers));
    size_t empty;

    assert_non_null(headers);
    http_headers_add(headers, "X-Long", "");
    empty = length_on_the_wire(headers);
    assert_true(empty < length);
    headers->count = headers->used = 0;
    http_headers_add_format(headers, "X-Long", "%0*d", (int)(length - empty), 0);
    assert_int_equal(length_on_the_wire(headers), length);
    return headers;
}

static size_t padded(size_t length)
{
    struct http_headers *headers = head_of(length);

    head_pad(headers, BODY_BYTES);
    assert_false(headers->overflow);
    length = length_on_the_wire(headers);
    free(headers);
    return length;
}

static void short_heads_become_as_long_as_they_should(void **state)
{
    const size_t least = strlen("X-Padding: 0\r\n");

    (void)state;
    for (size_t length = 100; length <= PADDED_HEAD_BYTES - least; length++)
        assert_int_equal(padded(length), PADDED_HEAD_BYTES);
}

static void heads_that_have_no_room_for_it_stay_as_they_are(void **state)
{
    const size_t least = strlen("X-Padding: 0\r\n");

    (void)state;
    for (size_t length = PADDED_HEAD_BYTES - least + 1; length < PADDED_HEAD_BYTES + 100; length++)
        assert_int_equal(padded(length), length);
}

/* An answer must not fail for it. */
static void a_full_list_of_headers_is_left_alone(void **state)
{
    struct http_headers *headers = calloc(1, sizeof(*headers));

    (void)state;
    assert_non_null(headers);
    for (int i = 0; i < HTTP_MAX_HEADERS; i++)
        http_headers_add(headers, "X", "");
    head_pad(headers, BODY_BYTES);
    assert_int_equal(headers->count, HTTP_MAX_HEADERS);
    assert_false(headers->overflow);
    free(headers);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(short_heads_become_as_long_as_they_should),
        cmocka_unit_test(heads_that_have_no_room_for_it_stay_as_they_are),
        cmocka_unit_test(a_full_list_of_headers_is_left_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
