/* SPDX-License-Identifier: Apache-2.0 */
#include "house.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

static int setup(void **state)
{
    struct house *house = malloc(sizeof(*house));
    assert_non_null(house);
    house_build(house, 0);
    *state = house;
    return 0;
}

static int teardown(void **state)
{
    house_tear_down(*state);
    free(*state);
    return 0;
}

static void answer_check(struct house *house, size_t number, int status)
{
    assert_string_equal(scripted_origin_url(house->origin, number), "http://opencost:9003/healthz");
    scripted_origin_answer(house->origin, number, status, "");
    fake_loop_run(house->loop);
}

static void fail_check(struct house *house, size_t number)
{
    scripted_origin_fail(house->origin, number, ERR_UPSTREAM_CONNECT);
    fake_loop_run(house->loop);
}

static void note_fetch(struct house *house, enum error_code code)
{
    struct error error;
    (void)error_set(&error, code, "noted");
    origin_health_note_fetch(house->health, code == ERR_NONE ? NULL : &error);
}

static void assert_state(const struct house *house, enum origin_state expected)
{
    assert_int_equal(origin_health_state(house->health), expected);
}

static void nothing_is_known_before_the_first_check(void **state)
{
    assert_state(*state, ORIGIN_UNKNOWN);
    origin_health_start(((struct house *)*state)->health);
    assert_state(*state, ORIGIN_UNKNOWN);
}

static void check_comes_every_ten_seconds(void **state)
{
    struct house *house = *state;
    origin_health_start(house->health);
    answer_check(house, 0, 200);
    assert_state(house, ORIGIN_CONNECTED);
    fake_loop_advance(house->loop, 9999);
    assert_int_equal(scripted_origin_asked(house->origin), 1);
    fake_loop_advance(house->loop, 1);
    assert_int_equal(scripted_origin_asked(house->origin), 2);
    fail_check(house, 1);
    assert_state(house, ORIGIN_DISCONNECTED);
}

static void hanging_check_is_not_doubled(void **state)
{
    struct house *house = *state;
    origin_health_start(house->health);
    fake_loop_advance(house->loop, 60 * 1000);
    assert_int_equal(scripted_origin_asked(house->origin), 1);
}

static void failed_allocation_call_outweighs_a_good_check(void **state)
{
    struct house *house = *state;
    origin_health_start(house->health);
    answer_check(house, 0, 200);
    note_fetch(house, ERR_UPSTREAM_STATUS);
    assert_state(house, ORIGIN_DISCONNECTED);
    fake_loop_advance(house->loop, 10 * 1000);
    answer_check(house, 1, 200);
    assert_state(house, ORIGIN_DISCONNECTED);
    note_fetch(house, ERR_NONE);
    assert_state(house, ORIGIN_CONNECTED);
}

static void good_allocation_call_outweighs_a_check_answered_with_an_error(void **state)
{
    struct house *house = *state;
    origin_health_start(house->health);
    note_fetch(house, ERR_NONE);
    answer_check(house, 0, 404);
    assert_state(house, ORIGIN_CONNECTED);
}

static void opencost_that_vanished_since_the_last_good_call_is_disconnected(void **state)
{
    struct house *house = *state;
    origin_health_start(house->health);
    note_fetch(house, ERR_NONE);
    fail_check(house, 0);
    assert_state(house, ORIGIN_DISCONNECTED);
    fake_loop_advance(house->loop, 10 * 1000);
    answer_check(house, 1, 200);
    assert_state(house, ORIGIN_CONNECTED);
}

static void what_another_fetched_is_good_news_only_if_it_came_after_our_failure(void **state)
{
    struct house *house = *state;
    note_fetch(house, ERR_UPSTREAM_STATUS);
    origin_health_note_fetch_elsewhere(house->health, house_now_ms(house));
    assert_state(house, ORIGIN_DISCONNECTED);
    origin_health_note_fetch_elsewhere(house->health, house_now_ms(house) + 1);
    assert_state(house, ORIGIN_CONNECTED);
}

static void rejected_query_says_nothing_about_health(void **state)
{
    struct house *house = *state;
    note_fetch(house, ERR_NONE);
    note_fetch(house, ERR_UPSTREAM_REJECTED);
    assert_state(house, ORIGIN_CONNECTED);
}

struct witness {
    struct origin_health_waiter waiter;
    int done;
};

static void waited(struct origin_health_waiter *waiter)
{
    CONTAINER_OF(waiter, struct witness, waiter)->done++;
}

static void wait_for_verdict(struct house *house, struct witness *witness, int64_t limit_ms)
{
    *witness = (struct witness){.waiter.done = waited};
    assert_true(origin_health_wait(house->health, &witness->waiter, limit_ms));
    fake_loop_run(house->loop);
}

static void first_verdict_ends_the_wait(void **state)
{
    struct house *house = *state;
    struct witness early;
    struct witness late;
    origin_health_start(house->health);
    wait_for_verdict(house, &early, 1000);
    assert_int_equal(early.done, 0);
    answer_check(house, 0, 200);
    assert_int_equal(early.done, 1);
    wait_for_verdict(house, &late, 1000);
    assert_int_equal(late.done, 1);
}

static void wait_ends_after_its_limit_each_waiter_by_its_own(void **state)
{
    struct house *house = *state;
    struct witness brief;
    struct witness patient;
    origin_health_start(house->health);
    wait_for_verdict(house, &patient, 1000);
    wait_for_verdict(house, &brief, 300);
    fake_loop_advance(house->loop, 299);
    assert_int_equal(brief.done, 0);
    fake_loop_advance(house->loop, 1);
    assert_int_equal(brief.done, 1);
    assert_int_equal(patient.done, 0);
    fake_loop_advance(house->loop, 700);
    assert_int_equal(patient.done, 1);
    assert_int_equal(brief.done, 1);
}

static void stop_releases_who_waits(void **state)
{
    struct house *house = *state;
    struct witness witness;
    origin_health_start(house->health);
    wait_for_verdict(house, &witness, 1000);
    origin_health_stop(house->health);
    assert_int_equal(witness.done, 1);
}

static void count_recovery(void *context)
{
    ++*(int *)context;
}

static void recovery_is_told_when_a_check_succeeds_after_one_that_failed(void **state)
{
    struct house *house = *state;
    int recoveries = 0;
    origin_health_on_recovery(house->health, count_recovery, &recoveries);
    origin_health_start(house->health);
    fail_check(house, 0);
    for (size_t i = 1; i <= 3; i++) {
        fake_loop_advance(house->loop, 10 * 1000);
        answer_check(house, i, 200);
        assert_int_equal(recoveries, 1);
    }
}

static void recovery_lets_a_probe_of_an_open_circuit_go_at_once(void **state)
{
    struct house *house = *state;
    struct cost_query query = house_query(COST_VIEW_PODS, "1h");
    struct asker asker;
    origin_health_start(house->health);
    fail_check(house, 0);
    for (size_t i = 1; i <= 5; i++) {
        house_ask(house, &query, &asker);
        scripted_origin_answer(house->origin, i, 404, "not here");
        fake_loop_advance(house->loop, 1000); /* the failed key rests */
    }
    house_ask(house, &query, &asker);
    assert_int_equal(asker.answer.error.code, ERR_UPSTREAM_UNAVAILABLE);
    fake_loop_advance(house->loop, 5000);
    assert_int_equal(scripted_origin_asked(house->origin), 7);
    answer_check(house, 6, 200);
    house_ask(house, &query, &asker);
    assert_int_equal(scripted_origin_asked(house->origin), 8);
    house_answer(house, 7, one_pod_costing("1.5"));
    assert_int_equal(asker.answer.source, COST_SOURCE_MISS);
    asker_release(&asker);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(nothing_is_known_before_the_first_check),
        CASE(check_comes_every_ten_seconds),
        CASE(hanging_check_is_not_doubled),
        CASE(failed_allocation_call_outweighs_a_good_check),
        CASE(good_allocation_call_outweighs_a_check_answered_with_an_error),
        CASE(opencost_that_vanished_since_the_last_good_call_is_disconnected),
        CASE(what_another_fetched_is_good_news_only_if_it_came_after_our_failure),
        CASE(rejected_query_says_nothing_about_health),
        CASE(first_verdict_ends_the_wait),
        CASE(wait_ends_after_its_limit_each_waiter_by_its_own),
        CASE(stop_releases_who_waits),
        CASE(recovery_is_told_when_a_check_succeeds_after_one_that_failed),
        CASE(recovery_lets_a_probe_of_an_open_circuit_go_at_once),
    };
    return cmocka_run_group_tests_name("origin health", tests, NULL, NULL);
}
