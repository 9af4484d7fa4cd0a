/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The values this room puts into the cache: datasets, and views made from them.
 *
 * Threads: immutable once made, and counted; any thread.
 */
#ifndef SERVICE_DATASET_H
#define SERVICE_DATASET_H

#include "base/attrs.h"
#include "base/shared.h"
#include "cache/cache.h"
#include "cost/cost_set.h"
#include "http/content.h"
#include "view_spec.h"

/* A cost set with the window and the time it was fetched. */
struct dataset {
    struct shared shared;
    struct cost_set *set; /* its own */
    struct window window;
    int64_t fetched_ms; /* monotonic */
    int64_t ttl_ms;
};

/* Takes `set` over, also on failure. NULL only when out of memory. */
struct dataset *dataset_create(struct cost_set *set, const struct window *window,
                               int64_t fetched_ms, int64_t ttl_ms) NODISCARD;
struct dataset *dataset_from_shared(struct shared *value) NODISCARD;
struct dataset *dataset_hold(struct dataset *dataset);
void dataset_release(struct dataset *dataset);
size_t dataset_bytes(const struct dataset *dataset) NODISCARD;

/* The key under which the cache has it. */
void dataset_key_of(const struct dataset *dataset, char key[DATASET_KEY_MAX]);

/* A view as the cache keeps it: the content to send, and what it is, so that it can be made anew
 * from the next dataset. */
struct cached_view {
    struct shared shared;
    struct view_spec *spec;       /* one reference */
    struct http_content *content; /* one reference */
};

/* Holds the spec and the content once more for the view. False (and nothing held) when out of
 * memory. `ret_view` is ready for the cache: its value is one reference to the new view. */
bool cached_view_create(struct view_spec *spec, struct http_content *content,
                        struct cache_view *ret_view) NODISCARD;
struct cached_view *cached_view_from_shared(struct shared *value) NODISCARD;

#endif
