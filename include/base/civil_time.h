/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calendar arithmetic in UTC (proleptic Gregorian), without locale, time zone or global state.
 *
 * Unix times are seconds since 1970-01-01T00:00:00Z. Formats are those of RFC 3339, unless said
 * otherwise.
 *
 * Threads: any; pure functions.
 */
#ifndef BASE_CIVIL_TIME_H
#define BASE_CIVIL_TIME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attrs.h"

enum {
    SECONDS_PER_MINUTE = 60,
    SECONDS_PER_HOUR = 3600,
    SECONDS_PER_DAY = 86400,
    RFC3339_TEXT_MAX = 32, /* bytes for any text that the functions below write, NUL included */
};

struct civil_date {
    int year;  /* 1 to 9999 */
    int month; /* 1 to 12 */
    int day;   /* 1 to 31 */
};

struct civil_date civil_date_of(int64_t unix_s) NODISCARD;

/* 00:00:00Z of that day. `month` may lie outside 1..12 and then moves the year: month 0 is December
 * of the year before. */
int64_t civil_midnight(int year, int month, int day) NODISCARD;

/* Accepts exactly `YYYY-MM-DDThh:mm:ssZ`: the only RFC 3339 form that OpenCost takes in a window.
 */
bool rfc3339_parse_z(const char *text, size_t length, int64_t *ret_unix_s) NODISCARD;

/* Accepts any RFC 3339 time: upper or lower case T and Z, fractions (cut off), numeric offsets. */
bool rfc3339_parse(const char *text, size_t length, int64_t *ret_unix_s) NODISCARD;

/* Writes `YYYY-MM-DDThh:mm:ssZ` and a NUL. */
void rfc3339_format(int64_t unix_s, char text[RFC3339_TEXT_MAX]);

/* Writes `YYYY-MM-DDThh:mm:ss.uuuuuuZ`; the fraction is left out when it is zero, as structlog
 * does. */
void rfc3339_format_us(int64_t unix_us, char text[RFC3339_TEXT_MAX]);

/* Writes `Mon, 23 Nov 2026 14:59:34 GMT` and a NUL: HTTP's form (RFC 9110, 5.6.7). */
void http_date_format(int64_t unix_s, char text[RFC3339_TEXT_MAX]);

/* Writes `YYYY-MM` and a NUL. */
void civil_format_month(int64_t unix_s, char text[RFC3339_TEXT_MAX]);

#endif
