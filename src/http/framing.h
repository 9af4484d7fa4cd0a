/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads the head of a request strictly.
 *
 * libmicrohttpd 0.9.75 lets through much that could be read in two ways, which behind a proxy is
 * how requests are smuggled. Here each such head becomes a 400, given before the body is read, and
 * the connection is closed.
 *
 * Threads: the HTTP thread that carries the connection.
 */
#ifndef HTTP_FRAMING_H
#define HTTP_FRAMING_H

#include <microhttpd.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attrs.h"

/* What the walk over the headers found; pointers are borrowed from libmicrohttpd for the request's
 * life. NULL: no such header. Of several, the first. */
struct request_head {
    const char *accept_encoding;
    const char *if_none_match;
    const char *request_id;
    const char *traceparent;
    const char *content_length;
    const char *transfer_encoding;
    unsigned hosts;
    unsigned content_lengths;
    unsigned transfer_encodings;
    const char *line_end; /* of the last line looked at */
    bool malformed;     /* a name that is no token, a value with a bare CR, or a line with a NUL */
    int64_t body_bytes; /* as announced; 0 when chunked or not at all */
};

/* Returns false when the request is to be answered 400. */
bool framing_examine(struct MHD_Connection *connection, const char *method, const char *version,
                     struct request_head *ret_head) NODISCARD;

enum { REQUEST_ID_MAX = 128 };

/* Length of a client's request id without blanks behind it; 0 when it is not 1 to 128 characters of
 * [A-Za-z0-9._~:/+=@-]. */
size_t framing_request_id_length(const char *value) NODISCARD;

#endif
