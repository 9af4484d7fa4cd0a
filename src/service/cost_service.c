/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A request's life:
 *
 *     asked (any thread) -> waiting (loop thread) -> done
 *
 * It is done by the first of: its view's flight ends, its deadline passes, whoever asked gives up,
 * the service stops. All four happen on the loop thread and take the request off the list of
 * waiting ones first, so `done` runs once.
 */
#include "service_internal.h"

#include <stdlib.h>
#include <utlist.h>
#include <xxhash.h>

#include "dataset_share.h"
#include "stale_peek.h"

static const char *const kind_names[COST_VIEW_KINDS] = {
    [COST_VIEW_NAMESPACES] = "namespaces",
    [COST_VIEW_PODS] = "pods",
    [COST_VIEW_MONTHLY] = "monthly",
    [COST_VIEW_RECOMMENDATIONS] = "recommendations",
};

static void update_cache_gauges(void *context);

static void register_metrics(struct cost_service *service)
{
    struct metrics *metrics = service->options.metrics;
    if (metrics == NULL)
        return;
    for (int kind = 0; kind < COST_VIEW_KINDS; kind++) {
        const struct metric_label labels[] = {{"dataset", kind_names[kind]}, {NULL, NULL}};
        struct kind_metrics *m = &service->metrics[kind];
        m->requests = metrics_counter(metrics, "kubecent_cache_requests_total",
                                      "Cost queries, by what was asked.", labels);
        m->hits = metrics_counter(metrics, "kubecent_cache_hits_total",
                                  "Cost queries answered from the cache.", labels);
        m->stale = metrics_counter(metrics, "kubecent_cache_stale_total",
                                   "Cost queries answered with data past their TTL.", labels);
        m->coalesced =
            metrics_counter(metrics, "kubecent_cache_coalesced_total",
                            "Cost queries that waited for a fetch already under way.", labels);
        m->shared =
            metrics_counter(metrics, "kubecent_cache_shared_total",
                            "Cost queries answered with what another replica had fetched.", labels);
    }
    metrics_on_render(metrics, update_cache_gauges, service);
}

static void update_cache_gauges(void *context)
{
    struct cost_service *service = context;
    struct metrics *metrics = service->options.metrics;
    struct cache_stats stats;
    cache_get_stats(service->options.cache, &stats);
    metric_set(
        metrics_gauge(metrics, "kubecent_cache_entries", "Datasets and views in the cache.", NULL),
        (int64_t)stats.cached_items);
    metric_set(metrics_gauge(metrics, "kubecent_cache_bytes", "Bytes the cache holds.", NULL),
               (int64_t)stats.bytes);
    metric_set(metrics_counter(metrics, "kubecent_cache_evictions_total",
                               "Entries that left because the cache was full.", NULL),
               (int64_t)stats.evictions);
    metric_set(
        metrics_gauge(metrics, "kubecent_requests_waiting", "Requests waiting for OpenCost.", NULL),
        (int64_t)cost_service_waiting(service));
}

static void requests_overdue(void *context);
static void end_given_up(struct loop_task *task);

struct cost_service *cost_service_create(const struct cost_service_options *options)
{
    enum { FAILED_FETCH_REST_MS = 1000 };
    struct cost_service *service = calloc(1, sizeof(*service));
    if (service == NULL)
        return NULL;
    service->options = *options;
    if (options->tier != NULL)
        service->origin_hash = XXH3_64bits(options->origin, strlen(options->origin));
    service->end_given_up = (struct loop_task){.run = end_given_up};
    service->loop.views = flight_table_create(0);
    service->loop.datasets = flight_table_create(FAILED_FETCH_REST_MS);
    service->loop.deadline = loop_timer_create(options->scheduler, requests_overdue, service);
    if (service->loop.views == NULL || service->loop.datasets == NULL ||
        service->loop.deadline == NULL) {
        cost_service_destroy(service);
        return NULL;
    }
    register_metrics(service);
    return service;
}

void cost_service_destroy(struct cost_service *service)
{
    if (service == NULL)
        return;
    loop_timer_destroy(service->options.scheduler, service->loop.deadline);
    flight_table_destroy(service->loop.views);
    flight_table_destroy(service->loop.datasets);
    free(service);
}

void cost_service_on_stored(struct cost_service *service, void (*stored)(void *context),
                            void *context)
{
    service->stored = stored;
    service->stored_context = context;
}

unsigned cost_service_waiting(const struct cost_service *service)
{
    return atomic_load_explicit(&service->waiting, memory_order_relaxed);
}

static void count_answer(struct cost_service *service, enum cost_view_kind kind,
                         enum cost_source source)
{
    struct kind_metrics *metrics = &service->metrics[kind];
    metric_add(metrics->requests, 1);
    if (source == COST_SOURCE_HIT)
        metric_add(metrics->hits, 1);
    else if (source == COST_SOURCE_STALE)
        metric_add(metrics->stale, 1);
    else if (source == COST_SOURCE_COLLAPSED)
        metric_add(metrics->coalesced, 1);
    else if (source == COST_SOURCE_SHARED)
        metric_add(metrics->shared, 1);
}

static __attribute__((noinline)) void log_lookup(struct log *log, enum cache_state state,
                                                 const char *key, int64_t age_ms)
{
    switch (state) {
    case CACHE_FRESH:
        log_debug(log, LOG_EVENT("cache.hit"), LOG_STR("key", key),
                  LOG_INT("age_seconds", age_ms / 1000));
        break;
    case CACHE_STALE:
        log_debug(log, LOG_EVENT("cache.stale"), LOG_STR("key", key),
                  LOG_INT("age_seconds", age_ms / 1000));
        break;
    case CACHE_EXPIRED:
        log_debug(log, LOG_EVENT("cache.expired"), LOG_STR("key", key),
                  LOG_INT("age_seconds", age_ms / 1000));
        break;
    default:
        log_debug(log, LOG_EVENT("cache.miss"), LOG_STR("key", key));
        break;
    }
}

/* Fills the answer from an entry that may be served; takes the hit's reference. */
static void answer_from_hit(struct cost_answer *answer, const struct cache_hit *hit,
                            enum cost_source source)
{
    answer->content = http_content_hold(cached_view_from_shared(hit->value)->content);
    answer->source = source;
    answer->fetched_ms = hit->fetched_ms;
    answer->ttl_ms = hit->ttl_ms;
    answer->origin_unavailable = false;
    shared_release(hit->value);
}

bool cost_service_lookup(struct cost_service *service, const struct cost_query *query,
                         int64_t now_ms, struct cost_answer *ret_answer)
{
    char key[VIEW_KEY_MAX] UNCLEARED;
    if (!view_key_format(query, key))
        return false;
    struct cache_hit hit;
    enum cache_state state = cache_acquire(service->options.cache, key, now_ms, &hit);
    if (log_enabled(service->options.log, LOG_LEVEL_DEBUG))
        log_lookup(service->options.log, state, key, hit.age_ms);
    if (state != CACHE_FRESH && state != CACHE_STALE) {
        shared_release(hit.value);
        return false;
    }
    if (hit.revalidate)
        revalidate(service, query);
    answer_from_hit(ret_answer, &hit, state == CACHE_FRESH ? COST_SOURCE_HIT : COST_SOURCE_STALE);
    count_answer(service, query->kind, ret_answer->source);
    return true;
}

/* The one place that ends a request. */
static void request_end(struct cost_request *request, const struct cost_answer *answer)
{
    struct cost_service *service = request->service;
    flight_give_up(&request->waiter);
    DL_DELETE2(service->loop.requests, request, previous, next);
    if (answer->content != NULL)
        count_answer(service, request->spec->query.kind, answer->source);
    else
        metric_add(service->metrics[request->spec->query.kind].requests, 1);
    view_spec_release(request->spec);
    trace_context_release(request->trace);
    atomic_fetch_sub_explicit(&service->waiting, 1, memory_order_relaxed);
    request->done(request, answer);
}

static void request_fail(struct cost_request *request, const struct error *error)
{
    const struct cost_answer answer = {.error = *error};
    request_end(request, &answer);
}

static enum cost_source source_of(const struct cost_request *request,
                                  const struct view_result *result)
{
    if (result->stale)
        return COST_SOURCE_STALE;
    if (!result->fetched)
        return result->shared ? COST_SOURCE_SHARED : COST_SOURCE_HIT;
    return request->leads && result->led ? COST_SOURCE_MISS : COST_SOURCE_COLLAPSED;
}

static void request_released(struct flight_waiter *waiter, void *flight_result,
                             const struct error *error)
{
    struct cost_request *request = CONTAINER_OF(waiter, struct cost_request, waiter);
    const struct view_result *result = flight_result;
    if (error != NULL) {
        request_fail(request, error);
        return;
    }
    const struct cost_answer answer = {
        .content = http_content_hold(result->content),
        .source = source_of(request, result),
        .fetched_ms = result->fetched_ms,
        .ttl_ms = result->ttl_ms,
        .origin_unavailable = result->stale,
    };
    request_end(request, &answer);
}

static void arm_deadline(struct cost_service *service)
{
    const struct scheduler *scheduler = service->options.scheduler;
    const struct cost_request *first = service->loop.requests;
    if (first == NULL) {
        loop_timer_stop(scheduler, service->loop.deadline);
        return;
    }
    int64_t delay_ms = first->deadline_ms - scheduler_now_ms(scheduler);
    loop_timer_start(scheduler, service->loop.deadline, delay_ms > 0 ? delay_ms : 0);
}

/* The list is in the order of deadlines, as all requests wait equally long. The timer may run
 * early, for a request that is done since; then it is set anew. */
static void requests_overdue(void *context)
{
    struct cost_service *service = context;
    struct error error;
    (void)error_set(&error, ERR_DEADLINE, "no answer within %lld ms",
                    (long long)service->options.request_deadline_ms);
    int64_t now_ms = scheduler_now_ms(service->options.scheduler);
    while (service->loop.requests != NULL && service->loop.requests->deadline_ms <= now_ms)
        request_fail(service->loop.requests, &error);
    arm_deadline(service);
}

static void request_end_given_up(struct cost_request *request)
{
    struct error error;
    (void)error_set(&error, ERR_DEADLINE, "nobody waits for the answer any more");
    request_fail(request, &error);
}

/* Whoever gives up from now on posts this anew. */
static void end_given_up(struct loop_task *task)
{
    struct cost_service *service = CONTAINER_OF(task, struct cost_service, end_given_up);
    struct cost_request *request;
    struct cost_request *next;
    atomic_store(&service->end_given_up_is_posted, false);
    DL_FOREACH_SAFE2(service->loop.requests, request, next, next)
    {
        if (atomic_load(&request->is_given_up))
            request_end_given_up(request);
    }
}

void cost_service_give_up(struct cost_service *service, struct cost_request *request)
{
    atomic_store(&request->is_given_up, true);
    /* Once posted, it may have run already: what it notes is not to be overwritten. */
    if (!atomic_exchange(&service->end_given_up_is_posted, true) &&
        !scheduler_post(service->options.scheduler, &service->end_given_up))
        atomic_store(&service->end_given_up_is_posted, false);
}

/* Another request may have had the view made since this one looked. */
static bool request_hits(struct cost_request *request, int64_t now_ms)
{
    struct cache_hit hit;
    if (cache_peek(request->service->options.cache, request->spec->key, now_ms, &hit) !=
        CACHE_FRESH) {
        shared_release(hit.value);
        return false;
    }
    struct cost_answer answer;
    answer_from_hit(&answer, &hit, COST_SOURCE_HIT);
    request_end(request, &answer);
    return true;
}

static void request_fly(struct cost_request *request, int64_t now_ms)
{
    struct cost_service *service = request->service;
    struct error error;
    request->waiter.released = request_released;
    switch (
        flight_join(service->loop.views, request->spec->key, &request->waiter, now_ms, &error)) {
    case FLIGHT_LEAD:
        request->leads = true;
        view_maker_start(service, request->spec, request->trace, false);
        break;
    case FLIGHT_FOLLOW:
        view_maker_leave_background(flight_work_of(&request->waiter));
        break;
    default:
        request_fail(request, &error);
        break;
    }
}

/* Loop thread: the order has arrived. */
static void request_arrived(struct loop_task *task)
{
    struct cost_request *request = CONTAINER_OF(task, struct cost_request, task);
    struct cost_service *service = request->service;
    int64_t now_ms = scheduler_now_ms(service->options.scheduler);
    request->deadline_ms = now_ms + service->options.request_deadline_ms;
    DL_APPEND2(service->loop.requests, request, previous, next);
    if (service->loop.stopping) {
        struct error error;
        (void)error_set(&error, ERR_SHUTDOWN, "the server is stopping");
        request_fail(request, &error);
        return;
    }
    if (atomic_load(&request->is_given_up)) {
        request_end_given_up(request);
        return;
    }
    if (service->loop.requests == request)
        arm_deadline(service);
    if (!request_hits(request, now_ms))
        request_fly(request, now_ms);
}

static bool request_refuse(struct cost_service *service, struct view_spec *spec)
{
    view_spec_release(spec);
    atomic_fetch_sub_explicit(&service->waiting, 1, memory_order_relaxed);
    return false;
}

bool cost_service_request(struct cost_service *service, const struct cost_query *query,
                          struct trace_context *trace, struct cost_request *request,
                          struct error *reterr)
{
    unsigned before = atomic_fetch_add_explicit(&service->waiting, 1, memory_order_relaxed);
    if (before >= service->options.max_waiting) {
        (void)error_set(reterr, ERR_BUSY, "%u requests are waiting for OpenCost already", before);
        return request_refuse(service, NULL);
    }
    unsigned long long serial =
        atomic_fetch_add_explicit(&service->serial, 1, memory_order_relaxed);
    struct view_spec *spec = view_spec_create(query, serial);
    if (spec == NULL) {
        (void)error_no_memory(reterr);
        return request_refuse(service, NULL);
    }
    request->service = service;
    request->spec = spec;
    request->task = (struct loop_task){.run = request_arrived};
    request->waiter = (struct flight_waiter){0};
    request->leads = false;
    request->trace = trace_context_hold(trace);
    if (!scheduler_post(service->options.scheduler, &request->task)) {
        (void)error_set(reterr, ERR_SHUTDOWN, "the server is stopping");
        trace_context_release(trace);
        return request_refuse(service, spec);
    }
    return true;
}

void cost_service_stop(struct cost_service *service)
{
    struct error error;
    (void)error_set(&error, ERR_SHUTDOWN, "the server is stopping");
    service->loop.stopping = true;
    loop_timer_stop(service->options.scheduler, service->loop.deadline);
    while (service->loop.requests != NULL)
        request_fail(service->loop.requests, &error);
    dataset_shares_stop(service);
    stale_peeks_stop(service);
    flight_abort_all(service->loop.datasets, &error);
    flight_abort_all(service->loop.views, &error);
}

bool cost_service_has_fresh(struct cost_service *service, const struct window *window)
{
    int64_t age_ms;
    return cost_service_fresh_age_ms(service, window, &age_ms);
}

bool cost_service_fresh_age_ms(struct cost_service *service, const struct window *window,
                               int64_t *ret_age_ms)
{
    char key[DATASET_KEY_MAX];
    dataset_key_format(window->canonical, false, key);
    struct cache_hit hit;
    enum cache_state state =
        cache_peek(service->options.cache, key, time_monotonic_ms(service->options.time), &hit);
    shared_release(hit.value);
    *ret_age_ms = hit.age_ms;
    return state == CACHE_FRESH;
}

struct cost_refresh {
    struct flight_waiter waiter;
    cost_refreshed_fn *done;
    void *context;
};

static void refresh_released(struct flight_waiter *waiter, void *result, const struct error *error)
{
    struct cost_refresh *refresh = CONTAINER_OF(waiter, struct cost_refresh, waiter);
    const struct dataset_result *fetched = result;
    struct cost_refreshed refreshed = {0};
    if (fetched != NULL) {
        (void)cost_set_pods(fetched->dataset->set, &refreshed.pod_rows);
        refreshed.fetched_ms = fetched->fetched_ms;
        refreshed.took_ms = fetched->took_ms;
    }
    refresh->done(refresh->context, error, &refreshed);
    free(refresh);
}

void cost_service_refresh(struct cost_service *service, const struct cost_refresh_order *wanted,
                          cost_refreshed_fn *done, void *context)
{
    static const struct cost_refreshed nothing;
    struct error error;
    struct cost_refresh *refresh = calloc(1, sizeof(*refresh));
    if (refresh == NULL) {
        (void)error_no_memory(&error);
        done(context, &error, &nothing);
        return;
    }
    *refresh = (struct cost_refresh){
        .waiter.released = refresh_released, .done = done, .context = context};
    struct dataset_order order;
    dataset_order_init(&order, wanted->window, false, service->options.ttl_ms);
    order.keep_warm = true;
    order.is_in_background = true;
    order.knows = wanted->knows;
    order.known_ms = wanted->known_ms;
    int64_t now_ms = scheduler_now_ms(service->options.scheduler);
    switch (flight_join(service->loop.datasets, order.key, &refresh->waiter, now_ms, &error)) {
    case FLIGHT_LEAD:
        dataset_fetch_start(service, &order, NULL);
        break;
    case FLIGHT_FOLLOW:
        dataset_fetch_keep_warm(flight_work_of(&refresh->waiter));
        break;
    default:
        free(refresh);
        done(context, &error, &nothing);
        break;
    }
}

size_t cost_service_cleanup(struct cost_service *service)
{
    int64_t now_ms = scheduler_now_ms(service->options.scheduler);
    flight_forget_rested(service->loop.views, now_ms);
    flight_forget_rested(service->loop.datasets, now_ms);
    return cache_cleanup(service->options.cache, now_ms);
}
