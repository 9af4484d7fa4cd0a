/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/scheduler.h"
#include "sample.h"
#include "warm_dataset.h"

static struct warm_dataset warm_dataset_with_plain_views(void)
{
    struct window window;
    struct warm_dataset warm = {0};
    assert_true(window_parse(TEXT("7d"), &window));
    warm.dataset = dataset_create(sample_set_of(sample_cpu("shop/web-0", "1.5")), &window, 0, 1000);
    assert_non_null(warm.dataset);
    warm_dataset_add_plain_views(&warm);
    assert_int_equal(warm.view_count, 2); /* the sample has idle */
    return warm;
}

static void views_are_rendered_as_long_as_the_job_goes_on(void **state)
{
    (void)state;
    struct loop_job job = {0};
    struct warm_dataset warm = warm_dataset_with_plain_views();
    warm_dataset_render(&warm, 0, &job);
    for (size_t i = 0; i < warm.view_count; i++)
        assert_non_null(warm.views[i].content);
    warm_dataset_finish(&warm);
}

static void no_view_is_begun_once_the_job_is_to_stop(void **state)
{
    (void)state;
    struct loop_job job = {.is_to_stop = true};
    struct warm_dataset warm = warm_dataset_with_plain_views();
    warm_dataset_render(&warm, 0, &job);
    for (size_t i = 0; i < warm.view_count; i++)
        assert_null(warm.views[i].content);
    warm_dataset_finish(&warm);
}

/* Puts a view of the dataset, limited to so many recommendations, into the cache and looks it up. */
static void use_view(struct cache *cache, const struct warm_dataset *warm, int limit)
{
    const struct cost_query query = {.kind = COST_VIEW_RECOMMENDATIONS, .limit = limit};
    struct view_spec *spec = view_spec_create(&query, 0);
    struct cache_view view;
    struct cache_hit hit;
    char key[DATASET_KEY_MAX];
    dataset_key_of(warm->dataset, key);
    assert_non_null(spec);
    assert_true(cached_view_create(spec, warm->views[0].content, &view));
    assert_true(cache_put_view(cache, key, &warm->dataset->shared, &view));
    assert_int_equal(cache_acquire(cache, spec->key, 0, &hit), CACHE_FRESH);
    shared_release(hit.value);
    view_spec_release(spec);
}

static void views_in_use_are_taken_once_and_as_far_as_there_is_room(void **state)
{
    (void)state;
    struct loop_job job = {0};
    struct cache *cache = cache_create(&(struct cache_options){.max_bytes = 1 << 20});
    struct warm_dataset old = warm_dataset_with_plain_views();
    struct warm_dataset fresh = warm_dataset_with_plain_views();
    struct cache_hit hit;
    assert_non_null(cache);
    warm_dataset_render(&old, 0, &job);
    warm_dataset_store(&old, cache, NULL);
    assert_int_equal(cache_acquire(cache, old.views[0].spec->key, 0, &hit), CACHE_FRESH);
    shared_release(hit.value);
    warm_dataset_add_used_views(&fresh, cache);
    assert_int_equal(fresh.view_count, 2); /* it is one of the plain ones */
    for (int i = 1; i <= WARM_VIEWS_MAX; i++)
        use_view(cache, &old, i);
    warm_dataset_add_used_views(&fresh, cache);
    assert_int_equal(fresh.view_count, WARM_VIEWS_MAX);
    warm_dataset_finish(&old);
    warm_dataset_finish(&fresh);
    cache_destroy(cache);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(views_are_rendered_as_long_as_the_job_goes_on),
        cmocka_unit_test(no_view_is_begun_once_the_job_is_to_stop),
        cmocka_unit_test(views_in_use_are_taken_once_and_as_far_as_there_is_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
