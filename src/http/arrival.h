/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests that drip in, and their end.
 *
 * libmicrohttpd closes connections that are silent; a client that sends a byte now and then keeps
 * one for as long as it likes. Here every connection on which it is the client's turn is looked at
 * about once a second: once a request has begun to come and is not complete within the limit, the
 * socket is shut down, and libmicrohttpd finds that its client has left.
 *
 * Whose turn it is, and how many turns there were, is one number that changes by compare-and-swap:
 * a request that becomes complete while it is looked at is either cut off or handled, and an answer
 * under way is never touched.
 *
 * That a request has begun is seen by the bytes the kernel has received, as libmicrohttpd says
 * nothing before it has a whole request line. The first request counts from the connection's start,
 * a TLS handshake included; a later one from the sweep that sees it.
 *
 * While it is our turn and the exchange is parked, libmicrohttpd does not look at the connection at
 * all; the list of all connections serves to look whether the client is still there.
 *
 * Threads: the HTTP thread that carries the connection, but for arrival_unwatch() (any) and
 * arrivals_sweep(), arrivals_look_for_left() (any one thread).
 */
#ifndef HTTP_ARRIVAL_H
#define HTTP_ARRIVAL_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/attrs.h"

/* Of one connection. */
struct arrival {
    atomic_uint_fast64_t turn;
    int fd;
    struct arrival *next, *previous; /* behind the lock, as all below */
    uint_fast64_t turn_seen;
    uint64_t bytes_seen; /* at the beginning of that turn */
    int64_t since_ms;
    bool has_begun;
    void (*left)(void *context); /* NULL: nobody wants to know */
    void *left_context;
};

struct arrivals {
    pthread_mutex_t lock;
    struct arrival *first;
};

/* False when the mutex cannot be made. */
bool arrivals_init(struct arrivals *arrivals) NODISCARD;
void arrivals_finish(struct arrivals *arrivals);

/* A connection begins, with the client's turn; and ends, before its descriptor is closed. */
void arrival_open(struct arrivals *arrivals, struct arrival *arrival, int fd, int64_t now_ms);
void arrival_close(struct arrivals *arrivals, struct arrival *arrival);

/* The request is complete, or refused: our turn. False when it was cut off. */
bool arrival_complete(struct arrival *arrival) NODISCARD;

/* The exchange is over: the client's turn again. */
void arrival_next(struct arrival *arrival);

/* Cuts off what has been arriving for `limit_ms`. Returns how many. */
unsigned arrivals_sweep(struct arrivals *arrivals, int64_t now_ms, int64_t limit_ms);

/* From now on `left` is to be called, once, when the client has closed its side; until unwatched.
 */
void arrival_watch(struct arrivals *arrivals, struct arrival *arrival, void (*left)(void *context),
                   void *context);

/* When this returns, `left` is not running and will not be called. Not to be called from inside it.
 */
void arrival_unwatch(struct arrivals *arrivals, struct arrival *arrival);

/* Tells of clients that left. */
void arrivals_look_for_left(struct arrivals *arrivals);

#endif
