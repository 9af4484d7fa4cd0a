/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A real server with a handler made for tests.
 *
 *     /hello      200 `hello`
 *     /echo       200 with method, path and parameters as the handler saw them
 *     /content    the toy's content; ?tag=N shares the answer
 *     /park       parks until toy_resume_all()
 *     /watched    the same, and counts who has left meanwhile
 *     /overtaken  parks, and is resumed before its handler returns
 *     /twice      parks, and parks again when resumed; both are resumed at once
 *     /silent     neither answers nor parks
 *     /overflow   more headers than there is room for
 *
 * Anything else is 404.
 */
#ifndef TESTS_HTTP_TOY_SERVER_H
#define TESTS_HTTP_TOY_SERVER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "http/content.h"
#include "http/server.h"

enum { TOY_MAX_PARKED = 64 };

struct toy {
    struct http_server *server;
    uint16_t port;
    struct http_content *content;
    atomic_uint headers_built; /* calls of the callback that adds the content's headers */
    atomic_uint states_destroyed;
    atomic_uint left; /* clients of /watched */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct http_exchange *parked[TOY_MAX_PARKED];
    unsigned parked_count;
    unsigned observed;
    struct http_summary last; /* strings below */
    char last_method[64];
    char last_path[1100];
    char last_user[32];
    char last_request_id[129];
};

/* What toy_start() takes from here may be changed first. */
struct http_server_options toy_options(struct toy *toy);

void toy_init(struct toy *toy, const char *body, size_t body_length);
void toy_start(struct toy *toy, const struct http_server_options *options);
void toy_stop(struct toy *toy);

/* init, the usual options, start */
void toy_setup(struct toy *toy);

/* Wait, ten seconds at most. */
void toy_wait_parked(struct toy *toy, unsigned count);
void toy_wait_observed(struct toy *toy, unsigned count);
void toy_wait_in_flight(struct toy *toy, unsigned count);

void toy_resume_all(struct toy *toy);

/* How many this process has open, and always the same few more. */
unsigned toy_descriptors(void);

#endif
