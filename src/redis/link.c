/* SPDX-License-Identifier: Apache-2.0 */
#include "link.h"

#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "locator.h"

struct link {
    struct link_options options;
    struct locator *locator; /* NULL: without Sentinels */
    struct session *session; /* under way, or up */
    char *host;              /* of the session; NULL: a unix socket, or none yet */
    uint16_t port;
    struct loop_timer *timer; /* for the next probe */
    struct link_waiter *waiters;
    enum link_state state;
    bool is_idle, is_stopped; /* either with state: SEEKING, OUT */
    bool was_told;            /* the log has said that it is out */
    int64_t wait_ms;          /* before the next probe; 0: none has failed lately */
    int64_t up_since_ms, out_since_ms;
    unsigned generation; /* of sessions that were up */
};

static const struct scheduler *scheduler_of(const struct link *link)
{
    return link->options.tier->scheduler;
}

static int64_t now_ms(const struct link *link)
{
    return scheduler_now_ms(scheduler_of(link));
}

void link_count(const struct link *link, enum fault_reason reason)
{
    metric_add(link->options.series->failures[reason], 1);
}

/* The state is decided already, so nobody waits anew meanwhile. */
static void tell_waiters(struct link *link, bool is_up)
{
    while (link->waiters != NULL) {
        struct link_waiter *waiter = link->waiters;
        link_leave(link, waiter);
        waiter->decided(waiter, is_up);
    }
}

static void go_out(struct link *link, const struct fault *fault)
{
    const struct redis_tier_options *tier = link->options.tier;
    link->state = LINK_OUT;
    metric_set(link->options.series->up, 0);
    link->wait_ms = link->wait_ms == 0 ? LINK_WAIT_MS : 2 * link->wait_ms;
    if (link->wait_ms > LINK_WAIT_MAX_MS)
        link->wait_ms = LINK_WAIT_MAX_MS;
    loop_timer_start(tier->scheduler, link->timer, link->wait_ms);
    if (!link->was_told) {
        link->was_told = true;
        link->out_since_ms = now_ms(link);
        log_warning(tier->log, LOG_EVENT("redis.unavailable"), LOG_STR("redis_url", tier->shown),
                    LOG_STR("reason", fault_reason_name(fault->reason)),
                    LOG_STR("error", fault->text));
    }
    tell_waiters(link, false);
}

static void try_now(struct link *link);

/* The session, or the try for one, has come to its end. */
static void end_try(struct link *link, const struct fault *fault)
{
    bool was_up = link->state == LINK_UP;
    bool was_steady = was_up && now_ms(link) - link->up_since_ms >= LINK_STEADY_MS;
    struct fault kept = *fault; /* it may live in what is closed now */
    struct session *session = link->session;
    link_count(link, kept.reason);
    link->session = NULL;
    if (was_steady)
        link->wait_ms = 0;
    bool tries_again = was_steady && kept.reason != FAULT_TIMEOUT;
    if (tries_again)
        link->state = LINK_SEEKING;
    else
        go_out(link, &kept);
    session_close(session); /* those whose commands were under way look at the state */
    if (tries_again)
        try_now(link);
}

static void on_session_failed(void *context, const struct fault *fault)
{
    end_try(context, fault);
}

static void on_session_ready(void *context)
{
    struct link *link = context;
    const struct redis_tier_options *tier = link->options.tier;
    link->state = LINK_UP;
    link->up_since_ms = now_ms(link);
    link->generation++;
    metric_set(link->options.series->up, 1);
    if (link->was_told)
        log_info(tier->log, LOG_EVENT("redis.available"), LOG_STR("redis_url", tier->shown),
                 LOG_INT("out_ms", link->up_since_ms - link->out_since_ms));
    else
        log_debug(tier->log, LOG_EVENT("redis.connected"), LOG_STR("redis_url", tier->shown));
    link->was_told = false;
    tell_waiters(link, true);
}

static struct connection_options connection_options(const struct link *link)
{
    const struct redis_tier_options *tier = link->options.tier;
    return (struct connection_options){
        .engine = tier->engine,
        .scheduler = tier->scheduler,
        .timeout_ms = tier->timeout_ms,
        .unix_path = tier->unix_path,
        .host = link->host,
        .port = link->port,
        .tls = tier->tls,
    };
}

static void fail_without_memory(struct link *link)
{
    struct fault fault;
    fault_set(&fault, FAULT_NO_MEMORY, "out of memory");
    end_try(link, &fault);
}

static void open_session(struct link *link)
{
    const struct session_options options = {
        .connection = connection_options(link),
        .login = link->options.login,
        .kind = SESSION_COMMANDS,
        .context = link,
        .ready = on_session_ready,
        .failed = on_session_failed,
    };
    link->session = session_open(&options);
    if (link->session == NULL)
        fail_without_memory(link);
}

static bool set_address(struct link *link, const char *host, uint16_t port)
{
    char *copy = strdup(host);
    if (copy == NULL)
        return false;
    free(link->host);
    link->host = copy;
    link->port = port;
    return true;
}

static void on_found(void *context, const char *host, uint16_t port)
{
    struct link *link = context;
    if (set_address(link, host, port))
        open_session(link);
    else
        fail_without_memory(link);
}

static void on_not_found(void *context, const struct fault *fault)
{
    end_try(context, fault);
}

/* From a timer or another callback, as what fails at once is told at once. */
static void try_now(struct link *link)
{
    if (link->is_stopped)
        return;
    if (link->locator == NULL)
        open_session(link);
    else if (!locator_ask(link->locator))
        fail_without_memory(link);
}

static void on_timer(void *context)
{
    try_now(context);
}

static bool create_locator(struct link *link)
{
    const struct redis_tier_options *tier = link->options.tier;
    const struct locator_options options = {
        .connection = connection_options(link),
        .sentinels = tier->endpoints,
        .sentinel_count = tier->endpoint_count,
        .master = tier->master,
        .context = link,
        .found = on_found,
        .failed = on_not_found,
    };
    link->locator = locator_create(&options);
    return link->locator != NULL;
}

struct link *link_create(const struct link_options *options)
{
    struct link *link = calloc(1, sizeof *link);
    if (link == NULL)
        return NULL;
    const struct redis_tier_options *tier = options->tier;
    link->options = *options;
    link->state = LINK_SEEKING;
    link->is_idle = true;
    link->timer = loop_timer_create(tier->scheduler, on_timer, link);
    bool is_complete = link->timer != NULL;
    if (is_complete && tier->master != NULL)
        is_complete = create_locator(link);
    else if (is_complete && tier->unix_path == NULL)
        is_complete = set_address(link, tier->endpoints[0].host, tier->endpoints[0].port);
    if (!is_complete) {
        link_destroy(link);
        return NULL;
    }
    return link;
}

void link_destroy(struct link *link)
{
    if (link == NULL)
        return;
    link_stop(link);
    loop_timer_destroy(scheduler_of(link), link->timer);
    locator_destroy(link->locator);
    free(link->host);
    free(link);
}

void link_start(struct link *link)
{
    if (!link->is_idle || link->is_stopped)
        return;
    link->is_idle = false;
    loop_timer_start(scheduler_of(link), link->timer, 0);
}

void link_stop(struct link *link)
{
    struct session *session = link->session;
    link->is_stopped = true;
    link->session = NULL;
    link->state = LINK_OUT;
    if (link->timer != NULL)
        loop_timer_stop(scheduler_of(link), link->timer);
    if (link->locator != NULL)
        locator_cancel(link->locator);
    session_close(session);
    tell_waiters(link, false);
}

enum link_state link_state(struct link *link)
{
    link_start(link);
    return link->state;
}

void link_wait(struct link *link, struct link_waiter *waiter)
{
    DL_APPEND2(link->waiters, waiter, previous, next);
}

void link_leave(struct link *link, struct link_waiter *waiter)
{
    DL_DELETE2(link->waiters, waiter, previous, next);
}

bool link_send(struct link *link, struct command *command)
{
    if (link->state != LINK_UP) {
        command_destroy(command);
        return false;
    }
    if (session_send(link->session, command))
        return true;
    link_count(link, FAULT_BUSY);
    return false;
}

void link_fail(struct link *link, const struct fault *fault)
{
    if (link->state == LINK_UP)
        end_try(link, fault);
}

struct session *link_open_messages(struct link *link, const struct session_options *options)
{
    if (link->state != LINK_UP)
        return NULL;
    struct session_options complete = *options;
    complete.connection = connection_options(link);
    complete.login = link->options.login;
    return session_open(&complete);
}

unsigned link_generation(const struct link *link)
{
    return link->generation;
}
