/* SPDX-License-Identifier: Apache-2.0 */
#include "support/scripted_tier.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

struct entry {
    struct entry *next;
    char *key;
    struct text value; /* no bytes: none */
    int64_t stored_ms, until_ms, keep_ms;
    uint64_t token; /* of its lease; 0: none */
    int64_t lease_until_ms;
};

struct door {
    struct shared_tier interface;
    struct scripted_tier *tier;
    enum scripted_tier_mood mood;
    bool is_dead;
};

struct tier_lease {
    struct tier_lease *next, *previous;
    struct door *door;
    struct entry *entry;
    uint64_t token; /* ours as long as the entry has it */
};

struct tier_claim {
    struct tier_claim *next, *previous;
    struct door *door;
    struct entry *entry;
    struct tier_claim_request request;
    int64_t answer_ms, hung_ms, overdue_ms;
    struct error failure; /* of who led meanwhile */
    bool waits;
};

struct tier_peek {
    struct tier_peek *next, *previous;
    struct door *door;
    struct entry *entry;
    int64_t answer_ms, hung_ms;
    void (*done)(void *context, const struct tier_value *value);
    void *context;
};

struct scripted_tier {
    const struct scheduler *scheduler;
    struct loop_timer *timer;
    int64_t latency_ms;
    struct door doors[SCRIPTED_TIER_DOORS_MAX];
    struct entry *entries;
    struct tier_claim *claims;
    struct tier_peek *peeks;
    struct tier_lease *leases;
    uint64_t tokens;
    struct scripted_tier_counts counts;
};

static void require(bool condition, const char *what)
{
    if (condition)
        return;
    (void)fprintf(stderr, "scripted tier: %s\n", what);
    abort();
}

static int64_t now_ms(const struct scripted_tier *tier)
{
    return scheduler_now_ms(tier->scheduler);
}

static bool ends_with(const char *text, const char *end)
{
    size_t length = strlen(text);
    size_t end_length = strlen(end);
    return length >= end_length && strcmp(text + length - end_length, end) == 0;
}

/* NULL when out of memory. */
static struct entry *entry_of(struct scripted_tier *tier, const char *key)
{
    struct entry *entry = tier->entries;
    while (entry != NULL && strcmp(entry->key, key) != 0)
        entry = entry->next;
    if (entry != NULL)
        return entry;
    entry = calloc(1, sizeof(*entry));
    if (entry != NULL)
        entry->key = strdup(key);
    if (entry == NULL || entry->key == NULL) {
        free(entry);
        return NULL;
    }
    LL_APPEND(tier->entries, entry);
    return entry;
}

static struct entry *entry_ending(const struct scripted_tier *tier, const char *key_end)
{
    struct entry *entry = tier->entries;
    while (entry != NULL && !ends_with(entry->key, key_end))
        entry = entry->next;
    require(entry != NULL, "nobody ever asked for this key");
    return entry;
}

static void entry_clear(struct entry *entry)
{
    free((char *)(uintptr_t)entry->value.data);
    entry->value = (struct text){0};
}

static void entry_set(struct scripted_tier *tier, struct entry *entry, struct text bytes,
                      int64_t keep_ms)
{
    char *copy = malloc(bytes.length + 1);
    if (copy != NULL && bytes.length > 0)
        memcpy(copy, bytes.data, bytes.length);
    entry_clear(entry);
    if (copy == NULL)
        return;
    entry->value = (struct text){.data = copy, .length = bytes.length};
    entry->stored_ms = now_ms(tier) + tier->latency_ms;
    entry->until_ms = now_ms(tier) + keep_ms;
    entry->keep_ms = keep_ms;
}

/* False when there is nothing. */
static bool read_entry(const struct scripted_tier *tier, struct entry *entry,
                       struct tier_value *ret_value)
{
    if (entry->value.data != NULL && now_ms(tier) >= entry->until_ms)
        entry_clear(entry);
    if (entry->value.data == NULL)
        return false;
    int64_t ago_ms = now_ms(tier) - entry->stored_ms;
    *ret_value =
        (struct tier_value){.bytes = entry->value, .stored_ms_ago = ago_ms > 0 ? ago_ms : 0};
    return true;
}

static void look_again(struct scripted_tier *tier)
{
    loop_timer_start(tier->scheduler, tier->timer, 0);
}

static void claim_end(struct tier_claim *claim, enum tier_outcome outcome,
                      const struct tier_value *value, struct tier_lease *lease)
{
    struct scripted_tier *tier = claim->door->tier;
    DL_DELETE2(tier->claims, claim, previous, next);
    claim->request.done(claim->request.context, outcome, value, lease,
                        outcome == TIER_FAILED ? &claim->failure : NULL);
    free(claim);
}

static void claim_lead(struct tier_claim *claim)
{
    struct scripted_tier *tier = claim->door->tier;
    struct tier_lease *lease = calloc(1, sizeof(*lease));
    if (lease == NULL) {
        claim_end(claim, TIER_ABSENT, NULL, NULL);
        return;
    }
    lease->door = claim->door;
    lease->entry = claim->entry;
    lease->token = ++tier->tokens;
    claim->entry->token = lease->token;
    claim->entry->lease_until_ms = INT64_MAX; /* prolonged as long as its holder lives */
    DL_APPEND2(tier->leases, lease, previous, next);
    tier->counts.led++;
    claim_end(claim, TIER_LEADING, NULL, lease);
}

/* True when the claim has ended. */
static bool claim_step(struct tier_claim *claim)
{
    struct scripted_tier *tier = claim->door->tier;
    struct entry *entry = claim->entry;
    struct tier_value value;
    if (claim->door->is_dead || now_ms(tier) < claim->answer_ms)
        return false;
    if (claim->door->mood != SCRIPTED_TIER_WELL) {
        if (claim->door->mood == SCRIPTED_TIER_HANGING && now_ms(tier) < claim->hung_ms)
            return false;
        claim_end(claim, TIER_ABSENT, NULL, NULL);
        return true;
    }
    if (claim->failure.code != ERR_NONE) {
        claim_end(claim, TIER_FAILED, NULL, NULL);
        return true;
    }
    if (read_entry(tier, entry, &value) &&
        claim->request.is_wanted(claim->request.context, &value)) {
        claim_end(claim, TIER_FOUND, &value, NULL);
        return true;
    }
    if (now_ms(tier) >= entry->lease_until_ms)
        entry->token = 0;
    if (entry->token == 0) {
        claim_lead(claim);
        return true;
    }
    claim->waits = true;
    if (now_ms(tier) < claim->overdue_ms)
        return false;
    claim_end(claim, TIER_ABSENT, NULL, NULL);
    return true;
}

static bool peek_step(struct tier_peek *peek)
{
    struct scripted_tier *tier = peek->door->tier;
    struct tier_value value;
    bool well = peek->door->mood == SCRIPTED_TIER_WELL;
    if (peek->door->is_dead || now_ms(tier) < peek->answer_ms ||
        (peek->door->mood == SCRIPTED_TIER_HANGING && now_ms(tier) < peek->hung_ms))
        return false;
    DL_DELETE2(tier->peeks, peek, previous, next);
    peek->done(peek->context, well && read_entry(tier, peek->entry, &value) ? &value : NULL);
    free(peek);
    return true;
}

static int64_t earliest_after(int64_t now, int64_t earliest, int64_t candidate)
{
    return candidate > now && candidate < earliest ? candidate : earliest;
}

/* When something may change by itself. */
static void arm(struct scripted_tier *tier)
{
    int64_t now = now_ms(tier);
    int64_t next = INT64_MAX;
    for (const struct tier_claim *claim = tier->claims; claim != NULL; claim = claim->next) {
        next = earliest_after(now, next, claim->answer_ms);
        next = earliest_after(now, next, claim->overdue_ms);
        if (claim->door->mood == SCRIPTED_TIER_HANGING)
            next = earliest_after(now, next, claim->hung_ms);
        if (claim->entry->token != 0)
            next = earliest_after(now, next, claim->entry->lease_until_ms);
    }
    for (const struct tier_peek *peek = tier->peeks; peek != NULL; peek = peek->next)
        next = earliest_after(now, next, now < peek->answer_ms ? peek->answer_ms : peek->hung_ms);
    if (next != INT64_MAX)
        loop_timer_start(tier->scheduler, tier->timer, next - now);
}

static bool step_one(struct scripted_tier *tier)
{
    for (struct tier_claim *claim = tier->claims; claim != NULL; claim = claim->next)
        if (claim_step(claim))
            return true;
    for (struct tier_peek *peek = tier->peeks; peek != NULL; peek = peek->next)
        if (peek_step(peek))
            return true;
    return false;
}

static void step(void *context)
{
    struct scripted_tier *tier = context;
    while (step_one(tier))
        continue;
    arm(tier);
}

static struct tier_claim *claim_begin(void *self, const struct tier_claim_request *request)
{
    struct door *door = self;
    struct scripted_tier *tier = door->tier;
    if (door->mood == SCRIPTED_TIER_NO_MEMORY)
        return NULL;
    struct entry *entry = entry_of(tier, request->key);
    struct tier_claim *claim = entry != NULL ? calloc(1, sizeof(*claim)) : NULL;
    if (claim == NULL)
        return NULL;
    claim->door = door;
    claim->entry = entry;
    claim->request = *request;
    claim->answer_ms = now_ms(tier) + tier->latency_ms;
    claim->hung_ms = now_ms(tier) + SCRIPTED_TIER_TIMEOUT_MS;
    claim->overdue_ms = now_ms(tier) + request->max_wait_ms;
    tier->counts.claims++;
    DL_APPEND2(tier->claims, claim, previous, next);
    look_again(tier);
    return claim;
}

static void claim_cancel(struct tier_claim *claim)
{
    struct scripted_tier *tier = claim->door->tier;
    tier->counts.cancelled++;
    DL_DELETE2(tier->claims, claim, previous, next);
    free(claim);
}

static void tell_waiters(struct scripted_tier *tier, const struct entry *entry,
                         const struct error *error)
{
    for (struct tier_claim *claim = tier->claims; claim != NULL; claim = claim->next)
        if (claim->entry == entry && claim->waits)
            claim->failure = *error;
}

/* Who cannot reach the tier, or is dead, keeps its lease until that runs out. */
static void let_run_out(struct tier_lease *lease)
{
    if (lease->entry->token == lease->token)
        lease->entry->lease_until_ms = now_ms(lease->door->tier) + SCRIPTED_TIER_LEASE_MS;
}

static void settle(struct tier_lease *lease, const struct text *bytes, int64_t keep_ms,
                   const struct error *error)
{
    struct scripted_tier *tier = lease->door->tier;
    struct entry *entry = lease->entry;
    require(bytes == NULL || (error == NULL && keep_ms > 0), "settled with a value and an error");
    if (lease->door->mood != SCRIPTED_TIER_WELL) {
        let_run_out(lease);
    } else if (!lease->door->is_dead && entry->token == lease->token) {
        tier->counts.stored += bytes != NULL;
        tier->counts.failures += error != NULL;
        tier->counts.given_back += bytes == NULL && error == NULL;
        if (bytes != NULL)
            entry_set(tier, entry, *bytes, keep_ms);
        if (error != NULL)
            tell_waiters(tier, entry, error);
        entry->token = 0;
    }
    DL_DELETE2(tier->leases, lease, previous, next);
    free(lease);
    look_again(tier);
}

static struct tier_peek *peek_begin(void *self, const char *key,
                                    void (*done)(void *context, const struct tier_value *value),
                                    void *context)
{
    struct door *door = self;
    struct scripted_tier *tier = door->tier;
    if (door->mood == SCRIPTED_TIER_NO_MEMORY)
        return NULL;
    struct entry *entry = entry_of(tier, key);
    struct tier_peek *peek = entry != NULL ? calloc(1, sizeof(*peek)) : NULL;
    if (peek == NULL)
        return NULL;
    peek->door = door;
    peek->entry = entry;
    peek->answer_ms = now_ms(tier) + tier->latency_ms;
    peek->hung_ms = now_ms(tier) + SCRIPTED_TIER_TIMEOUT_MS;
    peek->done = done;
    peek->context = context;
    tier->counts.peeks++;
    DL_APPEND2(tier->peeks, peek, previous, next);
    look_again(tier);
    return peek;
}

static void peek_cancel(struct tier_peek *peek)
{
    struct scripted_tier *tier = peek->door->tier;
    tier->counts.cancelled++;
    DL_DELETE2(tier->peeks, peek, previous, next);
    free(peek);
}

static const struct tier_ops ops = {
    .claim = claim_begin,
    .claim_cancel = claim_cancel,
    .settle = settle,
    .peek = peek_begin,
    .peek_cancel = peek_cancel,
};

struct scripted_tier *scripted_tier_create(struct fake_loop *loop, int64_t latency_ms)
{
    struct scripted_tier *tier = calloc(1, sizeof(*tier));
    require(tier != NULL, "out of memory");
    tier->scheduler = fake_loop_scheduler(loop);
    tier->latency_ms = latency_ms;
    tier->timer = loop_timer_create(tier->scheduler, step, tier);
    require(tier->timer != NULL, "out of memory");
    for (size_t i = 0; i < SCRIPTED_TIER_DOORS_MAX; i++) {
        struct door *door = &tier->doors[i];
        *door = (struct door){.tier = tier, .interface = {.self = door, .ops = &ops}};
    }
    return tier;
}

void scripted_tier_destroy(struct scripted_tier *tier)
{
    require(tier->claims == NULL, "a claim is left over");
    require(tier->peeks == NULL, "a peek is left over");
    require(tier->leases == NULL, "a lease is left over");
    struct entry *entry = NULL;
    struct entry *after = NULL;
    LL_FOREACH_SAFE(tier->entries, entry, after)
    {
        entry_clear(entry);
        free(entry->key);
        free(entry);
    }
    loop_timer_destroy(tier->scheduler, tier->timer);
    free(tier);
}

const struct shared_tier *scripted_tier_door(struct scripted_tier *tier, size_t replica)
{
    require(replica < SCRIPTED_TIER_DOORS_MAX, "no such replica");
    return &tier->doors[replica].interface;
}

void scripted_tier_set_mood(struct scripted_tier *tier, size_t replica,
                            enum scripted_tier_mood mood)
{
    tier->doors[replica].mood = mood;
    look_again(tier);
}

void scripted_tier_kill(struct scripted_tier *tier, size_t replica)
{
    struct door *door = &tier->doors[replica];
    door->is_dead = true;
    for (struct tier_lease *lease = tier->leases; lease != NULL; lease = lease->next)
        if (lease->door == door)
            let_run_out(lease);
    look_again(tier);
}

const struct text *scripted_tier_value(const struct scripted_tier *tier, const char *key_end)
{
    struct tier_value value;
    struct entry *entry = entry_ending(tier, key_end);
    return read_entry(tier, entry, &value) ? &entry->value : NULL;
}

const char *scripted_tier_key(const struct scripted_tier *tier, const char *key_end)
{
    return entry_ending(tier, key_end)->key;
}

void scripted_tier_poison(struct scripted_tier *tier, const char *key_end, struct text bytes)
{
    struct entry *entry = entry_ending(tier, key_end);
    entry_set(tier, entry, bytes, entry->keep_ms > 0 ? entry->keep_ms : 1000 * 1000);
}

void scripted_tier_forget(struct scripted_tier *tier)
{
    for (struct entry *entry = tier->entries; entry != NULL; entry = entry->next) {
        entry_clear(entry);
        entry->token = 0;
    }
    look_again(tier);
}

int64_t scripted_tier_keep_ms(const struct scripted_tier *tier, const char *key_end)
{
    return entry_ending(tier, key_end)->keep_ms;
}

struct scripted_tier_counts scripted_tier_counts(const struct scripted_tier *tier)
{
    return tier->counts;
}
