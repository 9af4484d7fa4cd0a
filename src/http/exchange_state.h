/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What one connection remembers of the request it carries; shared by the sources of this room only.
 *
 * An exchange is made with its connection and used again for each of its requests, so that a
 * request costs no allocation.
 *
 * Threads: the HTTP thread that carries the connection, except `resumable`.
 */
#ifndef HTTP_EXCHANGE_STATE_H
#define HTTP_EXCHANGE_STATE_H

#include <microhttpd.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "arrival.h"
#include "base/attrs.h"
#include "framing.h"
#include "http/exchange.h"
#include "target.h"

struct http_server;

/* The order of the comment in exchange.c. */
enum exchange_phase {
    EXCHANGE_IDLE,
    EXCHANGE_NAMED,
    EXCHANGE_READING,
    EXCHANGE_HANDLING,
    EXCHANGE_PARKED,
    EXCHANGE_ANSWERED,
};

enum {
    EXCHANGE_MAX_BODY_BYTES = 64 * 1024, /* read and dropped; no route of ours takes a body */
};

struct http_exchange {
    struct http_server *server;
    struct MHD_Connection *connection;
    struct arrival arrival;              /* of the request that is being read, or comes next */
    struct tls_credentials *credentials; /* NULL: plain HTTP */
    enum exchange_phase phase;
    bool failed;  /* the answer could not be handed over: the connection is dropped */
    bool closing; /* the answer says `Connection: close` */
    bool corked;  /* the socket is, until the answer is over */
    int status;   /* 0 until answered */
    uint64_t bytes;
    int64_t complete_ns; /* when the request had come in whole; before, when it began to */
    size_t body_bytes;   /* of the request's body, read so far */
    const char *version_expected_at; /* see exchange_name() */
    const char *route;
    const char *cache_status;
    char user[HTTP_USER_MAX];
    void *state;
    void (*destroy_state)(void *state);
    void (*resumed)(void *context, struct http_exchange *exchange);
    void *resumed_context;
    void (*left)(void *context); /* of http_exchange_on_left(); NULL: nobody wants to know */
    atomic_bool resumable;       /* set by park, taken by resume: catches a second resume */
    struct http_request request;
    struct request_head head;
    char request_id[REQUEST_ID_MAX + 1];
    struct trace_span trace;
    struct target target;
};

/* NULL only when out of memory. */
struct http_exchange *exchange_create(struct http_server *server,
                                      struct MHD_Connection *connection) NODISCARD;

/* Accepts NULL. */
void exchange_destroy(struct http_exchange *exchange);

/* The steps libmicrohttpd takes us through; exchange.c says in which order. */
void exchange_name(struct http_exchange *exchange, char *target_sent);
enum MHD_Result exchange_begin(struct http_exchange *exchange, const char *method,
                               const char *version) NODISCARD;
enum MHD_Result exchange_drop_body(struct http_exchange *exchange, size_t bytes) NODISCARD;
enum MHD_Result exchange_proceed(struct http_exchange *exchange) NODISCARD;
void exchange_end(struct http_exchange *exchange, bool completed);

/* Answers with a body of ours, the server's extra error headers, and closes. */
void reply_error(struct http_exchange *exchange, int status);

/* The same while a body is coming in, when libmicrohttpd takes no answer: written to the socket (or
 * TLS session) directly, as far as it has room. The caller then drops the connection. */
void reply_error_past_library(struct http_exchange *exchange, int status);

#endif
