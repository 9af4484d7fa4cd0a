/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A TTL hash cache, bounded in bytes: shared values by key until they are too old to serve.
 *
 * Two kinds of entries. A *dataset* is what was fetched; it has an age and a TTL. A *view* is made
 * from a dataset, found by a key of its own, has the dataset's age, and is gone with it. Any lookup
 * is one hash lookup under one short lock.
 *
 * The cache is passive: it starts no thread, fetches nothing and reads no clock; callers say what
 * time it is (monotonic milliseconds). Values are never changed, so one thread may read a value
 * while another replaces it. Removed values are released after the lock is dropped.
 *
 * Bounds: when `max_bytes` is exceeded the least recently used entries leave first. A dataset
 * counts as used whenever one of its views is. A dataset too large for the whole cache is kept all
 * the same, alone, until it expires: refusing it would mean asking OpenCost again for every
 * request.
 *
 * Threads: any thread may call any function, except cache_create() and cache_destroy(). Values
 * still held stay valid after they left the cache, and after cache_destroy().
 */
#ifndef CACHE_CACHE_H
#define CACHE_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attrs.h"
#include "base/shared.h"

struct cache;

struct cache_options {
    size_t max_bytes; /* of values, keys and bookkeeping together */
    /* How long past its TTL an entry is kept to be served: when OpenCost fails, and while somebody
     * refetches it. Kept for the longer of the two; 0: not at all. */
    int64_t stale_ms, revalidate_ms;
    uint64_t hash_seed;
};

enum cache_state {
    CACHE_MISS,
    CACHE_FRESH, /* within its TTL */
    CACHE_STALE, /* past it, by less than `revalidate_ms`: to be served, and refetched meanwhile */
    CACHE_EXPIRED, /* past that too; handed out only while it is kept, else without a value */
};

struct cache_hit {
    struct shared *value; /* held: the caller releases it; NULL when there is nothing to serve */
    int64_t fetched_ms;   /* monotonic: when OpenCost answered */
    int64_t age_ms;
    int64_t ttl_ms;
    bool revalidate; /* CACHE_STALE: the caller, and nobody else for a while, is to refetch it */
};

struct cache_stats {
    uint64_t hits; /* fresh, or stale and to be served */
    uint64_t misses;
    uint64_t expired; /* lookups that found only an expired entry; counted as misses too */
    uint64_t evictions;
    size_t cached_items; /* datasets and views */
    size_t bytes;
};

/* NULL only when out of memory. `options` is copied. */
struct cache *cache_create(const struct cache_options *options) NODISCARD;

/* Accepts NULL. */
void cache_destroy(struct cache *cache);

/* Looks up a dataset or a view, counts the lookup, marks it as used. Of all who find a dataset or
 * its views CACHE_STALE one in ten seconds is told to `revalidate`: that is remembered with the
 * entry, until it is replaced. */
enum cache_state cache_acquire(struct cache *cache, const char *key, int64_t now_ms,
                               struct cache_hit *ret_hit) NODISCARD;

/* The same without counting, marking and claiming: for the refresh engine's own questions. */
enum cache_state cache_peek(struct cache *cache, const char *key, int64_t now_ms,
                            struct cache_hit *ret_hit);

/* A view to be stored together with its dataset. */
struct cache_view {
    const char *key;      /* borrowed for the call */
    struct shared *value; /* the caller's reference is taken, even when the view cannot be kept */
    size_t bytes;
};

/* Stores a dataset with its first views, at once: readers see the old dataset and its views, or the
 * new ones. Whatever the key held before, views included, is dropped. Takes `value` and the views'
 * values over, even on failure. False when out of memory. */
bool cache_put(struct cache *cache, const char *key, struct shared *value, size_t bytes,
               int64_t fetched_ms, int64_t ttl_ms, const struct cache_view *views,
               size_t view_count);

/* Adds a view to a dataset, if that still is `dataset` (it may have been replaced since the view
 * was begun). Takes the view's value over. False when it was not stored. */
bool cache_put_view(struct cache *cache, const char *dataset_key, const struct shared *dataset,
                    const struct cache_view *view);

/* Hands out the views of a dataset that were looked up since they were stored, most recently used
 * first, at most `max`; each value is held for the caller. For making the same views of the
 * dataset's successor. Returns the count. */
size_t cache_used_views(struct cache *cache, const char *dataset_key, struct shared **ret_values,
                        size_t max) NODISCARD;

/* Drops what is past its TTL and past the time it is kept. Returns how many entries left. */
size_t cache_cleanup(struct cache *cache, int64_t now_ms);

/* Hands out the datasets whose keys begin with `key_prefix` (keys tell values of different kinds
 * apart) and which are not too old to be served, fresh or stale, most recently used first, at most
 * `max`; each value is held for the caller, and none counts as used. Returns the count. */
size_t cache_list_datasets(struct cache *cache, const char *key_prefix, int64_t now_ms,
                           struct shared **ret_values, size_t max) NODISCARD;

/* How long past its TTL an entry is kept. Any thread. */
int64_t cache_keep_ms(const struct cache *cache) NODISCARD;

void cache_get_stats(struct cache *cache, struct cache_stats *ret_stats);

#endif
