/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Clients that keep a connection without using it, and requests that drip in.
 *
 * Every connection is looked at about once a second. Once a request has begun to come and is not
 * complete within one limit, or the client has for another limit not sent anything, though it was
 * its turn, or taken less than a kilobyte a second of an answer, the socket is shut down, and
 * libmicrohttpd finds that its client has left. Its own timeout would know only the silence, and
 * costs each request two per cent: six looks at the clock, and three times a lock to move the
 * connection in a list.
 *
 * Whose turn it is, and how many turns there were, is one number that changes by compare-and-swap:
 * a request that becomes complete while it is looked at is either cut off or handled, and an answer
 * that moves is never touched.
 *
 * That a request has begun is seen by the bytes the kernel has received, as libmicrohttpd says
 * nothing before it has a whole request line. It counts from the sweep that sees it; the first one
 * in TLS from the handshake.
 *
 * A client's end that comes together with its last bytes goes unnoticed by libmicrohttpd, which
 * waits for the kernel to tell it of more. Such a client is let go after a few seconds.
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
    struct {
        uint_fast64_t turn;
        bool is_sending;
        uint64_t moved; /* bytes, in both directions, or of the answer */
        int64_t since_ms;
    } quiet; /* since when not enough has moved, in which state */
};

/* 0: no limit. */
struct arrival_limits {
    int64_t request_ms; /* for a request to come in whole */
    int64_t idle_ms;    /* when the client is to send or to receive, and does not */
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

/* Cuts off what is beyond a limit. Returns how many requests were, idle connections not counted. */
unsigned arrivals_sweep(struct arrivals *arrivals, int64_t now_ms,
                        const struct arrival_limits *limits);

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
