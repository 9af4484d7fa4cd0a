/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keeping an answer's headers back until its body is there (TCP_CORK, tcp(7)). Before a body from a
 * file libmicrohttpd pushes them out alone, which costs a segment, and the receiver a wake-up for
 * nothing to do. So it still does in the first answer on a connection: between the two it sets
 * TCP_NODELAY, once, which also pushes what a cork holds back.
 *
 * Threads: the one that writes to the socket.
 */
#ifndef HTTP_CORK_H
#define HTTP_CORK_H

/* From here on only full segments leave, ... */
void cork_socket(int socket);

/* ... and here the rest. */
void uncork_socket(int socket);

#endif
