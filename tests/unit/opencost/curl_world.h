/* SPDX-License-Identifier: Apache-2.0 */
/* What the engine's tests share: the engine on a real loop thread, and transfers waited for. */
#ifndef OPENCOST_CURL_WORLD_H
#define OPENCOST_CURL_WORLD_H

#include <semaphore.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/strbuf.h"
#include "opencost/curl_transfer.h"
#include "tiny_server.h"
#include "worker/worker.h"

struct curl_world {
    struct worker *worker;
    struct curl_transfers *transfers;
    const struct transfer_engine *engine;
    struct tiny_server *server;
};

/* One transfer and what came of it. Zero-initialised fields are good defaults. */
struct exchange {
    const char *bearer_token;
    int64_t timeout_ms;      /* 0: plenty */
    uint64_t max_body_bytes; /* 0: a MiB */
    bool refuses_body;       /* says false to the first bytes */
    int64_t pause_ms;        /* pauses at the first bytes, resumes after this long */

    struct transfer_outcome outcome;
    uint64_t body_bytes, body_bytes_at_resume;
    struct strbuf body; /* its beginning */
    struct strbuf rejected;
    int rejected_calls;

    /* The helper's own. */
    struct loop_task start;
    struct curl_world *world;
    struct transfer *transfer;
    struct loop_timer *timer;
    char url[256];
    sem_t ended;
};

/* The set-up and tear-down of a group: libcurl's global state, and no proxies from outside. */
int curl_world_set_up(void **state);
int curl_world_tear_down(void **state);

/* `routes` NULL: no server. `ca_file` may be NULL. */
struct curl_world *curl_world_create(const struct tiny_route *routes, const char *ca_file);
void curl_world_destroy(struct curl_world *world);

/* Starts the transfer; `url` with a leading slash means a path of the world's server. */
void exchange_start(struct curl_world *world, struct exchange *exchange, const char *url);

/* Waits for its end. */
void exchange_wait(struct exchange *exchange);
void exchange_finish(struct exchange *exchange);

/* Both at once, for most tests. */
void exchange_run(struct curl_world *world, struct exchange *exchange, const char *url);

/* Runs `task` on the loop thread and waits for it. */
void on_loop(struct curl_world *world, void (*task)(void *context), void *context);

#endif
