/* SPDX-License-Identifier: Apache-2.0 */
/* What becomes of work that nobody waits for any more. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "house.h"
#include "support/alloc_fault.h"

enum { SLOTS = 2, HALF_MS = HOUSE_DEADLINE_MS / 2 };

static int setup(void **state)
{
    struct house *house = calloc(1, sizeof(*house));
    assert_non_null(house);
    house_build_narrow(house, 0, SLOTS);
    *state = house;
    return 0;
}

static int teardown(void **state)
{
    house_tear_down(*state);
    free(*state);
    return 0;
}

static void ask(struct house *house, const char *window, struct asker *asker)
{
    struct cost_query query = house_query(COST_VIEW_NAMESPACES, window);
    house_ask(house, &query, asker);
    assert_true(asker->accepted);
}

/* Two fetches that take the slots; whoever comes behind them queues. */
static void occupy(struct house *house, struct asker askers[SLOTS])
{
    ask(house, "1h", &askers[0]);
    ask(house, "2h", &askers[1]);
    assert_int_equal(scripted_origin_asked(house->origin), SLOTS);
}

static bool asks_for(struct house *house, size_t number, const char *window)
{
    char part[64];
    (void)snprintf(part, sizeof(part), "window=%s&", window);
    return number < scripted_origin_asked(house->origin) &&
           strstr(scripted_origin_url(house->origin, number), part) != NULL;
}

static void free_slots(struct house *house, struct asker askers[SLOTS])
{
    for (size_t i = 0; i < SLOTS; i++) {
        house_answer(house, i, one_pod_costing("1.5"));
        asker_release(&askers[i]);
    }
}

static void what_waits_in_the_queue_leaves_it_with_the_last_who_wants_it(void **state)
{
    struct house *house = *state;
    struct asker slow[SLOTS];
    struct asker first;
    struct asker second;
    struct asker other;
    occupy(house, slow);
    ask(house, "3d", &first);
    fake_loop_advance(house->loop, HALF_MS);
    ask(house, "3d", &second);
    ask(house, "5d", &other);
    fake_loop_advance(house->loop, HALF_MS);
    assert_int_equal(first.answer.error.code, ERR_DEADLINE);
    assert_int_equal(second.done, 0);
    fake_loop_advance(house->loop, HALF_MS - 1);
    struct asker late;
    ask(house, "5d", &late);
    fake_loop_advance(house->loop, 1);
    assert_int_equal(second.answer.error.code, ERR_DEADLINE);
    assert_int_equal(other.answer.error.code, ERR_DEADLINE);
    free_slots(house, slow);
    assert_int_equal(scripted_origin_asked(house->origin), SLOTS + 1);
    assert_true(asks_for(house, SLOTS, "5d"));
    house_answer(house, SLOTS, one_pod_costing("2.5"));
    assert_non_null(strstr(asker_body(&late), "2.5"));
    asker_release(&late);
}

static void who_asks_again_for_what_was_given_up_is_asked_for_anew(void **state)
{
    struct house *house = *state;
    struct asker slow[SLOTS];
    struct asker asker;
    occupy(house, slow);
    for (int round = 0; round < 3; round++) {
        ask(house, "3d", &asker);
        fake_loop_advance(house->loop, HOUSE_DEADLINE_MS);
        assert_int_equal(asker.answer.error.code, ERR_DEADLINE);
    }
    ask(house, "3d", &asker);
    free_slots(house, slow);
    assert_int_equal(scripted_origin_asked(house->origin), SLOTS + 1);
    house_answer(house, SLOTS, one_pod_costing("2.5"));
    assert_non_null(strstr(asker_body(&asker), "2.5"));
    asker_release(&asker);
}

static void views_of_one_window_count_as_one_another_s_wish(void **state)
{
    struct house *house = *state;
    struct asker slow[SLOTS];
    struct asker namespaces;
    struct asker pods;
    struct cost_query query = house_query(COST_VIEW_PODS, "3d");
    occupy(house, slow);
    ask(house, "3d", &namespaces);
    fake_loop_advance(house->loop, HALF_MS);
    house_ask(house, &query, &pods);
    fake_loop_advance(house->loop, HALF_MS);
    assert_int_equal(namespaces.answer.error.code, ERR_DEADLINE);
    free_slots(house, slow);
    assert_true(asks_for(house, SLOTS, "3d"));
    house_answer(house, SLOTS, one_pod_costing("2.5"));
    assert_non_null(strstr(asker_body(&pods), "2.5"));
    asker_release(&pods);
}

static void a_trend_that_fails_gives_up_the_months_not_asked_yet(void **state)
{
    struct house *house = *state;
    struct asker trend;
    struct cost_query query = house_query(COST_VIEW_MONTHLY, "7d");
    query.months = 12;
    house_ask(house, &query, &trend);
    assert_int_equal(scripted_origin_asked(house->origin), SLOTS);
    scripted_origin_answer(house->origin, 0, 404, "");
    fake_loop_run(house->loop);
    assert_int_equal(trend.answer.error.code, ERR_UPSTREAM_REFUSED);
    /* A month that had begun goes on, and is kept. */
    assert_true(scripted_origin_is_open(house->origin, 1));
    house_answer(house, 1, one_pod_costing("2.5"));
    assert_int_equal(scripted_origin_asked(house->origin), SLOTS);
}

static void a_trend_nobody_waits_for_gives_up_the_months_not_asked_yet(void **state)
{
    struct house *house = *state;
    struct asker trend;
    struct cost_query query = house_query(COST_VIEW_MONTHLY, "7d");
    query.months = 12;
    house_ask(house, &query, &trend);
    fake_loop_advance(house->loop, HOUSE_DEADLINE_MS);
    assert_int_equal(trend.answer.error.code, ERR_DEADLINE);
    house_answer(house, 0, one_pod_costing("2.5"));
    house_answer(house, 1, one_pod_costing("2.5"));
    assert_int_equal(scripted_origin_asked(house->origin), SLOTS);
    house_ask(house, &query, &trend);
    assert_int_equal(scripted_origin_asked(house->origin), 2 * SLOTS); /* two of twelve are there */
    house_stop(house);
}

static int refreshes;

static void refreshed(void *context, const struct error *error,
                      const struct cost_refreshed *refreshed)
{
    (void)context, (void)error, (void)refreshed;
    refreshes++;
}

static void refresh(struct house *house, const struct cost_query *query)
{
    const struct cost_refresh_order order = {.window = &query->window};
    cost_service_refresh(house->service, &order, refreshed, NULL);
}

static void a_refresh_goes_ahead_of_those_who_queue(void **state)
{
    struct house *house = *state;
    struct asker slow[SLOTS];
    static struct asker askers[150];
    char text[16];
    occupy(house, slow);
    for (int i = 0; i < 150; i++) {
        (void)snprintf(text, sizeof(text), "%dm", 1001 + i);
        ask(house, text, &askers[i]);
    }
    struct cost_query week = house_query(COST_VIEW_PODS, "7d");
    refreshes = 0;
    refresh(house, &week);
    house_answer(house, 0, one_pod_costing("1.5"));
    assert_true(asks_for(house, SLOTS, "7d"));
    house_answer(house, SLOTS, one_pod_costing("1.5"));
    assert_int_equal(refreshes, 1);
    asker_release(&slow[0]);
    house_stop(house);
}

static void a_refresh_that_joins_a_queued_fetch_hurries_it_and_makes_it_its_own(void **state)
{
    struct house *house = *state;
    struct asker slow[SLOTS];
    struct asker ahead[2];
    struct asker asker;
    struct cost_query pods = house_query(COST_VIEW_PODS, "7d");
    occupy(house, slow);
    ask(house, "3d", &ahead[0]);
    ask(house, "7d", &asker);
    refreshes = 0;
    refresh(house, &pods);
    /* And it stays wanted when its client does not wait any more, as does what is ahead of it. */
    fake_loop_advance(house->loop, HALF_MS);
    ask(house, "3d", &ahead[1]);
    fake_loop_advance(house->loop, HOUSE_DEADLINE_MS - HALF_MS);
    assert_int_equal(asker.answer.error.code, ERR_DEADLINE);
    house_answer(house, 0, one_pod_costing("1.5"));
    assert_true(asks_for(house, SLOTS, "7d"));
    house_answer(house, SLOTS, one_pod_costing("2.5"));
    assert_int_equal(refreshes, 1);
    assert_true(house_hits(house, &pods)); /* a plain view, which nobody had asked for */
    house_stop(house);
}

static void who_gives_up_is_done_at_once_and_alone(void **state)
{
    struct house *house = *state;
    struct asker slow[SLOTS];
    struct asker leaving;
    struct asker staying;
    struct asker last;
    occupy(house, slow);
    ask(house, "3d", &leaving);
    ask(house, "3d", &staying);
    ask(house, "5d", &last);
    cost_service_give_up(house->service, &leaving.request);
    cost_service_give_up(house->service, &leaving.request);
    cost_service_give_up(house->service, &last.request);
    assert_int_equal(leaving.done, 0); /* not by whoever says so */
    fake_loop_run(house->loop);
    assert_int_equal(leaving.done, 1);
    assert_int_equal(leaving.answer.error.code, ERR_DEADLINE);
    assert_int_equal(last.done, 1);
    assert_int_equal(staying.done, 0);
    assert_int_equal(cost_service_waiting(house->service), SLOTS + 1);
    free_slots(house, slow);
    assert_true(asks_for(house, SLOTS, "3d"));
    assert_int_equal(scripted_origin_asked(house->origin), SLOTS + 1);
    house_answer(house, SLOTS, one_pod_costing("2.5"));
    asker_release(&staying);
    fake_loop_advance(house->loop, HOUSE_DEADLINE_MS);
    assert_int_equal(leaving.done, 1);
}

static void giving_up_may_overtake_the_order(void **state)
{
    struct house *house = *state;
    struct asker asker = {0};
    struct cost_query query = house_query(COST_VIEW_NAMESPACES, "3d");
    cost_service_give_up(house->service, &asker.request);
    fake_loop_run(house->loop);
    house_ask_with(house, &query, &asker);
    assert_int_equal(asker.done, 1);
    assert_int_equal(asker.answer.error.code, ERR_DEADLINE);
    assert_int_equal(scripted_origin_asked(house->origin), 0);
    assert_int_equal(cost_service_waiting(house->service), 0);
}

static void giving_up_is_heard_each_time_however_fast_the_loop_thread_is(void **state)
{
    struct house *house = *state;
    struct asker slow[SLOTS];
    struct asker leaving;
    occupy(house, slow);
    fake_loop_run_when_posted(house->loop, true);
    for (int round = 0; round < 3; round++) {
        ask(house, "3d", &leaving);
        cost_service_give_up(house->service, &leaving.request);
        assert_int_equal(leaving.done, 1);
        assert_int_equal(leaving.answer.error.code, ERR_DEADLINE);
    }
    fake_loop_run_when_posted(house->loop, false);
    free_slots(house, slow);
}

static void a_stop_finds_given_up_and_waiting_ones_alike(void **state)
{
    struct house *house = *state;
    struct asker slow[SLOTS];
    struct asker queued;
    struct asker trend;
    struct cost_query query = house_query(COST_VIEW_MONTHLY, "7d");
    query.months = 12;
    occupy(house, slow);
    ask(house, "3d", &queued);
    fake_loop_advance(house->loop, HALF_MS);
    house_ask(house, &query, &trend);
    fake_loop_advance(house->loop, HALF_MS);
    assert_int_equal(queued.answer.error.code, ERR_DEADLINE);
    house_stop(house);
    assert_int_equal(trend.answer.error.code, ERR_SHUTDOWN);
}

/* Some ask, give up, or run into their deadline while an allocation fails. True when it came to
 * that. */
static bool survive_failure(long nth)
{
    struct house house;
    struct asker slow[SLOTS] = {0};
    struct asker askers[3] = {0};
    struct cost_query trend = house_query(COST_VIEW_MONTHLY, "7d");
    struct cost_query window = house_query(COST_VIEW_PODS, "3d");
    trend.months = 3;
    house_build_narrow(&house, 0, SLOTS);
    occupy(&house, slow);
    alloc_fault_arm(nth);
    house_ask(&house, &window, &askers[0]);
    house_ask(&house, &trend, &askers[1]);
    house_ask(&house, &window, &askers[2]);
    if (askers[0].accepted && askers[0].done == 0)
        cost_service_give_up(house.service, &askers[0].request);
    fake_loop_run(house.loop);
    refresh(&house, &window);
    bool hit = alloc_fault_hit();
    alloc_fault_disarm();
    fake_loop_advance(house.loop, HOUSE_DEADLINE_MS);
    for (size_t i = 0; i < ARRAY_LENGTH(askers); i++)
        assert_int_equal(askers[i].done, askers[i].accepted);
    house_tear_down(&house);
    return hit;
}

static void any_allocation_may_fail(void **state)
{
    long nth = 1;
    (void)state;
    if (!alloc_fault_supported())
        skip();
    while (survive_failure(nth))
        nth++;
    assert_true(nth > 20);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(what_waits_in_the_queue_leaves_it_with_the_last_who_wants_it),
        CASE(who_asks_again_for_what_was_given_up_is_asked_for_anew),
        CASE(views_of_one_window_count_as_one_another_s_wish),
        CASE(a_trend_that_fails_gives_up_the_months_not_asked_yet),
        CASE(a_trend_nobody_waits_for_gives_up_the_months_not_asked_yet),
        CASE(a_refresh_goes_ahead_of_those_who_queue),
        CASE(a_refresh_that_joins_a_queued_fetch_hurries_it_and_makes_it_its_own),
        CASE(who_gives_up_is_done_at_once_and_alone),
        CASE(giving_up_may_overtake_the_order),
        CASE(giving_up_is_heard_each_time_however_fast_the_loop_thread_is),
        CASE(a_stop_finds_given_up_and_waiting_ones_alike),
        cmocka_unit_test(any_allocation_may_fail),
    };
    return cmocka_run_group_tests_name("given up", tests, NULL, NULL);
}
