/* SPDX-License-Identifier: Apache-2.0 */
/*
 * UTF-8 as RFC 3629 has it: no overlong forms, no surrogates, nothing above U+10FFFF.
 *
 * Threads: any; pure functions.
 */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attrs.h"

enum {
    UTF8_REPLACEMENT = 0xFFFD,
    UTF8_REPAIR_FACTOR = 3, /* one broken byte becomes the three of U+FFFD */
};

#define UTF8_INVALID UINT32_MAX

/* Reads the character at `text`, of which `length` (at least 1) bytes may be looked at, and returns
 * how many bytes it takes. For a malformed one *ret_character is UTF8_INVALID and the result covers
 * as much as one U+FFFD stands for by the Unicode standard's advice (the longest beginning of a
 * well-formed character, or one byte). */
size_t utf8_next(const char *text, size_t length, uint32_t *ret_character);

/* True when the text (of at least 1 byte) is the beginning of a character, and no more. */
bool utf8_is_beginning(const char *text, size_t length) NODISCARD;

bool utf8_is_valid(const char *text, size_t length) NODISCARD;

/* The longest length up to `length` that does not cut a character of `text` in two. The byte
 * behind `length` is looked at too. */
size_t utf8_cut(const char *text, size_t length);

/* Copies `text`, broken UTF-8 replaced by U+FFFD: one for each piece that utf8_next() calls
 * malformed, as Python's errors="replace" does. `to` has room for UTF8_REPAIR_FACTOR times
 * `length`. Returns the bytes written. */
size_t utf8_repair(const char *text, size_t length, char *to) NODISCARD;

/* Writes a character and returns how many bytes it takes. */
size_t utf8_encode(uint32_t character, char utf8[4]);

#endif
