/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The work of a view's flight:
 *
 *     needing -> rendering -> stored     (or ended with the first error)
 *
 * A view needs one dataset, or for a trend one a month. Each is taken from the cache if it is fresh
 * there, else this work joins the dataset's flight; what has expired when the last one has come is
 * had anew. When a flight fails, or has not ended after a grace though all could be had stale,
 * expired data are used if the cache has any that are not too old. The flight goes on without us.
 *
 * When nobody waits for the view any more and a dataset of it still waits in the queue for
 * OpenCost, the work is given up, and with it the flights of such datasets, as far as nobody else
 * is in them.
 */
#include "service_internal.h"

#include <stdlib.h>

enum {
    NEEDS_MAX = 12,
    CLOSED_MONTH_TTL_MS = 24 * 3600 * 1000,
    STALE_GRACE_MS = 2 * 1000, /* a healthy OpenCost answers most queries within it */
};

struct view_maker;

struct dataset_need {
    struct view_maker *maker;
    struct dataset_order order;
    struct flight_waiter waiter;
    bool leads;              /* its flight */
    bool was_early;          /* it was there before the others, and may have expired since */
    struct dataset *dataset; /* held, once there */
};

struct view_maker {
    struct cost_service *service;
    struct flight_work work;
    struct view_spec *spec; /* held */
    struct dataset_need needs[NEEDS_MAX];
    size_t need_count;
    size_t pending;              /* needs that wait for a flight */
    bool beginning;              /* needs are being begun: nothing ends meanwhile */
    bool is_in_background;       /* no client waits for it */
    struct trace_context *trace; /* held; NULL: none */
    bool fetched, led, shared, stale;
    bool failed;
    struct error error; /* the first, if failed */
    struct loop_timer
        *grace;    /* only while stale data could take the place of all that is pending */
    int64_t now_s; /* when it began: which months are asked for, and how far the last one is */
    struct loop_job job;
    struct http_content *content;
};

static void end_grace(struct view_maker *maker)
{
    loop_timer_destroy(maker->service->options.scheduler, maker->grace);
    maker->grace = NULL;
}

static void maker_free(struct view_maker *maker)
{
    end_grace(maker);
    for (size_t i = 0; i < maker->need_count; i++) {
        flight_give_up(&maker->needs[i].waiter);
        dataset_release(maker->needs[i].dataset);
    }
    view_spec_release(maker->spec);
    trace_context_release(maker->trace);
    http_content_release(maker->content);
    free(maker);
}

static bool is_queued(const struct dataset_need *need)
{
    return need->waiter.flight != NULL && !dataset_fetch_has_begun(flight_work_of(&need->waiter));
}

/* What is on its way is worth the rest of the work: the next to ask finds it. What has not begun is
 * not. */
static void unwanted(struct flight_work *work)
{
    struct view_maker *maker = CONTAINER_OF(work, struct view_maker, work);
    bool has_queued = false;
    for (size_t i = 0; i < maker->need_count; i++)
        has_queued |= is_queued(&maker->needs[i]);
    if (!has_queued)
        return;
    flight_drop(maker->service->loop.views, maker->spec->key);
    maker_free(maker);
}

/* The data are as old as their most perishable part: the current month's, not those of months long
 * closed. */
static const struct dataset *most_perishable(const struct view_maker *maker)
{
    const struct dataset *chosen = maker->needs[0].dataset;
    for (size_t i = 1; i < maker->need_count; i++) {
        const struct dataset *other = maker->needs[i].dataset;
        if (other->fetched_ms + other->ttl_ms < chosen->fetched_ms + chosen->ttl_ms)
            chosen = other;
    }
    return chosen;
}

static void maker_end(struct view_maker *maker)
{
    struct cost_service *service = maker->service;
    int64_t now_ms = scheduler_now_ms(service->options.scheduler);
    if (maker->content == NULL) {
        flight_end(service->loop.views, maker->spec->key, NULL, &maker->error, now_ms);
    } else {
        const struct dataset *dataset = most_perishable(maker);
        struct view_result result = {
            .content = maker->content,
            .fetched_ms = dataset->fetched_ms,
            .ttl_ms = dataset->ttl_ms,
            .fetched = maker->fetched,
            .led = maker->led,
            .shared = maker->shared,
            .stale = maker->stale,
        };
        flight_end(service->loop.views, maker->spec->key, &result, NULL, now_ms);
    }
    maker_free(maker);
}

static void store(struct view_maker *maker)
{
    struct cache *cache = maker->service->options.cache;
    struct cache_view view;
    if (!maker->spec->cacheable || !cached_view_create(maker->spec, maker->content, &view))
        return;
    const struct dataset *dataset = most_perishable(maker);
    /* A trend hangs on several datasets, so it is an entry of its own. */
    if (maker->need_count > 1)
        (void)cache_put(cache, view.key, view.value, view.bytes, dataset->fetched_ms,
                        dataset->ttl_ms, NULL, 0);
    else
        (void)cache_put_view(cache, maker->needs[0].order.key, &dataset->shared, &view);
    log_debug(maker->service->options.log, LOG_EVENT("cache.set"), LOG_STR("key", maker->spec->key),
              LOG_INT("ttl_seconds", dataset->ttl_ms / 1000));
}

/* Job thread. */
static void render(struct loop_job *job)
{
    struct view_maker *maker = CONTAINER_OF(job, struct view_maker, job);
    struct dataset *datasets[NEEDS_MAX];
    for (size_t i = 0; i < maker->need_count; i++)
        datasets[i] = maker->needs[i].dataset;
    maker->content =
        view_render(maker->spec, datasets, maker->need_count, maker->now_s, &maker->error);
}

static void rendered(struct loop_job *job, bool cancelled)
{
    struct view_maker *maker = CONTAINER_OF(job, struct view_maker, job);
    if (cancelled)
        (void)error_set(&maker->error, ERR_SHUTDOWN, "the server is stopping");
    /* A stale trend would take the place of one that is just as good. */
    if (maker->content != NULL && (!maker->stale || maker->need_count == 1))
        store(maker);
    maker_end(maker);
}

/* Data that were in use had this view already, most likely, and those that took their place were
 * stored with it. A trend is another one as soon as any of its months is, unless it is the best we
 * can do. */
static bool take_cached_view(struct view_maker *maker)
{
    struct cache_hit hit;
    if (!maker->stale && maker->need_count != 1)
        return false;
    (void)cache_peek(maker->service->options.cache, maker->spec->key,
                     scheduler_now_ms(maker->service->options.scheduler), &hit);
    bool ours = hit.value != NULL && hit.fetched_ms == most_perishable(maker)->fetched_ms;
    if (ours)
        maker->content = http_content_hold(cached_view_from_shared(hit.value)->content);
    shared_release(hit.value);
    return ours;
}

static bool is_expired(const struct view_maker *maker, const struct dataset *dataset)
{
    int64_t now_ms = scheduler_now_ms(maker->service->options.scheduler);
    return now_ms - dataset->fetched_ms >= dataset->ttl_ms;
}

/* What was fresh when it was had may have expired while other months were waited for. True when
 * there was such. The last one to come is taken as it is, so this ends. */
static bool drop_expired(struct view_maker *maker)
{
    bool dropped = false;
    for (size_t i = 0; i < maker->need_count; i++) {
        struct dataset_need *need = &maker->needs[i];
        if (!need->was_early || !is_expired(maker, need->dataset))
            continue;
        dataset_release(need->dataset);
        need->dataset = NULL;
        need->was_early = false;
        dropped = true;
    }
    return dropped;
}

static void begin_needs(struct view_maker *maker);

/* Goes on when there is nothing left to wait for, or no reason to. */
static void maker_step(struct view_maker *maker)
{
    if (maker->beginning || (maker->pending > 0 && !maker->failed))
        return;
    end_grace(maker);
    if (!maker->failed && !maker->stale && drop_expired(maker)) {
        begin_needs(maker);
        return;
    }
    if (maker->failed || take_cached_view(maker)) {
        maker_end(maker);
        return;
    }
    if (!scheduler_job(maker->service->options.scheduler, &maker->job)) {
        (void)error_no_memory(&maker->error);
        maker_end(maker);
    }
}

/* Expired data that may be served because OpenCost fails: held, or NULL. */
static struct dataset *stale_dataset(const struct dataset_need *need)
{
    const struct cost_service_options *options = &need->maker->service->options;
    struct cache_hit hit;
    (void)cache_peek(options->cache, need->order.key, scheduler_now_ms(options->scheduler), &hit);
    if (hit.value == NULL)
        return NULL;
    struct dataset *dataset = dataset_from_shared(hit.value);
    if (hit.age_ms < hit.ttl_ms + options->stale_if_error_ms)
        return dataset;
    dataset_release(dataset);
    return NULL;
}

/* What has come into the cache meanwhile, from another replica or from a snapshot, may be fresh. */
static bool take_stale_dataset(struct dataset_need *need)
{
    need->dataset = stale_dataset(need);
    need->maker->stale |= need->dataset != NULL && is_expired(need->maker, need->dataset);
    return need->dataset != NULL;
}

/* OpenCost hangs, or is slow: who waits for this view is served what there is. Data that have left
 * the cache since the grace began are waited for after all. */
static void grace_over(void *context)
{
    struct view_maker *maker = context;
    for (size_t i = 0; i < maker->need_count; i++) {
        struct dataset_need *need = &maker->needs[i];
        if (need->dataset == NULL && take_stale_dataset(need)) {
            flight_leave(&need->waiter);
            maker->pending--;
        }
    }
    maker_step(maker);
}

/* Without memory for the timer, what is pending is waited for. */
static void begin_grace(struct view_maker *maker)
{
    const struct scheduler *scheduler = maker->service->options.scheduler;
    int64_t begun_ms = INT64_MIN;
    for (size_t i = 0; i < maker->need_count; i++) {
        const struct dataset_need *need = &maker->needs[i];
        if (need->dataset != NULL)
            continue;
        struct dataset *stale = stale_dataset(need);
        if (stale == NULL)
            return;
        dataset_release(stale);
        int64_t flight_ms = flight_begun_ms(&need->waiter);
        begun_ms = flight_ms > begun_ms ? flight_ms : begun_ms;
    }
    maker->grace = loop_timer_create(scheduler, grace_over, maker);
    if (maker->grace != NULL)
        loop_timer_start(scheduler, maker->grace,
                         begun_ms + STALE_GRACE_MS - scheduler_now_ms(scheduler));
}

static void need_failed(struct dataset_need *need, const struct error *error)
{
    struct view_maker *maker = need->maker;
    bool stopping = error->code == ERR_SHUTDOWN;
    if (maker->failed || (!stopping && take_stale_dataset(need)))
        return;
    maker->failed = true;
    maker->error = *error;
}

static void take_result(struct dataset_need *need, const struct dataset_result *result)
{
    struct view_maker *maker = need->maker;
    need->dataset = dataset_hold(result->dataset);
    need->was_early = maker->pending > 1;
    maker->shared |= result->source == DATASET_SHARED;
    maker->fetched |= result->source != DATASET_SHARED;
    maker->led |= result->source == DATASET_FETCHED && need->leads;
}

static void need_released(struct flight_waiter *waiter, void *result, const struct error *error)
{
    struct dataset_need *need = CONTAINER_OF(waiter, struct dataset_need, waiter);
    struct view_maker *maker = need->maker;
    if (error != NULL)
        need_failed(need, error);
    else
        take_result(need, result);
    maker->pending--;
    maker_step(maker);
}

static void need_begin(struct dataset_need *need)
{
    struct view_maker *maker = need->maker;
    struct cost_service *service = maker->service;
    int64_t now_ms = scheduler_now_ms(service->options.scheduler);
    struct cache_hit hit;
    if (cache_peek(service->options.cache, need->order.key, now_ms, &hit) == CACHE_FRESH) {
        need->dataset = dataset_from_shared(hit.value);
        need->was_early = true;
        return;
    }
    shared_release(hit.value);

    struct error error;
    need->waiter.released = need_released;
    switch (flight_join(service->loop.datasets, need->order.key, &need->waiter, now_ms, &error)) {
    case FLIGHT_LEAD:
        maker->pending++;
        need->leads = true;
        need->order.is_in_background = maker->is_in_background;
        dataset_fetch_start(service, &need->order, maker->trace);
        break;
    case FLIGHT_FOLLOW:
        maker->pending++;
        if (!maker->is_in_background)
            dataset_fetch_leave_background(flight_work_of(&need->waiter));
        break;
    default:
        need_failed(need, &error);
        break;
    }
}

/* All that have no dataset. */
static void begin_needs(struct view_maker *maker)
{
    maker->beginning = true;
    for (size_t i = 0; i < maker->need_count && !maker->failed; i++) {
        if (maker->needs[i].dataset == NULL)
            need_begin(&maker->needs[i]);
    }
    maker->beginning = false;
    if (maker->pending > 0 && !maker->failed)
        begin_grace(maker);
    maker_step(maker);
}

static void add_need(struct view_maker *maker, const struct window *window, bool include_idle,
                     int64_t ttl_ms)
{
    struct dataset_need *need = &maker->needs[maker->need_count++];
    need->maker = maker;
    dataset_order_init(&need->order, window, include_idle, ttl_ms);
}

static void add_fixed_window(struct view_maker *maker, struct text window_text)
{
    struct window window;
    if (window_parse(window_text, &window))
        add_need(maker, &window, false, maker->service->options.ttl_ms);
}

static void add_months(struct view_maker *maker)
{
    int64_t ttl_ms = maker->service->options.ttl_ms;
    for (int back = maker->spec->query.months - 1; back >= 0; back--) {
        struct window window = window_of_month(maker->now_s, back);
        add_need(maker, &window, false, back == 0 ? ttl_ms : CLOSED_MONTH_TTL_MS);
    }
}

static void add_needs(struct view_maker *maker)
{
    const struct cost_query *query = &maker->spec->query;
    if (query->kind == COST_VIEW_RECOMMENDATIONS)
        add_fixed_window(maker, TEXT("7d"));
    else if (query->kind == COST_VIEW_MONTHLY && query->months == 1)
        add_fixed_window(maker, TEXT("30d"));
    else if (query->kind == COST_VIEW_MONTHLY)
        add_months(maker);
    else
        add_need(maker, &query->window, query->include_idle, maker->service->options.ttl_ms);
}

void view_maker_leave_background(struct flight_work *work)
{
    struct view_maker *maker = CONTAINER_OF(work, struct view_maker, work);
    maker->is_in_background = false;
    for (size_t i = 0; i < maker->need_count; i++) {
        if (maker->needs[i].waiter.flight != NULL)
            dataset_fetch_leave_background(flight_work_of(&maker->needs[i].waiter));
    }
}

void view_maker_start(struct cost_service *service, struct view_spec *spec,
                      struct trace_context *trace, bool is_in_background)
{
    struct view_maker *maker = calloc(1, sizeof(*maker));
    if (maker == NULL) {
        struct error error;
        (void)error_no_memory(&error);
        flight_end(service->loop.views, spec->key, NULL, &error,
                   scheduler_now_ms(service->options.scheduler));
        return;
    }
    maker->service = service;
    maker->spec = view_spec_hold(spec);
    maker->trace = trace_context_hold(trace);
    maker->is_in_background = is_in_background;
    maker->now_s = time_wall_s(service->options.time);
    maker->work.unwanted = unwanted;
    flight_set_work(service->loop.views, spec->key, &maker->work);
    maker->job = (struct loop_job){.work = render, .done = rendered};
    add_needs(maker);
    begin_needs(maker);
}
