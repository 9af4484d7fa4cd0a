/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hears from the loop when a socket can be read or written. The socket stays its owner's.
 *
 * Threads: the loop thread only.
 */
#ifndef NET_SOCKET_WATCH_H
#define NET_SOCKET_WATCH_H

#include "base/attrs.h"

struct uv_loop_s;
struct socket_watch;

/* Bits of a set. */
enum {
    SOCKET_READABLE = 1,
    SOCKET_WRITABLE = 2,
    SOCKET_FAULTY = 4, /* told unasked: reading will say what it is */
};

/* Watches for nothing yet. NULL when out of memory, or when the socket is watched already or is
 * none. */
struct socket_watch *socket_watch_create(struct uv_loop_s *uv, int socket,
                                         void (*ready)(void *context, int events),
                                         void *context) NODISCARD;

/* `events` replaces what was watched for; 0: nothing. */
void socket_watch_set(struct socket_watch *watch, int events);

/* To be called before the socket is closed. `ready` is not called any more; the memory is freed
 * when the loop has run once more. Accepts NULL. */
void socket_watch_destroy(struct socket_watch *watch);

#endif
