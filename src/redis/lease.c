/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A lease: taken by a claim, prolonged while its holder fetches, settled.
 *
 *     NEW --taken--> HELD --settle()--> SETTLING --Redis has answered, or will not--> (freed)
 *                     '--another replica has it--> LOST --settle()--> (freed)
 *
 * Redis lets a lease go when nobody has prolonged it for LEASE_MS, which is what ends the leases of
 * replicas that died; to one that was merely held up it may happen as well. So whoever settles late
 * asks first whether the lease is still its own: a newer value must not be replaced by an older
 * one. Where nobody has it by then but there is a value, another may have settled it in between,
 * and it counts as lost.
 */
#include <stdlib.h>
#include <sys/random.h>

#include "base/strbuf.h"
#include "script.h"
#include "tier_internal.h"

enum { TOKEN_BYTES = TOKEN_LENGTH / 2 };

enum lease_phase { LEASE_NEW, LEASE_HELD, LEASE_LOST, LEASE_SETTLING };

struct tier_lease {
    struct redis_tier *tier;
    struct tier_keys keys;
    char token[TOKEN_LENGTH + 1];
    enum lease_phase phase;
    struct loop_timer *timer; /* HELD: to prolong; SETTLING: how long to wait for a link */
    int64_t sent_ms;          /* what takes or prolongs it */
    int64_t sure_since_ms;    /* when the last of those was sent that Redis has confirmed */
    struct command *command;  /* under way; NULL: none */
    struct command *settling; /* what is to be sent, once there is a link, and no doubt */
    struct link_waiter at_link;
    bool is_at_link;
};

static const struct scheduler *scheduler_of(const struct tier_lease *lease)
{
    return lease->tier->options.scheduler;
}

static int64_t now_ms(const struct tier_lease *lease)
{
    return scheduler_now_ms(scheduler_of(lease));
}

/* Nobody else can have had it since. */
static bool is_sure(const struct tier_lease *lease)
{
    return now_ms(lease) - lease->sure_since_ms < LEASE_MS;
}

void lease_destroy(struct tier_lease *lease)
{
    if (lease == NULL)
        return;
    if (lease->is_at_link)
        link_leave(lease->tier->link, &lease->at_link);
    if (lease->command != NULL)
        lease->command->done = NULL;
    command_destroy(lease->settling);
    loop_timer_destroy(scheduler_of(lease), lease->timer);
    tier_keys_finish(&lease->keys);
    free(lease);
}

static void on_timer(void *context);
static void on_link(struct link_waiter *waiter, bool is_up);

static bool make_token(char token[TOKEN_LENGTH + 1])
{
    static const char digits[] = "0123456789abcdef";
    unsigned char bytes[TOKEN_BYTES];
    /* So few bytes come at once, or not at all when the system has only just begun. */
    if (getrandom(bytes, sizeof bytes, GRND_NONBLOCK) != (ssize_t)sizeof bytes)
        return false;
    for (size_t i = 0; i < sizeof bytes; i++) {
        token[2 * i] = digits[bytes[i] >> 4];
        token[2 * i + 1] = digits[bytes[i] & 0xF];
    }
    token[TOKEN_LENGTH] = '\0';
    return true;
}

struct tier_lease *lease_create(struct redis_tier *tier, const char *key)
{
    struct tier_lease *lease = calloc(1, sizeof *lease);
    if (lease == NULL)
        return NULL;
    lease->tier = tier;
    lease->at_link.decided = on_link;
    lease->timer = loop_timer_create(tier->options.scheduler, on_timer, lease);
    if (lease->timer == NULL || !tier_keys_init(&lease->keys, tier, key) ||
        !make_token(lease->token)) {
        lease_destroy(lease);
        return NULL;
    }
    return lease;
}

const char *lease_token(const struct tier_lease *lease)
{
    return lease->token;
}

bool lease_add_take(struct tier_lease *lease, struct command *command)
{
    char digits[DIGITS_BYTES];
    lease->sent_ms = now_ms(lease);
    return COMMAND_ADD(command, TEXT("SET"), lease->keys.lease, text_of(lease->token), TEXT("NX"),
                       TEXT("PX"), number_text(LEASE_MS, digits));
}

void lease_taken(struct tier_lease *lease)
{
    lease->phase = LEASE_HELD;
    lease->sure_since_ms = lease->sent_ms;
    loop_timer_start(scheduler_of(lease), lease->timer, LEASE_PROLONG_MS);
}

/* While held, and once more before a late settlement. */
static void send_settlement(struct tier_lease *lease);

static void on_prolonged(void *context, const struct reply *reply)
{
    struct tier_lease *lease = context;
    struct link *link = lease->tier->link;
    struct fault fault;
    bool is_settling = lease->phase == LEASE_SETTLING;
    bool is_number = reply != NULL && reply->kind == REPLY_INTEGER;
    bool is_ours = is_number && reply->integer == 1;
    lease->command = NULL;
    if (is_ours)
        lease->sure_since_ms = lease->sent_ms;
    else if (is_number)
        lease->phase = LEASE_LOST;
    if (is_settling && is_ours)
        send_settlement(lease);
    else if (is_settling)
        lease_destroy(lease);
    if (reply == NULL || is_number)
        return;
    if (reply->kind == REPLY_ERROR)
        reply_fault(reply, &fault);
    else
        fault_set(&fault, FAULT_PROTOCOL, "an answer to EVAL that is none");
    link_fail(link, &fault);
}

/* False when it cannot be sent now. */
static bool prolong(struct tier_lease *lease)
{
    if (lease->command != NULL || link_state(lease->tier->link) != LINK_UP)
        return false;
    struct command *command = command_create(REPLY_MAX_BYTES, on_prolonged, lease);
    if (command == NULL)
        return false;
    lease->sent_ms = now_ms(lease);
    if (!script_add_prolong(command, lease->keys.lease, text_of(lease->token), LEASE_MS,
                            is_sure(lease) ? NULL : &lease->keys.value)) {
        command_destroy(command);
        return false;
    }
    if (!link_send(lease->tier->link, command))
        return false;
    lease->command = command;
    return true;
}

static void on_timer(void *context)
{
    struct tier_lease *lease = context;
    if (lease->phase == LEASE_SETTLING) {
        lease_destroy(lease); /* no link in time */
    } else if (lease->phase == LEASE_HELD) {
        (void)prolong(lease); /* if it cannot be now, then perhaps next time */
        loop_timer_start(scheduler_of(lease), lease->timer, LEASE_PROLONG_MS);
    }
}

/* The last thing: Redis' answer is looked at for faults only. */
static void on_settled(void *context, const struct reply *reply)
{
    struct tier_lease *lease = context;
    struct link *link = lease->tier->link;
    lease->command = NULL;
    lease_destroy(lease);
    if (reply != NULL && reply->kind == REPLY_ERROR) {
        struct fault fault;
        reply_fault(reply, &fault);
        link_fail(link, &fault);
    }
}

static void send_settlement(struct tier_lease *lease)
{
    struct command *command = lease->settling;
    lease->settling = NULL;
    if (link_send(lease->tier->link, command))
        lease->command = command;
    else
        lease_destroy(lease);
}

static void settle_on_link(struct tier_lease *lease)
{
    if (is_sure(lease))
        send_settlement(lease);
    else if (!prolong(lease))
        lease_destroy(lease);
}

static void on_link(struct link_waiter *waiter, bool is_up)
{
    struct tier_lease *lease = CONTAINER_OF(waiter, struct tier_lease, at_link);
    lease->is_at_link = false;
    loop_timer_stop(scheduler_of(lease), lease->timer);
    if (is_up)
        settle_on_link(lease);
    else
        lease_destroy(lease);
}

static bool add_value(struct tier_lease *lease, const struct text *bytes, int64_t keep_ms)
{
    char digits[DIGITS_BYTES];
    if (keep_ms <= 0)
        return true;
    if (bytes->length > VALUE_MAX_BYTES - RECORD_HEAD_MAX) {
        link_count(lease->tier->link, FAULT_TOO_LARGE);
        return true;
    }
    struct strbuf record CLEANUP(strbuf_finish);
    strbuf_init(&record, VALUE_MAX_BYTES);
    record_put_value_head(&record, bytes->length, keep_ms);
    strbuf_append(&record, bytes->data, bytes->length);
    return !strbuf_failed(&record) && COMMAND_ADD(lease->settling, TEXT("SET"), lease->keys.value,
                                                  (struct text){record.data, record.length},
                                                  TEXT("PX"), number_text(keep_ms, digits));
}

static bool add_failure(struct tier_lease *lease, const struct error *error)
{
    char memory[FAILURE_MAX_BYTES];
    char digits[DIGITS_BYTES];
    struct strbuf record;
    strbuf_init_fixed(&record, memory, sizeof memory);
    record_put_failure(&record, text_of(lease->token), error);
    return COMMAND_ADD(lease->settling, TEXT("SET"), lease->keys.failure,
                       (struct text){record.data, record.length}, TEXT("PX"),
                       number_text(FAILURE_KEPT_MS, digits));
}

static bool make_settlement(struct tier_lease *lease, const struct text *bytes, int64_t keep_ms,
                            const struct error *error)
{
    lease->settling = command_create(REPLY_MAX_BYTES, on_settled, lease);
    return lease->settling != NULL && (bytes == NULL || add_value(lease, bytes, keep_ms)) &&
           (error == NULL || add_failure(lease, error)) &&
           script_add_release(lease->settling, lease->keys.lease, text_of(lease->token),
                              text_of(lease->tier->channel), lease->keys.key);
}

void lease_settle(struct tier_lease *lease, const struct text *bytes, int64_t keep_ms,
                  const struct error *error)
{
    struct link *link = lease->tier->link;
    enum link_state state = link_state(link);
    loop_timer_stop(scheduler_of(lease), lease->timer);
    if (lease->phase == LEASE_LOST || state == LINK_OUT ||
        !make_settlement(lease, bytes, keep_ms, error)) {
        lease_destroy(lease); /* Redis lets go of it by itself */
        return;
    }
    lease->phase = LEASE_SETTLING;
    if (lease->command != NULL) { /* it is being prolonged */
        lease->command->done = NULL;
        lease->command = NULL;
    }
    if (state == LINK_UP) {
        settle_on_link(lease);
        return;
    }
    lease->is_at_link = true;
    link_wait(link, &lease->at_link);
    loop_timer_start(scheduler_of(lease), lease->timer, lease->tier->options.timeout_ms);
}
