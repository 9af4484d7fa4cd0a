/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Is OpenCost there? Known from a background check of its /healthz and from the outcome of the last
 * allocation call.
 *
 * OpenCost's /healthz says 200 as soon as it listens and knows nothing of Prometheus, so the last
 * allocation call counts for more:
 *   - the last allocation call failed: disconnected, until one succeeds;
 *   - it succeeded: connected, unless a check made since then found nothing that answers (a check
 * answered with any HTTP status is no such finding: proxies often do not route /healthz);
 *   - there was none yet: what the last check said.
 *
 * Logs opencost.ready (once), opencost.unhealthy, opencost.health_check,
 * opencost.health_check_failed, opencost.initialization_failed.
 *
 * Threads: origin_health_state() and origin_health_wait() any; the rest the loop thread, except
 * create and destroy.
 */
#ifndef SERVICE_ORIGIN_HEALTH_H
#define SERVICE_ORIGIN_HEALTH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attrs.h"
#include "base/error.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/scheduler.h"
#include "opencost/client.h"

struct origin_health;

struct origin_health_options {
    int64_t interval_ms;      /* between checks */
    int64_t check_timeout_ms; /* of one check */
    struct opencost_client *client;
    const struct scheduler *scheduler;
    struct log *log;
    struct metrics *metrics; /* may be NULL */

    /* Loop thread: a check found OpenCost answering where the one before had not: a good moment to
     * fetch again. May be NULL. */
    void (*recovered)(void *context);
    void *context;
};

struct origin_health *origin_health_create(const struct origin_health_options *options) NODISCARD;
void origin_health_destroy(struct origin_health *health);

/* Sets who is told of recoveries, where that is known only after create. Before start. */
void origin_health_on_recovery(struct origin_health *health, void (*recovered)(void *context),
                               void *context);

/* First check now, then every interval. */
void origin_health_start(struct origin_health *health);

/* No more checks; releases all who wait. */
void origin_health_stop(struct origin_health *health);

/* The outcome of an allocation call; `error` NULL when it succeeded. */
void origin_health_note_fetch(struct origin_health *health, const struct error *error);

/* Another replica's call succeeded at that time: it outlives a failure of ours from before. Else it
 * is no news, as ours are not all there are. */
void origin_health_note_fetch_elsewhere(struct origin_health *health, int64_t fetched_ms);

enum origin_state { ORIGIN_UNKNOWN, ORIGIN_CONNECTED, ORIGIN_DISCONNECTED };

/* Any thread, never waits. ORIGIN_UNKNOWN until the first check or allocation call has ended. */
enum origin_state origin_health_state(const struct origin_health *health) NODISCARD;

/* Waits for the first verdict, at most `limit_ms`. Embed it in what waits. */
struct origin_health_waiter {
    void (*done)(struct origin_health_waiter *waiter); /* loop thread, exactly once */

    struct origin_health *health;
    struct loop_task task;
    struct origin_health_waiter *next, *previous;
    int64_t limit_ms;
    int64_t deadline_ms;
};

/* Any thread. False when the loop has stopped; `done` then never runs. */
bool origin_health_wait(struct origin_health *health, struct origin_health_waiter *waiter,
                        int64_t limit_ms) NODISCARD;

#endif
