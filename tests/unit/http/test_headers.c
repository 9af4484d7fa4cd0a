/* SPDX-License-Identifier: Apache-2.0 */
/* Answer headers fit whole, to the last byte, or are said not to. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h needs those above */
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "http/exchange.h"

static void add_plainly(struct http_headers *headers, const char *value)
{
    http_headers_add(headers, "X", value);
}

static void add_formatted(struct http_headers *headers, const char *value)
{
    http_headers_add_format(headers, "X", "%s", value);
}

static void (*const ways[])(struct http_headers *headers, const char *value) = {add_plainly,
                                                                                add_formatted};

/* On the heap, with nothing behind it: a byte too many is seen. */
static struct http_headers *no_headers(void)
{
    struct http_headers *headers = calloc(1, sizeof(*headers));

    assert_non_null(headers);
    return headers;
}

static void values_fill_the_space_to_its_last_byte(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(ways); i++) {
        struct http_headers *headers = no_headers();
        char *value = calloc(1, HTTP_HEADER_SPACE);

        assert_non_null(value);
        ways[i](headers, "first");
        memset(value, 'v', HTTP_HEADER_SPACE - sizeof("first"));
        ways[i](headers, value); /* with its end one byte more than there is room for */
        assert_true(headers->overflow);
        assert_int_equal(headers->count, 1);

        headers->overflow = false;
        ways[i](headers, value + 1);
        assert_false(headers->overflow);
        assert_int_equal(headers->count, 2);
        assert_string_equal(headers->list[0].value, "first");
        assert_string_equal(headers->list[1].value, value + 1);
        ways[i](headers, "");
        assert_true(headers->overflow);
        assert_int_equal(headers->count, 2);
        free(value);
        free(headers);
    }
}

static void one_header_too_many_is_left_out(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(ways); i++) {
        struct http_headers *headers = no_headers();

        for (int j = 0; j < HTTP_MAX_HEADERS; j++)
            ways[i](headers, "value");
        assert_false(headers->overflow);
        ways[i](headers, "value");
        assert_true(headers->overflow);
        assert_int_equal(headers->count, HTTP_MAX_HEADERS);
        free(headers);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_fill_the_space_to_its_last_byte),
        cmocka_unit_test(one_header_too_many_is_left_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
