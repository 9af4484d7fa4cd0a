/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The HTTP server: libmicrohttpd's epoll threads, one request after another on each connection, in
 * plain or in TLS 1.2 and 1.3.
 *
 * It reads requests strictly where they could be read in two ways: a request with both
 * Content-Length and Transfer-Encoding, with two different lengths, with NUL or control bytes in
 * its target, with NUL in a header, or without Host (HTTP/1.1) is answered 400 and the connection
 * closed. Paths and parameters are decoded here, with lengths. Bodies are read and dropped (no
 * route of ours takes one), up to a limit; beyond it the answer is 413 and the connection is
 * closed.
 *
 * Clients that are slow on purpose cost a connection, for a time: one without traffic is closed
 * after `idle_timeout_s`, which also ends an answer that nobody reads, and a request that is not
 * complete within `request_timeout_s` is cut off although it drips in. Beyond `connection_limit`
 * nobody is refused: further connections wait in the kernel's backlog until one closes.
 *
 * Threads: start and stop belong to one thread (main); the handler and the observer are called on
 * HTTP threads.
 */
#ifndef HTTP_SERVER_H
#define HTTP_SERVER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attrs.h"
#include "base/error.h"
#include "base/log.h"
#include "base/time_source.h"
#include "http/exchange.h"

struct http_server;

/* What happened, told once an answer has been sent or the connection broke. Borrowed for the call.
 */
struct http_summary {
    const char *method; /* as sent; may be any token */
    const char
        *path; /* as sent, without the query, cut at 1,024 bytes; may hold any byte but NUL */
    const char *route; /* as noted by the handler, or NULL */
    const char *cache_status;
    const char *request_id;
    const char *user;     /* as noted by the handler, or NULL */
    const char *trace_id; /* of the client's trace and of our span in it, or NULL */
    const char *span_id;
    int status;     /* 0: the client left before it was answered */
    bool completed; /* false: the client left, or the answer could not be sent whole */
    uint64_t bytes; /* of the body handed to the library */
    int64_t duration_ns;
};

struct http_server_options {
    const char *host; /* address to listen on, IPv4 or IPv6, or a name; copied */
    uint16_t port;    /* 0: any free one, see http_server_port() */
    unsigned threads; /* at least 1 */
    unsigned connection_limit;
    unsigned connection_limit_per_address; /* 0: no limit; beyond it connections are closed */
    unsigned idle_timeout_s;               /* of a connection without traffic; 0: no limit */
    unsigned request_timeout_s;            /* for a request to come in whole; 0: no limit */
    size_t connection_memory;  /* bytes of request line and headers that one connection may hold,
                                 with about 60 more for each header; a Cookie counts twice, so 8 KB
                                 of it need 17 KB here */
    const char *tls_cert_file; /* PEM, read again when they change; NULL: plain HTTP */
    const char *tls_key_file;
    const struct time_source *time; /* borrowed */
    struct log *log;                /* borrowed */

    /* Called on an HTTP thread for every well-formed request. Must answer or park. */
    void (*handle)(void *context, struct http_exchange *exchange);
    /* Called on an HTTP thread when an exchange is over. May be NULL. */
    void (*observe)(void *context, const struct http_summary *summary);
    /* Adds to the headers of answers that the server makes itself (400, 413), e.g. CORS. May be
     * NULL. */
    void (*add_error_headers)(void *context, struct http_exchange *exchange,
                              struct http_headers *headers);
    void *context;
};

/* Binds and starts. The error text names address and port and says why ("address already in use").
 */
struct http_server *http_server_start(const struct http_server_options *options,
                                      struct error *reterr) NODISCARD;

/* The port bound. */
uint16_t http_server_port(const struct http_server *server) NODISCARD;

/* To be called about once a second, by one thread at a time: closes idle connections, cuts off the
 * requests that are too long in coming, looks whether parked ones have a client still, and takes a
 * renewed certificate for connections to come. */
void http_server_upkeep(struct http_server *server);

/* Stops accepting connections; answers from now on carry `Connection: close`. */
void http_server_quiesce(struct http_server *server);

/* Exchanges begun and not over, parked ones included. */
unsigned http_server_in_flight(const struct http_server *server) NODISCARD;

/* Waits until no exchange is in flight, at most `limit_ms`. True when none is left. */
bool http_server_drain(struct http_server *server, int64_t limit_ms);

/* Closes what is left and joins all threads. Every parked exchange must have been resumed. Accepts
 * NULL. */
void http_server_stop(struct http_server *server);

#endif
