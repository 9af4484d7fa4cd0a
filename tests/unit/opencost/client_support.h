/* SPDX-License-Identifier: Apache-2.0 */
/* What the client's tests share: a client on the fake loop with a scripted engine, and a log to
 * read. Include after cmocka.h. */
#ifndef OPENCOST_CLIENT_SUPPORT_H
#define OPENCOST_CLIENT_SUPPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/log.h"
#include "base/metrics.h"
#include "opencost/client.h"
#include "scripted_engine.h"
#include "support/fake_loop.h"

#define GOOD_BODY                                                                                  \
    "{\"code\":200,\"data\":[{\"shop/web-0\":{\"name\":\"shop/web-0\",\"properties\":"             \
    "{\"namespace\":\"shop\",\"pod\":\"web-0\"},\"cpuCost\":1.5,\"totalCost\":1.5}}]}"

enum { PIECE_BYTES = 16 * 1024 };

#define MIB ((size_t)1024 * 1024)

struct client_world {
    struct fake_loop *loop;
    struct scripted_engine engine;
    struct metrics *metrics;
    struct log *log;
    int log_fd;
    struct opencost_client *client;
};

/* How a fetch ended. */
struct fetched {
    int calls;
    size_t pods;
    struct error error;
    struct opencost_client *fetches_again; /* from inside `done`, if not NULL */
    struct fetched *again;
};

/* Options as the contract's defaults have them; `token_file` may be NULL. */
struct client_world *client_world_create(const char *token_file);
void client_world_destroy(struct client_world *world);

void on_fetched(void *context, struct cost_set *set, const struct error *error);

/* Asks for `window` and lets the loop run. */
void must_fetch(struct client_world *world, const char *window, struct fetched *fetched);

/* So many bytes of white space for the oldest transfer, in pieces as libcurl gives them. */
void feed_spaces(struct client_world *world, size_t bytes);

/* The log's text so far, new. */
char *client_world_log(struct client_world *world);

/* Whether the metrics' text holds the line. */
bool client_world_counts(struct client_world *world, const char *line);

#endif
