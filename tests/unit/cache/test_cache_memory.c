/* SPDX-License-Identifier: Apache-2.0 */
/* Every allocation of the cache fails once: nothing leaks, nothing is half stored. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "cache/cache.h"
#include "support/alloc_fault.h"

static int alive;

static void value_destroy(struct shared *shared)
{
    alive--;
    free(shared);
}

/* Made before an allocation is set to fail. */
static struct shared *value(void)
{
    struct shared *shared = malloc(sizeof(*shared));
    assert_non_null(shared);
    shared_init(shared, value_destroy);
    alive++;
    return shared;
}

/* One life of a cache with the n-th allocation failing. True once there is no n-th. */
static bool survives_without(long nth)
{
    struct shared *dataset = value();
    const struct cache_view first = {"first view", value(), 1};
    const struct cache_view second = {"second view", value(), 1};
    const struct cache_options options = {.max_bytes = 1 << 20};
    alloc_fault_arm(nth);
    struct cache *cache = cache_create(&options);
    if (cache == NULL) {
        alloc_fault_disarm();
        shared_release(dataset);
        shared_release(first.value);
        shared_release(second.value);
        return !alloc_fault_hit();
    }
    bool stored = cache_put(cache, "set", dataset, 1, 0, 1000, &first, 1);
    bool stored_view = cache_put_view(cache, "set", dataset, &second);
    alloc_fault_disarm();

    struct cache_hit hit;
    assert_int_equal(cache_acquire(cache, "set", 0, &hit), stored ? CACHE_FRESH : CACHE_MISS);
    shared_release(hit.value);
    assert_int_equal(cache_acquire(cache, "second view", 0, &hit),
                     stored_view ? CACHE_FRESH : CACHE_MISS);
    shared_release(hit.value);
    assert_true(stored || !stored_view);
    cache_destroy(cache);
    return !alloc_fault_hit();
}

static void cache_survives_each_failing_allocation(void **state)
{
    (void)state;
    if (!alloc_fault_supported())
        skip();
    long nth = 1;
    while (!survives_without(nth))
        nth++;
    assert_true(nth > 6);
    assert_int_equal(alive, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cache_survives_each_failing_allocation),
    };
    return cmocka_run_group_tests_name("cache without memory", tests, NULL, NULL);
}
