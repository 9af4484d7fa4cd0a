/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/wire.h"

enum { LIMIT = 4096 };

static struct text content(const struct strbuf *buf)
{
    return (struct text){.data = strbuf_text(buf), .length = buf->length};
}

static void unsigned_numbers_come_back_in_as_few_bytes_as_they_need(void **state)
{
    static const struct {
        uint64_t value;
        size_t length;
    } cases[] = {
        {0, 1}, {1, 1}, {127, 1}, {128, 2}, {16383, 2}, {16384, 3}, {UINT64_MAX, 10},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct strbuf buf CLEANUP(strbuf_finish);
        strbuf_init(&buf, LIMIT);
        wire_put_unsigned(&buf, cases[i].value);
        assert_int_equal(buf.length, cases[i].length);
        struct wire_reader reader = wire_reader_of(content(&buf));
        assert_true(wire_get_unsigned(&reader) == cases[i].value);
        assert_true(wire_is_complete(&reader));
    }
}

static void signed_numbers_of_128_bits_come_back(void **state)
{
    const wire_int128 largest = (wire_int128)(((wire_int128)INT64_MAX << 64) | UINT64_MAX);
    const struct {
        wire_int128 value;
        size_t length;
    } cases[] = {
        {0, 1},   {-1, 1},         {63, 1},         {-64, 1},      {64, 2},
        {-65, 2}, {INT64_MAX, 10}, {INT64_MIN, 10}, {largest, 19}, {-largest - 1, 19},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct strbuf buf CLEANUP(strbuf_finish);
        strbuf_init(&buf, LIMIT);
        wire_put_signed(&buf, cases[i].value);
        assert_int_equal(buf.length, cases[i].length);
        struct wire_reader reader = wire_reader_of(content(&buf));
        assert_true(wire_get_signed(&reader) == cases[i].value);
        assert_true(wire_is_complete(&reader));
    }
}

static void fixed_numbers_are_little_endian(void **state)
{
    struct strbuf buf CLEANUP(strbuf_finish);
    (void)state;
    strbuf_init(&buf, LIMIT);
    wire_put_fixed64(&buf, UINT64_C(0x8877665544332211));
    assert_int_equal(buf.length, 8);
    assert_memory_equal(buf.data, "\x11\x22\x33\x44\x55\x66\x77\x88", 8);
    struct wire_reader reader = wire_reader_of(content(&buf));
    assert_true(wire_get_fixed64(&reader) == UINT64_C(0x8877665544332211));
    assert_true(wire_is_complete(&reader));
}

static void texts_come_back_and_point_into_the_bytes(void **state)
{
    struct strbuf buf CLEANUP(strbuf_finish);
    (void)state;
    strbuf_init(&buf, LIMIT);
    wire_put_text(&buf, TEXT("shop"));
    wire_put_text(&buf, TEXT(""));
    wire_put_text(&buf, (struct text){0});
    struct wire_reader reader = wire_reader_of(content(&buf));
    struct text text = wire_get_text(&reader);
    assert_true(text_equals(text, TEXT("shop")));
    assert_ptr_equal(text.data, buf.data + 1);
    assert_int_equal(wire_get_text(&reader).length, 0);
    assert_int_equal(wire_get_text(&reader).length, 0);
    assert_true(wire_is_complete(&reader));
}

enum kind { UNSIGNED, SIGNED, INT64, FIXED, STRING };

static void read_as(enum kind kind, struct wire_reader *reader)
{
    switch (kind) {
    case UNSIGNED:
        assert_true(wire_get_unsigned(reader) == 0);
        break;
    case SIGNED:
        assert_true(wire_get_signed(reader) == 0);
        break;
    case INT64:
        assert_true(wire_get_int64(reader) == 0);
        break;
    case FIXED:
        assert_true(wire_get_fixed64(reader) == 0);
        break;
    case STRING:
        assert_int_equal(wire_get_text(reader).length, 0);
        break;
    }
}

#define NINE "\xff\xff\xff\xff\xff\xff\xff\xff\xff"

static void what_no_writer_writes_is_a_fault_and_reads_as_nothing(void **state)
{
    static const struct {
        enum kind kind;
        struct text bytes;
    } cases[] = {
        {UNSIGNED, TEXT_INIT("")},          /* nothing */
        {UNSIGNED, TEXT_INIT("\x80")},      /* breaks off */
        {UNSIGNED, TEXT_INIT("\x80\x00")},  /* 0 in two bytes */
        {UNSIGNED, TEXT_INIT("\xff\x00")},  /* 127 in two bytes */
        {UNSIGNED, TEXT_INIT(NINE "\x02")}, /* 65 bits */
        {UNSIGNED, TEXT_INIT(NINE "\x81\x00")},
        {SIGNED, TEXT_INIT("\x80\x00")},
        {SIGNED, TEXT_INIT(NINE NINE "\x04")}, /* 129 bits */
        {SIGNED, TEXT_INIT(NINE NINE "\x83\x00")},
        {SIGNED, TEXT_INIT(NINE NINE)},
        {INT64, TEXT_INIT(NINE "\x02")}, /* INT64_MIN - 1 */
        {FIXED, TEXT_INIT("\x01\x02\x03\x04\x05\x06\x07")},
        {STRING, TEXT_INIT("\x02x")},
        {STRING, TEXT_INIT(NINE "\x01x")}, /* as long as 64 bits can say */
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct wire_reader reader = wire_reader_of(cases[i].bytes);
        read_as(cases[i].kind, &reader);
        assert_true(reader.failed);
        for (int kind = UNSIGNED; kind <= STRING; kind++)
            read_as((enum kind)kind, &reader);
        assert_false(wire_is_complete(&reader));
    }
}

static void a_count_must_be_possible_in_the_bytes_that_are_left(void **state)
{
    struct wire_reader fits = wire_reader_of(TEXT("\x02"
                                                  "abcdef"));
    struct wire_reader lies = wire_reader_of(TEXT("\x03"
                                                  "abcdef"));
    (void)state;
    assert_true(wire_get_count(&fits, 3) == 2);
    assert_false(fits.failed);
    assert_true(wire_get_count(&lies, 3) == 0);
    assert_true(lies.failed);
}

static void bytes_left_over_are_not_complete(void **state)
{
    struct wire_reader reader = wire_reader_of(TEXT("\x01\x02"));
    (void)state;
    assert_true(wire_get_unsigned(&reader) == 1);
    assert_false(reader.failed);
    assert_false(wire_is_complete(&reader));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unsigned_numbers_come_back_in_as_few_bytes_as_they_need),
        cmocka_unit_test(signed_numbers_of_128_bits_come_back),
        cmocka_unit_test(fixed_numbers_are_little_endian),
        cmocka_unit_test(texts_come_back_and_point_into_the_bytes),
        cmocka_unit_test(what_no_writer_writes_is_a_fault_and_reads_as_nothing),
        cmocka_unit_test(a_count_must_be_possible_in_the_bytes_that_are_left),
        cmocka_unit_test(bytes_left_over_are_not_complete),
    };
    return cmocka_run_group_tests_name("wire", tests, NULL, NULL);
}
