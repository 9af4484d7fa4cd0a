/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The shared tier of cache/shared_tier.h, in Redis or Valkey.
 *
 * Under REDIS_PREFIX there are, for each key of the cache, `v:KEY` (the value), `l:KEY` (the token
 * of whoever has the lease) and `f:KEY` (a failure, for a second), and one channel, `settled`, on
 * which the keys of settled leases are told. A lease lasts eight seconds unless it is prolonged,
 * which its holder does every two.
 *
 * Redis is an accelerator. When it fails (it is silent for `timeout_ms`, it cannot be reached, it
 * refuses) nobody waits for it: claims are ABSENT at once until a probe in the background, after
 * half a second and then ever less often, up to every half minute, finds it back. A connection that
 * merely broke is made anew once before that.
 *
 * Logs: redis.unavailable and redis.available, once each; redis.connected (debug);
 * redis.password_unreadable. Metrics: the kubecent_redis_ families.
 *
 * Threads: the loop thread only, except create (before it starts) and destroy (after it ended).
 */
#ifndef REDIS_REDIS_TIER_H
#define REDIS_REDIS_TIER_H

#include <stddef.h>
#include <stdint.h>

#include "base/attrs.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/scheduler.h"
#include "base/time_source.h"
#include "cache/shared_tier.h"
#include "redis/stream.h"

struct redis_tier;

struct redis_endpoint {
    const char *host;
    uint16_t port;
};

/* Texts and endpoints are copied, the rest is borrowed. */
struct redis_tier_options {
    const char *unix_path;                  /* NULL: endpoints */
    const struct redis_endpoint *endpoints; /* Redis, or its Sentinels */
    size_t endpoint_count;
    const char *master; /* its name among the Sentinels; NULL: there are none */
    bool tls;
    const char *user;          /* NULL: the default one */
    const char *password;      /* NULL: none, or the file's */
    const char *password_file; /* NULL: none */
    int64_t database;
    const char *prefix;
    int64_t timeout_ms;
    const char *shown; /* the URL, for the log: without secrets */
    const struct stream_engine *engine;
    const struct scheduler *scheduler;
    const struct time_source *time;
    struct log *log;
    struct metrics *metrics; /* may be NULL */
};

/* NULL only when out of memory. */
struct redis_tier *redis_tier_create(const struct redis_tier_options *options) NODISCARD;

/* Connects. A claim does so as well, if nobody has yet. */
void redis_tier_start(struct redis_tier *tier);

/* Closes the connections. Claims and peeks must have been cancelled; leases may be settled still,
 * which then tells nobody, and expire by themselves. */
void redis_tier_stop(struct redis_tier *tier);

/* Must have been stopped if it was started. Accepts NULL. */
void redis_tier_destroy(struct redis_tier *tier);

/* Borrowed; valid until destroy. */
const struct shared_tier *redis_tier_door(const struct redis_tier *tier) NODISCARD;

#endif
