/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One request and its answer.
 *
 * The handler (see http/server.h) is called once a request has been read completely. It either
 * answers at once with one of the http_reply functions, or parks the exchange and answers after it
 * was resumed:
 *
 *     handling -> answered
 *     handling -> parked -> resumed -> answered          (the handler's `resumed` callback answers)
 *
 * http_exchange_park() must come before whatever may resume it is set in motion.
 * http_exchange_resume() must come exactly once for each park, from any thread; it is the only
 * function allowed between the two. libmicrohttpd 0.9.75 notices only after resuming that a client
 * has left while parked, and the exchange stays valid until then; http_exchange_on_left() tells
 * sooner. The server bounds nothing here: deadlines and the number of parked requests are the
 * caller's to limit.
 *
 * Threads: the HTTP thread that carries the connection, except http_exchange_resume().
 */
#ifndef HTTP_EXCHANGE_H
#define HTTP_EXCHANGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attrs.h"
#include "base/strbuf.h"
#include "base/text.h"
#include "base/trace.h"
#include "http/content.h"

struct http_exchange;

/* A query parameter: percent-decoded, `+` as a space, broken UTF-8 replaced by U+FFFD. */
struct http_param {
    struct text name;
    struct text value;
};

struct http_request {
    const char *method;
    struct text path; /* percent-decoded; never holds NUL or control bytes (such targets are refused
                         with 400) */
    struct text query;               /* as sent, without the `?` */
    const struct http_param *params; /* in the order sent */
    size_t param_count;
    const char *request_id; /* the client's, if valid, else made up */
    bool has_client_request_id;
    const struct trace_span *trace; /* our span of the client's trace; NULL: it sent none */
    int64_t complete_ms; /* monotonic: when it had come in whole. What need not wait can take it
                            for the present, and save asking for it */
};

/* All borrowed, valid as long as the exchange. */
const struct http_request *http_exchange_request(const struct http_exchange *exchange) NODISCARD;

/* First header of that name (any case), or NULL. */
const char *http_exchange_header(const struct http_exchange *exchange, const char *name) NODISCARD;

/* Appends the values of all headers of that name, as one list. */
void http_exchange_append_headers(const struct http_exchange *exchange, const char *name,
                                  struct strbuf *list);

/* Who asks, as far as limits can tell: an IPv4 address (mapped to IPv6), or the /64 network of an
 * IPv6 one, as one client has 2^64 addresses there. */
struct http_peer {
    uint8_t bytes[16];
};

struct http_peer http_exchange_peer(const struct http_exchange *exchange) NODISCARD;

/* The last parameter of that name, or NULL. */
const struct http_param *http_request_param(const struct http_request *request,
                                            const char *name) NODISCARD;

/* State of the handler's, freed with `destroy` when the exchange ends. At most one; `destroy` may
 * be NULL. */
void http_exchange_set_state(struct http_exchange *exchange, void *state,
                             void (*destroy)(void *state));

/* What the access log and the metrics are to say besides what the server knows; static strings,
 * NULL: not known. */
void http_exchange_note_route(struct http_exchange *exchange, const char *route);
void http_exchange_note_cache(struct http_exchange *exchange, const char *cache_status);

/* For the log, too: who asks. Copied, up to HTTP_USER_MAX bytes with the NUL. */
enum { HTTP_USER_MAX = 24 };
void http_exchange_note_user(struct http_exchange *exchange, const char *user);

/* Suspends the connection. `resumed` is called on the HTTP thread after http_exchange_resume(), and
 * answers. */
void http_exchange_park(struct http_exchange *exchange,
                        void (*resumed)(void *context, struct http_exchange *exchange),
                        void *context);

/* Before parking: `left` is to be called, with the context of http_exchange_park(), when the client
 * is seen to have closed its connection (or its side of it, which is the same to libmicrohttpd)
 * while parked. That happens once at most, on the thread of http_server_upkeep(), and never after
 * http_exchange_resume() has returned, which is why `left` must not resume by itself: it has
 * somebody do it. */
void http_exchange_on_left(struct http_exchange *exchange, void (*left)(void *context));

/* Any thread. */
void http_exchange_resume(struct http_exchange *exchange);

struct http_header {
    const char *name;
    const char *value;
};

enum { HTTP_MAX_HEADERS = 24, HTTP_HEADER_SPACE = 12288 };

/* Answer headers, collected in place: values are copied into `space`. What does not fit is left out
 * and `overflow` set (the reply then becomes a 500: it cannot happen with the limits on requests,
 * and must not go unnoticed). */
struct http_headers {
    struct http_header list[HTTP_MAX_HEADERS];
    size_t count;
    size_t used;
    bool overflow;
    char space[HTTP_HEADER_SPACE];
};

void http_headers_add(struct http_headers *headers, const char *static_name, const char *value);
void http_headers_add_format(struct http_headers *headers, const char *static_name,
                             const char *format, ...) PRINTF_LIKE(3, 4);

/* Answers with a copy of `body` (a small one: errors, probes). `type` NULL: no Content-Type. HEAD
 * gets no body. */
void http_reply(struct http_exchange *exchange, int status, const char *type, struct text body,
                const struct http_headers *headers);

/* Answers 200 with `content` (held by the answer as long as needed): negotiates gzip by
 * Accept-Encoding, answers 304 if If-None-Match matches; adds ETag, Content-Encoding, Content-Type.
 * `Vary` is the caller's business, among `headers`.
 *
 * `add_headers` writes the caller's headers. If `share_tag` is not 0, answers with the same
 * content, the same tag and the same encoding have the same headers, so a response prepared for one
 * of them serves all: `add_headers` is then only called when none is prepared yet. Tags should
 * change at most once a second. */
void http_reply_content(struct http_exchange *exchange, struct http_content *content,
                        uint64_t share_tag,
                        void (*add_headers)(void *context, struct http_headers *headers),
                        void *context);

#endif
