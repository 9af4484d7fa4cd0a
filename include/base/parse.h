/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Strict reading of small values, by the rules of the service we port (Pydantic's, see
 * docs/API_QUICKREF.md).
 *
 * All take a length, so NUL is an ordinary (and wrong) character. None depends on the locale.
 *
 * Threads: any; pure functions.
 */
#ifndef BASE_PARSE_H
#define BASE_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attrs.h"

enum parse_result {
    PARSE_OK,
    PARSE_INVALID,  /* not a number of that kind */
    PARSE_TOO_LONG, /* a number, but far beyond 64 bits (int_parsing_size) */
};

/* Integers as Pydantic reads them from text: spaces around, a sign, single underscores between
 * digits and a fraction of zeros only (`10.0`) are accepted; empty, `10.5`, `0x10`, `1e1` are not.
 * Values beyond 64 bits saturate to INT64_MIN or INT64_MAX (bounds then refuse them); more than
 * 4,300 digits are PARSE_TOO_LONG. */
enum parse_result parse_integer(const char *text, size_t length, int64_t *ret_value) NODISCARD;

/* `1 0 true false t f yes no y n on off` in any case, no spaces. */
bool parse_boolean(const char *text, size_t length, bool *ret_value) NODISCARD;

/* Plain digits, no sign, no spaces, at most `max`; for formats that allow no liberties. */
bool parse_digits(const char *text, size_t length, int64_t max, int64_t *ret_value) NODISCARD;

#endif
