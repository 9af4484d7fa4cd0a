/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h needs those above */
#include <cmocka.h>
#include <libdeflate.h>
#include <stdlib.h>
#include <string.h>

#include "http/content.h"

static struct http_content *content_of(size_t length, bool is_noise)
{
    char *bytes = malloc(length);
    struct http_content *content;
    uint32_t noise = 1;

    assert_non_null(bytes);
    for (size_t i = 0; i < length; i++) {
        noise = noise * 1664525U + 1013904223U;
        bytes[i] = 'a';
        if (is_noise)
            bytes[i] = (char)(noise >> 24);
    }
    content = http_content_create(bytes, length, "application/json");
    assert_non_null(content);
    return content;
}

static void gzip_form_unpacks_to_the_same_bytes(void **state)
{
    struct http_content *content = content_of(100000, false);
    struct text bytes = http_content_bytes(content);
    struct text packed = http_content_gzip(content);
    struct libdeflate_decompressor *unpacker = libdeflate_alloc_decompressor();
    char *unpacked = malloc(bytes.length);
    size_t length = 0;

    (void)state;
    assert_non_null(unpacker);
    assert_non_null(unpacked);
    assert_true(packed.length > 0 && packed.length < bytes.length);
    assert_int_equal(libdeflate_gzip_decompress(unpacker, packed.data, packed.length, unpacked,
                                                bytes.length, &length),
                     LIBDEFLATE_SUCCESS);
    assert_true(text_equals(bytes, (struct text){.data = unpacked, .length = length}));
    libdeflate_free_decompressor(unpacker);
    free(unpacked);
    http_content_release(content);
}

static void compressing_is_left_out_where_it_does_not_pay(void **state)
{
    struct http_content *small = content_of(1023, false);
    struct http_content *enough = content_of(1024, false);
    struct http_content *noise = content_of(5000, true);

    (void)state;
    assert_int_equal(http_content_gzip(small).length, 0);
    assert_int_not_equal(http_content_gzip(enough).length, 0);
    assert_int_equal(http_content_gzip(noise).length, 0);
    http_content_release(small);
    http_content_release(enough);
    http_content_release(noise);
}

static void empty_content_is_possible(void **state)
{
    struct http_content *content = content_of(0, false);

    (void)state;
    assert_int_equal(http_content_bytes(content).length, 0);
    assert_int_equal(strlen(http_content_etag(content)), 18);
    http_content_release(content);
}

static void etags_follow_the_bytes_and_differ_between_forms(void **state)
{
    struct http_content *one = content_of(2000, false);
    struct http_content *same = content_of(2000, false);
    struct http_content *other = content_of(2001, false);

    (void)state;
    assert_int_equal(strlen(http_content_etag(one)), 18);
    assert_string_equal(http_content_etag(one), http_content_etag(same));
    assert_string_not_equal(http_content_etag(one), http_content_etag(other));
    assert_string_not_equal(http_content_etag(one), http_content_gzip_etag(one));
    assert_non_null(strstr(http_content_gzip_etag(one), "-gzip\""));
    http_content_release(one);
    http_content_release(same);
    http_content_release(other);
}

static void memory_covers_both_forms(void **state)
{
    struct http_content *content = content_of(5000, false);

    (void)state;
    assert_true(http_content_memory(content) >
                http_content_bytes(content).length + http_content_gzip(content).length);
    http_content_release(content);
}

static void content_lives_until_its_last_holder_lets_go(void **state)
{
    struct http_content *content = content_of(2000, false);
    struct http_content *held = http_content_hold(content);

    (void)state;
    http_content_release(content);
    assert_int_equal(http_content_bytes(held).data[1999], 'a');
    http_content_release(held);
    http_content_release(NULL);
}

static void packed_content_lends_what_it_was_given(void **state)
{
    struct http_content *source = content_of(50000, false);
    struct text gzip = http_content_gzip(source);
    struct http_content *content = http_content_create_packed(gzip, "0123abcd", "text/css");

    (void)state;
    assert_non_null(content);
    assert_ptr_equal(http_content_gzip(content).data, gzip.data);
    assert_int_equal(http_content_gzip(content).length, gzip.length);
    assert_string_equal(http_content_gzip_etag(content), "\"0123abcd-gzip\"");
    assert_int_equal(http_content_bytes(content).length, 0);
    assert_string_equal(http_content_etag(content), "");
    assert_true(http_content_memory(content) < 50000);
    http_content_release(content);
    http_content_release(source);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gzip_form_unpacks_to_the_same_bytes),
        cmocka_unit_test(compressing_is_left_out_where_it_does_not_pay),
        cmocka_unit_test(empty_content_is_possible),
        cmocka_unit_test(etags_follow_the_bytes_and_differ_between_forms),
        cmocka_unit_test(memory_covers_both_forms),
        cmocka_unit_test(content_lives_until_its_last_holder_lets_go),
        cmocka_unit_test(packed_content_lends_what_it_was_given),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
