/* SPDX-License-Identifier: Apache-2.0 */
/* Readers, a writer and the cleaner at once; the thread sanitizer and the value counter are the
 * judges. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "cache/cache.h"

enum { READERS = 3, ROUNDS = 20000, TTL_MS = 50 };

static atomic_int alive;

struct item {
    struct shared shared;
    int64_t fetched_ms;
};

static void item_destroy(struct shared *shared)
{
    atomic_fetch_sub(&alive, 1);
    free(CONTAINER_OF(shared, struct item, shared));
}

static struct shared *item(int64_t fetched_ms)
{
    struct item *value = malloc(sizeof(*value));
    if (value == NULL)
        abort();
    shared_init(&value->shared, item_destroy);
    value->fetched_ms = fetched_ms;
    atomic_fetch_add(&alive, 1);
    return &value->shared;
}

struct scene {
    struct cache *cache;
    atomic_llong now_ms;
    atomic_bool over;
    atomic_int claims;
    atomic_int wrong; /* values whose own age contradicts what the cache said of them */
};

static void *read_both(void *context)
{
    static const char *const keys[] = {"set", "view"};
    struct scene *scene = context;
    for (unsigned i = 0; !atomic_load(&scene->over); i++) {
        struct cache_hit hit;
        int64_t now_ms = atomic_load(&scene->now_ms);
        enum cache_state cache_state = cache_acquire(scene->cache, keys[i % 2], now_ms, &hit);
        if (hit.value != NULL &&
            CONTAINER_OF(hit.value, struct item, shared)->fetched_ms != hit.fetched_ms)
            atomic_fetch_add(&scene->wrong, 1);
        if (cache_state == CACHE_FRESH && hit.value == NULL)
            atomic_fetch_add(&scene->wrong, 1);
        shared_release(hit.value);
    }
    return NULL;
}

static void readers_never_see_a_dataset_with_another_ones_view(void **state)
{
    (void)state;
    const struct cache_options options = {.max_bytes = 1 << 20};
    struct scene scene = {.cache = cache_create(&options)};
    assert_non_null(scene.cache);
    pthread_t readers[READERS];
    for (int i = 0; i < READERS; i++)
        assert_int_equal(pthread_create(&readers[i], NULL, read_both, &scene), 0);
    for (int64_t round = 0; round < ROUNDS; round++) {
        const struct cache_view view = {"view", item(round), 10};
        assert_true(cache_put(scene.cache, "set", item(round), 10, round, TTL_MS, &view, 1));
        atomic_store(&scene.now_ms, round);
        if (round % 100 == 0)
            (void)cache_cleanup(scene.cache, round + 2 * TTL_MS);
    }
    atomic_store(&scene.over, true);
    for (int i = 0; i < READERS; i++)
        assert_int_equal(pthread_join(readers[i], NULL), 0);
    cache_destroy(scene.cache);
    assert_int_equal(atomic_load(&scene.wrong), 0);
    assert_int_equal(atomic_load(&alive), 0);
}

/* Counts how often a reader is told to refetch. */
static void *read_stale(void *context)
{
    struct scene *scene = context;
    for (int i = 0; i < ROUNDS; i++) {
        struct cache_hit hit;
        if (cache_acquire(scene->cache, i % 2 == 0 ? "set" : "view", TTL_MS, &hit) != CACHE_STALE)
            atomic_fetch_add(&scene->wrong, 1);
        atomic_fetch_add(&scene->claims, hit.revalidate);
        shared_release(hit.value);
    }
    return NULL;
}

static void one_of_many_readers_at_once_is_to_refetch(void **state)
{
    (void)state;
    const struct cache_options options = {.max_bytes = 1 << 20, .revalidate_ms = TTL_MS};
    struct scene scene = {.cache = cache_create(&options)};
    assert_non_null(scene.cache);
    const struct cache_view view = {"view", item(0), 10};
    assert_true(cache_put(scene.cache, "set", item(0), 10, 0, TTL_MS, &view, 1));
    pthread_t readers[READERS];
    for (int i = 0; i < READERS; i++)
        assert_int_equal(pthread_create(&readers[i], NULL, read_stale, &scene), 0);
    for (int i = 0; i < READERS; i++)
        assert_int_equal(pthread_join(readers[i], NULL), 0);
    cache_destroy(scene.cache);
    assert_int_equal(atomic_load(&scene.wrong), 0);
    assert_int_equal(atomic_load(&scene.claims), 1);
    assert_int_equal(atomic_load(&alive), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(readers_never_see_a_dataset_with_another_ones_view),
        cmocka_unit_test(one_of_many_readers_at_once_is_to_refetch),
    };
    return cmocka_run_group_tests_name("cache threads", tests, NULL, NULL);
}
