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

enum { WARM_VIEWS_MAX = 32 };

struct dataset_fetch {
    struct cost_service *service;
    struct dataset_order order;
    struct dataset *dataset; /* held; NULL while fetching */
    struct loop_job job;
    struct {
        struct view_spec *spec;       /* held */
        struct http_content *content; /* NULL until rendered, or when that failed */
    } warm[WARM_VIEWS_MAX];
    size_t warm_count;
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
    for (size_t i = 0; i < fetch->warm_count; i++) {
        view_spec_release(fetch->warm[i].spec);
        http_content_release(fetch->warm[i].content);
    }
    dataset_release(fetch->dataset);
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
    flight_end(service->loop.datasets, fetch->order.key, error == NULL ? fetch->dataset : NULL,
               error, now_ms);
    fetch_free(fetch);
}

static void fetch_end_no_memory(struct dataset_fetch *fetch)
{
    struct error error;
    (void)error_no_memory(&error);
    fetch_end(fetch, &error);
}

/* Job thread. A view that cannot be rendered is left out; who asks for it will be told. */
static void render_warm_views(struct loop_job *job)
{
    struct dataset_fetch *fetch = CONTAINER_OF(job, struct dataset_fetch, job);
    for (size_t i = 0; i < fetch->warm_count; i++)
        fetch->warm[i].content =
            view_render(fetch->warm[i].spec, &fetch->dataset, 1, fetch->now_s, NULL);
}

static void store(struct dataset_fetch *fetch)
{
    struct cost_service *service = fetch->service;
    struct dataset *dataset = fetch->dataset;
    struct cache_view views[WARM_VIEWS_MAX];
    size_t count = 0;
    for (size_t i = 0; i < fetch->warm_count; i++) {
        if (fetch->warm[i].content != NULL &&
            cached_view_create(fetch->warm[i].spec, fetch->warm[i].content, &views[count]))
            count++;
    }
    (void)cache_put(service->options.cache, fetch->order.key, shared_hold(&dataset->shared),
                    dataset_bytes(dataset), dataset->fetched_ms, dataset->ttl_ms, views, count);
    log_debug(service->options.log, LOG_EVENT("cache.set"), LOG_STR("key", fetch->order.key),
              LOG_INT("ttl_seconds", dataset->ttl_ms / 1000));
}

static void warm_views_rendered(struct loop_job *job, bool cancelled)
{
    struct dataset_fetch *fetch = CONTAINER_OF(job, struct dataset_fetch, job);
    if (!cancelled)
        store(fetch);
    fetch_end(fetch, NULL);
}

/* Takes the reference. */
static void add_warm_spec(struct dataset_fetch *fetch, struct view_spec *spec)
{
    bool wanted = spec != NULL && fetch->warm_count < WARM_VIEWS_MAX;
    for (size_t i = 0; wanted && i < fetch->warm_count; i++)
        wanted = strcmp(fetch->warm[i].spec->key, spec->key) != 0;
    if (wanted)
        fetch->warm[fetch->warm_count++].spec = spec;
    else
        view_spec_release(spec);
}

static void add_plain_view(struct dataset_fetch *fetch, enum cost_view_kind kind)
{
    struct cost_query query = {
        .kind = kind,
        .window = fetch->order.window,
        .window_text = text_of(fetch->order.window.canonical),
        .include_idle = fetch->order.include_idle,
        .months = 1,
        .limit = 10,
    };
    add_warm_spec(fetch, view_spec_create(&query, 0));
}

static void choose_warm_views(struct dataset_fetch *fetch)
{
    if (fetch->order.keep_warm) {
        add_plain_view(fetch, COST_VIEW_NAMESPACES);
        add_plain_view(fetch, COST_VIEW_PODS);
        if (strcmp(fetch->order.window.canonical, "7d") == 0)
            add_plain_view(fetch, COST_VIEW_RECOMMENDATIONS);
        if (strcmp(fetch->order.window.canonical, "30d") == 0)
            add_plain_view(fetch, COST_VIEW_MONTHLY);
    }
    struct shared *used[WARM_VIEWS_MAX];
    size_t count =
        cache_used_views(fetch->service->options.cache, fetch->order.key, used, WARM_VIEWS_MAX);
    for (size_t i = 0; i < count; i++) {
        add_warm_spec(fetch, view_spec_hold(cached_view_from_shared(used[i])->spec));
        shared_release(used[i]);
    }
}

/* An outage of the metrics behind OpenCost can look like a successful answer without a row. While
 * the cache has rows that are still fresh they are the better answer; once they have expired,
 * nothing is what OpenCost says. */
static bool cached_rows_are_better(struct dataset_fetch *fetch)
{
    size_t count = 0;
    (void)cost_set_namespaces(fetch->dataset->set, &count);
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
    dataset_release(fetch->dataset);
    fetch->dataset = dataset_from_shared(hit.value);
    return true;
}

static void fetched(void *context, struct cost_set *set, const struct error *error)
{
    struct dataset_fetch *fetch = context;
    struct cost_service *service = fetch->service;
    if (service->options.health != NULL && (error == NULL || error->code != ERR_SHUTDOWN))
        origin_health_note_fetch(service->options.health, error);
    if (error != NULL) {
        fetch_end(fetch, error);
        return;
    }
    int64_t now_ms = scheduler_now_ms(service->options.scheduler);
    fetch->dataset = dataset_create(set, &fetch->order.window, now_ms, fetch->order.ttl_ms);
    if (fetch->dataset == NULL) {
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
    if (fetch->warm_count > 0 && scheduler_job(service->options.scheduler, &fetch->job))
        return;
    store(fetch);
    fetch_end(fetch, NULL);
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
    if (!opencost_client_fetch(service->options.client, order->window.canonical,
                               order->include_idle, fetched, fetch, &error))
        fetch_end(fetch, &error);
}
