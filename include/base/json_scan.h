/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finding the next byte of a JSON string that needs a look: 16 bytes at a time with SSE2, else 8
 * with plain integers. Never reads beyond `end`.
 *
 * Threads: any; pure functions.
 */
#ifndef BASE_JSON_SCAN_H
#define BASE_JSON_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

/* Stands for itself in a JSON string: ASCII, and neither control character, quote nor backslash. */
static inline bool json_is_plain(char c)
{
    return (signed char)c >= ' ' && c != '"' && c != '\\';
}

#ifdef __SSE2__
/* Skips blocks of 16 plain bytes; true when a byte that is not plain was met, with *p on it. */
static inline bool json_skip_plain_blocks(const char **p, const char *end)
{
    const __m128i quote = _mm_set1_epi8('"');
    const __m128i backslash = _mm_set1_epi8('\\');
    const __m128i space = _mm_set1_epi8(' ');
    for (; end - *p >= 16; *p += 16) {
        __m128i block = _mm_loadu_si128((const __m128i *)(const void *)*p);
        /* The comparison is signed, so it also finds the bytes of UTF-8 sequences. */
        __m128i special = _mm_or_si128(
            _mm_cmplt_epi8(block, space),
            _mm_or_si128(_mm_cmpeq_epi8(block, quote), _mm_cmpeq_epi8(block, backslash)));
        int mask = _mm_movemask_epi8(special);
        if (mask != 0) {
            *p += __builtin_ctz((unsigned)mask);
            return true;
        }
    }
    return false;
}
#else
/* Skips blocks of 8 plain bytes. Always false: the bytewise loop behind finds the exact place. */
static inline bool json_skip_plain_blocks(const char **p, const char *end)
{
    const uint64_t ones = UINT64_MAX / 255;
    const uint64_t high_bits = ones * 0x80;
    for (; end - *p >= 8; *p += 8) {
        uint64_t block;
        memcpy(&block, *p, sizeof(block));
        uint64_t quote = block ^ (ones * '"');
        uint64_t backslash = block ^ (ones * '\\');
        /* A byte of x is zero, or below 32, when subtracting 1, or 32, borrows; bytes of 0x80 and
         * more are found by their own high bit. */
        uint64_t special = (block - ones * ' ') | (quote - ones) | (backslash - ones) | block;
        if ((special & high_bits) != 0)
            break;
    }
    return false;
}
#endif

/* The first byte in [p, end) that is not plain, or `end`. */
static inline const char *json_plain_end(const char *p, const char *end)
{
    if (json_skip_plain_blocks(&p, end))
        return p;
    while (p < end && json_is_plain(*p))
        p++;
    return p;
}

static inline bool json_is_space(char c)
{
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

#endif
