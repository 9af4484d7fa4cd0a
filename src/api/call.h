/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a route's handler gets, and the ways in which it answers.
 *
 * Threads: the HTTP thread of the exchange.
 */
#ifndef API_CALL_H
#define API_CALL_H

#include <stdatomic.h>

#include "api/api.h"
#include "auth.h"
#include "cors.h"
#include "params.h"
#include "request_metrics.h"
#include "routes.h"
#include "waiting.h"

struct api {
    struct api_options options;
    struct cors_policy cors;
    struct request_metrics *request_metrics;
    struct waiting *waiting;
    struct auth *auth;            /* NULL: everyone may ask */
    struct http_content *openapi; /* NULL when documentation is off */
    struct docs *docs;            /* likewise */
    atomic_bool stopping;
};

struct call {
    struct api *api;
    struct http_exchange *exchange;
    const struct http_request *request;
    const struct route *route;
    enum cors_grant cors;
    size_t cors_origin;                          /* its number in the list; 0: none */
    bool is_guarded;                             /* answered only to those who send a token */
    struct param_value params[ROUTE_PARAMS_MAX]; /* in the order of the route's specs, all valid */
};

/* What of a request decides the form of an answer, besides who asks from where. */
enum { VARIES_BY_ENCODING = 1, VARIES_BY_ACCEPT = 2 };

/* The headers every answer of ours carries: CORS, Vary, the request id. */
void call_add_common_headers(const struct call *call, unsigned varies,
                             struct http_headers *headers);

/* Answers that are never cached (Cache-Control: no-store). `extra_name` NULL: no further header. */
void call_reply(const struct call *call, int status, const char *type, struct text body,
                const char *extra_name, const char *extra_value);
void call_reply_json(const struct call *call, int status, struct text body);

struct failure {
    int status;
    const char *detail;            /* of ASCII that needs no escapes in JSON */
    struct text faults;            /* of a 422, as a JSON array; else empty */
    struct http_header headers[3]; /* further ones; a NULL name ends them */
};

/* {"detail":"<detail>"}, or with faults {"detail":[...]}; for a client that would rather have
 * problem details, those. Never cached. */
void call_reply_failure(const struct call *call, const struct failure *failure);
void call_reply_detail(const struct call *call, int status, const char *detail);

/* The status and body that an error means to a client; what it may not know stays in the log. */
void call_reply_error(const struct call *call, const struct error *error);

/* 401 with a challenge. */
void call_reply_unauthorized(const struct call *call, enum auth_verdict verdict);

/* 429: this client has too many requests waiting. */
void call_reply_too_many(const struct call *call);

/* Answers with content that does not age (the API's own documents). */
void call_reply_document(const struct call *call, struct http_content *content);

/* Answers a cost query from the cache, or parks the exchange until there is an answer. */
void call_reply_cost(const struct call *call, const struct cost_query *query);

/* The handlers, each in the file named after it. */
void get_namespaces(struct call *call);
void get_pods(struct call *call);
void get_monthly(struct call *call);
void get_recommendations(struct call *call);
void get_health(struct call *call);
void get_livez(struct call *call);
void get_readyz(struct call *call);
void get_metrics(struct call *call);
void get_openapi(struct call *call);
void get_docs(struct call *call);
void get_docs_file(struct call *call);

#endif
