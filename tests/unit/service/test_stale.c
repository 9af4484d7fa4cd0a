/* SPDX-License-Identifier: Apache-2.0 */
/* Data past their TTL: served while they are refetched, and served when OpenCost fails or hangs. */
#include "house.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "support/alloc_fault.h"

enum { REVALIDATE_MS = 60 * 1000, CLAIM_MS = 10 * 1000, GRACE_MS = 2 * 1000, CROWD = 100 };

static struct house *build(int64_t stale_ms, int64_t revalidate_ms)
{
    struct house *house = malloc(sizeof(*house));
    assert_non_null(house);
    house_build_revalidating(house, stale_ms, revalidate_ms);
    return house;
}

static int setup_stale_if_error(void **state)
{
    *state = build(HOUSE_STALE_MS, 0);
    return 0;
}

static int setup_revalidating(void **state)
{
    *state = build(0, REVALIDATE_MS);
    return 0;
}

static int setup_both(void **state)
{
    *state = build(10 * 1000, REVALIDATE_MS);
    return 0;
}

static int teardown(void **state)
{
    house_tear_down(*state);
    free(*state);
    return 0;
}

static size_t asked(const struct house *house)
{
    return scripted_origin_asked(house->origin);
}

/* Looks the view up; lets what that sets in motion happen. True when it was served stale, with this
 * figure in it. */
static bool is_stale(struct house *house, const struct cost_query *query, const char *total)
{
    struct cost_answer answer;
    if (!cost_service_lookup(house->service, query, house_now_ms(house), &answer))
        return false;
    fake_loop_run(house->loop);
    bool stale = answer.source == COST_SOURCE_STALE && !answer.origin_unavailable &&
                 strstr(http_content_bytes(answer.content).data, total) != NULL;
    http_content_release(answer.content);
    return stale;
}

/* While it is refetched. */

static void stale_entry_is_served_at_once_while_one_fetch_renews_it(void **state)
{
    struct house *house = *state;
    struct cost_query query = house_query(COST_VIEW_NAMESPACES, "7d");
    house_warm(house, &query, "1.5");
    fake_loop_advance(house->loop, HOUSE_TTL_MS);
    for (int i = 0; i < CROWD; i++)
        assert_true(is_stale(house, &query, "1.5"));
    assert_int_equal(asked(house), 2);
    assert_int_equal(cost_service_waiting(house->service), 0);
    house_answer(house, 1, one_pod_costing("2.5"));
    assert_true(house_hits(house, &query));
    assert_int_equal(asked(house), 2);
}

static void nothing_is_served_beyond_the_time_for_revalidation(void **state)
{
    struct house *house = *state;
    struct cost_query query = house_query(COST_VIEW_NAMESPACES, "7d");
    house_warm(house, &query, "1.5");
    fake_loop_advance(house->loop, HOUSE_TTL_MS + REVALIDATE_MS - 1);
    assert_true(is_stale(house, &query, "1.5"));
    fake_loop_advance(house->loop, 1);
    assert_false(is_stale(house, &query, "1.5"));
}

static void refetch_that_fails_is_tried_again_ten_seconds_later_whatever_the_views(void **state)
{
    struct house *house = *state;
    struct cost_query namespaces = house_query(COST_VIEW_NAMESPACES, "7d");
    struct cost_query pods = house_query(COST_VIEW_PODS, "7d");
    struct asker asker;
    house_warm(house, &namespaces, "1.5");
    house_ask(house, &pods, &asker);
    asker_release(&asker);
    fake_loop_advance(house->loop, HOUSE_TTL_MS);
    assert_true(is_stale(house, &pods, "1.5"));
    house_fail_fetch(house, 1, ERR_UPSTREAM_CONNECT); /* 3 s */
    fake_loop_advance(house->loop, CLAIM_MS - 3000 - 1);
    assert_true(is_stale(house, &namespaces, "1.5"));
    assert_true(is_stale(house, &pods, "1.5"));
    assert_int_equal(asked(house), 4);
    fake_loop_advance(house->loop, 1);
    assert_true(is_stale(house, &namespaces, "1.5"));
    assert_true(is_stale(house, &pods, "1.5"));
    assert_int_equal(asked(house), 5);
    house_answer(house, 4, one_pod_costing("2.5"));
    assert_true(house_hits(house, &namespaces));
    assert_true(house_hits(house, &pods));
}

static void who_must_wait_joins_the_refetch_under_way(void **state)
{
    struct house *house = *state;
    struct cost_query query = house_query(COST_VIEW_NAMESPACES, "7d");
    struct asker asker;
    house_warm(house, &query, "1.5");
    fake_loop_advance(house->loop, HOUSE_TTL_MS + REVALIDATE_MS - 1);
    assert_true(is_stale(house, &query, "1.5"));
    fake_loop_advance(house->loop, 1);
    assert_false(is_stale(house, &query, "1.5"));
    house_ask(house, &query, &asker);
    assert_int_equal(asked(house), 2);
    house_answer(house, 1, one_pod_costing("2.5"));
    assert_int_equal(asker.answer.source, COST_SOURCE_COLLAPSED);
    assert_non_null(strstr(asker_body(&asker), "2.5"));
    asker_release(&asker);
}

/* Of the refetch that a reader of stale data sets in motion. */
static bool refetch_rests(struct house *house, const struct cost_query *query, bool client_joins)
{
    struct asker asker = {0};
    size_t rests = fake_loop_rests(house->loop);
    size_t number = asked(house);
    assert_true(is_stale(house, query, "1.5"));
    if (client_joins)
        house_ask(house, query, &asker);
    house_answer(house, number, one_pod_costing("1.5"));
    assert_int_equal(asker.done, client_joins);
    if (client_joins)
        asker_release(&asker);
    return fake_loop_rests(house->loop) > rests;
}

static void refetch_is_read_at_leisure_until_a_client_waits_for_it(void **state)
{
    struct house *house = *state;
    struct cost_query query = house_query(COST_VIEW_NAMESPACES, "7d");
    house_warm(house, &query, "1.5");
    fake_loop_advance(house->loop, HOUSE_TTL_MS);
    assert_true(refetch_rests(house, &query, false));
    fake_loop_advance(house->loop, HOUSE_TTL_MS);
    assert_false(refetch_rests(house, &query, true));
}

static void refreshed(void *context, const struct error *error,
                      const struct cost_refreshed *refreshed)
{
    (void)error;
    (void)refreshed;
    ++*(int *)context;
}

static void refetch_that_joins_a_refresh_leaves_it_its_leisure(void **state)
{
    struct house *house = *state;
    struct cost_query query = house_query(COST_VIEW_NAMESPACES, "7d");
    const struct cost_refresh_order order = {.window = &query.window};
    int done = 0;
    house_warm(house, &query, "1.5");
    fake_loop_advance(house->loop, HOUSE_TTL_MS);
    cost_service_refresh(house->service, &order, refreshed, &done);
    assert_true(is_stale(house, &query, "1.5"));
    assert_int_equal(asked(house), 2);
    house_answer(house, 1, one_pod_costing("2.5"));
    assert_int_equal(done, 1);
    assert_true(fake_loop_rests(house->loop) > 0);
}

static void trend_is_served_and_renewed_likewise(void **state)
{
    struct house *house = *state;
    struct cost_query query = house_query(COST_VIEW_MONTHLY, NULL);
    struct asker asker;
    query.months = 2;
    house_ask(house, &query, &asker);
    house_answer(house, 0, one_pod_costing("1.5"));
    house_answer(house, 1, one_pod_costing("1.5"));
    asker_release(&asker);
    fake_loop_advance(house->loop, HOUSE_TTL_MS);
    assert_true(is_stale(house, &query, "1.5"));
    assert_true(is_stale(house, &query, "1.5"));
    assert_int_equal(asked(house), 3); /* the closed month is fresh still */
    house_answer(house, 2, one_pod_costing("2.5"));
    assert_true(house_hits(house, &query));
}

static void claim_survives_a_trend_served_because_opencost_failed(void **state)
{
    struct house *house = *state;
    struct cost_query query = house_query(COST_VIEW_MONTHLY, NULL);
    struct asker asker;
    query.months = 2;
    house_ask(house, &query, &asker);
    house_answer(house, 0, one_pod_costing("1.5"));
    house_answer(house, 1, one_pod_costing("1.5"));
    asker_release(&asker);
    fake_loop_advance(house->loop, HOUSE_TTL_MS);
    assert_true(is_stale(house, &query, "1.5"));
    scripted_origin_answer(house->origin, 2, 404, "not here");
    fake_loop_advance(house->loop, 1000); /* the failed key rests */
    assert_true(is_stale(house, &query, "1.5"));
    assert_int_equal(asked(house), 3);
}

static void revalidation_alone_is_no_leave_to_serve_stale_when_opencost_fails(void **state)
{
    struct house *house = *state;
    struct cost_query query = house_query(COST_VIEW_NAMESPACES, "7d");
    struct asker asker;
    house_warm(house, &query, "1.5");
    fake_loop_advance(house->loop, HOUSE_TTL_MS + 30 * 1000); /* kept, and past stale-if-error */
    house_ask(house, &query, &asker);
    fake_loop_advance(house->loop, GRACE_MS);
    assert_int_equal(asker.done, 0);
    scripted_origin_answer(house->origin, 1, 404, "not here");
    fake_loop_run(house->loop);
    assert_int_equal(asker.done, 1);
    assert_null(asker.answer.content);
}

static void refetch_ordered_as_the_service_stops_is_dropped(void **state)
{
    struct house *house = *state;
    struct cost_query query = house_query(COST_VIEW_NAMESPACES, "7d");
    house_warm(house, &query, "1.5");
    fake_loop_advance(house->loop, HOUSE_TTL_MS);
    cost_service_stop(house->service);
    assert_true(is_stale(house, &query, "1.5"));
    assert_int_equal(asked(house), 1);
}

static void refetch_under_way_is_dropped_when_the_service_stops(void **state)
{
    struct house *house = *state;
    struct cost_query query = house_query(COST_VIEW_NAMESPACES, "7d");
    house_warm(house, &query, "1.5");
    fake_loop_advance(house->loop, HOUSE_TTL_MS);
    assert_true(is_stale(house, &query, "1.5"));
    house_stop(house);
    assert_false(scripted_origin_is_open(house->origin, 1));
}

static void loop_that_takes_no_order_costs_nobody_an_answer(void **state)
{
    struct house *house = *state;
    struct cost_query query = house_query(COST_VIEW_NAMESPACES, "7d");
    house_warm(house, &query, "1.5");
    fake_loop_advance(house->loop, HOUSE_TTL_MS);
    house_stop(house);
    fake_loop_stop(house->loop);
    assert_true(is_stale(house, &query, "1.5"));
}

static void hits_allocate_nothing_but_the_one_order_which_may_fail(void **state)
{
    struct house *house = *state;
    struct cost_query query = house_query(COST_VIEW_NAMESPACES, "7d");
    if (!alloc_fault_supported())
        skip();
    house_warm(house, &query, "1.5");
    fake_loop_advance(house->loop, HOUSE_TTL_MS);
    for (long nth = 1; nth <= 3; nth++) {
        alloc_fault_arm(nth < 3 ? nth : 1);
        bool stale = is_stale(house, &query, "1.5");
        bool was_hit = alloc_fault_hit();
        alloc_fault_disarm();
        assert_true(stale);
        assert_int_equal(was_hit, nth < 3); /* the third found the claim taken */
        assert_int_equal(asked(house), 1);
        if (nth == 1)
            fake_loop_advance(house->loop, CLAIM_MS);
    }
}

/* When OpenCost fails. */

static void expired_data_are_served_as_stale_when_opencost_fails(void **state)
{
    struct house *house = *state;
    struct asker asker;
    struct asker again;
    struct cost_query query = house_query(COST_VIEW_NAMESPACES, "7d");
    house_warm(house, &query, "1.5");
    fake_loop_advance(house->loop, HOUSE_TTL_MS);
    house_ask(house, &query, &asker);
    assert_int_equal(asker.done, 0);
    house_fail_fetch(house, 1, ERR_UPSTREAM_TIMEOUT);
    assert_int_equal(asker.answer.source, COST_SOURCE_STALE);
    assert_non_null(strstr(asker_body(&asker), "1.5"));
    house_ask(house, &query, &again); /* the key rests: no fetch, and the same content */
    assert_int_equal(again.answer.source, COST_SOURCE_STALE);
    assert_ptr_equal(again.answer.content, asker.answer.content);
    assert_int_equal(scripted_origin_asked(house->origin), 4);
    asker_release(&asker);
    asker_release(&again);

    fake_loop_advance(house->loop, HOUSE_STALE_MS);
    house_ask(house, &query, &asker);
    house_fail_fetch(house, 4, ERR_UPSTREAM_TIMEOUT);
    assert_null(asker.answer.content);
    assert_int_equal(asker.answer.error.code, ERR_UPSTREAM_TIMEOUT);
}

/* When OpenCost hangs. */

static void answer_without_rows_is_believed_when_the_rows_have_expired(void **state)
{
    struct house *house = *state;
    struct cost_query query = house_query(COST_VIEW_NAMESPACES, "7d");
    struct asker asker;
    house_warm(house, &query, "1.5");
    fake_loop_advance(house->loop, HOUSE_TTL_MS);
    house_ask(house, &query, &asker);
    house_answer(house, 1, "{\"code\":200,\"data\":[{}]}");
    assert_non_null(strstr(asker_body(&asker), "\"item_count\":0}"));
    assert_int_equal(asker.answer.source, COST_SOURCE_MISS);
    asker_release(&asker);
}

static void ask_past_ttl(struct house *house, const struct cost_query *query, struct asker *asker)
{
    house_warm(house, query, "1.5");
    fake_loop_advance(house->loop, HOUSE_TTL_MS);
    assert_false(house_hits(house, query));
    house_ask(house, query, asker);
}

static void hanging_opencost_keeps_nobody_waiting_who_may_be_served_stale(void **state)
{
    struct house *house = *state;
    struct cost_query query = house_query(COST_VIEW_NAMESPACES, "7d");
    struct asker first;
    struct asker second;
    struct asker third;
    ask_past_ttl(house, &query, &first);
    fake_loop_advance(house->loop, GRACE_MS - 1);
    house_ask(house, &query, &second);
    assert_int_equal(first.done, 0);
    fake_loop_advance(house->loop, 1);
    assert_int_equal(first.answer.source, COST_SOURCE_STALE);
    assert_int_equal(second.answer.source, COST_SOURCE_STALE);
    assert_true(first.answer.origin_unavailable);
    assert_non_null(strstr(asker_body(&first), "1.5"));
    asker_release(&first);
    asker_release(&second);

    /* The fetch goes on; who comes now has no grace left to wait for. */
    assert_true(scripted_origin_is_open(house->origin, 1));
    house_ask(house, &query, &third);
    assert_int_equal(third.answer.source, COST_SOURCE_STALE);
    asker_release(&third);
    assert_int_equal(asked(house), 2);
    house_answer(house, 1, one_pod_costing("2.5"));
    assert_true(house_hits(house, &query));
}

static void answer_within_the_grace_is_a_fresh_one(void **state)
{
    struct house *house = *state;
    struct cost_query query = house_query(COST_VIEW_NAMESPACES, "7d");
    struct asker asker;
    ask_past_ttl(house, &query, &asker);
    fake_loop_advance(house->loop, GRACE_MS - 1);
    house_answer(house, 1, one_pod_costing("2.5"));
    assert_int_equal(asker.answer.source, COST_SOURCE_MISS);
    assert_non_null(strstr(asker_body(&asker), "2.5"));
    fake_loop_advance(house->loop, GRACE_MS);
    assert_int_equal(asker.done, 1);
    asker_release(&asker);
}

static void without_stale_data_there_is_no_grace(void **state)
{
    struct house *house = *state;
    struct cost_query query = house_query(COST_VIEW_NAMESPACES, "7d");
    struct asker asker;
    house_ask(house, &query, &asker);
    fake_loop_advance(house->loop, 2 * GRACE_MS);
    assert_int_equal(asker.done, 0);
    house_answer(house, 0, one_pod_costing("1.5"));
    assert_int_equal(asker.answer.source, COST_SOURCE_MISS);
    asker_release(&asker);
}

static void data_that_left_during_the_grace_are_waited_for(void **state)
{
    struct house *house = *state;
    struct cost_query query = house_query(COST_VIEW_NAMESPACES, "7d");
    struct asker asker;
    house_warm(house, &query, "1.5");
    fake_loop_advance(house->loop, HOUSE_TTL_MS + HOUSE_STALE_MS - 1);
    house_ask(house, &query, &asker);
    fake_loop_advance(house->loop, GRACE_MS);
    assert_int_equal(asker.done, 0);
    house_answer(house, 1, one_pod_costing("2.5"));
    assert_int_equal(asker.answer.source, COST_SOURCE_MISS);
    asker_release(&asker);
}

static void view_that_was_never_made_is_made_from_stale_data(void **state)
{
    struct house *house = *state;
    struct cost_query query = house_query(COST_VIEW_NAMESPACES, "7d");
    struct cost_query pods = house_query(COST_VIEW_PODS, "7d");
    struct asker asker;
    house_warm(house, &query, "1.5");
    fake_loop_advance(house->loop, HOUSE_TTL_MS);
    house_ask(house, &pods, &asker);
    fake_loop_advance(house->loop, GRACE_MS);
    assert_int_equal(asker.answer.source, COST_SOURCE_STALE);
    assert_non_null(strstr(asker_body(&asker), "web-0"));
    asker_release(&asker);
}

static void trend_waits_for_a_month_that_nothing_is_known_of(void **state)
{
    struct house *house = *state;
    struct cost_query query = house_query(COST_VIEW_MONTHLY, NULL);
    struct asker asker;
    query.months = 2;
    house_ask(house, &query, &asker);
    house_answer(house, 0, one_pod_costing("1.5"));
    house_answer(house, 1, one_pod_costing("1.5"));
    asker_release(&asker);
    fake_loop_advance(house->loop, HOUSE_TTL_MS);

    house_ask(house, &query, &asker);
    fake_loop_advance(house->loop, GRACE_MS);
    assert_int_equal(asker.answer.source, COST_SOURCE_STALE);
    asker_release(&asker);

    query.months = 3;
    house_ask(house, &query, &asker);
    fake_loop_advance(house->loop, GRACE_MS);
    assert_int_equal(asker.done, 0);
    house_answer(house, 3, one_pod_costing("3.5"));
    house_answer(house, 2, one_pod_costing("2.5"));
    assert_int_equal(asker.done, 1);
    assert_non_null(strstr(asker_body(&asker), "3.5"));
    asker_release(&asker);
}

static void without_memory_for_the_grace_the_fetch_is_waited_for(void **state)
{
    struct house *house = *state;
    struct cost_query query = house_query(COST_VIEW_NAMESPACES, "7d");
    struct cost_query pods = house_query(COST_VIEW_PODS, "7d");
    struct asker leader;
    struct asker asker;
    ask_past_ttl(house, &query, &leader); /* the fetch has its timer */
    fake_loop_refuse_timers(house->loop, true);
    house_ask(house, &pods, &asker);
    fake_loop_refuse_timers(house->loop, false);
    fake_loop_advance(house->loop, GRACE_MS);
    assert_int_equal(leader.done, 1);
    assert_int_equal(asker.done, 0);
    house_answer(house, 1, one_pod_costing("2.5"));
    assert_int_equal(asker.answer.source, COST_SOURCE_COLLAPSED);
    asker_release(&leader);
    asker_release(&asker);
}

static void stop_during_the_grace_releases_who_waits(void **state)
{
    struct house *house = *state;
    struct cost_query query = house_query(COST_VIEW_NAMESPACES, "7d");
    struct asker asker;
    ask_past_ttl(house, &query, &asker);
    house_stop(house);
    assert_int_equal(asker.answer.error.code, ERR_SHUTDOWN);
    fake_loop_advance(house->loop, GRACE_MS);
    assert_int_equal(asker.done, 1);
}

/* When the circuit is open. */

static void open_circuit_is_answered_at_once_stale_or_not(void **state)
{
    struct house *house = *state;
    struct cost_query query = house_query(COST_VIEW_NAMESPACES, "7d");
    struct asker asker;
    house_warm(house, &query, "1.5");
    fake_loop_advance(house->loop, HOUSE_TTL_MS);
    static const char *const windows[] = {"1h", "2h", "3h", "4h", "5h"};
    for (size_t i = 0; i < ARRAY_LENGTH(windows); i++) {
        struct cost_query other = house_query(COST_VIEW_PODS, windows[i]);
        house_ask(house, &other, &asker);
        scripted_origin_answer(house->origin, 1 + i, 404, "not here");
        fake_loop_run(house->loop);
        assert_int_equal(asker.answer.error.code, ERR_UPSTREAM_REFUSED);
    }
    struct cost_query unknown = house_query(COST_VIEW_PODS, "6h");
    house_ask(house, &unknown, &asker);
    assert_int_equal(asker.done, 1);
    assert_int_equal(asker.answer.error.code, ERR_UPSTREAM_UNAVAILABLE);
    house_ask(house, &query, &asker);
    assert_int_equal(asker.done, 1);
    assert_int_equal(asker.answer.source, COST_SOURCE_STALE);
    assert_true(asker.answer.origin_unavailable);
    asker_release(&asker);
    assert_int_equal(asked(house), 6);
}

#define CASE(test, setup) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(stale_entry_is_served_at_once_while_one_fetch_renews_it, setup_revalidating),
        CASE(nothing_is_served_beyond_the_time_for_revalidation, setup_revalidating),
        CASE(refetch_that_fails_is_tried_again_ten_seconds_later_whatever_the_views,
             setup_revalidating),
        CASE(who_must_wait_joins_the_refetch_under_way, setup_revalidating),
        CASE(refetch_is_read_at_leisure_until_a_client_waits_for_it, setup_revalidating),
        CASE(refetch_that_joins_a_refresh_leaves_it_its_leisure, setup_revalidating),
        CASE(trend_is_served_and_renewed_likewise, setup_revalidating),
        CASE(claim_survives_a_trend_served_because_opencost_failed, setup_both),
        CASE(revalidation_alone_is_no_leave_to_serve_stale_when_opencost_fails, setup_both),
        CASE(refetch_ordered_as_the_service_stops_is_dropped, setup_revalidating),
        CASE(refetch_under_way_is_dropped_when_the_service_stops, setup_revalidating),
        CASE(loop_that_takes_no_order_costs_nobody_an_answer, setup_revalidating),
        CASE(hits_allocate_nothing_but_the_one_order_which_may_fail, setup_revalidating),
        CASE(expired_data_are_served_as_stale_when_opencost_fails, setup_stale_if_error),
        CASE(answer_without_rows_is_believed_when_the_rows_have_expired, setup_stale_if_error),
        CASE(hanging_opencost_keeps_nobody_waiting_who_may_be_served_stale, setup_stale_if_error),
        CASE(answer_within_the_grace_is_a_fresh_one, setup_stale_if_error),
        CASE(without_stale_data_there_is_no_grace, setup_stale_if_error),
        CASE(data_that_left_during_the_grace_are_waited_for, setup_stale_if_error),
        CASE(view_that_was_never_made_is_made_from_stale_data, setup_stale_if_error),
        CASE(trend_waits_for_a_month_that_nothing_is_known_of, setup_stale_if_error),
        CASE(without_memory_for_the_grace_the_fetch_is_waited_for, setup_stale_if_error),
        CASE(stop_during_the_grace_releases_who_waits, setup_stale_if_error),
        CASE(open_circuit_is_answered_at_once_stale_or_not, setup_stale_if_error),
    };
    return cmocka_run_group_tests_name("stale data", tests, NULL, NULL);
}
