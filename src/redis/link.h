/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The way to Redis, and whether there is one: finds the master, keeps a session for commands, makes
 * it anew when it breaks, and is the breaker that keeps others from waiting for a Redis that is of
 * no use.
 *
 *     IDLE --first need--> SEEKING --logged in--> UP
 *                             |  ^                 |
 *                             |  '--- it broke ----+   (if it had been up for a while)
 *                    it failed|                    |it is silent, or broke again at once
 *                             v                    v
 *                            OUT <-----------------'
 *                             '--wait is over--> PROBING --failed--> OUT, with twice the wait
 *                                                   '---logged in--> UP
 *
 * Logs and metrics: those of redis_tier.h that concern the connection.
 *
 * Threads: the loop thread only.
 */
#ifndef REDIS_LINK_H
#define REDIS_LINK_H

#include <stdbool.h>

#include "redis/redis_tier.h"
#include "session.h"
#include "tier_metrics.h"

enum {
    LINK_WAIT_MS = 500, /* before the first probe */
    LINK_WAIT_MAX_MS = 30 * 1000,
    LINK_STEADY_MS = 5 * 1000, /* up for so long: what comes then is a new fault */
};

struct link;

struct link_options {
    const struct redis_tier_options *tier; /* borrowed for good, as all below */
    const struct session_login *login;
    const struct tier_metrics *series;
};

/* Who waits for a session. Embed it. */
struct link_waiter {
    struct link_waiter *next, *previous;
    void (*decided)(struct link_waiter *waiter, bool is_up); /* not from inside any call */
};

enum link_state { LINK_UP, LINK_SEEKING, LINK_OUT };

/* NULL only when out of memory. */
struct link *link_create(const struct link_options *options) NODISCARD;
void link_destroy(struct link *link); /* accepts NULL */

/* Begins to connect, if that has not begun. */
void link_start(struct link *link);

/* Closes all; it is OUT for good. */
void link_stop(struct link *link);

enum link_state link_state(struct link *link) NODISCARD;

/* While SEEKING: `decided` follows, unless the waiter leaves. */
void link_wait(struct link *link, struct link_waiter *waiter);
void link_leave(struct link *link, struct link_waiter *waiter);

/* Takes the command over. False, and it is destroyed, `done` never runs: it is not UP, or there is
 * no room. */
bool link_send(struct link *link, struct command *command) NODISCARD;

/* An answer shows that this session is of no use: as if it had broken. From inside a callback only;
 * what is under way is done without replies. */
void link_fail(struct link *link, const struct fault *fault);

/* Counts what is nobody else's to count. */
void link_count(const struct link *link, enum fault_reason reason);

/* Changes with every session for commands. */
unsigned link_generation(const struct link *link) NODISCARD;

/* A session for messages with the Redis that the one for commands has; NULL while it is not UP, or
 * when out of memory. `options` without connection and login. */
struct session *link_open_messages(struct link *link,
                                   const struct session_options *options) NODISCARD;

#endif
