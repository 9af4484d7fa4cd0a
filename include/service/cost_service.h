/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Answers cost queries: from the cache if it can, else by one fetch from OpenCost for however many
 * ask.
 *
 * What is fetched is a *dataset*: the cost set of a window (with or without idle). What is answered
 * is a *view* of it: JSON, rendered and compressed once by a job thread, then shared. All views of
 * a window come from the same dataset.
 *
 * A query takes one of two ways:
 *   - cost_service_lookup() on an HTTP thread finds the view in the cache: done, nothing waited
 * for. A view that is past its TTL, but not by more than the cache's `revalidate_ms`, will do too:
 * one of its readers has the loop thread refetch it;
 *   - cost_service_request() leaves an order with the loop thread. There it joins the flight of its
 * view; the leader of that flight gets the datasets (from the cache, or by joining the flight of
 * each), has the view rendered, stores it and releases all who wait. Everyone gets the same answer
 * or the same error, at the latest at the deadline.
 *
 * Where replicas share a tier (cache/shared_tier.h), what one of them fetched the others need not
 * fetch, whether they miss or refresh, and of all who want the same dataset at once one asks
 * OpenCost. Without the tier, or while it is out of order, each asks for itself.
 *
 * When OpenCost fails, or has not answered two seconds after it was asked, data are served that are
 * past their TTL by less than `stale_if_error_ms`, if the cache, or else the tier,
 * has them. The fetch goes on.
 *
 * Threads: named at each function.
 */
#ifndef SERVICE_COST_SERVICE_H
#define SERVICE_COST_SERVICE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/attrs.h"
#include "base/error.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/scheduler.h"
#include "base/text.h"
#include "base/time_source.h"
#include "base/trace.h"
#include "cache/cache.h"
#include "cache/shared_tier.h"
#include "cost/window.h"
#include "flight/flight.h"
#include "http/content.h"
#include "opencost/client.h"
#include "service/origin_health.h"

struct cost_service;
struct view_spec;

enum cost_view_kind {
    COST_VIEW_NAMESPACES,
    COST_VIEW_PODS,
    COST_VIEW_MONTHLY,
    COST_VIEW_RECOMMENDATIONS,
    COST_VIEW_KINDS,
};

/* What is asked. Texts are borrowed; fields that do not concern the kind are ignored. */
struct cost_query {
    enum cost_view_kind kind;
    struct window window;       /* namespaces, pods */
    struct text window_text;    /* as the caller spelled it; echoed */
    bool include_idle;          /* namespaces, pods */
    bool detail;                /* namespaces, pods */
    bool has_namespace;         /* pods: only rows of `namespace_name` */
    struct text namespace_name; /* pods */
    int months;                 /* monthly: 1 to 12 */
    int limit;                  /* recommendations: 1 to 50 */
};

/* How an answer came about, in the terms of RFC 9211. */
enum cost_source {
    COST_SOURCE_HIT,       /* the data were in the cache, within their TTL */
    COST_SOURCE_MISS,      /* this request caused the fetch */
    COST_SOURCE_COLLAPSED, /* it waited for a fetch that was under way */
    COST_SOURCE_STALE,     /* past their TTL */
    COST_SOURCE_SHARED,    /* the tier had them, within their TTL: another replica's */
};

struct cost_answer {
    struct http_content *content; /* held by the receiver, who releases it; NULL on failure */
    struct error error;           /* if there is no content */
    enum cost_source source;
    int64_t fetched_ms; /* monotonic: when OpenCost answered */
    int64_t ttl_ms;
    bool origin_unavailable; /* stale, because OpenCost failed or hangs */
};

struct cost_service_options {
    int64_t ttl_ms;              /* of datasets; closed calendar months are kept for a day */
    int64_t stale_if_error_ms;   /* see above; the cache must keep them as long */
    int64_t request_deadline_ms; /* the longest a request waits */
    unsigned max_waiting;        /* requests waiting at once; more are refused with ERR_BUSY */
    struct cache *cache;         /* borrowed, as all below */
    struct opencost_client *client;
    const struct shared_tier *tier; /* NULL: none */
    const char *origin; /* whose data these are, without secrets: OpenCost's URL. For the tier */
    struct origin_health *health; /* told the outcome of every fetch; may be NULL */
    const struct scheduler *scheduler;
    const struct time_source *time;
    struct log *log;
    struct metrics *metrics; /* may be NULL */
};

/* Before the loop starts. NULL only when out of memory. */
struct cost_service *cost_service_create(const struct cost_service_options *options) NODISCARD;

/* Sets who is told, on the loop thread, of each dataset that was fetched and stored. Before the
 * loop starts. */
void cost_service_on_stored(struct cost_service *service, void (*stored)(void *context),
                            void *context);

/* After the loop has ended. Accepts NULL. */
void cost_service_destroy(struct cost_service *service);

/* Loop thread: releases everyone who waits with ERR_SHUTDOWN, and refuses what comes after. What
 * the client has under way is stopped with opencost_client_stop(), next. */
void cost_service_stop(struct cost_service *service);

/* Any thread; never waits or renders. True: *ret_answer is from the cache, fresh, or stale and
 * being refetched. Allocates only for the order to refetch, once in ten seconds for a dataset. */
bool cost_service_lookup(struct cost_service *service, const struct cost_query *query,
                         int64_t now_ms, struct cost_answer *ret_answer) NODISCARD;

/* A request under way. Embed it, zeroed, in what asks; the service owns the fields between
 * cost_service_request() and `done`. */
struct cost_request {
    /* Loop thread, exactly once. Takes the content over. */
    void (*done)(struct cost_request *request, const struct cost_answer *answer);

    struct cost_service *service;
    struct view_spec *spec;
    struct trace_context *trace;
    struct loop_task task;
    struct flight_waiter waiter;
    struct cost_request *next, *previous; /* all waiting requests, the earliest deadline first */
    int64_t deadline_ms;
    bool leads;
    atomic_bool is_given_up;
};

/* Any thread. `request->done` must be set, the rest is filled in; the query is copied. `trace` goes
 * with the fetch that this request causes, if any; it is held, and may be NULL. False (and
 * *reterr, ERR_BUSY, ERR_SHUTDOWN or ERR_NO_MEMORY) when the order was not taken; `done` then never
 * runs. `done` may run on the loop thread before this returns. */
bool cost_service_request(struct cost_service *service, const struct cost_query *query,
                          struct trace_context *trace, struct cost_request *request,
                          struct error *reterr) NODISCARD;

/* Any thread, until `done` is called; also before cost_service_request(): nobody wants the answer
 * any more. `done` is then called soon, with an error, and what was only to be done for it is not.
 */
void cost_service_give_up(struct cost_service *service, struct cost_request *request);

/* Requests waiting now. Any thread. */
unsigned cost_service_waiting(const struct cost_service *service) NODISCARD;

struct cost_refresh_order {
    const struct window *window; /* borrowed for the call */
    bool knows;                  /* the caller has seen a dataset that was fetched at `known_ms` */
    int64_t known_ms;
};

/* What a refresh brought; all 0 on failure. */
struct cost_refreshed {
    size_t pod_rows;
    int64_t fetched_ms; /* monotonic: when OpenCost answered, us or another replica */
    int64_t took_ms;    /* for OpenCost to answer */
};

typedef void cost_refreshed_fn(void *context, const struct error *error,
                               const struct cost_refreshed *refreshed);

/* Loop thread: fetches the dataset of a window (idle=false) whatever the cache holds, or takes a
 * newer one that another replica fetched; and renders anew the views that were asked for since the
 * last time, and the plain ones (namespaces, pods, and for 7d and 30d recommendations and the
 * month). Readers keep the old dataset until the new one replaces it whole. A failure leaves what
 * is there. `done` may run before this returns. */
void cost_service_refresh(struct cost_service *service, const struct cost_refresh_order *wanted,
                          cost_refreshed_fn *done, void *context);

/* True when the dataset of `window` (idle=false) is in the cache and within its TTL. Any thread. */
bool cost_service_has_fresh(struct cost_service *service, const struct window *window) NODISCARD;

/* The same, and how old it is. */
bool cost_service_fresh_age_ms(struct cost_service *service, const struct window *window,
                               int64_t *ret_age_ms) NODISCARD;

/* Loop thread: drops what is too old from the cache and the flights. Returns how many cache entries
 * left. */
size_t cost_service_cleanup(struct cost_service *service);

#endif
