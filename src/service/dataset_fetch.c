/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The work of a dataset's flight:
 *
 *     fetching -> rendering -> stored     (or ended with an error, what is cached stays)
 *
 * Views that readers used of the old dataset are rendered from the new one before it takes the old
 * one's place, so that they never find a dataset without the view they are used to.
 */
#include "service_internal.h"

#include <stdlib.h>

#include "warm_dataset.h"

struct dataset_fetch {
    struct cost_service *service;
    struct dataset_order order;
    struct flight_work work;
    struct opencost_fetch *query; /* while fetching */
    struct loop_job job;
    struct warm_dataset warm; /* empty while fetching */
    int64_t now_s;
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
    free(fetch);
}

/* Ends the flight with the dataset or the error, and this work with it. */
static void fetch_end(struct dataset_fetch *fetch, const struct error *error)
{
    struct cost_service *service = fetch->service;
    /* Of a circuit that is open the client has told when it opened. */
    if (error != NULL && error->code != ERR_SHUTDOWN && error->code != ERR_UPSTREAM_UNAVAILABLE)
        log_warning(service->options.log, LOG_EVENT("cost.fetch_failed"),
                    LOG_STR("window", fetch->order.window.canonical),
                    LOG_STR("error", error->text));
    int64_t now_ms = scheduler_now_ms(service->options.scheduler);
    flight_end(service->loop.datasets, fetch->order.key, error == NULL ? fetch->warm.dataset : NULL,
               error, now_ms);
    fetch_free(fetch);
}

static void fetch_end_no_memory(struct dataset_fetch *fetch)
{
    struct error error;
    (void)error_no_memory(&error);
    fetch_end(fetch, &error);
}

/* Job thread. */
static void render_warm_views(struct loop_job *job)
{
    struct dataset_fetch *fetch = CONTAINER_OF(job, struct dataset_fetch, job);
    warm_dataset_render(&fetch->warm, fetch->now_s);
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

static void fetched(void *context, struct cost_set *set, const struct error *error)
{
    struct dataset_fetch *fetch = context;
    struct cost_service *service = fetch->service;
    fetch->query = NULL;
    if (service->options.health != NULL && (error == NULL || error->code != ERR_SHUTDOWN))
        origin_health_note_fetch(service->options.health, error);
    if (error != NULL) {
        fetch_end(fetch, error);
        return;
    }
    int64_t now_ms = scheduler_now_ms(service->options.scheduler);
    fetch->warm.dataset = dataset_create(set, &fetch->order.window, now_ms, fetch->order.ttl_ms);
    if (fetch->warm.dataset == NULL) {
        fetch_end_no_memory(fetch);
        return;
    }
    if (cached_rows_are_better(fetch)) {
        log_warning(service->options.log, LOG_EVENT("opencost.empty_answer"),
                    LOG_STR("window", fetch->order.window.canonical));
        fetch_end(fetch, NULL);
        return;
    }
    choose_warm_views(fetch);
    fetch->now_s = time_wall_s(service->options.time);
    if (fetch->warm.view_count > 0 && scheduler_job(service->options.scheduler, &fetch->job))
        return;
    store(fetch);
    fetch_end(fetch, NULL);
}

/* What has begun goes on, and is kept. */
static void unwanted(struct flight_work *work)
{
    struct dataset_fetch *fetch = CONTAINER_OF(work, struct dataset_fetch, work);
    if (fetch->query == NULL || !opencost_fetch_withdraw(fetch->query))
        return;
    flight_drop(fetch->service->loop.datasets, fetch->order.key);
    fetch_free(fetch);
}

bool dataset_fetch_has_begun(const struct flight_work *work)
{
    if (work == NULL) /* over */
        return true;
    const struct dataset_fetch *fetch = CONTAINER_OF(work, struct dataset_fetch, work);
    return fetch->query == NULL || opencost_fetch_has_begun(fetch->query);
}

void dataset_fetch_keep_warm(struct flight_work *work)
{
    struct dataset_fetch *fetch = CONTAINER_OF(work, struct dataset_fetch, work);
    fetch->order.keep_warm = true;
    if (fetch->query != NULL)
        opencost_fetch_hurry(fetch->query);
}

void dataset_fetch_start(struct cost_service *service, const struct dataset_order *order)
{
    struct error error;
    struct dataset_fetch *fetch = calloc(1, sizeof(*fetch));
    if (fetch == NULL) {
        (void)error_no_memory(&error);
        flight_end(service->loop.datasets, order->key, NULL, &error,
                   scheduler_now_ms(service->options.scheduler));
        return;
    }
    fetch->service = service;
    fetch->order = *order;
    fetch->job = (struct loop_job){.work = render_warm_views, .done = warm_views_rendered};
    fetch->work.unwanted = unwanted;
    flight_set_work(service->loop.datasets, order->key, &fetch->work);
    const struct opencost_query query = {
        .window = order->window.canonical,
        .include_idle = order->include_idle,
        .is_urgent = order->keep_warm,
    };
    fetch->query = opencost_client_fetch(service->options.client, &query, fetched, fetch, &error);
    if (fetch->query == NULL)
        fetch_end(fetch, &error);
}
