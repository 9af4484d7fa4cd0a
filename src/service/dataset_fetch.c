/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The work of a dataset's flight:
 *
 *     sharing --> fetching --> rendering -> stored
 *        '--------(found)---------^
 *     any failure -> peeking -> ended with the error, what is cached stays
 *
 * Sharing and peeking are the parts that other replicas have in it, if there are any: the tier may
 * have the dataset already, and when OpenCost fails, one that is to be served stale.
 *
 * Views that readers used of the old dataset are rendered from the new one before it takes the old
 * one's place, so that they never find a dataset without the view they are used to.
 */
#include "service_internal.h"

#include <stdlib.h>

#include "dataset_share.h"
#include "stale_peek.h"
#include "warm_dataset.h"

struct dataset_fetch {
    struct cost_service *service;
    struct dataset_order order;
    struct trace_context *trace; /* held; NULL: none */
    struct flight_work work;
    struct opencost_fetch *query; /* while fetching */
    struct dataset_share *share;  /* while sharing; while fetching if others wait for it too */
    int64_t begun_ms;
    struct loop_job job;
    struct warm_dataset warm; /* empty while fetching */
    struct dataset_result result;
    int64_t now_s;
    struct error error; /* while peeking */
};

void dataset_order_init(struct dataset_order *order, const struct window *window, bool include_idle,
                        int64_t ttl_ms)
{
    *order =
        (struct dataset_order){.window = *window, .include_idle = include_idle, .ttl_ms = ttl_ms};
    dataset_key_format(window->canonical, include_idle, order->key);
}

static void fetch_free(struct dataset_fetch *fetch)
{
    warm_dataset_finish(&fetch->warm);
    trace_context_release(fetch->trace);
    free(fetch);
}

/* Ends the flight with the dataset or the error, and this work with it. */
static void fetch_end(struct dataset_fetch *fetch, const struct error *error)
{
    struct cost_service *service = fetch->service;
    int64_t now_ms = scheduler_now_ms(service->options.scheduler);
    fetch->result.dataset = fetch->warm.dataset;
    flight_end(service->loop.datasets, fetch->order.key, error == NULL ? &fetch->result : NULL,
               error, now_ms);
    fetch_free(fetch);
}

static void peeked(void *context)
{
    struct dataset_fetch *fetch = context;
    fetch_end(fetch, &fetch->error);
}

static void fetch_fail(struct dataset_fetch *fetch, const struct error *error)
{
    struct cost_service *service = fetch->service;
    /* Of a circuit that is open the client has told when it opened. */
    if (error->code != ERR_SHUTDOWN && error->code != ERR_UPSTREAM_UNAVAILABLE)
        log_warning(service->options.log, LOG_EVENT("cost.fetch_failed"),
                    LOG_STR("window", fetch->order.window.canonical),
                    LOG_STR("error", error->text));
    fetch->error = *error;
    if (error->code == ERR_SHUTDOWN || !stale_peek_begin(service, &fetch->order, peeked, fetch))
        fetch_end(fetch, &fetch->error);
}

static void note_health(struct dataset_fetch *fetch, const struct error *error)
{
    struct origin_health *health = fetch->service->options.health;
    if (health != NULL && (error == NULL || error->code != ERR_SHUTDOWN))
        origin_health_note_fetch(health, error);
}

/* Job thread. */
static void render_warm_views(struct loop_job *job)
{
    struct dataset_fetch *fetch = CONTAINER_OF(job, struct dataset_fetch, job);
    warm_dataset_render(&fetch->warm, fetch->now_s, job);
}

static void store(struct dataset_fetch *fetch)
{
    struct cost_service *service = fetch->service;
    warm_dataset_store(&fetch->warm, service->options.cache, service->options.log);
    if (service->stored != NULL)
        service->stored(service->stored_context);
}

static void warm_views_rendered(struct loop_job *job, bool cancelled)
{
    struct dataset_fetch *fetch = CONTAINER_OF(job, struct dataset_fetch, job);
    if (!cancelled)
        store(fetch);
    fetch_end(fetch, NULL);
}

static void choose_warm_views(struct dataset_fetch *fetch)
{
    if (fetch->order.keep_warm)
        warm_dataset_add_plain_views(&fetch->warm);
    warm_dataset_add_used_views(&fetch->warm, fetch->service->options.cache);
}

/* An outage of the metrics behind OpenCost can look like a successful answer without a row. While
 * the cache has rows that are still fresh they are the better answer; once they have expired,
 * nothing is what OpenCost says. */
static bool cached_rows_are_better(struct dataset_fetch *fetch)
{
    size_t count = 0;
    (void)cost_set_namespaces(fetch->warm.dataset->set, &count);
    if (count > 0)
        return false;
    struct cache_hit hit;
    int64_t now_ms = scheduler_now_ms(fetch->service->options.scheduler);
    enum cache_state state =
        cache_peek(fetch->service->options.cache, fetch->order.key, now_ms, &hit);
    if (state == CACHE_FRESH)
        (void)cost_set_namespaces(dataset_from_shared(hit.value)->set, &count);
    if (count == 0) {
        shared_release(hit.value);
        return false;
    }
    dataset_release(fetch->warm.dataset);
    fetch->warm.dataset = dataset_from_shared(hit.value);
    return true;
}

static void render_and_store(struct dataset_fetch *fetch)
{
    struct cost_service *service = fetch->service;
    choose_warm_views(fetch);
    fetch->now_s = time_wall_s(service->options.time);
    if (fetch->warm.view_count > 0 && scheduler_job(service->options.scheduler, &fetch->job))
        return;
    store(fetch);
    fetch_end(fetch, NULL);
}

/* An answer that was not used is none to hand on: the others judge for themselves. Who waits here
 * comes before those who wait elsewhere, as their job is queued first. */
static void take_dataset(struct dataset_fetch *fetch, struct dataset *dataset)
{
    struct dataset_share *share = fetch->share;
    fetch->share = NULL;
    fetch->warm.dataset = dataset;
    fetch->result.fetched_ms = dataset->fetched_ms;
    if (cached_rows_are_better(fetch)) {
        dataset_share_give_up(share, NULL);
        log_warning(fetch->service->options.log, LOG_EVENT("opencost.empty_answer"),
                    LOG_STR("window", fetch->order.window.canonical));
        fetch_end(fetch, NULL);
        return;
    }
    int64_t took_ms = fetch->result.took_ms;
    (void)dataset_hold(dataset);
    render_and_store(fetch);
    dataset_share_publish(share, dataset, took_ms);
    dataset_release(dataset);
}

/* The others need not wait for what else becomes of the failure here. */
static void origin_failed(struct dataset_fetch *fetch, const struct error *error)
{
    dataset_share_give_up(fetch->share, error);
    fetch->share = NULL;
    fetch_fail(fetch, error);
}

static void fetched(void *context, struct cost_set *set, const struct error *error)
{
    struct dataset_fetch *fetch = context;
    fetch->query = NULL;
    note_health(fetch, error);
    if (error != NULL) {
        origin_failed(fetch, error);
        return;
    }
    int64_t now_ms = scheduler_now_ms(fetch->service->options.scheduler);
    struct dataset *dataset =
        dataset_create(set, &fetch->order.window, now_ms, fetch->order.ttl_ms);
    if (dataset == NULL) {
        struct error no_memory;
        (void)error_no_memory(&no_memory);
        origin_failed(fetch, &no_memory);
        return;
    }
    fetch->result.source = DATASET_FETCHED;
    fetch->result.took_ms = now_ms - fetch->begun_ms;
    take_dataset(fetch, dataset);
}

static void ask_origin(struct dataset_fetch *fetch)
{
    struct cost_service *service = fetch->service;
    struct error error;
    const struct opencost_query query = {
        .window = fetch->order.window.canonical,
        .include_idle = fetch->order.include_idle,
        .is_urgent = fetch->order.keep_warm,
        .is_in_background = fetch->order.is_in_background,
        .trace = fetch->trace,
    };
    fetch->begun_ms = scheduler_now_ms(service->options.scheduler);
    fetch->query = opencost_client_fetch(service->options.client, &query, fetched, fetch, &error);
    if (fetch->query == NULL)
        origin_failed(fetch, &error);
}

static void take_found(struct dataset_fetch *fetch, struct dataset *dataset, int64_t took_ms)
{
    struct origin_health *health = fetch->service->options.health;
    fetch->result.source = dataset->fetched_ms > fetch->begun_ms ? DATASET_AWAITED : DATASET_SHARED;
    fetch->result.took_ms = took_ms;
    if (health != NULL)
        origin_health_note_fetch_elsewhere(health, dataset->fetched_ms);
    take_dataset(fetch, dataset);
}

static void shared(void *context, const struct share_outcome *outcome)
{
    struct dataset_fetch *fetch = context;
    fetch->share = outcome->share;
    switch (outcome->kind) {
    case SHARE_FOUND:
        take_found(fetch, outcome->dataset, outcome->took_ms);
        break;
    case SHARE_FAILED:
        note_health(fetch, outcome->error);
        fetch_fail(fetch, outcome->error);
        break;
    default:
        ask_origin(fetch);
        break;
    }
}

/* What has begun goes on, and is kept. While another replica fetches, so does it: the next to ask
 * finds what comes of it. */
static void unwanted(struct flight_work *work)
{
    struct dataset_fetch *fetch = CONTAINER_OF(work, struct dataset_fetch, work);
    bool withdrawn = fetch->query != NULL ? opencost_fetch_withdraw(fetch->query)
                                          : dataset_share_is_claiming(fetch->share);
    if (!withdrawn)
        return;
    dataset_share_give_up(fetch->share, NULL);
    flight_drop(fetch->service->loop.datasets, fetch->order.key);
    fetch_free(fetch);
}

bool dataset_fetch_has_begun(const struct flight_work *work)
{
    if (work == NULL) /* over */
        return true;
    const struct dataset_fetch *fetch = CONTAINER_OF(work, struct dataset_fetch, work);
    return fetch->query != NULL ? opencost_fetch_has_begun(fetch->query)
                                : !dataset_share_is_claiming(fetch->share);
}

void dataset_fetch_keep_warm(struct flight_work *work)
{
    struct dataset_fetch *fetch = CONTAINER_OF(work, struct dataset_fetch, work);
    fetch->order.keep_warm = true;
    if (fetch->query != NULL)
        opencost_fetch_hurry(fetch->query);
}

void dataset_fetch_leave_background(struct flight_work *work)
{
    if (work == NULL)
        return;
    struct dataset_fetch *fetch = CONTAINER_OF(work, struct dataset_fetch, work);
    fetch->order.is_in_background = false;
    if (fetch->query != NULL)
        opencost_fetch_leave_background(fetch->query);
}

void dataset_fetch_start(struct cost_service *service, const struct dataset_order *order,
                         struct trace_context *trace)
{
    struct error error;
    int64_t now_ms = scheduler_now_ms(service->options.scheduler);
    struct dataset_fetch *fetch = calloc(1, sizeof(*fetch));
    if (fetch == NULL) {
        (void)error_no_memory(&error);
        flight_end(service->loop.datasets, order->key, NULL, &error, now_ms);
        return;
    }
    fetch->service = service;
    fetch->order = *order;
    fetch->trace = trace_context_hold(trace);
    fetch->begun_ms = now_ms;
    fetch->job = (struct loop_job){.work = render_warm_views, .done = warm_views_rendered};
    fetch->work.unwanted = unwanted;
    flight_set_work(service->loop.datasets, order->key, &fetch->work);
    fetch->share = dataset_share_begin(service, order, shared, fetch);
    if (fetch->share == NULL)
        ask_origin(fetch);
}
