/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Decimal fixed-point numbers: nine decimals in a 128-bit integer, so that 0.1 + 0.2 is 0.3.
 *
 * Money (USD), cores, bytes and minutes are all read into this type. A number read from OpenCost
 * lies below DECIMAL_READ_LIMIT in size, so sums over any possible answer cannot overflow 128 bits;
 * only products need checks.
 *
 * Threads: any; pure functions.
 */
#ifndef COST_DECIMAL_H
#define COST_DECIMAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attrs.h"

__extension__ typedef __int128 decimal;

#define DECIMAL_ONE ((decimal)1000000000)

/* 1e18: more bytes or dollars than exist. */
#define DECIMAL_READ_LIMIT ((decimal)1000000000000000000 * DECIMAL_ONE)

/* 1e37 billionths: ten times that still fit 128 bits. */
#define DECIMAL_DIVISOR_LIMIT (DECIMAL_READ_LIMIT * 1000000000 * 10)

enum { DECIMAL_TEXT_MAX = 48 }; /* bytes for decimal_format(), NUL included */

enum decimal_result {
    DECIMAL_OK,
    DECIMAL_NOT_A_NUMBER, /* not exactly one JSON number */
    DECIMAL_OUT_OF_RANGE, /* a JSON number of 1e18 or more in size, once rounded */
};

/* Reads exactly one JSON number (RFC 8259 grammar, exponents included); digits beyond the ninth
 * decimal are rounded half-even. `-0` reads as 0. */
enum decimal_result decimal_parse(const char *text, size_t length, decimal *ret_value) NODISCARD;

/* Plain decimal: no exponent, at most nine decimals, trailing zeros cut, at least one decimal
 * ("50.0", "-186.57"). Writes a NUL behind the text and returns the length without it. */
size_t decimal_format(decimal value, char text[DECIMAL_TEXT_MAX]);

/* The same with exactly two decimals, rounded half-even ("20.00"): for sentences. */
size_t decimal_format_cents(decimal value, char text[DECIMAL_TEXT_MAX]);

/* `value` x `factor`, rounded half-even to nine decimals. False when the product does not fit. */
bool decimal_multiply(decimal value, decimal factor, decimal *ret_product) NODISCARD;

/* `dividend` / `divisor`, rounded half-even to nine decimals; a quotient that does not fit becomes
 * the largest that does. `divisor` must not be 0 nor reach DECIMAL_DIVISOR_LIMIT in size. */
decimal decimal_divide(decimal dividend, decimal divisor) NODISCARD;

#endif
