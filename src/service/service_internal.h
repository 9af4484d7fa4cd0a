/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of this room share. The story, top down:
 *
 *   cost_service.c   lookups; requests: their orders, deadlines and release
 *   revalidation.c   refetching what was served past its TTL
 *   view_maker.c     the work of a view's flight: get the datasets, have it rendered, store it
 *   dataset_fetch.c  the work of a dataset's flight: fetch, render what is kept warm, store all
 *   dataset_share.c  the part that other replicas have in it, through the tier
 *   stale_peek.c     what they have, when OpenCost fails
 *   dataset_load.c   bytes from the tier that become a dataset
 *   dataset_image.c  a dataset as these bytes
 *   warm_dataset.c   a dataset with the views that go into the cache together with it
 *   snapshot*.c      the same from one process to the next, through a file
 *   dataset.c        the values that go into the cache
 *   view_render.c    a view's JSON
 *
 * Threads: the loop thread, unless said otherwise.
 */
#ifndef SERVICE_SERVICE_INTERNAL_H
#define SERVICE_SERVICE_INTERNAL_H

#include <stdatomic.h>

#include "dataset.h"
#include "service/cost_service.h"
#include "view_spec.h"

struct kind_metrics {
    struct metric *requests, *hits, *stale, *coalesced, *shared;
};

struct cost_service {
    struct cost_service_options options;
    struct kind_metrics metrics[COST_VIEW_KINDS];
    void (*stored)(void *context); /* may be NULL */
    void *stored_context;
    uint64_t origin_hash;
    atomic_uint waiting;  /* requests between cost_service_request() and `done` */
    atomic_ullong serial; /* numbers the queries that have no key of their own */
    struct loop_task end_given_up;
    atomic_bool end_given_up_is_posted;

    struct {
        struct flight_table *views;    /* by view key; results are struct view_result */
        struct flight_table *datasets; /* by dataset key; results are struct dataset_result */
        struct cost_request *requests; /* the earliest deadline first: all wait equally long */
        struct loop_timer *deadline;   /* of the first request */
        struct dataset_share *shares;  /* dealings with the tier */
        struct stale_peek *peeks;
        bool stopping;
    } loop; /* only the loop thread, once it runs */
};

/* What a view's flight ends with. */
struct view_result {
    struct http_content *content; /* borrowed */
    int64_t fetched_ms;
    int64_t ttl_ms;
    bool fetched; /* OpenCost was asked for it, or was being asked already */
    bool led;     /* ... by this flight */
    bool shared;  /* another replica had fetched it before it was asked for here */
    bool stale;
};

/* Begins the work of the flight `spec->key`, which the caller leads. Ends it with flight_end(),
 * possibly before returning. Fetches that it causes are of `trace`, which may be NULL; they are in
 * the background unless a client waits for the view. */
void view_maker_start(struct cost_service *service, struct view_spec *spec,
                      struct trace_context *trace, bool is_in_background);

/* A client has come to wait for it. */
void view_maker_leave_background(struct flight_work *work);

/* Any thread: has the loop thread make the view anew, for nobody in particular. Nothing happens
 * when memory is short or the service stops. */
void revalidate(struct cost_service *service, const struct cost_query *query);

enum dataset_source {
    DATASET_FETCHED, /* by us */
    DATASET_AWAITED, /* by another replica, while we waited for it */
    DATASET_SHARED,  /* by another replica, before we asked for it */
};

/* What a dataset's flight ends with. */
struct dataset_result {
    struct dataset *dataset; /* borrowed */
    enum dataset_source source;
    int64_t fetched_ms; /* when OpenCost answered; the dataset is older if that was not used */
    int64_t took_ms;    /* for OpenCost to answer */
};

/* What identifies a dataset, and how long it keeps. */
struct dataset_order {
    char key[DATASET_KEY_MAX];
    struct window window;
    bool include_idle;
    bool keep_warm;        /* also render the plain views, asked for or not */
    bool is_in_background; /* no client waits for it */
    int64_t ttl_ms;
    bool knows;       /* ... of a dataset fetched at `known_ms`: */
    int64_t known_ms; /* only a newer one is news */
};

void dataset_order_init(struct dataset_order *order, const struct window *window, bool include_idle,
                        int64_t ttl_ms);

/* Begins the work of the flight `order->key`, which the caller leads. Ends it likewise. */
void dataset_fetch_start(struct cost_service *service, const struct dataset_order *order,
                         struct trace_context *trace);

/* Whether OpenCost is being asked already, or has answered (NULL: the work is over). */
bool dataset_fetch_has_begun(const struct flight_work *work) NODISCARD;

/* The work that dataset_fetch_start() began has come to be a refresh's. */
void dataset_fetch_keep_warm(struct flight_work *work);

/* A client has come to wait for it (NULL: the work is over). */
void dataset_fetch_leave_background(struct flight_work *work);

/* Any thread. New content, or NULL and *reterr. `datasets` in the order of the view's needs: one,
 * or the months, oldest first. `now_s` labels months. */
struct http_content *view_render(const struct view_spec *spec, struct dataset *const *datasets,
                                 size_t count, int64_t now_s, struct error *reterr) NODISCARD;

#endif
