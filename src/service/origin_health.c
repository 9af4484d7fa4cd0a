/* SPDX-License-Identifier: Apache-2.0 */
#include "service/origin_health.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <utlist.h>

/* What is known from one kind of evidence. */
enum evidence { EVIDENCE_NONE, EVIDENCE_GOOD, EVIDENCE_BAD };

struct origin_health {
    struct origin_health_options options;
    atomic_int state;         /* enum origin_state, for any thread */
    struct metric *up_metric; /* NULL without metrics */

    struct {
        struct loop_timer *check_timer;
        struct loop_timer *wait_timer;
        struct origin_health_waiter *waiters;
        enum evidence last_check;
        enum evidence last_fetch;
        int64_t last_fetch_ms;
        bool unreachable_since_fetch; /* nothing answered a check made after the last fetch */
        bool checking, stopping;
    } loop; /* only the loop thread, once it runs */
};

static void check_now(void *context);
static void waiters_overdue(void *context);

struct origin_health *origin_health_create(const struct origin_health_options *options)
{
    struct origin_health *health = calloc(1, sizeof(*health));
    if (health == NULL)
        return NULL;
    health->options = *options;
    atomic_init(&health->state, ORIGIN_UNKNOWN);
    health->loop.check_timer = loop_timer_create(options->scheduler, check_now, health);
    health->loop.wait_timer = loop_timer_create(options->scheduler, waiters_overdue, health);
    if (health->loop.check_timer == NULL || health->loop.wait_timer == NULL) {
        origin_health_destroy(health);
        return NULL;
    }
    if (options->metrics != NULL)
        health->up_metric = metrics_gauge(options->metrics, "kubecent_opencost_up",
                                          "1 while OpenCost is known to answer.", NULL);
    return health;
}

void origin_health_destroy(struct origin_health *health)
{
    if (health == NULL)
        return;
    loop_timer_destroy(health->options.scheduler, health->loop.check_timer);
    loop_timer_destroy(health->options.scheduler, health->loop.wait_timer);
    free(health);
}

void origin_health_on_recovery(struct origin_health *health, void (*recovered)(void *context),
                               void *context)
{
    health->options.recovered = recovered;
    health->options.context = context;
}

enum origin_state origin_health_state(const struct origin_health *health)
{
    return (enum origin_state)atomic_load_explicit(&health->state, memory_order_relaxed);
}

static void release_waiters(struct origin_health *health)
{
    while (health->loop.waiters != NULL) {
        struct origin_health_waiter *waiter = health->loop.waiters;
        DL_DELETE2(health->loop.waiters, waiter, previous, next);
        waiter->done(waiter);
    }
}

/* The rule of the header's first comment. */
static enum origin_state judge(const struct origin_health *health)
{
    switch (health->loop.last_fetch) {
    case EVIDENCE_BAD:
        return ORIGIN_DISCONNECTED;
    case EVIDENCE_GOOD:
        return health->loop.unreachable_since_fetch ? ORIGIN_DISCONNECTED : ORIGIN_CONNECTED;
    default:
        break;
    }
    if (health->loop.last_check == EVIDENCE_NONE)
        return ORIGIN_UNKNOWN;
    return health->loop.last_check == EVIDENCE_GOOD ? ORIGIN_CONNECTED : ORIGIN_DISCONNECTED;
}

static void update(struct origin_health *health)
{
    enum origin_state before = origin_health_state(health);
    enum origin_state now = judge(health);
    if (now == ORIGIN_UNKNOWN)
        return;
    atomic_store_explicit(&health->state, (int)now, memory_order_relaxed);
    metric_set(health->up_metric, now == ORIGIN_CONNECTED);
    if (now == ORIGIN_CONNECTED && before != now)
        log_info(health->options.log, LOG_EVENT("opencost.ready"));
    if (now == ORIGIN_DISCONNECTED && before != now)
        log_warning(health->options.log, LOG_EVENT("opencost.unhealthy"));
    release_waiters(health);
}

void origin_health_note_fetch(struct origin_health *health, const struct error *error)
{
    if (error != NULL && error->code == ERR_UPSTREAM_REJECTED)
        return; /* it answered, and did not like the query: no evidence about its health */
    health->loop.last_fetch = error == NULL ? EVIDENCE_GOOD : EVIDENCE_BAD;
    health->loop.last_fetch_ms = scheduler_now_ms(health->options.scheduler);
    health->loop.unreachable_since_fetch = false;
    update(health);
}

void origin_health_note_fetch_elsewhere(struct origin_health *health, int64_t fetched_ms)
{
    if (health->loop.last_fetch == EVIDENCE_BAD && fetched_ms > health->loop.last_fetch_ms)
        origin_health_note_fetch(health, NULL);
}

static bool answered_somehow(const struct error *error)
{
    return error == NULL || error->code == ERR_UPSTREAM_STATUS ||
           error->code == ERR_UPSTREAM_REFUSED || error->code == ERR_UPSTREAM_REJECTED;
}

static void log_check(struct origin_health *health, const struct error *error)
{
    struct log *log = health->options.log;
    if (error == NULL)
        log_debug(log, LOG_EVENT("opencost.health_check"), LOG_BOOL("healthy", true));
    else if (health->loop.last_check == EVIDENCE_NONE)
        log_warning(log, LOG_EVENT("opencost.initialization_failed"),
                    LOG_STR("error", error->text));
    else if (health->loop.last_check == EVIDENCE_GOOD)
        log_warning(log, LOG_EVENT("opencost.health_check_failed"), LOG_STR("error", error->text));
    else /* said once when it began; an outage is not news every ten seconds */
        log_debug(log, LOG_EVENT("opencost.health_check_failed"), LOG_STR("error", error->text));
}

static void checked(void *context, const struct error *error)
{
    struct origin_health *health = context;
    health->loop.checking = false;
    if (health->loop.stopping || (error != NULL && error->code == ERR_SHUTDOWN))
        return;
    log_check(health, error);
    bool is_back = error == NULL && health->loop.last_check == EVIDENCE_BAD;
    health->loop.last_check = error == NULL ? EVIDENCE_GOOD : EVIDENCE_BAD;
    health->loop.unreachable_since_fetch = !answered_somehow(error);
    update(health);
    loop_timer_start(health->options.scheduler, health->loop.check_timer,
                     health->options.interval_ms);
    if (is_back)
        opencost_client_origin_seen(health->options.client);
    if (is_back && health->options.recovered != NULL)
        health->options.recovered(health->options.context);
}

static void check_now(void *context)
{
    struct origin_health *health = context;
    if (health->loop.checking || health->loop.stopping)
        return;
    struct error error;
    health->loop.checking = true;
    if (!opencost_client_check(health->options.client, health->options.check_timeout_ms, checked,
                               health, &error))
        checked(health, &error);
}

void origin_health_start(struct origin_health *health)
{
    check_now(health);
}

void origin_health_stop(struct origin_health *health)
{
    health->loop.stopping = true;
    loop_timer_stop(health->options.scheduler, health->loop.check_timer);
    loop_timer_stop(health->options.scheduler, health->loop.wait_timer);
    release_waiters(health);
}

/* Waiters may have different limits, but there are few and none waits longer than a second or so:
 * look at all. */
static void waiters_overdue(void *context)
{
    struct origin_health *health = context;
    int64_t now_ms = scheduler_now_ms(health->options.scheduler);
    int64_t next_ms = INT64_MAX;
    struct origin_health_waiter *waiter = NULL;
    struct origin_health_waiter *after = NULL;
    DL_FOREACH_SAFE2(health->loop.waiters, waiter, after, next)
    {
        if (waiter->deadline_ms <= now_ms) {
            DL_DELETE2(health->loop.waiters, waiter, previous, next);
            waiter->done(waiter);
        } else if (waiter->deadline_ms < next_ms) {
            next_ms = waiter->deadline_ms;
        }
    }
    if (next_ms != INT64_MAX)
        loop_timer_start(health->options.scheduler, health->loop.wait_timer, next_ms - now_ms);
}

static void waiter_arrived(struct loop_task *task)
{
    struct origin_health_waiter *waiter = CONTAINER_OF(task, struct origin_health_waiter, task);
    struct origin_health *health = waiter->health;
    if (health->loop.stopping || origin_health_state(health) != ORIGIN_UNKNOWN) {
        waiter->done(waiter);
        return;
    }
    waiter->deadline_ms = scheduler_now_ms(health->options.scheduler) + waiter->limit_ms;
    DL_APPEND2(health->loop.waiters, waiter, previous, next);
    waiters_overdue(health);
}

bool origin_health_wait(struct origin_health *health, struct origin_health_waiter *waiter,
                        int64_t limit_ms)
{
    waiter->health = health;
    waiter->limit_ms = limit_ms;
    waiter->task = (struct loop_task){.run = waiter_arrived};
    return scheduler_post(health->options.scheduler, &waiter->task);
}
