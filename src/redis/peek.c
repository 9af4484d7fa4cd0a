/* SPDX-License-Identifier: Apache-2.0 */
/* A look at what there is, without a lease: once, and never for long. */
#include <stdlib.h>

#include "tier_internal.h"

struct tier_peek {
    struct redis_tier *tier;
    struct tier_keys keys;
    void (*done)(void *context, const struct tier_value *value);
    void *context;
    struct loop_timer *timer;
    struct link_waiter at_link;
    bool is_at_link;
    struct command *command; /* under way; NULL: none */
};

static const struct scheduler *scheduler_of(const struct tier_peek *peek)
{
    return peek->tier->options.scheduler;
}

void peek_cancel(struct tier_peek *peek)
{
    if (peek->is_at_link)
        link_leave(peek->tier->link, &peek->at_link);
    if (peek->command != NULL)
        peek->command->done = NULL;
    loop_timer_destroy(scheduler_of(peek), peek->timer);
    tier_keys_finish(&peek->keys);
    free(peek);
}

static void finish(struct tier_peek *peek, const struct tier_value *value)
{
    void (*done)(void *context, const struct tier_value *value) = peek->done;
    void *context = peek->context;
    peek_cancel(peek);
    done(context, value);
}

static void on_looked(void *context, const struct reply *reply)
{
    struct tier_peek *peek = context;
    struct redis_tier *tier = peek->tier;
    struct lookup lookup = {0};
    struct fault fault;
    peek->command = NULL;
    bool is_read = reply != NULL && lookup_read(tier, reply, &lookup, &fault);
    if (lookup.has_value)
        metric_add(tier->series.hits, 1);
    finish(peek, lookup.has_value ? &lookup.value : NULL);
    if (reply != NULL && !is_read)
        link_fail(tier->link, &fault);
}

/* When it cannot be sent, the timer ends it: not from inside a call. */
static void look(struct tier_peek *peek)
{
    struct command *command = lookup_command(&peek->keys, on_looked, peek);
    if (command != NULL && link_send(peek->tier->link, command)) {
        peek->command = command;
        loop_timer_stop(scheduler_of(peek), peek->timer);
    } else {
        loop_timer_start(scheduler_of(peek), peek->timer, 0);
    }
}

static void on_link(struct link_waiter *waiter, bool is_up)
{
    struct tier_peek *peek = CONTAINER_OF(waiter, struct tier_peek, at_link);
    peek->is_at_link = false;
    if (is_up)
        look(peek);
    else
        finish(peek, NULL);
}

static void on_timer(void *context)
{
    finish(context, NULL);
}

static void begin(struct tier_peek *peek)
{
    struct link *link = peek->tier->link;
    switch (link_state(link)) {
    case LINK_UP:
        look(peek);
        break;
    case LINK_SEEKING:
        peek->is_at_link = true;
        link_wait(link, &peek->at_link);
        loop_timer_start(scheduler_of(peek), peek->timer, peek->tier->options.timeout_ms);
        break;
    case LINK_OUT:
        loop_timer_start(scheduler_of(peek), peek->timer, 0);
        break;
    }
}

struct tier_peek *peek_begin(void *self, const char *key,
                             void (*done)(void *context, const struct tier_value *value),
                             void *context)
{
    struct redis_tier *tier = self;
    struct tier_peek *peek = calloc(1, sizeof *peek);
    if (peek == NULL)
        return NULL;
    peek->tier = tier;
    peek->done = done;
    peek->context = context;
    peek->at_link.decided = on_link;
    peek->timer = loop_timer_create(tier->options.scheduler, on_timer, peek);
    if (peek->timer == NULL || !tier_keys_init(&peek->keys, tier, key)) {
        peek_cancel(peek);
        return NULL;
    }
    metric_add(tier->series.requests, 1);
    begin(peek);
    return peek;
}
