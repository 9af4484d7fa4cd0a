/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One struct a window, each with a timer of its own:
 *
 *     due -> fetching -> waiting -> due ...
 *
 * It waits for the interval after a success; after a failure for a retry that backs off while the
 * cache has nothing fresh; longer if fetching took long, but not beyond the data's lifetime if that
 * can be helped.
 */
#include "service/refresher.h"

#include <stdatomic.h>
#include <stdlib.h>

enum {
    FIRST_RETRY_MS = 10 * 1000,
    /* Resting this many times what a refresh took keeps OpenCost busy for a fifth of the time. */
    REST_FACTOR = 4,
    BUSY_PART = 2, /* all refreshes together may take one part in so many of the time */
    /* Readiness waits for the warm-up, but not for an OpenCost that hangs: its outage must not make
     * us unready. */
    WARM_UP_GRACE_MS = 10 * 1000,
};

struct refresh {
    struct refresher *refresher;
    struct window window;
    struct loop_timer *timer;
    int64_t retry_ms;    /* the next wait after a failure */
    int64_t begun_ms;    /* the refresh under way, or the last one */
    int64_t expected_ms; /* what one takes, waiting for its turn included */
    bool knows;          /* when the last dataset was fetched: */
    int64_t known_ms;
    bool fetching;
    bool attempted;
    struct metric *last_success;
};

struct refresher {
    struct refresher_options options;
    struct loop_timer *cleanup_timer;
    struct loop_timer *grace_timer;
    atomic_size_t not_attempted; /* windows whose first refresh has not ended */
    atomic_bool grace_over;
    bool stopping;
    size_t window_count;
    struct refresh windows[];
};

static void refresh_due(void *context);
static void cleanup_due(void *context);
static void grace_over(void *context);

static bool refresh_init(struct refresher *refresher, struct refresh *refresh,
                         const struct window *window)
{
    refresh->refresher = refresher;
    refresh->window = *window;
    refresh->retry_ms = FIRST_RETRY_MS;
    refresh->timer = loop_timer_create(refresher->options.scheduler, refresh_due, refresh);
    if (refresher->options.metrics != NULL) {
        const struct metric_label labels[] = {{"dataset", refresh->window.canonical}, {NULL, NULL}};
        refresh->last_success = metrics_gauge(
            refresher->options.metrics, "kubecent_refresh_last_success_timestamp_seconds",
            "When the window was last refreshed, in Unix seconds; 0: never.", labels);
    }
    return refresh->timer != NULL;
}

struct refresher *refresher_create(const struct refresher_options *options)
{
    struct refresher *refresher =
        calloc(1, sizeof(*refresher) + options->window_count * sizeof(refresher->windows[0]));
    if (refresher == NULL)
        return NULL;
    refresher->options = *options;
    refresher->window_count = options->window_count;
    atomic_init(&refresher->not_attempted, options->window_count);
    refresher->cleanup_timer = loop_timer_create(options->scheduler, cleanup_due, refresher);
    refresher->grace_timer = loop_timer_create(options->scheduler, grace_over, refresher);
    bool complete = refresher->cleanup_timer != NULL && refresher->grace_timer != NULL;
    for (size_t i = 0; complete && i < options->window_count; i++)
        complete = refresh_init(refresher, &refresher->windows[i], &options->windows[i]);
    if (!complete) {
        refresher_destroy(refresher);
        return NULL;
    }
    return refresher;
}

void refresher_destroy(struct refresher *refresher)
{
    if (refresher == NULL)
        return;
    for (size_t i = 0; i < refresher->window_count; i++)
        loop_timer_destroy(refresher->options.scheduler, refresher->windows[i].timer);
    loop_timer_destroy(refresher->options.scheduler, refresher->cleanup_timer);
    loop_timer_destroy(refresher->options.scheduler, refresher->grace_timer);
    free(refresher);
}

bool refresher_is_warmed_up(const struct refresher *refresher)
{
    return atomic_load_explicit(&refresher->not_attempted, memory_order_relaxed) == 0 ||
           atomic_load_explicit(&refresher->grace_over, memory_order_relaxed);
}

/* The wait before the next try of a window whose refresh failed: doubled each time that OpenCost
 * was asked, never beyond the interval. */
static int64_t wait_after_failure(struct refresh *refresh, const struct error *error)
{
    int64_t interval_ms = refresh->refresher->options.interval_ms;
    if (error->code == ERR_UPSTREAM_UNAVAILABLE)
        return FIRST_RETRY_MS < interval_ms ? FIRST_RETRY_MS : interval_ms;
    int64_t wait_ms = refresh->retry_ms < interval_ms ? refresh->retry_ms : interval_ms;
    refresh->retry_ms = 2 * wait_ms;
    return wait_ms;
}

static int64_t longer(int64_t a_ms, int64_t b_ms)
{
    return a_ms > b_ms ? a_ms : b_ms;
}

/* One that was quick does not promise that the next is: what is expected falls by a quarter at
 * most. */
static void note_duration(struct refresh *refresh, int64_t took_ms)
{
    refresh->expected_ms = longer(took_ms, refresh->expected_ms - refresh->expected_ms / 4);
}

/* With this wait between the refreshes of each window, all together keep OpenCost busy for one part
 * in BUSY_PART of the time. */
static int64_t least_wait(const struct refresh *refresh)
{
    const struct refresher *refresher = refresh->refresher;
    int64_t all_ms = 0;
    for (size_t i = 0; i < refresher->window_count; i++)
        all_ms += refresher->windows[i].expected_ms;
    return BUSY_PART * all_ms - refresh->expected_ms;
}

/* The wait after which the next refresh, if it takes a quarter longer than is expected, ends as the
 * data expire. */
static int64_t wait_within_lifetime(const struct refresh *refresh)
{
    return refresh->refresher->options.ttl_ms - refresh->expected_ms - refresh->expected_ms / 4;
}

/* The interval, and long enough for OpenCost to rest; but begun in time, if it can answer that
 * often. It is counted from when the data were fetched, whoever did: so all replicas that have them
 * are due together, and one fetches for all. */
static int64_t wait_after_success(const struct refresh *refresh, int64_t age_ms)
{
    int64_t restful_ms =
        longer(refresh->refresher->options.interval_ms, REST_FACTOR * refresh->expected_ms);
    int64_t latest_ms = longer(wait_within_lifetime(refresh), least_wait(refresh));
    return longer((restful_ms < latest_ms ? restful_ms : latest_ms) - age_ms, 0);
}

/* Of a circuit that is open the client has told when it opened. */
static void log_failure(const struct refresh *refresh, const struct error *error)
{
    struct log *log = refresh->refresher->options.log;
    if (error->code == ERR_UPSTREAM_UNAVAILABLE)
        log_debug(log, LOG_EVENT("background.refresh_failed"), LOG_STR("error", error->text),
                  LOG_STR("task", "cache_refresh"), LOG_STR("window", refresh->window.canonical));
    else
        log_error(log, LOG_EVENT("background.refresh_failed"), LOG_STR("error", error->text),
                  LOG_STR("task", "cache_refresh"), LOG_STR("window", refresh->window.canonical));
}

static void note_attempt(struct refresh *refresh)
{
    if (refresh->attempted)
        return;
    refresh->attempted = true;
    atomic_fetch_sub_explicit(&refresh->refresher->not_attempted, 1, memory_order_relaxed);
}

static void note_success(struct refresh *refresh, const struct cost_refreshed *refreshed,
                         int64_t age_ms)
{
    const struct refresher_options *options = &refresh->refresher->options;
    note_duration(refresh, refreshed->took_ms);
    refresh->retry_ms = FIRST_RETRY_MS;
    refresh->knows = true;
    refresh->known_ms = refreshed->fetched_ms;
    metric_set(refresh->last_success, time_wall_s(options->time) - age_ms / 1000);
    log_info(options->log, LOG_EVENT("background.cache_refresh"),
             LOG_STR("window", refresh->window.canonical),
             LOG_INT("item_count", refreshed->pod_rows));
}

static void refreshed(void *context, const struct error *error,
                      const struct cost_refreshed *refreshed)
{
    struct refresh *refresh = context;
    struct refresher *refresher = refresh->refresher;
    int64_t wait_ms = 0;
    refresh->fetching = false;
    note_attempt(refresh);
    if (refresher->stopping || (error != NULL && error->code == ERR_SHUTDOWN))
        return;
    int64_t now_ms = scheduler_now_ms(refresher->options.scheduler);
    if (error == NULL) {
        note_success(refresh, refreshed, now_ms - refreshed->fetched_ms);
        wait_ms = wait_after_success(refresh, now_ms - refreshed->fetched_ms);
    } else {
        log_failure(refresh, error);
        wait_ms =
            longer(wait_after_failure(refresh, error), REST_FACTOR * (now_ms - refresh->begun_ms));
    }
    loop_timer_start(refresher->options.scheduler, refresh->timer, wait_ms);
}

static void refresh_due(void *context)
{
    struct refresh *refresh = context;
    if (refresh->fetching || refresh->refresher->stopping)
        return;
    refresh->fetching = true;
    refresh->begun_ms = scheduler_now_ms(refresh->refresher->options.scheduler);
    loop_timer_stop(refresh->refresher->options.scheduler, refresh->timer);
    const struct cost_refresh_order order = {
        .window = &refresh->window, .knows = refresh->knows, .known_ms = refresh->known_ms};
    cost_service_refresh(refresh->refresher->options.service, &order, refreshed, refresh);
}

/* What the cache has from an earlier process goes on as if this one had fetched it. */
static void refresh_begin(struct refresh *refresh)
{
    const struct refresher_options *options = &refresh->refresher->options;
    int64_t age_ms;
    if (!cost_service_fresh_age_ms(options->service, &refresh->window, &age_ms) ||
        age_ms >= options->interval_ms) {
        refresh_due(refresh);
        return;
    }
    note_attempt(refresh);
    metric_set(refresh->last_success, time_wall_s(options->time) - age_ms / 1000);
    loop_timer_start(options->scheduler, refresh->timer, options->interval_ms - age_ms);
}

static void grace_over(void *context)
{
    struct refresher *refresher = context;
    atomic_store_explicit(&refresher->grace_over, true, memory_order_relaxed);
}

static void cleanup_due(void *context)
{
    struct refresher *refresher = context;
    size_t removed = cost_service_cleanup(refresher->options.service);
    log_info(refresher->options.log, LOG_EVENT("cache.cleanup"), LOG_INT("removed_count", removed));
    if (removed > 0)
        log_debug(refresher->options.log, LOG_EVENT("background.cache_cleanup"),
                  LOG_INT("removed_count", removed));
    loop_timer_start(refresher->options.scheduler, refresher->cleanup_timer,
                     refresher->options.cleanup_interval_ms);
}

void refresher_start(struct refresher *refresher)
{
    const struct refresher_options *options = &refresher->options;
    log_info(options->log, LOG_EVENT("background.tasks_starting"));
    loop_timer_start(options->scheduler, refresher->cleanup_timer, options->cleanup_interval_ms);
    loop_timer_start(options->scheduler, refresher->grace_timer, WARM_UP_GRACE_MS);
    for (size_t i = 0; i < refresher->window_count; i++)
        refresh_begin(&refresher->windows[i]);
    log_info(options->log, LOG_EVENT("background.tasks_started"));
}

void refresher_stop(struct refresher *refresher)
{
    static const char *const tasks[] = {"cache_refresh", "cache_cleanup"};
    refresher->stopping = true;
    for (size_t i = 0; i < ARRAY_LENGTH(tasks); i++)
        log_info(refresher->options.log, LOG_EVENT("background.task_cancelled"),
                 LOG_STR("task", tasks[i]));
    loop_timer_stop(refresher->options.scheduler, refresher->cleanup_timer);
    loop_timer_stop(refresher->options.scheduler, refresher->grace_timer);
    for (size_t i = 0; i < refresher->window_count; i++)
        loop_timer_stop(refresher->options.scheduler, refresher->windows[i].timer);
}

void refresher_origin_recovered(struct refresher *refresher)
{
    for (size_t i = 0; i < refresher->window_count; i++) {
        struct refresh *refresh = &refresher->windows[i];
        if (!cost_service_has_fresh(refresher->options.service, &refresh->window))
            refresh_due(refresh);
    }
}
