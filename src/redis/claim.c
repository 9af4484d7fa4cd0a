/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A claim, from the question to its outcome.
 *
 *     LINK --there is one--> LOOK --nothing that will do--> TAKE --ours-----------> (leading)
 *                              ^                              '---another's--> WAIT
 *                              |                                                | ^
 *                              '--the lease is told to be settled, or gone--- POLL'
 *
 * Between a look and the taking of the lease another replica may have settled it, so the value is
 * looked at once more when it is ours. END is an outcome that may not be told from inside a call.
 *
 * Where there is nothing, look and lease together have the time-out, so that a Redis that is merely
 * slow does not cost it twice. Whoever has gone on without gives back a lease that came too late.
 */
#include <stdlib.h>
#include <string.h>

#include "tier_internal.h"

enum { RECONNECTS_MAX = 2 };

enum phase { PHASE_LINK, PHASE_LOOK, PHASE_TAKE, PHASE_WAIT, PHASE_POLL, PHASE_END };

struct tier_claim {
    struct redis_tier *tier;
    struct tier_claim_request request; /* `key` is NULL here: see `keys` */
    struct tier_keys keys;
    enum phase phase;
    struct loop_timer *timer;
    struct link_waiter at_link; /* PHASE_LINK */
    struct command *command;    /* under way; NULL: none */
    struct tier_lease *lease;   /* PHASE_TAKE */
    struct listener listener;
    bool is_listening, was_told, is_cancelled;
    bool has_seen_bytes;           /* at the last look: it takes time to come, and comes again */
    bool was_given_a_turn;         /* as in connection.c */
    char holder[TOKEN_LENGTH + 1]; /* of the lease that is waited for; "": none */
    int64_t wait_until_ms;
    int64_t sent_ns;   /* the command */
    int64_t looked_ms; /* when the last look began */
    int reconnects;
};

static const struct scheduler *scheduler_of(const struct tier_claim *claim)
{
    return claim->tier->options.scheduler;
}

static void start_timer(struct tier_claim *claim, int64_t delay_ms)
{
    loop_timer_start(scheduler_of(claim), claim->timer, delay_ms);
}

static void destroy(struct tier_claim *claim)
{
    if (claim->phase == PHASE_LINK)
        link_leave(claim->tier->link, &claim->at_link);
    if (claim->is_listening)
        messages_leave(claim->tier->messages, &claim->listener);
    if (claim->command != NULL)
        claim->command->done = NULL;
    loop_timer_destroy(scheduler_of(claim), claim->timer);
    lease_destroy(claim->lease);
    tier_keys_finish(&claim->keys);
    free(claim);
}

static void finish(struct tier_claim *claim, enum tier_outcome outcome,
                   const struct tier_value *value, struct tier_lease *lease,
                   const struct error *error)
{
    struct tier_claim_request request = claim->request;
    destroy(claim);
    request.done(request.context, outcome, value, lease, error);
}

static void finish_absent(struct tier_claim *claim)
{
    finish(claim, TIER_ABSENT, NULL, NULL, NULL);
}

static void end_soon(struct tier_claim *claim)
{
    claim->phase = PHASE_END;
    start_timer(claim, 0);
}

/* Also where commands that could not be sent end. */
static void send(struct tier_claim *claim, enum phase phase, struct command *command)
{
    loop_timer_stop(scheduler_of(claim), claim->timer);
    claim->phase = phase;
    claim->sent_ns = time_monotonic_ns(claim->tier->options.time);
    claim->was_told = false;
    if (command == NULL || !link_send(claim->tier->link, command)) {
        end_soon(claim);
        return;
    }
    claim->command = command;
}

static void on_looked(void *context, const struct reply *reply);
static void on_taken(void *context, const struct reply *reply);
static void on_polled(void *context, const struct reply *reply);

static void look(struct tier_claim *claim)
{
    claim->looked_ms = scheduler_now_ms(scheduler_of(claim));
    send(claim, PHASE_LOOK, lookup_command(&claim->keys, on_looked, claim));
}

static int64_t time_left_ms(const struct tier_claim *claim)
{
    int64_t left_ms =
        claim->looked_ms + claim->tier->options.timeout_ms - scheduler_now_ms(scheduler_of(claim));
    return left_ms > 0 ? left_ms : 0;
}

static void take(struct tier_claim *claim)
{
    const struct tier_keys *keys = &claim->keys;
    struct command *command = NULL;
    if (claim->lease == NULL)
        claim->lease = lease_create(claim->tier, keys->key.data);
    if (claim->lease != NULL)
        command = command_create(VALUE_MAX_BYTES, on_taken, claim);
    bool is_complete = command != NULL && COMMAND_ADD(command, TEXT("MULTI")) &&
                       lease_add_take(claim->lease, command) && holder_add(command, keys) &&
                       lookup_add(command, keys) && COMMAND_ADD(command, TEXT("EXEC"));
    if (!is_complete) {
        command_destroy(command);
        command = NULL;
    }
    send(claim, PHASE_TAKE, command);
    if (claim->phase == PHASE_TAKE && !claim->has_seen_bytes)
        start_timer(claim, time_left_ms(claim));
}

static void poll(struct tier_claim *claim)
{
    struct command *command = command_create(REPLY_MAX_BYTES, on_polled, claim);
    if (command != NULL && !holder_add(command, &claim->keys)) {
        command_destroy(command);
        command = NULL;
    }
    send(claim, PHASE_POLL, command);
}

/* From where it stands: with a link, a look is what everything begins with. */
static void go_on(struct tier_claim *claim)
{
    switch (link_state(claim->tier->link)) {
    case LINK_UP:
        look(claim);
        break;
    case LINK_SEEKING:
        claim->phase = PHASE_LINK;
        link_wait(claim->tier->link, &claim->at_link);
        start_timer(claim, claim->tier->options.timeout_ms);
        break;
    case LINK_OUT:
        end_soon(claim);
        break;
    }
}

static void on_link(struct link_waiter *waiter, bool is_up)
{
    struct tier_claim *claim = CONTAINER_OF(waiter, struct tier_claim, at_link);
    claim->phase = PHASE_END; /* it waits no more */
    if (is_up)
        look(claim);
    else
        finish_absent(claim);
}

/* An answer has come, or none will. False: the claim is over. */
static bool has_answer(struct tier_claim *claim, const struct reply *reply)
{
    claim->command = NULL;
    if (reply != NULL)
        return true;
    if (claim->is_cancelled) {
        destroy(claim);
        return false;
    }
    /* A lease stays: it may have been taken, and is asked for again by the same token. */
    if (++claim->reconnects <= RECONNECTS_MAX && link_state(claim->tier->link) != LINK_OUT)
        go_on(claim);
    else
        finish_absent(claim);
    return false;
}

static void fail(struct tier_claim *claim, const struct fault *fault)
{
    struct link *link = claim->tier->link;
    if (claim->is_cancelled)
        destroy(claim);
    else
        finish_absent(claim);
    link_fail(link, fault);
}

/* Whether what was found ends the claim; then it does. */
static bool ends_by(struct tier_claim *claim, const struct lookup *lookup)
{
    struct error error;
    const struct tier_claim_request *request = &claim->request;
    if (lookup->has_value && request->is_wanted(request->context, &lookup->value)) {
        metric_add(claim->tier->series.hits, 1);
        finish(claim, TIER_FOUND, &lookup->value, NULL, NULL);
        return true;
    }
    if (claim->holder[0] != '\0' &&
        record_get_failure(lookup->failure, text_of(claim->holder), &error)) {
        finish(claim, TIER_FAILED, NULL, NULL, &error);
        return true;
    }
    return false;
}

static void on_looked(void *context, const struct reply *reply)
{
    struct tier_claim *claim = context;
    struct lookup lookup;
    struct fault fault;
    if (!has_answer(claim, reply))
        return;
    metric_observe_ns(claim->tier->series.duration,
                      time_monotonic_ns(claim->tier->options.time) - claim->sent_ns);
    if (!lookup_read(claim->tier, reply, &lookup, &fault))
        fail(claim, &fault);
    else if (!ends_by(claim, &lookup)) {
        claim->has_seen_bytes = lookup.has_bytes;
        claim->was_given_a_turn = false;
        take(claim);
    }
}

static void on_told(struct listener *listener)
{
    struct tier_claim *claim = CONTAINER_OF(listener, struct tier_claim, listener);
    if (claim->phase == PHASE_WAIT)
        look(claim);
    else
        claim->was_told = true; /* while an older answer is on its way */
}

static void wait_on(struct tier_claim *claim)
{
    int64_t left_ms = claim->wait_until_ms - scheduler_now_ms(scheduler_of(claim));
    int64_t poll_ms = messages_arrive(claim->tier->messages) ? POLL_MS : POLL_BLIND_MS;
    claim->phase = PHASE_WAIT;
    start_timer(claim, left_ms < poll_ms ? left_ms : poll_ms);
}

/* Another replica has the lease, whose token `holder` is. */
static void begin_to_wait(struct tier_claim *claim, const struct reply *holder)
{
    struct text token = reply_text(holder);
    bool is_foreign = token.length != TOKEN_LENGTH;
    if (is_foreign) /* no replica's: nobody would ever settle it */
        link_count(claim->tier->link, FAULT_FOREIGN);
    if (is_foreign || scheduler_now_ms(scheduler_of(claim)) >= claim->wait_until_ms) {
        finish_absent(claim);
        return;
    }
    memcpy(claim->holder, token.data, TOKEN_LENGTH);
    if (!claim->is_listening) {
        metric_add(claim->tier->series.lease_waits, 1);
        claim->is_listening = true;
        claim->listener.key = claim->keys.key;
        claim->listener.told = on_told;
        messages_listen(claim->tier->messages, &claim->listener);
    }
    if (claim->was_told) /* the message has overtaken the answer, which is older */
        look(claim);
    else
        wait_on(claim);
}

static void lead(struct tier_claim *claim, struct tier_lease *lease)
{
    metric_add(claim->tier->series.leases, 1);
    finish(claim, TIER_LEADING, NULL, lease, NULL);
}

/* What became of the lease: the answers to SET and GET. False: the first is none. */
static bool read_taken(struct tier_claim *claim, const struct reply *set,
                       const struct reply *holder, struct fault *ret_fault)
{
    if (reply_is_status(set, "OK") || reply_is_string(holder, lease_token(claim->lease))) {
        lease_taken(claim->lease);
        return true;
    }
    lease_destroy(claim->lease);
    claim->lease = NULL;
    if (set->kind == REPLY_NIL)
        return true;
    if (set->kind == REPLY_ERROR)
        reply_fault(set, ret_fault);
    else
        fault_set(ret_fault, FAULT_PROTOCOL, "an answer to SET that is none");
    return false;
}

static void on_taken(void *context, const struct reply *reply)
{
    struct tier_claim *claim = context;
    struct fault fault;
    if (!has_answer(claim, reply))
        return;
    struct reply *const *elements = reply_elements(reply, 5);
    if (elements == NULL) {
        if (reply->kind == REPLY_ERROR)
            reply_fault(reply, &fault);
        else
            fault_set(&fault, FAULT_PROTOCOL, "an answer to EXEC that is none");
        fail(claim, &fault);
        return;
    }
    if (!read_taken(claim, elements[0], elements[1], &fault)) {
        fail(claim, &fault);
        return;
    }
    struct tier_lease *lease = claim->lease; /* NULL: another's */
    struct lookup lookup;
    claim->lease = NULL;
    lookup_read_elements(claim->tier, elements + 2, &lookup);
    bool is_over = claim->is_cancelled;
    if (is_over)
        destroy(claim);
    else
        is_over = ends_by(claim, &lookup);
    if (is_over && lease != NULL)
        lease_settle(lease, NULL, 0, NULL);
    else if (!is_over && lease != NULL)
        lead(claim, lease);
    else if (!is_over)
        begin_to_wait(claim, elements[1]);
}

static void on_polled(void *context, const struct reply *reply)
{
    struct tier_claim *claim = context;
    struct fault fault;
    if (!has_answer(claim, reply))
        return;
    if (reply->kind == REPLY_ERROR) {
        reply_fault(reply, &fault);
        fail(claim, &fault);
    } else if (!claim->was_told && reply_is_string(reply, claim->holder)) {
        wait_on(claim);
    } else {
        look(claim);
    }
}

/* It stays until Redis has said whether there is a lease to be given back. */
static void go_without(struct tier_claim *claim)
{
    struct tier_claim_request request = claim->request;
    claim->is_cancelled = true;
    request.done(request.context, TIER_ABSENT, NULL, NULL, NULL);
}

/* The answer may lie in the socket already. */
static void end_taking(struct tier_claim *claim)
{
    if (claim->was_given_a_turn) {
        go_without(claim);
        return;
    }
    claim->was_given_a_turn = true;
    start_timer(claim, 1);
}

static void on_timer(void *context)
{
    struct tier_claim *claim = context;
    if (claim->phase == PHASE_TAKE) {
        end_taking(claim);
        return;
    }
    bool may_wait =
        claim->phase == PHASE_WAIT && scheduler_now_ms(scheduler_of(claim)) < claim->wait_until_ms;
    if (!may_wait)
        finish_absent(claim);
    else if (link_state(claim->tier->link) == LINK_UP)
        poll(claim);
    else
        go_on(claim);
}

struct tier_claim *claim_begin(void *self, const struct tier_claim_request *request)
{
    struct redis_tier *tier = self;
    struct tier_claim *claim = calloc(1, sizeof *claim);
    if (claim == NULL)
        return NULL;
    claim->tier = tier;
    claim->request = *request;
    claim->request.key = NULL;
    claim->phase = PHASE_END;
    claim->at_link.decided = on_link;
    claim->wait_until_ms = scheduler_now_ms(tier->options.scheduler) + request->max_wait_ms;
    claim->timer = loop_timer_create(tier->options.scheduler, on_timer, claim);
    if (claim->timer == NULL || !tier_keys_init(&claim->keys, tier, request->key)) {
        destroy(claim);
        return NULL;
    }
    metric_add(tier->series.requests, 1);
    go_on(claim);
    return claim;
}

/* A lease that may have been taken has to be given back: that claim stays until Redis has said. */
void claim_cancel(struct tier_claim *claim)
{
    if (claim->phase == PHASE_TAKE && claim->command != NULL) {
        loop_timer_stop(scheduler_of(claim), claim->timer);
        claim->is_cancelled = true;
    } else {
        destroy(claim);
    }
}
