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

/* Of the first `count` windows. */
static void build(struct scene *scene, size_t count, int64_t interval_ms)
{
    struct window windows[2];
    house_build(&scene->house, 0);
    assert_true(window_parse(TEXT("7d"), &windows[0]));
    assert_true(window_parse(TEXT("30d"), &windows[1]));
    const struct refresher_options options = {
        .windows = windows,
        .window_count = count,
        .interval_ms = interval_ms,
        .ttl_ms = HOUSE_TTL_MS,
        .cleanup_interval_ms = CLEANUP_MS,
        .service = scene->house.service,
        .scheduler = fake_loop_scheduler(scene->house.loop),
        .time = fake_loop_time(scene->house.loop),
    };
    scene->refresher = refresher_create(&options);
    assert_non_null(scene->refresher);
    origin_health_on_recovery(scene->house.health, recovered, scene->refresher);
}

static void demolish(struct scene *scene)
{
    refresher_stop(scene->refresher);
    house_stop(&scene->house);
    refresher_destroy(scene->refresher);
    house_tear_down(&scene->house);
}

static void rebuild(struct scene *scene, size_t count, int64_t interval_ms)
{
    demolish(scene);
    build(scene, count, interval_ms);
}

static int setup(void **state)
{
    struct scene *scene = malloc(sizeof(*scene));
    assert_non_null(scene);
    build(scene, 2, INTERVAL_MS);
    *state = scene;
    return 0;
}

static int teardown(void **state)
{
    demolish(*state);
    free(*state);
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

/* Lets the refresh that asks number `number` take so long. */
static void take(struct scene *scene, size_t number, int64_t took_ms)
{
    fake_loop_advance(scene->house.loop, took_ms);
    answer(scene, number);
}

/* The next thing asked for is `part`, after `wait_ms` and not a millisecond earlier. */
static void assert_next(struct scene *scene, const char *part, int64_t wait_ms)
{
    size_t before = asked(scene);
    fake_loop_advance(scene->house.loop, wait_ms - 1);
    assert_int_equal(asked(scene), before);
    fake_loop_advance(scene->house.loop, 1);
    assert_int_equal(asked(scene), before + 1);
    assert_asked_for(scene, before, part);
}

static void window_that_is_slow_for_its_interval_rests_four_times_as_long(void **state)
{
    enum { TOOK_MS = 61 * 1000, SHORT_INTERVAL_MS = 60 * 1000 };
    struct scene *scene = *state;
    rebuild(scene, 1, SHORT_INTERVAL_MS);
    refresher_start(scene->refresher);
    take(scene, 0, 55 * 1000);
    assert_next(scene, "window=7d&", 4 * 55 * 1000);
    /* Four times as long would be beyond its lifetime: 300 s less the 61 s and a quarter of
     * them. */
    take(scene, 1, TOOK_MS);
    assert_next(scene, "window=7d&", HOUSE_TTL_MS - TOOK_MS - TOOK_MS / 4);
}

static void refresh_that_takes_long_begins_in_time_to_end_before_its_data_expire(void **state)
{
    static const int64_t took_ms[] = {61 * 1000, 80 * 1000, 90 * 1000};
    struct scene *scene = *state;
    rebuild(scene, 1, INTERVAL_MS);
    refresher_start(scene->refresher);
    for (size_t i = 0; i < ARRAY_LENGTH(took_ms); i++) {
        int64_t wait_ms = HOUSE_TTL_MS - took_ms[i] - took_ms[i] / 4;
        take(scene, i, took_ms[i]);
        assert_next(scene, "window=7d&", wait_ms);
        assert_true(wait_ms + took_ms[i] < HOUSE_TTL_MS);
    }
}

static void but_opencost_is_busy_for_half_of_the_time_at_most(void **state)
{
    enum { TOOK_MS = 200 * 1000 };
    struct scene *scene = *state;
    rebuild(scene, 1, INTERVAL_MS);
    refresher_start(scene->refresher);
    for (size_t i = 0; i < 3; i++) {
        take(scene, i, TOOK_MS);
        assert_next(scene, "window=7d&", TOOK_MS);
    }
}

static void and_that_is_for_all_windows_together(void **state)
{
    enum { TOOK_MS = 120 * 1000 };
    struct scene *scene = *state;
    refresher_start(scene->refresher);
    fake_loop_advance(scene->house.loop, TOOK_MS);
    answer(scene, 0);
    answer(scene, 1);
    /* The first to end knew nothing of the other's duration yet: its data's lifetime alone
     * counted. */
    assert_next(scene, "window=7d&", HOUSE_TTL_MS - TOOK_MS - TOOK_MS / 4);
    /* The other waits until two refreshes and two such rests make a round. */
    assert_next(scene, "window=30d&", 3 * TOOK_MS - (HOUSE_TTL_MS - TOOK_MS - TOOK_MS / 4));
}

static void a_quick_refresh_makes_nobody_expect_that_all_are(void **state)
{
    enum { TOOK_MS = 80 * 1000, EXPECTED_MS = TOOK_MS - TOOK_MS / 4 };
    struct scene *scene = *state;
    rebuild(scene, 1, INTERVAL_MS);
    refresher_start(scene->refresher);
    take(scene, 0, TOOK_MS);
    assert_next(scene, "window=7d&", HOUSE_TTL_MS - TOOK_MS - TOOK_MS / 4);
    answer(scene, 1);
    assert_next(scene, "window=7d&", HOUSE_TTL_MS - EXPECTED_MS - EXPECTED_MS / 4);
    for (size_t i = 2; i < 20; i++) {
        answer(scene, i);
        fake_loop_advance(scene->house.loop, INTERVAL_MS);
    }
    assert_int_equal(asked(scene), 21); /* forgotten: every interval */
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

static void after_a_success_the_next_failure_is_tried_again_soon(void **state)
{
    struct scene *scene = *state;
    rebuild(scene, 1, INTERVAL_MS);
    refresher_start(scene->refresher);
    fail_once(scene, 0);
    assert_next(scene, "window=7d&", 10 * 1000);
    fail_once(scene, 1);
    assert_next(scene, "window=7d&", 20 * 1000);
    answer(scene, 2);
    assert_next(scene, "window=7d&", INTERVAL_MS);
    fail_once(scene, 3);
    assert_next(scene, "window=7d&", 10 * 1000);
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
        CASE(window_that_is_slow_for_its_interval_rests_four_times_as_long),
        CASE(refresh_that_takes_long_begins_in_time_to_end_before_its_data_expire),
        CASE(but_opencost_is_busy_for_half_of_the_time_at_most),
        CASE(and_that_is_for_all_windows_together),
        CASE(a_quick_refresh_makes_nobody_expect_that_all_are),
        CASE(failure_that_took_long_is_not_tried_again_sooner),
        CASE(after_a_success_the_next_failure_is_tried_again_soon),
        CASE(refresh_refused_by_the_circuit_is_the_probe_ten_seconds_later),
        CASE(recovery_of_opencost_is_used_at_once_for_what_is_not_fresh),
        CASE(cleanup_comes_every_interval),
        CASE(stopped_refresher_asks_nothing_more),
    };
    return cmocka_run_group_tests_name("refresher", tests, NULL, NULL);
}
