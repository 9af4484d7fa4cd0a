/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A Redis in memory on a clock that the test moves, behind the interface of redis/stream.h: what
 * this room asks for it answers as Redis 7 would, and fails in the ways a Redis fails.
 *
 * Every answer takes `latency_ms`. What the fake allocates itself never fails (see alloc_fault.h).
 */
#ifndef UNIT_REDIS_FAKE_REDIS_H
#define UNIT_REDIS_FAKE_REDIS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"
#include "redis/stream.h"
#include "support/fake_loop.h"

enum { FAKE_ENTRIES = 64, FAKE_TEXT = 256 };

struct fake_entry {
    char key[FAKE_TEXT]; /* "": free */
    char *value;
    size_t length;
    int64_t expires_ms; /* 0: never */
};

struct fake_redis {
    struct stream_engine engine; /* for the options of a tier */
    struct fake_loop *loop;
    struct fake_entry entries[FAKE_ENTRIES];
    struct stream *streams;
    int64_t latency_ms;

    bool refuses;           /* connections end before they are opened */
    bool hangs;             /* nothing is answered; connections are made */
    bool is_deaf;           /* not even that */
    bool messages_overtake; /* what is published takes no time */
    bool forgets_messages;  /* nobody is told of what is published */
    const char *refused;    /* the command that gets `error`; NULL: none */
    const char *error;      /* as it goes over the wire, without line end */
    const char *role;       /* what ROLE says first */
    const char *raw;        /* every command gets this instead of an answer; NULL: none */
    size_t raw_length;
    size_t piece_bytes;   /* answers come in pieces of this many bytes; 0: whole */
    const char *password; /* NULL: none is needed */

    const char *master_host; /* what it says as a Sentinel */
    uint16_t master_port;

    /* What has been seen. */
    unsigned connections, commands;
    uint16_t last_port;
    char last_host[FAKE_TEXT];
};

void fake_redis_init(struct fake_redis *redis, struct fake_loop *loop);
void fake_redis_finish(struct fake_redis *redis);

/* Ends all connections, as a Redis does that goes down. */
void fake_redis_cut(struct fake_redis *redis);

/* Without its data. */
void fake_redis_flush(struct fake_redis *redis);

/* NULL: there is none, or no more. */
const struct fake_entry *fake_redis_get(struct fake_redis *redis, const char *key);

/* `ttl_ms` 0: for good. */
void fake_redis_set(struct fake_redis *redis, const char *key, struct text value, int64_t ttl_ms);
void fake_redis_delete(struct fake_redis *redis, const char *key);

/* Now connected. */
unsigned fake_redis_clients(const struct fake_redis *redis);

#endif
