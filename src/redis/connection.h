/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A connection to Redis: commands go out, replies come back in the same order.
 *
 * Whatever hangs ends it: no byte, in or out, for the time-out while something is waited for; a
 * reply that is not whole by then, but for the time that large ones may take, which is
 * COMMAND_MAX_MS at most, or the time-out if that is longer; replies larger than announced; bytes
 * that are no reply; replies nobody asked for. A connection that failed stays so until it is
 * closed.
 *
 * Threads: the loop thread only.
 */
#ifndef REDIS_CONNECTION_H
#define REDIS_CONNECTION_H

#include <stdint.h>

#include "base/scheduler.h"
#include "command.h"
#include "redis/stream.h"

enum {
    COMMAND_MAX_MS = 5000,
    PENDING_MAX = 1024,                      /* commands */
    PENDING_MAX_BYTES = 2 * VALUE_MAX_BYTES, /* of them, at once */
};

struct connection;

struct connection_options {
    const struct stream_engine *engine;
    const struct scheduler *scheduler;
    int64_t timeout_ms;
    const char *unix_path; /* as in struct stream_request */
    const char *host;
    uint16_t port;
    bool tls;

    void *context;
    void (*opened)(void *context);
    /* A reply that answers no command. NULL: a fault. */
    void (*pushed)(void *context, const struct reply *reply);
    /* Once; nothing else is called afterwards, except for the commands under way, when it is
     * closed. Not from inside any call. */
    void (*failed)(void *context, const struct fault *fault);
};

/* NULL only when out of memory. */
struct connection *connection_open(const struct connection_options *options) NODISCARD;

/* Once opened. Takes the command over. False when there is no memory for it or too much is under
 * way (`done` then never runs); the command is destroyed. */
bool connection_send(struct connection *connection, struct command *command) NODISCARD;

/* Every command under way is done, without a reply, before this returns. Accepts NULL. */
void connection_close(struct connection *connection);

#endif
