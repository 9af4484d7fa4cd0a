/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An HTTP server of the test's own, on a thread and a free loopback port: one connection at a time,
 * and as ill-mannered as its routes want it.
 */
#ifndef OPENCOST_TINY_SERVER_H
#define OPENCOST_TINY_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct tiny_server;

/* Answers one request on `fd`. False: the connection is closed then. Runs on the server's thread.
 */
struct tiny_route {
    const char *path; /* as in the request line; the last route may have NULL: any */
    bool (*serve)(struct tiny_server *server, int fd);
    const char *text; /* for serve_text: the whole answer */
};

/* `routes` end with one whose `serve` is NULL. Never NULL. */
struct tiny_server *tiny_server_start(const struct tiny_route *routes);
void tiny_server_stop(struct tiny_server *server);

int tiny_server_port(const struct tiny_server *server);
unsigned tiny_server_connections(struct tiny_server *server);

/* The head of the last request; valid until the next one. */
const char *tiny_server_last_head(struct tiny_server *server);

/* For routes. */
bool serve_text(struct tiny_server *server, int fd); /* the route's text; keeps the connection */
bool serve_text_and_close(struct tiny_server *server, int fd);
bool serve_text_and_reset(struct tiny_server *server, int fd);
bool serve_text_and_wait(struct tiny_server *server, int fd); /* until the client leaves */
void tiny_send(int fd, const void *bytes, size_t length);

/* A short text, made by printf's rules. */
#define tiny_send_format(fd_, ...)                                                                 \
    do {                                                                                           \
        char text_[512];                                                                           \
        int length_ = snprintf(text_, sizeof text_, __VA_ARGS__);                                  \
        tiny_send((fd_), text_, (size_t)length_);                                                  \
    } while (0)

#endif
