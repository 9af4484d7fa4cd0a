/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A cost service with everything below it, on a loop and toward an origin that the test moves by
 * hand.
 */
#ifndef TESTS_SERVICE_HOUSE_H
#define TESTS_SERVICE_HOUSE_H

#include <stdbool.h>
#include <stdint.h>

#include "service/cost_service.h"
#include "service/origin_health.h"
#include "service/refresher.h"
#include "support/fake_loop.h"
#include "support/scripted_origin.h"

enum {
    HOUSE_TTL_MS = 300 * 1000,
    HOUSE_STALE_MS = 3600 * 1000,
    HOUSE_DEADLINE_MS = 100 * 1000,
    HOUSE_MAX_WAITING = 300,
    HOUSE_SLOTS = 12,      /* queries at once */
    HOUSE_RETRY_MS = 1000, /* waits between three tries: 1 s, 2 s */
};

struct house {
    struct fake_loop *loop;
    struct scripted_origin *origin;
    struct opencost_client *client;
    struct cache *cache;
    struct origin_health *health;
    struct cost_service *service;
};

/* Of several houses on a street, which share a tier. */
struct house_options {
    int64_t stale_ms;
    int64_t revalidate_ms;
    int slots;                      /* queries at once; 0: HOUSE_SLOTS */
    const struct shared_tier *tier; /* NULL: none */
    int64_t uptime_ms;              /* its monotonic clock is ahead by that */
    int64_t wall_skew_s;
    const char *origin; /* NULL: the one that all have */
};

void house_build_with(struct house *house, const struct house_options *options);

/* `stale_ms` 0: expired data are never served. */
void house_build(struct house *house, int64_t stale_ms);

/* The same, and expired data are served for `revalidate_ms` while they are refetched. */
void house_build_revalidating(struct house *house, int64_t stale_ms, int64_t revalidate_ms);

/* The same with so many queries at once. */
void house_build_narrow(struct house *house, int64_t stale_ms, int slots);

/* What happens on the loop thread when the process stops. May come before the tear-down, for rooms
 * above that must go in between. */
void house_stop(struct house *house);
void house_tear_down(struct house *house);

/* A query as the API would make it. */
struct cost_query house_query(enum cost_view_kind kind, const char *window_text);

/* A request and what became of it. */
struct asker {
    struct cost_request request;
    struct cost_answer answer;
    bool accepted; /* cost_service_request() took it */
    int done;      /* how often */
};

/* Asks past the cache, as after a lookup that missed; runs the loop. */
void house_ask(struct house *house, const struct cost_query *query, struct asker *asker);

/* The same with an asker that is zeroed but for what the test has done to it. */
void house_ask_with(struct house *house, const struct cost_query *query, struct asker *asker);

int64_t house_now_ms(const struct house *house);

/* True when a lookup finds a fresh view, and no other. */
bool house_hits(struct house *house, const struct cost_query *query);

/* Answers the transfer and lets everything that follows from it happen. */
void house_answer(struct house *house, size_t number, const char *body);

/* Asks for a view that needs one fetch, which is answered: the view is then in the cache. */
void house_warm(struct house *house, const struct cost_query *query, const char *total);

/* The body of a served answer, as a string; the asker keeps it. */
const char *asker_body(const struct asker *asker);
void asker_release(struct asker *asker);

/* An OpenCost answer with one pod `web-0` in namespace `shop` that costs `total`. Static until the
 * next call. */
const char *one_pod_costing(const char *total);

/* Fails all tries of the fetch whose first try is transfer `first`, moving time over the waits
 * between them. */
void house_fail_fetch(struct house *house, size_t first, enum error_code code);

#endif
