/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One hash table of entries by key, one list of all entries and one of the datasets by last use,
 * and for each dataset the list of its views.
 *
 * Looking up a view touches the view and then its dataset, so a dataset is always more recently
 * used than its views: taking entries from the old end of the list removes views before the dataset
 * they hang on.
 *
 * Whatever leaves is unlinked under the lock into a list of its own and released after unlocking:
 * freeing a large cost set must not hold up readers.
 */
#include "cache/cache.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* Running out of memory in the hash table is reported, not fatal: the entry then has no table
 * (`hh.tbl` is NULL). */
#define HASH_NONFATAL_OOM      1
#define uthash_nonfatal_oom(e) ((void)(e))
#include <uthash.h>
#include <utlist.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

/* Long enough for most refetches, short enough that one which failed is soon tried again. */
enum { REVALIDATION_CLAIM_MS = 10 * 1000 };

struct cache_entry {
    UT_hash_handle hh;
    char *key;
    struct shared *value; /* one reference */
    size_t bytes;         /* value, key and this struct */
    int64_t fetched_ms;   /* a view's are its dataset's */
    int64_t ttl_ms;
    int64_t claimed_until_ms; /* a dataset's: somebody refetches it */

    struct cache_entry *dataset; /* of a view; NULL for a dataset */
    struct cache_entry *views;   /* of a dataset, most recently used first */
    struct cache_entry *next_view, *previous_view;

    struct cache_entry *older, *newer; /* all entries by last use */
    struct cache_entry *next_dataset, *previous_dataset;
    bool looked_up;
};

struct cache {
    struct cache_options options; /* `stale_ms` is for how long entries are kept: the longer */

    pthread_mutex_t mutex;
    struct {
        struct cache_entry *by_key;
        struct cache_entry *by_use;   /* the most recently used first */
        struct cache_entry *datasets; /* likewise: views are many, and go with them */
        struct cache_stats stats;
    } locked; /* only with the mutex */
};

struct cache *cache_create(const struct cache_options *options)
{
    struct cache *cache = calloc(1, sizeof(*cache));
    if (cache == NULL)
        return NULL;
    cache->options = *options;
    if (cache->options.stale_ms < options->revalidate_ms)
        cache->options.stale_ms = options->revalidate_ms;
    if (pthread_mutex_init(&cache->mutex, NULL) != 0) {
        free(cache);
        return NULL;
    }
    return cache;
}

static void entry_free(struct cache_entry *entry)
{
    if (entry == NULL)
        return;
    shared_release(entry->value);
    free(entry->key);
    free(entry);
}

/* Takes the caller's reference to `value`, also on failure. */
static struct cache_entry *entry_new(const char *key, struct shared *value, size_t bytes)
{
    struct cache_entry *entry = calloc(1, sizeof(*entry));
    char *copy = strdup(key);
    if (entry == NULL || copy == NULL) {
        free(entry);
        free(copy);
        shared_release(value);
        return NULL;
    }
    entry->key = copy;
    entry->value = value;
    entry->bytes = bytes + strlen(key) + 1 + sizeof(*entry);
    return entry;
}

static void entries_free(struct cache_entry *removed)
{
    while (removed != NULL) {
        struct cache_entry *entry = removed;
        removed = entry->older;
        entry_free(entry);
    }
}

void cache_destroy(struct cache *cache)
{
    if (cache == NULL)
        return;
    struct cache_entry *all = cache->locked.by_use;
    HASH_CLEAR(hh, cache->locked.by_key);
    entries_free(all);
    pthread_mutex_destroy(&cache->mutex);
    free(cache);
}

static unsigned hash_of(const struct cache *cache, const char *key, size_t length)
{
    return (unsigned)XXH3_64bits_withSeed(key, length, cache->options.hash_seed);
}

static struct cache_entry *find_locked(struct cache *cache, const char *key, unsigned hash)
{
    struct cache_entry *entry = NULL;
    HASH_FIND_BYHASHVALUE(hh, cache->locked.by_key, key, strlen(key), hash, entry);
    return entry;
}

static void touch_locked(struct cache *cache, struct cache_entry *entry)
{
    if (cache->locked.by_use == entry)
        return;
    DL_DELETE2(cache->locked.by_use, entry, newer, older);
    DL_PREPEND2(cache->locked.by_use, entry, newer, older);
    if (entry->dataset != NULL || cache->locked.datasets == entry)
        return;
    DL_DELETE2(cache->locked.datasets, entry, previous_dataset, next_dataset);
    DL_PREPEND2(cache->locked.datasets, entry, previous_dataset, next_dataset);
}

/* Marks the entry as used, and so its dataset. */
static void use_locked(struct cache *cache, struct cache_entry *entry)
{
    entry->looked_up = true;
    touch_locked(cache, entry);
    struct cache_entry *dataset = entry->dataset;
    if (dataset == NULL)
        return;
    if (dataset->views != entry) {
        DL_DELETE2(dataset->views, entry, previous_view, next_view);
        DL_PREPEND2(dataset->views, entry, previous_view, next_view);
    }
    touch_locked(cache, dataset);
}

/* False when there was no memory for the table; the entry is then not linked anywhere. */
static bool link_locked(struct cache *cache, struct cache_entry *entry)
{
    size_t length = strlen(entry->key);
    unsigned hash = hash_of(cache, entry->key, length);
    HASH_ADD_KEYPTR_BYHASHVALUE(hh, cache->locked.by_key, entry->key, length, hash, entry);
    if (entry->hh.tbl == NULL)
        return false;
    DL_PREPEND2(cache->locked.by_use, entry, newer, older);
    if (entry->dataset == NULL)
        DL_PREPEND2(cache->locked.datasets, entry, previous_dataset, next_dataset);
    cache->locked.stats.cached_items++;
    cache->locked.stats.bytes += entry->bytes;
    return true;
}

static void unlink_one_locked(struct cache *cache, struct cache_entry *entry,
                              struct cache_entry **removed)
{
    /* The analyzer cannot know that what is in the table is on the list too, with neighbours. */
    HASH_DELETE(hh, cache->locked.by_key, entry);          /* NOLINT(clang-analyzer-core.*) */
    DL_DELETE2(cache->locked.by_use, entry, newer, older); /* NOLINT(clang-analyzer-core.*) */
    if (entry->dataset == NULL)
        DL_DELETE2(cache->locked.datasets, entry, previous_dataset, next_dataset);
    cache->locked.stats.cached_items--;
    cache->locked.stats.bytes -= entry->bytes;
    entry->older = *removed;
    *removed = entry;
}

/* Moves the entry, a dataset's views included, to the list of removed ones. Returns how many. */
static size_t unlink_locked(struct cache *cache, struct cache_entry *entry,
                            struct cache_entry **removed)
{
    size_t count = 1;
    if (entry->dataset != NULL)
        DL_DELETE2(entry->dataset->views, entry, previous_view, next_view);
    while (entry->views != NULL) {
        struct cache_entry *view = entry->views;
        DL_DELETE2(entry->views, view, previous_view, next_view);
        unlink_one_locked(cache, view, removed);
        count++;
    }
    unlink_one_locked(cache, entry, removed);
    return count;
}

/* Drops the least recently used entries until the rest fits. The most recently used dataset stays
 * whatever its size; its views leave one by one. */
static void evict_locked(struct cache *cache, struct cache_entry **removed)
{
    while (cache->locked.stats.bytes > cache->options.max_bytes) {
        struct cache_entry *newest = cache->locked.by_use;
        struct cache_entry *oldest =
            newest == NULL ? NULL : newest->newer; /* a DL list's head points to its tail */
        if (oldest == NULL || oldest == newest)
            return;
        cache->locked.stats.evictions += unlink_locked(cache, oldest, removed);
    }
}

static int64_t fetched_ms_of(const struct cache_entry *entry)
{
    return entry->dataset == NULL ? entry->fetched_ms : entry->dataset->fetched_ms;
}

static int64_t ttl_ms_of(const struct cache_entry *entry)
{
    return entry->dataset == NULL ? entry->ttl_ms : entry->dataset->ttl_ms;
}

static enum cache_state look_locked(const struct cache *cache, const struct cache_entry *entry,
                                    int64_t now_ms, struct cache_hit *ret_hit)
{
    if (entry == NULL)
        return CACHE_MISS;
    ret_hit->fetched_ms = fetched_ms_of(entry);
    ret_hit->ttl_ms = ttl_ms_of(entry);
    ret_hit->age_ms = now_ms - ret_hit->fetched_ms;
    int64_t overdue_ms = ret_hit->age_ms - ret_hit->ttl_ms;
    if (overdue_ms < cache->options.stale_ms)
        ret_hit->value = shared_hold(entry->value);
    if (overdue_ms < 0)
        return CACHE_FRESH;
    return overdue_ms < cache->options.revalidate_ms ? CACHE_STALE : CACHE_EXPIRED;
}

/* True for one caller at a time. All views of a dataset are refetched by one fetch. */
static bool claim_locked(struct cache_entry *entry, int64_t now_ms)
{
    struct cache_entry *dataset = entry->dataset == NULL ? entry : entry->dataset;
    if (now_ms < dataset->claimed_until_ms)
        return false;
    dataset->claimed_until_ms = now_ms + REVALIDATION_CLAIM_MS;
    return true;
}

enum cache_state cache_acquire(struct cache *cache, const char *key, int64_t now_ms,
                               struct cache_hit *ret_hit)
{
    *ret_hit = (struct cache_hit){0};
    unsigned hash = hash_of(cache, key, strlen(key));
    pthread_mutex_lock(&cache->mutex);
    struct cache_entry *entry = find_locked(cache, key, hash);
    enum cache_state state = look_locked(cache, entry, now_ms, ret_hit);
    struct cache_stats *stats = &cache->locked.stats;
    if (state == CACHE_STALE)
        ret_hit->revalidate = claim_locked(entry, now_ms);
    if (state == CACHE_FRESH || state == CACHE_STALE) {
        stats->hits++;
    } else {
        stats->misses++;
        stats->expired += state == CACHE_EXPIRED;
    }
    if (entry != NULL)
        use_locked(cache, entry);
    pthread_mutex_unlock(&cache->mutex);
    return state;
}

enum cache_state cache_peek(struct cache *cache, const char *key, int64_t now_ms,
                            struct cache_hit *ret_hit)
{
    *ret_hit = (struct cache_hit){0};
    unsigned hash = hash_of(cache, key, strlen(key));
    pthread_mutex_lock(&cache->mutex);
    enum cache_state state = look_locked(cache, find_locked(cache, key, hash), now_ms, ret_hit);
    pthread_mutex_unlock(&cache->mutex);
    return state;
}

static bool add_view_locked(struct cache *cache, struct cache_entry *dataset,
                            struct cache_entry *view, struct cache_entry **removed)
{
    struct cache_entry *previous =
        find_locked(cache, view->key, hash_of(cache, view->key, strlen(view->key)));
    if (previous != NULL)
        (void)unlink_locked(cache, previous, removed);
    view->dataset = dataset;
    if (!link_locked(cache, view)) {
        view->older = *removed;
        *removed = view;
        return false;
    }
    DL_PREPEND2(dataset->views, view, previous_view, next_view);
    return true;
}

/* Makes entries of `views`, linked through `older`. Views without memory are left out: they are
 * made again on demand. */
static struct cache_entry *entries_of_views(const struct cache_view *views, size_t count)
{
    struct cache_entry *list = NULL;
    for (size_t i = 0; i < count; i++) {
        struct cache_entry *entry = entry_new(views[i].key, views[i].value, views[i].bytes);
        if (entry == NULL)
            continue;
        entry->older = list;
        list = entry;
    }
    return list;
}

static bool replace_locked(struct cache *cache, struct cache_entry *dataset,
                           struct cache_entry *views, struct cache_entry **removed)
{
    struct cache_entry *previous =
        find_locked(cache, dataset->key, hash_of(cache, dataset->key, strlen(dataset->key)));
    if (previous != NULL)
        (void)unlink_locked(cache, previous, removed);
    bool stored = link_locked(cache, dataset);
    if (!stored) {
        dataset->older = *removed;
        *removed = dataset;
    }
    while (views != NULL) {
        struct cache_entry *view = views;
        views = view->older;
        view->older = NULL;
        if (stored) {
            (void)add_view_locked(cache, dataset, view, removed);
        } else {
            view->older = *removed;
            *removed = view;
        }
    }
    if (stored)
        touch_locked(cache, dataset);
    evict_locked(cache, removed);
    return stored;
}

bool cache_put(struct cache *cache, const char *key, struct shared *value, size_t bytes,
               int64_t fetched_ms, int64_t ttl_ms, const struct cache_view *views,
               size_t view_count)
{
    struct cache_entry *view_entries = entries_of_views(views, view_count);
    struct cache_entry *dataset = entry_new(key, value, bytes);
    if (dataset == NULL) {
        entries_free(view_entries);
        return false;
    }
    dataset->fetched_ms = fetched_ms;
    dataset->ttl_ms = ttl_ms;

    struct cache_entry *removed = NULL;
    pthread_mutex_lock(&cache->mutex);
    bool stored = replace_locked(cache, dataset, view_entries, &removed);
    pthread_mutex_unlock(&cache->mutex);
    entries_free(removed);
    return stored;
}

bool cache_put_view(struct cache *cache, const char *dataset_key, const struct shared *dataset,
                    const struct cache_view *view)
{
    struct cache_entry *entry = entry_new(view->key, view->value, view->bytes);
    if (entry == NULL)
        return false;

    struct cache_entry *removed = NULL;
    bool stored = false;
    unsigned hash = hash_of(cache, dataset_key, strlen(dataset_key));
    pthread_mutex_lock(&cache->mutex);
    struct cache_entry *owner = find_locked(cache, dataset_key, hash);
    if (owner != NULL && owner->value == dataset) {
        stored = add_view_locked(cache, owner, entry, &removed);
        touch_locked(cache, owner);
        evict_locked(cache, &removed);
    } else {
        removed = entry;
    }
    pthread_mutex_unlock(&cache->mutex);
    entries_free(removed);
    return stored;
}

size_t cache_used_views(struct cache *cache, const char *dataset_key, struct shared **ret_values,
                        size_t max)
{
    size_t count = 0;
    unsigned hash = hash_of(cache, dataset_key, strlen(dataset_key));
    pthread_mutex_lock(&cache->mutex);
    const struct cache_entry *dataset = find_locked(cache, dataset_key, hash);
    const struct cache_entry *view = dataset == NULL ? NULL : dataset->views;
    for (; view != NULL && count < max; view = view->next_view) {
        if (view->looked_up)
            ret_values[count++] = shared_hold(view->value);
    }
    pthread_mutex_unlock(&cache->mutex);
    return count;
}

size_t cache_list_datasets(struct cache *cache, const char *key_prefix, int64_t now_ms,
                           struct shared **ret_values, size_t max)
{
    size_t count = 0;
    size_t length = strlen(key_prefix);
    pthread_mutex_lock(&cache->mutex);
    const struct cache_entry *entry = cache->locked.datasets;
    for (; entry != NULL && count < max; entry = entry->next_dataset) {
        bool chosen = strncmp(entry->key, key_prefix, length) == 0;
        struct cache_hit hit = {0};
        if (chosen)
            (void)look_locked(cache, entry, now_ms, &hit);
        if (hit.value != NULL)
            ret_values[count++] = hit.value;
    }
    pthread_mutex_unlock(&cache->mutex);
    return count;
}

size_t cache_cleanup(struct cache *cache, int64_t now_ms)
{
    size_t count = 0;
    struct cache_entry *removed = NULL;
    pthread_mutex_lock(&cache->mutex);
    struct cache_entry *entry = cache->locked.datasets;
    while (entry != NULL) {
        struct cache_entry *next = entry->next_dataset;
        if (now_ms - entry->fetched_ms >= entry->ttl_ms + cache->options.stale_ms)
            count += unlink_locked(cache, entry, &removed);
        entry = next;
    }
    pthread_mutex_unlock(&cache->mutex);
    entries_free(removed);
    return count;
}

int64_t cache_keep_ms(const struct cache *cache)
{
    return cache->options.stale_ms;
}

void cache_get_stats(struct cache *cache, struct cache_stats *ret_stats)
{
    pthread_mutex_lock(&cache->mutex);
    *ret_stats = cache->locked.stats;
    pthread_mutex_unlock(&cache->mutex);
}
