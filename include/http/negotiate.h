/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a client accepts, and what it has already: RFC 9110, sections 12.5.1, 12.5.3 and 13.1.2.
 *
 * Threads: any; pure functions.
 */
#ifndef HTTP_NEGOTIATE_H
#define HTTP_NEGOTIATE_H

#include <stdbool.h>

#include "base/attrs.h"

/* True when gzip is acceptable and not less wanted than identity. `accept_encoding` NULL (no such
 * header): false. */
bool http_accepts_gzip(const char *accept_encoding) NODISCARD;

/* True when `accept` names `type`, and wants it no less than `usual` (both without parameters).
 * NULL (no such header), or a malformed one: false. */
bool http_prefers_type(const char *accept, const char *type, const char *usual) NODISCARD;

/* True when the If-None-Match list names `etag` (weak comparison) or is `*`. `if_none_match` NULL:
 * false. */
bool http_etag_matches(const char *if_none_match, const char *etag) NODISCARD;

#endif
