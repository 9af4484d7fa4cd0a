/* SPDX-License-Identifier: Apache-2.0 */
/* What the tier's tests share: replicas on one fake Redis, their claims, and what came of them. */
#ifndef UNIT_REDIS_TIER_WORLD_H
#define UNIT_REDIS_TIER_WORLD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/log.h"
#include "base/metrics.h"
#include "fake_redis.h"
#include "redis/redis_tier.h"
#include "support/fake_loop.h"

enum { REPLICAS = 3, TIMEOUT_MS = 200, PATIENCE_MS = 600 * 1000, KEEP_MS = 300 * 1000 };

struct replica {
    struct redis_tier *tier;
    const struct shared_tier *door;
    struct metrics *metrics;
};

struct tier_world {
    struct fake_loop *loop;
    struct fake_redis redis;
    struct log *log;
    int log_fd;
    struct replica replicas[REPLICAS];
};

/* Zero-initialised fields are good defaults. */
struct asked {
    int64_t max_wait_ms; /* 0: PATIENCE_MS */
    const char *wanted;  /* the one value that will do; NULL: any */

    unsigned calls;
    bool in_call; /* while the door is being called: no callback may come then */
    enum tier_outcome outcome;
    char value[64];
    int64_t age_ms;
    struct tier_lease *lease;
    struct error error;
    struct tier_claim *claim;
    struct tier_peek *peek;
};

/* The defaults are one Redis at redis:6379. Change `options` as wanted before. */
struct redis_tier_options world_options(struct tier_world *world);
struct tier_world *world_create(void);
struct tier_world *world_create_with(void (*change)(struct redis_tier_options *options));
/* Everything must have been cancelled or settled, and nothing may be left in the loop. */
void world_destroy(struct tier_world *world);

/* Lets milliseconds pass one by one, with all that happens in them. */
void world_pass(struct tier_world *world, int64_t ms);

void ask(struct replica *replica, struct asked *asked, const char *key);
void peek(struct replica *replica, struct asked *asked, const char *key);
void settle(struct replica *replica, struct asked *asked, const char *value);

/* ask(), and enough time for the answer of a Redis that has one. */
enum tier_outcome outcome_of(struct tier_world *world, struct replica *replica, struct asked *asked,
                             const char *key);

/* How often a line with that event has been logged so far. */
unsigned logged(struct tier_world *world, const char *event);

int64_t failures(const struct replica *replica, const char *reason);
int64_t counted(const struct replica *replica, const char *name);

#endif
