/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the tier's parts share.
 *
 * Threads: the loop thread only.
 */
#ifndef REDIS_TIER_INTERNAL_H
#define REDIS_TIER_INTERNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "cache/shared_tier.h"
#include "link.h"
#include "messages.h"
#include "record.h"
#include "redis/redis_tier.h"
#include "tier_metrics.h"

enum {
    LEASE_MS = 8000, /* a holder that died is missed after so long */
    LEASE_PROLONG_MS = LEASE_MS / 4,
    FAILURE_MAX_BYTES = 1024,
    FAILURE_KEPT_MS = 1000, /* for those who poll */
    POLL_MS = 1000,         /* while messages arrive */
    POLL_BLIND_MS = 250,
};

struct redis_tier {
    struct shared_tier door;
    struct redis_tier_options options;
    struct password *password;
    struct session_login login;
    struct tier_metrics series;
    char *channel;
    struct link *link;
    struct messages *messages;
};

/* The names of what belongs to one key, in one piece of memory. */
struct tier_keys {
    char *memory;
    struct text value, lease, failure;
    struct text key; /* itself, as messages tell it */
};

/* False when out of memory. */
bool tier_keys_init(struct tier_keys *keys, const struct redis_tier *tier,
                    const char *key) NODISCARD;
void tier_keys_finish(struct tier_keys *keys);

/* Adds what asks for the failure, the value and its PTTL. False when out of memory. */
bool lookup_add(struct command *command, const struct tier_keys *keys) NODISCARD;

/* Adds what asks for the token of the lease's holder: "" when there is none. False when out of
 * memory. */
bool holder_add(struct command *command, const struct tier_keys *keys) NODISCARD;

/* The look-up alone, in one step. NULL only when out of memory. */
struct command *lookup_command(const struct tier_keys *keys, command_done_fn *done,
                               void *context) NODISCARD;

/* What a look-up, or the taking of a lease, has found; borrowed from the reply. */
struct lookup {
    bool has_value;
    bool has_bytes; /* of a value, or of what others have put in its place */
    struct tier_value value;
    struct text failure; /* a record, whatever is in it; empty: none */
};

/* Counts what is not ours. False: the reply is none to that question, or an error, and `ret_fault`
 * says so. */
bool lookup_read(const struct redis_tier *tier, const struct reply *reply,
                 struct lookup *ret_lookup, struct fault *ret_fault) NODISCARD;

/* For lookup_read() and its like: the failure, the value and its PTTL as elements of a reply. */
void lookup_read_elements(const struct redis_tier *tier, struct reply *const *elements,
                          struct lookup *ret_lookup);

/* The door's functions. */

struct tier_claim *claim_begin(void *self, const struct tier_claim_request *request);
void claim_cancel(struct tier_claim *claim);

struct tier_peek *peek_begin(void *self, const char *key,
                             void (*done)(void *context, const struct tier_value *value),
                             void *context);
void peek_cancel(struct tier_peek *peek);

void lease_settle(struct tier_lease *lease, const struct text *bytes, int64_t keep_ms,
                  const struct error *error);

/* Leases, as claims see them. */

/* One that is not taken yet, with a new token. NULL when out of memory or randomness. */
struct tier_lease *lease_create(struct redis_tier *tier, const char *key) NODISCARD;

const char *lease_token(const struct tier_lease *lease) NODISCARD;

/* Adds what takes it, if nobody has it. */
bool lease_add_take(struct tier_lease *lease, struct command *command) NODISCARD;

/* It is ours, since that command was sent. */
void lease_taken(struct tier_lease *lease);

/* One that was not taken. Accepts NULL. */
void lease_destroy(struct tier_lease *lease);

#endif
