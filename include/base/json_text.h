/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Strings as JSON text (RFC 8259), for the places that write JSON straight into a buffer.
 *
 * Invalid UTF-8 is replaced by U+FFFD, so that what we write is always valid JSON whatever came in.
 *
 * Threads: one at a time per buffer.
 */
#ifndef BASE_JSON_TEXT_H
#define BASE_JSON_TEXT_H

#include <stddef.h>

#include "base/strbuf.h"

/* Appends `text` with its quotes; non-ASCII stays UTF-8, as API answers want it. */
void json_append_string(struct strbuf *buf, const char *text, size_t length);

/* The same with non-ASCII as \uXXXX (surrogate pairs above the BMP), as the log lines want it. */
void json_append_string_ascii(struct strbuf *buf, const char *text, size_t length);

/* Appends valid compact JSON as the log lines spell it: a space behind each comma and colon,
 * non-ASCII as \uXXXX. */
void json_append_spaced_ascii(struct strbuf *buf, const char *json, size_t length);

#endif
