/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An exchange without a server: a request made of tables, and the answer kept to be looked at.
 *
 * It stands in for src/http/exchange.c and reply.c where a test compiles the source under test
 * itself and does not link the HTTP room.
 */
#ifndef TESTS_API_FAKE_EXCHANGE_H
#define TESTS_API_FAKE_EXCHANGE_H

#include <stdbool.h>
#include <stddef.h>

#include "http/exchange.h"

enum { FAKE_BODY_MAX = 512 };

struct http_exchange {
    struct http_request request;
    const struct http_header *headers; /* ends with a NULL name; may be NULL */
    int status;                        /* of the answer; 0: none yet */
    const char *type;
    char body[FAKE_BODY_MAX];
    struct http_headers answered;
};

/* The value of an answer's header, NULL when there is none. */
const char *fake_answered(const struct http_exchange *exchange, const char *name);

#endif
