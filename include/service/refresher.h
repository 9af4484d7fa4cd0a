/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keeps the cache warm: fetches chosen windows at start and again before they expire, and cleans
 * up.
 *
 * A failed refresh keeps what is there and is tried again sooner: after 10 s, 20 s, 40 s ... up to
 * the interval, and at once for what is not fresh when OpenCost is seen to be back. One that was
 * refused because the circuit toward OpenCost is open cost nobody anything: it is tried again after
 * 10 s, as the probe that may close it, and lengthens no wait.
 *
 * OpenCost is never asked more often than it can answer: the wait after a refresh is at least four
 * times what one takes, however short the interval, so that each window keeps OpenCost busy for a
 * fifth of the time at most. A window that takes longer than a fifth of its lifetime would be found
 * expired after such a rest. Its next refresh therefore begins sooner, in time to end before that,
 * even if it takes a quarter longer than the last; but never so soon that all windows together
 * would keep OpenCost busy for more than half of the time. Where that is not enough, readers find
 * gaps. After a failure the rest is four times what it took, whatever expires meanwhile.
 *
 * Logs background.tasks_starting, background.tasks_started, background.cache_refresh,
 * background.refresh_failed, background.cache_cleanup, background.task_cancelled, cache.cleanup.
 *
 * Threads: the loop thread, except create, destroy and refresher_is_warmed_up() (any).
 */
#ifndef SERVICE_REFRESHER_H
#define SERVICE_REFRESHER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attrs.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/scheduler.h"
#include "base/time_source.h"
#include "cost/window.h"
#include "service/cost_service.h"

struct refresher;

struct refresher_options {
    const struct window *windows; /* copied */
    size_t window_count;
    int64_t interval_ms;
    int64_t ttl_ms; /* how long what is fetched lives */
    int64_t cleanup_interval_ms;
    struct cost_service *service; /* borrowed, as all below */
    const struct scheduler *scheduler;
    const struct time_source *time;
    struct log *log;
    struct metrics *metrics; /* may be NULL */
};

struct refresher *refresher_create(const struct refresher_options *options) NODISCARD;

/* Accepts NULL. */
void refresher_destroy(struct refresher *refresher);

/* Starts the warm-up and the timers. A window that the cache has fresh is due when its age reaches
 * the interval. */
void refresher_start(struct refresher *refresher);

/* Stops the timers. Refreshes under way end with the service. */
void refresher_stop(struct refresher *refresher);

/* OpenCost answers again: fetch at once what is not fresh. */
void refresher_origin_recovered(struct refresher *refresher);

/* True once every window was tried, well or badly, or ten seconds after the start. */
bool refresher_is_warmed_up(const struct refresher *refresher) NODISCARD;

#endif
