/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "base/utf8.h"

static void utf8_is_checked_as_rfc_3629_says(void **state)
{
    static const struct {
        struct text text;
        bool is_valid;
    } cases[] = {
        {TEXT_INIT(""), true},
        {TEXT_INIT("plain\0text"), true},
        {TEXT_INIT("\xC2\x80"), true},
        {TEXT_INIT("\xDF\xBF"), true},
        {TEXT_INIT("\xE0\xA0\x80"), true},
        {TEXT_INIT("\xED\x9F\xBF"), true},
        {TEXT_INIT("\xEF\xBF\xBF"), true},
        {TEXT_INIT("\xF0\x90\x80\x80"), true},
        {TEXT_INIT("\xF4\x8F\xBF\xBF"), true},
        {TEXT_INIT("\x80"), false},             /* a continuation without a beginning */
        {TEXT_INIT("\xC0\xAF"), false},         /* overlong */
        {TEXT_INIT("\xC1\xBF"), false},         /* overlong */
        {TEXT_INIT("\xE0\x9F\xBF"), false},     /* overlong */
        {TEXT_INIT("\xF0\x8F\xBF\xBF"), false}, /* overlong */
        {TEXT_INIT("\xED\xA0\x80"), false},     /* surrogate */
        {TEXT_INIT("\xF4\x90\x80\x80"), false}, /* beyond U+10FFFF */
        {TEXT_INIT("\xF5\x80\x80\x80"), false}, /* beyond U+10FFFF */
        {TEXT_INIT("\xFF"), false},
        {TEXT_INIT("\xC3"), false},         /* cut short */
        {TEXT_INIT("\xE2\x82"), false},     /* cut short */
        {TEXT_INIT("\xF0\x9F\x98"), false}, /* cut short */
        {TEXT_INIT("\xC3("), false},        /* the second byte is none */
        {TEXT_INIT("ok\xE2\x82"), false},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        /* A copy of exactly that length, so that a sanitizer sees reads behind it. */
        char *copy = malloc(cases[i].text.length + 1);
        assert_non_null(copy);
        memcpy(copy, cases[i].text.data, cases[i].text.length);
        char *exact = realloc(copy, cases[i].text.length > 0 ? cases[i].text.length : 1);
        assert_non_null(exact);
        bool is_valid = utf8_is_valid(exact, cases[i].text.length);
        free(exact);
        if (is_valid != cases[i].is_valid)
            fail_msg("case %zu: %d", i, is_valid);
    }
}

/* What may come next is looked for beyond the end of a piece; what cannot is an error here and
 * now. */
static void beginnings_of_characters_are_told_from_broken_ones(void **state)
{
    static const struct {
        struct text text;
        bool is_beginning;
    } cases[] = {
        {TEXT_INIT("\xC3"), true},
        {TEXT_INIT("\xE2"), true},
        {TEXT_INIT("\xE2\x82"), true},
        {TEXT_INIT("\xF0\x9F\x98"), true},
        {TEXT_INIT("\xF4\x8F"), true},
        {TEXT_INIT("a"), false},
        {TEXT_INIT("\xC3\xA9"), false},
        {TEXT_INIT("\xE2\x82\xAC"), false},
        {TEXT_INIT("\x80"), false},
        {TEXT_INIT("\xC1"), false},
        {TEXT_INIT("\xFF"), false},
        {TEXT_INIT("\xE0\x9F"), false},
        {TEXT_INIT("\xED\xA0"), false},
        {TEXT_INIT("\xF4\x90"), false},
        {TEXT_INIT("\xE2("), false},
        {TEXT_INIT("\xF0\x9F("), false},
        {TEXT_INIT("\xE2\x82\xAC\xE2"), false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        if (utf8_is_beginning(cases[i].text.data, cases[i].text.length) != cases[i].is_beginning)
            fail_msg("case %zu", i);
}

/* As Python's bytes.decode(errors="replace") does it. */
static void each_broken_piece_becomes_one_replacement_character(void **state)
{
#define BROKEN "\xEF\xBF\xBD"
    static const struct {
        struct text text;
        const char *repaired;
    } cases[] = {
        {TEXT_INIT(""), ""},
        {TEXT_INIT("plain \xC3\xA9 \xE2\x82\xAC \xF0\x9F\x98\x80"),
         "plain \xC3\xA9 \xE2\x82\xAC \xF0\x9F\x98\x80"},
        {TEXT_INIT("\x80\x80"), BROKEN BROKEN},
        {TEXT_INIT("\xE2\x82(\xF0\x9F\x98"), BROKEN "(" BROKEN},
        {TEXT_INIT("\xE2\x82\xE2\x82\xAC"), BROKEN "\xE2\x82\xAC"},
        {TEXT_INIT("\xC0\xAF"), BROKEN BROKEN},
        {TEXT_INIT("\xED\xA0\x80"), BROKEN BROKEN BROKEN},
        {TEXT_INIT("\xF4\x90\x80\x80"), BROKEN BROKEN BROKEN BROKEN},
        {TEXT_INIT("a\xFF"), "a" BROKEN},
    };
#undef BROKEN
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char repaired[64];
        size_t length = utf8_repair(cases[i].text.data, cases[i].text.length, repaired);
        assert_true(length <= UTF8_REPAIR_FACTOR * cases[i].text.length);
        repaired[length] = '\0';
        assert_string_equal(repaired, cases[i].repaired);
    }
}

static void every_character_is_read_as_it_was_written(void **state)
{
    (void)state;
    for (uint32_t character = 0; character <= 0x10FFFF; character++) {
        char utf8[4];
        uint32_t read;
        if (character == 0xD800)
            character = 0xE000; /* surrogates are no characters */
        size_t length = utf8_encode(character, utf8);
        if (utf8_next(utf8, length, &read) != length || read != character)
            fail_msg("U+%04X", (unsigned)character);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(utf8_is_checked_as_rfc_3629_says),
        cmocka_unit_test(beginnings_of_characters_are_told_from_broken_ones),
        cmocka_unit_test(each_broken_piece_becomes_one_replacement_character),
        cmocka_unit_test(every_character_is_read_as_it_was_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
