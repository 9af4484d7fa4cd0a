/* SPDX-License-Identifier: Apache-2.0 */
#include "house.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

enum { INTERVAL_MS = 240 * 1000, CLEANUP_MS = 300 * 1000 };

struct scene {
    struct house house;
    struct refresher *refresher;
};

static void recovered(void *context)
{
    refresher_origin_recovered(context);
}

static int setup(void **state)
{
    struct scene *scene = malloc(sizeof(*scene));
    struct window windows[2];
    assert_non_null(scene);
    house_build(&scene->house, 0);
    assert_true(window_parse(TEXT("7d"), &windows[0]));
    assert_true(window_parse(TEXT("30d"), &windows[1]));
    const struct refresher_options options = {
        .windows = windows,
        .window_count = 2,
        .interval_ms = INTERVAL_MS,
        .cleanup_interval_ms = CLEANUP_MS,
        .service = scene->house.service,
        .scheduler = fake_loop_scheduler(scene->house.loop),
        .time = fake_loop_time(scene->house.loop),
    };
    scene->refresher = refresher_create(&options);
    assert_non_null(scene->refresher);
    origin_health_on_recovery(scene->house.health, recovered, scene->refresher);
    *state = scene;
    return 0;
}

static int teardown(void **state)
{
    struct scene *scene = *state;
    refresher_stop(scene->refresher);
    house_stop(&scene->house);
    refresher_destroy(scene->refresher);
    house_tear_down(&scene->house);
    free(scene);
    return 0;
}

static size_t asked(const struct scene *scene)
{
    return scripted_origin_asked(scene->house.origin);
}

static void assert_asked_for(const struct scene *scene, size_t number, const char *part)
{
    assert_non_null(strstr(scripted_origin_url(scene->house.origin, number), part));
}

static void answer(struct scene *scene, size_t number)
{
    scripted_origin_answer(scene->house.origin, number, 200, one_pod_costing("1.5"));
    fake_loop_run(scene->house.loop);
}

static void fail_once(struct scene *scene, size_t number)
{
    scripted_origin_answer(scene->house.origin, number, 404,
                           "not here"); /* not retried by the client */
    fake_loop_run(scene->house.loop);
}

static void warm_up_asks_for_each_window_and_then_the_server_is_ready(void **state)
{
    struct scene *scene = *state;
    assert_false(refresher_is_warmed_up(scene->refresher));
    refresher_start(scene->refresher);
    assert_int_equal(asked(scene), 2);
    assert_asked_for(scene, 0, "window=7d&");
    assert_asked_for(scene, 1, "window=30d&");
    answer(scene, 0);
    assert_false(refresher_is_warmed_up(scene->refresher));
    fail_once(scene, 1);
    assert_true(refresher_is_warmed_up(scene->refresher));
}

static void hanging_opencost_does_not_keep_the_server_unready_for_ever(void **state)
{
    struct scene *scene = *state;
    refresher_start(scene->refresher);
    fake_loop_advance(scene->house.loop, 9999);
    assert_false(refresher_is_warmed_up(scene->refresher));
    fake_loop_advance(scene->house.loop, 1);
    assert_true(refresher_is_warmed_up(scene->refresher));
}

static void each_window_is_refreshed_every_interval(void **state)
{
    struct scene *scene = *state;
    refresher_start(scene->refresher);
    answer(scene, 0);
    answer(scene, 1);
    fake_loop_advance(scene->house.loop, INTERVAL_MS - 1);
    assert_int_equal(asked(scene), 2);
    fake_loop_advance(scene->house.loop, 1);
    assert_int_equal(asked(scene), 4);
    answer(scene, 2);
    answer(scene, 3);
    fake_loop_advance(scene->house.loop, INTERVAL_MS);
    assert_int_equal(asked(scene), 6);
}

static void slow_refresh_is_never_doubled(void **state)
{
    struct scene *scene = *state;
    refresher_start(scene->refresher);
    answer(scene, 1);
    refresher_origin_recovered(scene->refresher);
    fake_loop_advance(scene->house.loop, INTERVAL_MS - 1);
    assert_int_equal(asked(scene), 2);
}

static void failure_is_tried_again_after_10_20_40_seconds_and_the_interval_at_most(void **state)
{
    static const int64_t waits_ms[] = {10000,  20000,       40000,      80000,
                                       160000, INTERVAL_MS, INTERVAL_MS};
    struct scene *scene = *state;
    refresher_start(scene->refresher);
    fail_once(scene, 0);
    answer(scene, 1);
    size_t last = 1;
    int64_t other_due_ms = INTERVAL_MS;
    for (size_t i = 0; i < ARRAY_LENGTH(waits_ms); i++) {
        /* The other window's refreshes come in between. */
        int64_t left_ms = waits_ms[i];
        while (left_ms >= other_due_ms) {
            fake_loop_advance(scene->house.loop, other_due_ms);
            left_ms -= other_due_ms;
            other_due_ms = INTERVAL_MS;
            assert_asked_for(scene, ++last, "window=30d&");
            answer(scene, last);
        }
        if (left_ms > 0) {
            fake_loop_advance(scene->house.loop, left_ms - 1);
            assert_int_equal(asked(scene), last + 1);
            fake_loop_advance(scene->house.loop, 1);
            other_due_ms -= left_ms;
        }
        assert_asked_for(scene, ++last, "window=7d&");
        fail_once(scene, last);
    }
}

static void slow_window_is_left_alone_four_times_as_long_as_it_took(void **state)
{
    enum { TOOK_MS = 90 * 1000 };
    struct scene *scene = *state;
    refresher_start(scene->refresher);
    answer(scene, 1);
    fake_loop_advance(scene->house.loop, TOOK_MS / 2);
    scripted_origin_answer(scene->house.origin, 0, 500, "slow"); /* and so is the second try */
    fake_loop_advance(scene->house.loop, TOOK_MS / 2);
    answer(scene, 2);
    fake_loop_advance(scene->house.loop, INTERVAL_MS - TOOK_MS); /* the quick window comes round */
    assert_int_equal(asked(scene), 4);
    assert_asked_for(scene, 3, "window=30d&");
    answer(scene, 3);
    fake_loop_advance(scene->house.loop, 4 * TOOK_MS - (INTERVAL_MS - TOOK_MS) - 1);
    assert_int_equal(asked(scene), 4);
    fake_loop_advance(scene->house.loop, 1);
    assert_int_equal(asked(scene), 5);
    assert_asked_for(scene, 4, "window=7d&");
}

static void failure_that_took_long_is_not_tried_again_sooner(void **state)
{
    enum { TOOK_MS = 20 * 1000 };
    struct scene *scene = *state;
    refresher_start(scene->refresher);
    answer(scene, 1);
    fake_loop_advance(scene->house.loop, TOOK_MS);
    fail_once(scene, 0);
    fake_loop_advance(scene->house.loop, 4 * TOOK_MS - 1);
    assert_int_equal(asked(scene), 2);
    fake_loop_advance(scene->house.loop, 1);
    assert_int_equal(asked(scene), 3);
}

static void refresh_refused_by_the_circuit_is_the_probe_ten_seconds_later(void **state)
{
    struct scene *scene = *state;
    static const char *const windows[] = {"1h", "2h", "3h"};
    refresher_start(scene->refresher);
    fail_once(scene, 0);
    fail_once(scene, 1);
    for (size_t i = 0; i < ARRAY_LENGTH(windows); i++) {
        struct cost_query query = house_query(COST_VIEW_PODS, windows[i]);
        struct asker asker;
        house_ask(&scene->house, &query, &asker);
        fail_once(scene, 2 + i);
    }
    /* Both windows are due as the circuit admits one: the other is refused, and its wait does not
     * grow. */
    fake_loop_advance(scene->house.loop, 10 * 1000);
    assert_int_equal(asked(scene), 6);
    answer(scene, 5);
    fake_loop_advance(scene->house.loop, 10 * 1000 - 1);
    assert_int_equal(asked(scene), 6);
    fake_loop_advance(scene->house.loop, 1);
    assert_int_equal(asked(scene), 7);
    fail_once(scene, 6);
    fake_loop_advance(scene->house.loop, 20 * 1000);
    assert_int_equal(asked(scene), 8);
}

static void recovery_of_opencost_is_used_at_once_for_what_is_not_fresh(void **state)
{
    struct scene *scene = *state;
    refresher_start(scene->refresher);
    fail_once(scene, 0);
    answer(scene, 1);
    fake_loop_advance(scene->house.loop, 1000); /* the failed key rests */
    refresher_origin_recovered(scene->refresher);
    assert_int_equal(asked(scene), 3);
    assert_asked_for(scene, 2, "window=7d&");
    answer(scene, 2);
    refresher_origin_recovered(scene->refresher);
    assert_int_equal(asked(scene), 3);
}

static void cleanup_comes_every_interval(void **state)
{
    struct scene *scene = *state;
    struct cost_query query = house_query(COST_VIEW_NAMESPACES, "1h");
    struct asker asker;
    struct cache_stats stats;
    refresher_start(scene->refresher);
    answer(scene, 0);
    answer(scene, 1);
    house_ask(&scene->house, &query, &asker);
    answer(scene, 2);
    asker_release(&asker);
    fake_loop_advance(scene->house.loop, CLEANUP_MS - 1);
    cache_get_stats(scene->house.cache, &stats);
    size_t before = stats.cached_items;
    fake_loop_advance(scene->house.loop, 1);
    cache_get_stats(scene->house.cache, &stats);
    assert_true(stats.cached_items < before);
}

static void stopped_refresher_asks_nothing_more(void **state)
{
    struct scene *scene = *state;
    refresher_start(scene->refresher);
    answer(scene, 0);
    answer(scene, 1);
    refresher_stop(scene->refresher);
    fake_loop_advance(scene->house.loop, 10 * INTERVAL_MS);
    refresher_origin_recovered(scene->refresher);
    assert_int_equal(asked(scene), 2);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(warm_up_asks_for_each_window_and_then_the_server_is_ready),
        CASE(hanging_opencost_does_not_keep_the_server_unready_for_ever),
        CASE(each_window_is_refreshed_every_interval),
        CASE(slow_refresh_is_never_doubled),
        CASE(failure_is_tried_again_after_10_20_40_seconds_and_the_interval_at_most),
        CASE(slow_window_is_left_alone_four_times_as_long_as_it_took),
        CASE(failure_that_took_long_is_not_tried_again_sooner),
        CASE(refresh_refused_by_the_circuit_is_the_probe_ten_seconds_later),
        CASE(recovery_of_opencost_is_used_at_once_for_what_is_not_fresh),
        CASE(cleanup_comes_every_interval),
        CASE(stopped_refresher_asks_nothing_more),
    };
    return cmocka_run_group_tests_name("refresher", tests, NULL, NULL);
}
