/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#include "cache/cache.h"

enum { TTL_MS = 300 * 1000, STALE_MS = 60 * 1000, MAX_BYTES = 100 * 1000, BIG = 40 * 1000 };

/* Values alive now; each test ends with none. */
static int alive;

struct item {
    struct shared shared;
    int number;
};

static void item_destroy(struct shared *shared)
{
    alive--;
    free(CONTAINER_OF(shared, struct item, shared));
}

static struct shared *item(int number)
{
    struct item *value = malloc(sizeof(*value));
    assert_non_null(value);
    shared_init(&value->shared, item_destroy);
    value->number = number;
    alive++;
    return &value->shared;
}

static int setup(void **state)
{
    const struct cache_options options = {
        .max_bytes = MAX_BYTES, .stale_ms = STALE_MS, .hash_seed = 42};
    *state = cache_create(&options);
    return *state == NULL;
}

static int teardown(void **state)
{
    cache_destroy(*state);
    return alive != 0;
}

static void put(struct cache *cache, const char *key, int number, size_t bytes, int64_t fetched_ms)
{
    assert_true(cache_put(cache, key, item(number), bytes, fetched_ms, TTL_MS, NULL, 0));
}

/* The number of the value served for the key, 0 on a miss; checks the state. */
static int look(struct cache *cache, const char *key, int64_t now_ms, enum cache_state expected)
{
    struct cache_hit hit;
    assert_int_equal(cache_acquire(cache, key, now_ms, &hit), expected);
    int number = hit.value == NULL ? 0 : CONTAINER_OF(hit.value, struct item, shared)->number;
    shared_release(hit.value);
    return number;
}

static void nothing_is_found_in_an_empty_cache(void **state)
{
    assert_int_equal(look(*state, "a", 0, CACHE_MISS), 0);
}

static void entry_is_fresh_until_its_ttl_and_not_a_millisecond_longer(void **state)
{
    put(*state, "a", 7, 1, 1000);
    assert_int_equal(look(*state, "a", 1000, CACHE_FRESH), 7);
    assert_int_equal(look(*state, "a", 1000 + TTL_MS - 1, CACHE_FRESH), 7);
    assert_int_equal(look(*state, "a", 1000 + TTL_MS, CACHE_EXPIRED), 7);
}

static void expired_entry_is_handed_out_only_within_its_stale_time(void **state)
{
    put(*state, "a", 7, 1, 0);
    assert_int_equal(look(*state, "a", TTL_MS + STALE_MS - 1, CACHE_EXPIRED), 7);
    assert_int_equal(look(*state, "a", TTL_MS + STALE_MS, CACHE_EXPIRED), 0);
}

static void hit_tells_age_and_ttl(void **state)
{
    struct cache_hit hit;
    put(*state, "a", 7, 1, 500);
    assert_int_equal(cache_acquire(*state, "a", 2000, &hit), CACHE_FRESH);
    assert_int_equal(hit.age_ms, 1500);
    assert_int_equal(hit.fetched_ms, 500);
    assert_int_equal(hit.ttl_ms, TTL_MS);
    shared_release(hit.value);
}

static void held_value_outlives_its_replacement(void **state)
{
    struct cache_hit hit;
    put(*state, "a", 1, 1, 0);
    assert_int_equal(cache_acquire(*state, "a", 0, &hit), CACHE_FRESH);
    put(*state, "a", 2, 1, 10);
    assert_int_equal(CONTAINER_OF(hit.value, struct item, shared)->number, 1);
    assert_int_equal(alive, 2);
    shared_release(hit.value);
    assert_int_equal(alive, 1);
    assert_int_equal(look(*state, "a", 10, CACHE_FRESH), 2);
}

static void put_view(struct cache *cache, const char *dataset_key, const char *key, int number,
                     size_t bytes)
{
    struct cache_hit hit;
    assert_int_equal(cache_peek(cache, dataset_key, 0, &hit), CACHE_FRESH);
    const struct cache_view view = {.key = key, .value = item(number), .bytes = bytes};
    assert_true(cache_put_view(cache, dataset_key, hit.value, &view));
    shared_release(hit.value);
}

static void view_has_the_age_of_its_dataset_and_goes_with_it(void **state)
{
    put(*state, "set", 1, 1, 0);
    put_view(*state, "set", "view", 2, 1);
    assert_int_equal(look(*state, "view", TTL_MS - 1, CACHE_FRESH), 2);
    assert_int_equal(look(*state, "view", TTL_MS, CACHE_EXPIRED), 2);
    put(*state, "set", 3, 1, TTL_MS);
    assert_int_equal(look(*state, "view", TTL_MS, CACHE_MISS), 0);
}

static void view_of_a_replaced_dataset_is_not_stored(void **state)
{
    struct cache_hit old;
    put(*state, "set", 1, 1, 0);
    assert_int_equal(cache_acquire(*state, "set", 0, &old), CACHE_FRESH);
    put(*state, "set", 2, 1, 10);
    const struct cache_view view = {.key = "view", .value = item(3), .bytes = 1};
    assert_false(cache_put_view(*state, "set", old.value, &view));
    shared_release(old.value);
    assert_int_equal(look(*state, "view", 10, CACHE_MISS), 0);
}

static void dataset_and_its_first_views_appear_together(void **state)
{
    const struct cache_view views[] = {{"v1", item(11), 1}, {"v2", item(12), 1}};
    assert_true(cache_put(*state, "set", item(1), 1, 0, TTL_MS, views, 2));
    assert_int_equal(look(*state, "v1", 0, CACHE_FRESH), 11);
    assert_int_equal(look(*state, "v2", 0, CACHE_FRESH), 12);
}

static void view_replaces_an_older_one_of_the_same_key(void **state)
{
    put(*state, "set", 1, 1, 0);
    put_view(*state, "set", "view", 2, 1);
    put_view(*state, "set", "view", 3, 1);
    assert_int_equal(look(*state, "view", 0, CACHE_FRESH), 3);
    assert_int_equal(alive, 2);
}

static void only_views_that_were_looked_up_are_called_used_the_latest_first(void **state)
{
    struct shared *used[4];
    put(*state, "set", 1, 1, 0);
    put_view(*state, "set", "v1", 11, 1);
    put_view(*state, "set", "v2", 12, 1);
    put_view(*state, "set", "v3", 13, 1);
    (void)look(*state, "v1", 0, CACHE_FRESH);
    (void)look(*state, "v3", 0, CACHE_FRESH);
    assert_int_equal(cache_used_views(*state, "set", used, 4), 2);
    assert_int_equal(CONTAINER_OF(used[0], struct item, shared)->number, 13);
    assert_int_equal(CONTAINER_OF(used[1], struct item, shared)->number, 11);
    shared_release(used[0]);
    shared_release(used[1]);
    assert_int_equal(cache_used_views(*state, "set", used, 1), 1);
    shared_release(used[0]);
    assert_int_equal(cache_used_views(*state, "absent", used, 4), 0);
}

static void
datasets_of_a_kind_are_listed_the_latest_used_first_as_long_as_they_may_be_served(void **state)
{
    struct shared *found[4];
    const struct cache_view view = {.key = "data:view", .value = item(9), .bytes = 1};
    struct cache_stats before;
    struct cache_stats after;
    put(*state, "data:old", 1, 1, -STALE_MS);
    put(*state, "data:b", 2, 1, 0);
    assert_true(cache_put(*state, "data:c", item(3), 1, 0, TTL_MS, &view, 1));
    put(*state, "other:d", 4, 1, 0);
    (void)look(*state, "data:b", 0, CACHE_FRESH);
    cache_get_stats(*state, &before);
    assert_int_equal(cache_list_datasets(*state, "data:", TTL_MS, found, ARRAY_LENGTH(found)), 2);
    assert_int_equal(CONTAINER_OF(found[0], struct item, shared)->number, 2);
    assert_int_equal(CONTAINER_OF(found[1], struct item, shared)->number, 3);
    shared_release(found[0]);
    shared_release(found[1]);
    assert_int_equal(cache_list_datasets(*state, "data:", 0, found, 1), 1);
    shared_release(found[0]);
    assert_int_equal(cache_list_datasets(*state, "none:", 0, found, 1), 0);
    cache_get_stats(*state, &after);
    assert_memory_equal(&before, &after, sizeof(before));
}

enum { REVALIDATE_MS = 20 * 1000, CLAIM_MS = 10 * 1000 };

static struct cache *revalidating_cache(int64_t stale_ms)
{
    const struct cache_options options = {
        .max_bytes = MAX_BYTES, .stale_ms = stale_ms, .revalidate_ms = REVALIDATE_MS};
    struct cache *cache = cache_create(&options);
    assert_non_null(cache);
    put(cache, "set", 1, 1, 0);
    put_view(cache, "set", "view", 2, 1);
    return cache;
}

/* Whether the caller is told to refetch what it finds stale. */
static bool claims(struct cache *cache, const char *key, int64_t now_ms)
{
    struct cache_hit hit;
    assert_int_equal(cache_acquire(cache, key, now_ms, &hit), CACHE_STALE);
    assert_non_null(hit.value);
    shared_release(hit.value);
    return hit.revalidate;
}

static void entry_is_stale_until_its_time_for_revalidation_is_over(void **state)
{
    struct cache *cache = revalidating_cache(STALE_MS);
    (void)state;
    assert_int_equal(look(cache, "view", TTL_MS - 1, CACHE_FRESH), 2);
    assert_int_equal(look(cache, "view", TTL_MS, CACHE_STALE), 2);
    assert_int_equal(look(cache, "view", TTL_MS + REVALIDATE_MS - 1, CACHE_STALE), 2);
    assert_int_equal(look(cache, "view", TTL_MS + REVALIDATE_MS, CACHE_EXPIRED), 2);
    assert_int_equal(look(cache, "view", TTL_MS + STALE_MS, CACHE_EXPIRED), 0);
    cache_destroy(cache);
}

static void entries_are_kept_for_the_longer_of_the_two_times(void **state)
{
    struct cache *cache = revalidating_cache(0);
    (void)state;
    assert_int_equal(cache_cleanup(cache, TTL_MS + REVALIDATE_MS - 1), 0);
    assert_int_equal(look(cache, "set", TTL_MS + REVALIDATE_MS - 1, CACHE_STALE), 1);
    assert_int_equal(look(cache, "set", TTL_MS + REVALIDATE_MS, CACHE_EXPIRED), 0);
    assert_int_equal(cache_cleanup(cache, TTL_MS + REVALIDATE_MS), 2);
    cache_destroy(cache);
}

static void one_reader_in_ten_seconds_is_to_refetch_a_dataset_and_all_its_views(void **state)
{
    struct cache *cache = revalidating_cache(0);
    struct cache_hit hit;
    (void)state;
    assert_int_equal(cache_peek(cache, "view", TTL_MS, &hit), CACHE_STALE);
    assert_false(hit.revalidate);
    shared_release(hit.value);
    assert_true(claims(cache, "view", TTL_MS));
    assert_false(claims(cache, "view", TTL_MS));
    assert_false(claims(cache, "set", TTL_MS + CLAIM_MS - 1));
    assert_true(claims(cache, "set", TTL_MS + CLAIM_MS));
    assert_false(claims(cache, "view", TTL_MS + CLAIM_MS));
    cache_destroy(cache);
}

static void claim_is_gone_with_the_entry_it_was_made_for(void **state)
{
    struct cache *cache = revalidating_cache(0);
    (void)state;
    assert_true(claims(cache, "set", TTL_MS));
    put(cache, "set", 3, 1, 1000);
    assert_int_equal(look(cache, "set", TTL_MS, CACHE_FRESH), 3);
    assert_true(claims(cache, "set", TTL_MS + 1000));
    cache_destroy(cache);
}

static void stale_lookups_are_hits(void **state)
{
    struct cache *cache = revalidating_cache(0);
    struct cache_stats stats;
    (void)state;
    (void)claims(cache, "set", TTL_MS);
    (void)claims(cache, "view", TTL_MS);
    cache_get_stats(cache, &stats);
    assert_int_equal(stats.hits, 2);
    assert_int_equal(stats.misses, 0);
    assert_int_equal(stats.expired, 0);
    cache_destroy(cache);
}

static void stale_view_that_is_looked_up_is_in_use(void **state)
{
    struct cache *cache = revalidating_cache(0);
    struct shared *used[1];
    (void)state;
    put(cache, "other", 3, BIG, 0);
    (void)claims(cache, "view", TTL_MS);
    assert_int_equal(cache_used_views(cache, "set", used, 1), 1);
    shared_release(used[0]);
    put(cache, "another", 4, BIG, TTL_MS);
    put(cache, "one more", 5, BIG, TTL_MS);
    assert_int_equal(look(cache, "view", TTL_MS, CACHE_STALE), 2);
    assert_int_equal(look(cache, "other", TTL_MS, CACHE_MISS), 0);
    cache_destroy(cache);
}

static void least_recently_used_leaves_first_when_full(void **state)
{
    put(*state, "a", 1, BIG, 0);
    put(*state, "b", 2, BIG, 0);
    (void)look(*state, "a", 0, CACHE_FRESH);
    put(*state, "c", 3, BIG, 0);
    assert_int_equal(look(*state, "a", 0, CACHE_FRESH), 1);
    assert_int_equal(look(*state, "b", 0, CACHE_MISS), 0);
    assert_int_equal(look(*state, "c", 0, CACHE_FRESH), 3);
}

static void keys_and_entries_count_as_well(void **state)
{
    static const char key[] = "a key that is longer than its value";
    struct cache_stats stats;
    put(*state, key, 1, 1, 0);
    cache_get_stats(*state, &stats);
    assert_true(stats.bytes > 1 + sizeof(key));
}

static void using_a_view_keeps_its_dataset(void **state)
{
    put(*state, "a", 1, BIG, 0);
    put_view(*state, "a", "view of a", 2, 1);
    put(*state, "b", 3, BIG, 0);
    (void)look(*state, "view of a", 0, CACHE_FRESH);
    put(*state, "c", 4, BIG, 0);
    assert_int_equal(look(*state, "view of a", 0, CACHE_FRESH), 2);
    assert_int_equal(look(*state, "a", 0, CACHE_FRESH), 1);
    assert_int_equal(look(*state, "b", 0, CACHE_MISS), 0);
}

static void dataset_beyond_all_bounds_is_kept_alone(void **state)
{
    put(*state, "a", 1, BIG, 0);
    put(*state, "huge", 2, 10 * MAX_BYTES, 0);
    assert_int_equal(look(*state, "huge", 0, CACHE_FRESH), 2);
    assert_int_equal(look(*state, "a", 0, CACHE_MISS), 0);
    put(*state, "b", 3, 1, 0);
    assert_int_equal(look(*state, "huge", 0, CACHE_MISS), 0);
}

static void first_views_leave_before_the_dataset_they_came_with(void **state)
{
    const struct cache_view views[] = {{"v1", item(11), BIG}, {"v2", item(12), BIG}};
    assert_true(cache_put(*state, "set", item(1), BIG, 0, TTL_MS, views, 2));
    assert_int_equal(look(*state, "set", 0, CACHE_FRESH), 1);
    assert_int_equal(alive, 2);
}

static void thousand_views_of_one_dataset_stay_within_the_bound(void **state)
{
    char key[32];
    struct cache_stats stats;
    put(*state, "set", 1, BIG, 0);
    for (int i = 0; i < 1000; i++) {
        (void)snprintf(key, sizeof(key), "view %d", i);
        put_view(*state, "set", key, 1000 + i, 1000);
        cache_get_stats(*state, &stats);
        assert_true(stats.bytes <= MAX_BYTES);
    }
    assert_int_equal(look(*state, "view 999", 0, CACHE_FRESH), 1999);
    assert_int_equal(look(*state, "view 0", 0, CACHE_MISS), 0);
    assert_int_equal(look(*state, "set", 0, CACHE_FRESH), 1);
    assert_true(stats.evictions > 900);
}

static void cleanup_drops_what_is_past_its_stale_time_with_its_views(void **state)
{
    struct cache_stats stats;
    put(*state, "old", 1, 1, 0);
    put_view(*state, "old", "view of old", 2, 1);
    put(*state, "young", 3, 1, 50 * 1000);
    put_view(*state, "young", "view of young", 4, 1);
    assert_int_equal(cache_cleanup(*state, TTL_MS + STALE_MS - 1), 0);
    assert_int_equal(cache_cleanup(*state, TTL_MS + STALE_MS), 2);
    cache_get_stats(*state, &stats);
    assert_int_equal(stats.cached_items, 2);
    assert_int_equal(look(*state, "view of young", TTL_MS, CACHE_FRESH), 4);
    assert_int_equal(cache_cleanup(*state, INT64_MAX / 2), 2);
    cache_get_stats(*state, &stats);
    assert_int_equal(stats.cached_items, 0);
    assert_int_equal(stats.bytes, 0);
}

static void statistics_count_lookups_and_not_peeks(void **state)
{
    struct cache_stats stats;
    struct cache_hit hit;
    put(*state, "a", 1, 1, 0);
    (void)look(*state, "a", 0, CACHE_FRESH);
    (void)look(*state, "a", TTL_MS, CACHE_EXPIRED);
    (void)look(*state, "b", 0, CACHE_MISS);
    (void)cache_peek(*state, "a", 0, &hit);
    shared_release(hit.value);
    cache_get_stats(*state, &stats);
    assert_int_equal(stats.hits, 1);
    assert_int_equal(stats.misses, 2);
    assert_int_equal(stats.expired, 1);
    assert_int_equal(stats.cached_items, 1);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(nothing_is_found_in_an_empty_cache),
        CASE(entry_is_fresh_until_its_ttl_and_not_a_millisecond_longer),
        CASE(expired_entry_is_handed_out_only_within_its_stale_time),
        CASE(hit_tells_age_and_ttl),
        CASE(held_value_outlives_its_replacement),
        CASE(view_has_the_age_of_its_dataset_and_goes_with_it),
        CASE(view_of_a_replaced_dataset_is_not_stored),
        CASE(dataset_and_its_first_views_appear_together),
        CASE(view_replaces_an_older_one_of_the_same_key),
        CASE(only_views_that_were_looked_up_are_called_used_the_latest_first),
        CASE(datasets_of_a_kind_are_listed_the_latest_used_first_as_long_as_they_may_be_served),
        CASE(entry_is_stale_until_its_time_for_revalidation_is_over),
        CASE(entries_are_kept_for_the_longer_of_the_two_times),
        CASE(one_reader_in_ten_seconds_is_to_refetch_a_dataset_and_all_its_views),
        CASE(claim_is_gone_with_the_entry_it_was_made_for),
        CASE(stale_lookups_are_hits),
        CASE(stale_view_that_is_looked_up_is_in_use),
        CASE(least_recently_used_leaves_first_when_full),
        CASE(keys_and_entries_count_as_well),
        CASE(using_a_view_keeps_its_dataset),
        CASE(dataset_beyond_all_bounds_is_kept_alone),
        CASE(first_views_leave_before_the_dataset_they_came_with),
        CASE(thousand_views_of_one_dataset_stay_within_the_bound),
        CASE(cleanup_drops_what_is_past_its_stale_time_with_its_views),
        CASE(statistics_count_lookups_and_not_peeks),
    };
    return cmocka_run_group_tests_name("cache", tests, NULL, NULL);
}
