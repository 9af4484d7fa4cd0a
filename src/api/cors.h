/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cross-origin access, as Starlette's CORSMiddleware grants it (all methods, all headers,
 * credentials): the frontends of the service we port rely on it.
 *
 * Threads: any; a policy does not change once made.
 */
#ifndef API_CORS_H
#define API_CORS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attrs.h"
#include "http/exchange.h"

struct cors_policy {
    bool allow_all; /* "*" is among the origins */
    char **origins;
    size_t origin_count;
};

bool cors_policy_init(struct cors_policy *policy, const char *const *origins,
                      size_t count) NODISCARD;
void cors_policy_finish(struct cors_policy *policy);

/* What a request's Origin calls for. */
enum cors_grant {
    CORS_NOT_ASKED, /* no Origin */
    CORS_ANY,       /* Access-Control-Allow-Origin: * */
    CORS_ECHO, /* the origin itself: it is listed, or everyone is and the request carries cookies */
    CORS_UNLISTED, /* served, without Access-Control-Allow-Origin */
};

/* For CORS_ECHO *ret_number says which of the listed origins it is, counted from 1; else 0. */
enum cors_grant cors_judge(const struct cors_policy *policy, const struct http_exchange *exchange,
                           size_t *ret_number) NODISCARD;

/* The headers of an answer, but for Vary. */
void cors_add_headers(enum cors_grant grant, const struct http_exchange *exchange,
                      struct http_headers *headers);

/* True when answers of this kind depend on the request's Origin and must say so in Vary. */
bool cors_varies(const struct cors_policy *policy, enum cors_grant grant) NODISCARD;

/* OPTIONS with Origin and Access-Control-Request-Method. */
bool cors_is_preflight(const struct http_exchange *exchange) NODISCARD;

/* Answers a preflight, on any path. */
void cors_reply_preflight(const struct cors_policy *policy, struct http_exchange *exchange,
                          struct http_headers *headers);

#endif
