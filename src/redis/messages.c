/* SPDX-License-Identifier: Apache-2.0 */
#include "messages.h"

#include <stdlib.h>
#include <utlist.h>

struct messages {
    struct link *link;
    const struct scheduler *scheduler;
    struct listener *listeners;
    struct listener *turn; /* whose it is, while they are told */
    struct session *session;
    unsigned generation; /* the link's when the session was opened */
    bool is_ready;
    struct loop_timer *timer; /* for retries while somebody listens, for the end when nobody does */
};

/* `key` NULL: everyone. Any of them may leave meanwhile. */
static void tell(struct messages *messages, const struct text *key)
{
    messages->turn = messages->listeners;
    while (messages->turn != NULL) {
        struct listener *listener = messages->turn;
        messages->turn = listener->next;
        if (key == NULL || text_equals(listener->key, *key))
            listener->told(listener);
    }
}

static void close_session(struct messages *messages)
{
    struct session *session = messages->session;
    messages->session = NULL;
    messages->is_ready = false;
    session_close(session);
}

static void on_ready(void *context)
{
    struct messages *messages = context;
    messages->is_ready = true;
    /* What was said before is lost. */
    tell(messages, NULL);
}

static void on_message(void *context, struct text payload)
{
    tell(context, &payload);
}

static void on_failed(void *context, const struct fault *fault)
{
    struct messages *messages = context;
    link_count(messages->link, fault->reason);
    close_session(messages);
    if (messages->listeners != NULL)
        loop_timer_start(messages->scheduler, messages->timer, MESSAGES_RETRY_MS);
}

static void open_session(struct messages *messages)
{
    const struct session_options options = {
        .kind = SESSION_MESSAGES,
        .context = messages,
        .ready = on_ready,
        .message = on_message,
        .failed = on_failed,
    };
    messages->generation = link_generation(messages->link);
    messages->session = link_open_messages(messages->link, &options);
    if (messages->session == NULL)
        loop_timer_start(messages->scheduler, messages->timer, MESSAGES_RETRY_MS);
    else
        loop_timer_stop(messages->scheduler, messages->timer);
}

static void on_timer(void *context)
{
    struct messages *messages = context;
    if (messages->listeners == NULL)
        close_session(messages);
    else if (messages->session == NULL)
        open_session(messages);
}

struct messages *messages_create(struct link *link, const struct scheduler *scheduler)
{
    struct messages *messages = calloc(1, sizeof *messages);
    if (messages == NULL)
        return NULL;
    messages->link = link;
    messages->scheduler = scheduler;
    messages->timer = loop_timer_create(scheduler, on_timer, messages);
    if (messages->timer == NULL) {
        free(messages);
        return NULL;
    }
    return messages;
}

void messages_stop(struct messages *messages)
{
    loop_timer_stop(messages->scheduler, messages->timer);
    close_session(messages);
}

void messages_destroy(struct messages *messages)
{
    if (messages == NULL)
        return;
    messages_stop(messages);
    loop_timer_destroy(messages->scheduler, messages->timer);
    free(messages);
}

void messages_listen(struct messages *messages, struct listener *listener)
{
    DL_APPEND2(messages->listeners, listener, previous, next);
    bool is_old =
        messages->session != NULL && messages->generation != link_generation(messages->link);
    if (is_old) /* the link has been made anew: this one may hang, or lead to a Redis of the past */
        close_session(messages);
    if (messages->session == NULL)
        open_session(messages);
    else
        loop_timer_stop(messages->scheduler, messages->timer);
}

void messages_leave(struct messages *messages, struct listener *listener)
{
    if (messages->turn == listener)
        messages->turn = listener->next;
    DL_DELETE2(messages->listeners, listener, previous, next);
    if (messages->listeners == NULL)
        loop_timer_start(messages->scheduler, messages->timer, MESSAGES_LINGER_MS);
}

bool messages_arrive(const struct messages *messages)
{
    return messages->is_ready;
}
