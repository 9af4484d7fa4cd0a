/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A second cache that several replicas of the service share, as an interface: what one of them
 * fetched the others need not fetch, and of all who miss one key at the same moment one fetches for
 * all.
 *
 * The tier keeps bytes by key for a time, and lends *leases*: whoever holds the lease of a key is
 * the only one, of all replicas, who fetches it. It is an accelerator and nothing more. Whatever
 * happens to it, every call ends in bounded time with an outcome after which the caller can go on
 * alone.
 *
 * A claim, for a key whose value is wanted, passes through
 *
 *     looking --wanted value--> FOUND
 *        |  '---no lease taken, took it---> LEADING   (the caller fetches, then settles the lease)
 *        '--another replica has the lease--> waiting --its value--> FOUND
 *                                              | '--its failure--> FAILED
 *                                              '--its lease ran out--> looking
 *     any state --the tier does not answer in time--> ABSENT   (the caller goes on without a lease)
 *
 * redis/ implements it; the tests implement it with scripts. A service without a tier has none:
 * NULL.
 *
 * Time: ages are durations, never moments, so that replicas whose clocks disagree agree on them.
 *
 * Threads: the loop thread only. No callback is ever made from inside a call.
 */
#ifndef CACHE_SHARED_TIER_H
#define CACHE_SHARED_TIER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attrs.h"
#include "base/error.h"
#include "base/text.h"

struct tier_claim; /* the implementation's own */
struct tier_lease;
struct tier_peek;

/* What the tier has under a key. */
struct tier_value {
    struct text bytes;     /* borrowed during the callback */
    int64_t stored_ms_ago; /* since tier_settle() of whoever stored it, by the tier's own clock */
};

enum tier_outcome {
    TIER_FOUND,   /* `value` */
    TIER_LEADING, /* `lease`: nobody else fetches; settle it */
    TIER_FAILED,  /* `error`: another replica asked the origin for this key just now, in vain */
    TIER_ABSENT,  /* the tier is out of order, or none of the above came in time */
};

struct tier_claim_request {
    const char *key;     /* borrowed during the call */
    int64_t max_wait_ms; /* for another replica's lease; then ABSENT */
    void *context;

    /* Whether a value will do; a quick look at its head, on the loop thread. One that will not is
     * as good as none: the claim goes on for the lease. */
    bool (*is_wanted)(void *context, const struct tier_value *value);

    /* Exactly once, unless cancelled. The arguments that the outcome does not name are NULL. */
    void (*done)(void *context, enum tier_outcome outcome, const struct tier_value *value,
                 struct tier_lease *lease, const struct error *error);
};

struct tier_ops {
    /* NULL only when out of memory; `done` then never runs. */
    struct tier_claim *(*claim)(void *self, const struct tier_claim_request *request);
    /* No callback comes after it. */
    void (*claim_cancel)(struct tier_claim *claim);

    /* Ends a lease and frees it; whoever waits for it is told. With a value: stores it for
     * `keep_ms` (the bytes are copied). With an error: those who wait fail with its code and text.
     * With neither: one of those who wait leads next. Until then the lease is prolonged, however
     * long that takes; a holder that dies is missed after a few seconds. */
    void (*settle)(struct tier_lease *lease, const struct text *bytes, int64_t keep_ms,
                   const struct error *error);

    /* What there is, wanted or not, no lease, no waiting: for serving stale. `value` is NULL when
     * there is nothing, or no answer. NULL only when out of memory; `done` then never runs. */
    struct tier_peek *(*peek)(void *self, const char *key,
                              void (*done)(void *context, const struct tier_value *value),
                              void *context);
    void (*peek_cancel)(struct tier_peek *peek);
};

struct shared_tier {
    void *self;
    const struct tier_ops *ops;
};

static inline NODISCARD struct tier_claim *tier_claim(const struct shared_tier *tier,
                                                      const struct tier_claim_request *request)
{
    return tier->ops->claim(tier->self, request);
}

static inline void tier_claim_cancel(const struct shared_tier *tier, struct tier_claim *claim)
{
    tier->ops->claim_cancel(claim);
}

static inline void tier_settle(const struct shared_tier *tier, struct tier_lease *lease,
                               const struct text *bytes, int64_t keep_ms, const struct error *error)
{
    tier->ops->settle(lease, bytes, keep_ms, error);
}

static inline NODISCARD struct tier_peek *
tier_peek(const struct shared_tier *tier, const char *key,
          void (*done)(void *context, const struct tier_value *value), void *context)
{
    return tier->ops->peek(tier->self, key, done, context);
}

static inline void tier_peek_cancel(const struct shared_tier *tier, struct tier_peek *peek)
{
    tier->ops->peek_cancel(peek);
}

#endif
