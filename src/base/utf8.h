/* SPDX-License-Identifier: Apache-2.0 */
/* Stepping through UTF-8 (RFC 3629); for this room only. */
#ifndef BASE_UTF8_PRIVATE_H
#define BASE_UTF8_PRIVATE_H

#include <stddef.h>
#include <stdint.h>

enum { UTF8_REPLACEMENT = 0xFFFD };

#define UTF8_INVALID UINT32_MAX

/* Reads the character at `text`, of which `length` (at least 1) bytes may be looked at, and returns
 * how many bytes it takes. For a malformed one *ret_character is UTF8_INVALID and the result covers
 * as much as one U+FFFD stands for by the Unicode standard's advice (the longest beginning of a
 * well-formed character, or one byte). */
size_t utf8_next(const char *text, size_t length, uint32_t *ret_character);

/* The longest length up to `length` that does not cut a character of `text` in two. The byte
 * behind `length` is looked at too. */
size_t utf8_cut(const char *text, size_t length);

#endif
