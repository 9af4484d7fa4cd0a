/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A tier that replicas share, in memory and on a clock that the test moves: what
 * cache/shared_tier.h promises, and the ways in which it can fail.
 *
 * Each replica has a door of its own, so that one can be cut off or die. Answers take `latency_ms`,
 * and what is stored looks younger by that, as it does where a network lies between.
 *
 * Threads: the test's.
 */
#ifndef SUPPORT_SCRIPTED_TIER_H
#define SUPPORT_SCRIPTED_TIER_H

#include <stddef.h>
#include <stdint.h>

#include "cache/shared_tier.h"
#include "support/fake_loop.h"

enum {
    SCRIPTED_TIER_DOORS_MAX = 64,
    SCRIPTED_TIER_LEASE_MS = 5 * 1000, /* a dead holder's lease lasts that long */
    SCRIPTED_TIER_TIMEOUT_MS = 200,
};

struct scripted_tier;

/* Never NULL: a test without its tier aborts. */
struct scripted_tier *scripted_tier_create(struct fake_loop *loop, int64_t latency_ms);

/* Aborts if a claim, a peek or a lease is left over. */
void scripted_tier_destroy(struct scripted_tier *tier);

const struct shared_tier *scripted_tier_door(struct scripted_tier *tier, size_t replica);

enum scripted_tier_mood {
    SCRIPTED_TIER_WELL,
    SCRIPTED_TIER_DOWN,      /* ABSENT at once */
    SCRIPTED_TIER_HANGING,   /* ABSENT after the timeout */
    SCRIPTED_TIER_NO_MEMORY, /* claim and peek return NULL */
};

/* Of what begins from now on, and of what waits. Settling has no effect while it is not well. */
void scripted_tier_set_mood(struct scripted_tier *tier, size_t replica,
                            enum scripted_tier_mood mood);

/* The process is no more: its claims are never answered, its leases run out. */
void scripted_tier_kill(struct scripted_tier *tier, size_t replica);

/* Keys are named by their ends: a dataset's key. The value there, borrowed until it changes; NULL:
 * none. */
const struct text *scripted_tier_value(const struct scripted_tier *tier, const char *key_end);

/* The whole key of it. */
const char *scripted_tier_key(const struct scripted_tier *tier, const char *key_end);

/* Puts other bytes under it, as if stored now. */
void scripted_tier_poison(struct scripted_tier *tier, const char *key_end, struct text bytes);

/* Forgets all values and leases: an empty restart. */
void scripted_tier_forget(struct scripted_tier *tier);

/* Milliseconds that the value was stored for, last. */
int64_t scripted_tier_keep_ms(const struct scripted_tier *tier, const char *key_end);

struct scripted_tier_counts {
    size_t claims, led, stored, failures, given_back, cancelled, peeks;
};

struct scripted_tier_counts scripted_tier_counts(const struct scripted_tier *tier);

#endif
