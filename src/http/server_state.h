/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The server as the other sources of this room see it.
 *
 * Threads: options and seed never change; the rest is atomic or behind `idle.lock`.
 */
#ifndef HTTP_SERVER_STATE_H
#define HTTP_SERVER_STATE_H

#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "arrival.h"
#include "http/server.h"
#include "listener.h"
#include "tls.h"

struct http_server {
    struct http_server_options options; /* without the strings, which are not kept */
    struct listener listener;
    struct MHD_Daemon *daemon;
    struct arrivals arrivals;
    struct tls *tls;       /* NULL: plain HTTP */
    MHD_socket library_fd; /* its own descriptor of the listening socket, once it was quiesced */
    uint64_t request_id_seed;
    atomic_uint_fast64_t request_ids;
    atomic_int_fast64_t complained_s;       /* when the library's last message was logged */
    atomic_uint_fast64_t complaints_hidden; /* since then */
    atomic_bool quiesced;
    atomic_bool draining; /* somebody waits for `in_flight` to become 0 */
    atomic_uint in_flight;
    struct {
        pthread_mutex_t lock;
        pthread_cond_t changed;
    } idle;
};

/* Exchanges are counted from the moment their head was read. */
void server_exchange_begun(struct http_server *server);
void server_exchange_over(struct http_server *server);

#endif
