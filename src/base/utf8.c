/* SPDX-License-Identifier: Apache-2.0 */
#include "base/utf8.h"

#include <string.h>

/* What may follow a first byte. Overlong forms, surrogates and characters beyond U+10FFFF are all
 * told by the second byte's range (table 3-7 of the Unicode standard). */
struct sequence {
    size_t length; /* of the whole character; 0 when no character begins with this byte */
    uint8_t second_min;
    uint8_t second_max;
};

static struct sequence sequence_of(uint8_t first)
{
    if (first < 0x80)
        return (struct sequence){1, 0, 0};
    if (first >= 0xC2 && first <= 0xDF)
        return (struct sequence){2, 0x80, 0xBF};
    if (first >= 0xE0 && first <= 0xEF)
        return (struct sequence){3, first == 0xE0 ? 0xA0 : 0x80, first == 0xED ? 0x9F : 0xBF};
    if (first >= 0xF0 && first <= 0xF4)
        return (struct sequence){4, first == 0xF0 ? 0x90 : 0x80, first == 0xF4 ? 0x8F : 0xBF};
    return (struct sequence){0, 0, 0};
}

size_t utf8_next(const char *text, size_t length, uint32_t *ret_character)
{
    const uint8_t *bytes = (const uint8_t *)text;
    struct sequence sequence = sequence_of(bytes[0]);
    *ret_character = UTF8_INVALID;
    if (sequence.length == 0)
        return 1;
    if (sequence.length == 1) {
        *ret_character = bytes[0];
        return 1;
    }
    uint32_t character = bytes[0] & (0xFFU >> (sequence.length + 1));
    for (size_t i = 1; i < sequence.length; i++) {
        uint8_t min = i == 1 ? sequence.second_min : 0x80;
        uint8_t max = i == 1 ? sequence.second_max : 0xBF;
        if (i == length || bytes[i] < min || bytes[i] > max)
            return i;
        character = character << 6 | (bytes[i] & 0x3FU);
    }
    *ret_character = character;
    return sequence.length;
}

bool utf8_is_beginning(const char *text, size_t length)
{
    uint32_t character;
    return sequence_of((uint8_t)text[0]).length > length &&
           utf8_next(text, length, &character) == length;
}

bool utf8_is_valid(const char *text, size_t length)
{
    size_t i = 0;
    while (i < length) {
        uint32_t character;
        i += utf8_next(text + i, length - i, &character);
        if (character == UTF8_INVALID)
            return false;
    }
    return true;
}

size_t utf8_cut(const char *text, size_t length)
{
    size_t start = length;
    /* A character has at most three continuation bytes; what has more is malformed anyway. */
    while (start > 0 && length - start < 3 && ((uint8_t)text[start] & 0xC0U) == 0x80)
        start--;
    return ((uint8_t)text[start] & 0xC0U) == 0x80 ? length : start;
}

size_t utf8_repair(const char *text, size_t length, char *to)
{
    size_t written = 0;
    size_t i = 0;
    while (i < length) {
        uint32_t character;
        size_t taken = utf8_next(text + i, length - i, &character);
        if (character == UTF8_INVALID) {
            written += utf8_encode(UTF8_REPLACEMENT, to + written);
        } else {
            memcpy(to + written, text + i, taken);
            written += taken;
        }
        i += taken;
    }
    return written;
}

size_t utf8_encode(uint32_t character, char utf8[4])
{
    if (character < 0x80) {
        utf8[0] = (char)character;
        return 1;
    }
    if (character < 0x800) {
        utf8[0] = (char)(0xC0 | character >> 6);
        utf8[1] = (char)(0x80 | (character & 0x3F));
        return 2;
    }
    if (character < 0x10000) {
        utf8[0] = (char)(0xE0 | character >> 12);
        utf8[1] = (char)(0x80 | (character >> 6 & 0x3F));
        utf8[2] = (char)(0x80 | (character & 0x3F));
        return 3;
    }
    utf8[0] = (char)(0xF0 | character >> 18);
    utf8[1] = (char)(0x80 | (character >> 12 & 0x3F));
    utf8[2] = (char)(0x80 | (character >> 6 & 0x3F));
    utf8[3] = (char)(0x80 | (character & 0x3F));
    return 4;
}
