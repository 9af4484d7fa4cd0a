/* SPDX-License-Identifier: Apache-2.0 */
#include "house.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

enum { CROWD = 200 };

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

static void two_hundred_equal_misses_are_one_fetch_and_one_answer(void **state)
{
    struct house *house = *state;
    struct cost_query query = house_query(COST_VIEW_NAMESPACES, "7d");
    static struct asker crowd[CROWD];
    assert_false(house_hits(house, &query));
    for (int i = 0; i < CROWD; i++)
        house_ask(house, &query, &crowd[i]);
    assert_int_equal(scripted_origin_asked(house->origin), 1);
    assert_int_equal(cost_service_waiting(house->service), CROWD);
    house_answer(house, 0, one_pod_costing("1.5"));
    const struct http_content *content = crowd[0].answer.content;
    for (int i = 0; i < CROWD; i++) {
        assert_int_equal(crowd[i].done, 1);
        assert_ptr_equal(crowd[i].answer.content, content);
        assert_int_equal(crowd[i].answer.source, i == 0 ? COST_SOURCE_MISS : COST_SOURCE_COLLAPSED);
        asker_release(&crowd[i]);
    }
    assert_int_equal(cost_service_waiting(house->service), 0);
    assert_true(house_hits(house, &query));
    assert_int_equal(scripted_origin_asked(house->origin), 1);
}

static void upstream_query_is_the_one_that_serves_all_views(void **state)
{
    struct house *house = *state;
    struct asker asker;
    struct cost_query query = house_query(COST_VIEW_PODS, "1w");
    query.include_idle = true;
    house_ask(house, &query, &asker);
    assert_string_equal(
        scripted_origin_url(house->origin, 0),
        "http://opencost:9003/allocation/compute?window=7d&aggregate=namespace,pod&accumulate=true"
        "&includeIdle=true");
    house_answer(house, 0, one_pod_costing("1.5"));
    asker_release(&asker);
}

static void every_view_of_a_window_comes_from_one_fetch(void **state)
{
    struct house *house = *state;
    struct asker asker;
    struct cost_query queries[] = {
        house_query(COST_VIEW_PODS, "7d"),
        house_query(COST_VIEW_NAMESPACES, "1w"),
        house_query(COST_VIEW_PODS, "7d"),
        house_query(COST_VIEW_RECOMMENDATIONS, NULL),
    };
    queries[0].detail = true;
    queries[2].has_namespace = true;
    queries[2].namespace_name = TEXT("shop");
    struct cost_query first = house_query(COST_VIEW_NAMESPACES, "7d");
    house_warm(house, &first, "1.5");
    for (size_t i = 0; i < ARRAY_LENGTH(queries); i++) {
        house_ask(house, &queries[i], &asker);
        assert_int_equal(asker.done, 1);
        assert_int_equal(asker.answer.source, COST_SOURCE_HIT);
        asker_release(&asker);
        assert_true(house_hits(house, &queries[i]));
    }
    assert_int_equal(scripted_origin_asked(house->origin), 1);
}

static void answer_echoes_the_window_as_the_caller_spelled_it(void **state)
{
    struct house *house = *state;
    struct asker asker;
    struct cost_query canonical = house_query(COST_VIEW_NAMESPACES, "7d");
    struct cost_query spelled = house_query(COST_VIEW_NAMESPACES, "1w");
    house_warm(house, &canonical, "1.5");
    house_ask(house, &spelled, &asker);
    assert_non_null(strstr(asker_body(&asker), "\"window\":\"1w\""));
    asker_release(&asker);
}

static void idle_is_a_dataset_of_its_own(void **state)
{
    struct house *house = *state;
    struct cost_query query = house_query(COST_VIEW_NAMESPACES, "7d");
    house_warm(house, &query, "1.5");
    query.include_idle = true;
    assert_false(house_hits(house, &query));
    house_warm(house, &query, "2.5");
    assert_int_equal(scripted_origin_asked(house->origin), 2);
}

static void expired_answer_is_fetched_anew(void **state)
{
    struct house *house = *state;
    struct cost_query query = house_query(COST_VIEW_NAMESPACES, "7d");
    house_warm(house, &query, "1.5");
    fake_loop_advance(house->loop, HOUSE_TTL_MS - 1);
    assert_true(house_hits(house, &query));
    fake_loop_advance(house->loop, 1);
    assert_false(house_hits(house, &query));
    house_warm(house, &query, "2.5");
}

static void failure_reaches_everyone_after_three_tries_and_then_rests_for_a_second(void **state)
{
    struct house *house = *state;
    struct asker first;
    struct asker second;
    struct asker resting;
    struct cost_query query = house_query(COST_VIEW_NAMESPACES, "7d");
    house_ask(house, &query, &first);
    house_ask(house, &query, &second);
    house_fail_fetch(house, 0, ERR_UPSTREAM_CONNECT);
    assert_int_equal(scripted_origin_asked(house->origin), 3);
    assert_int_equal(first.answer.error.code, ERR_UPSTREAM_CONNECT);
    assert_int_equal(second.answer.error.code, ERR_UPSTREAM_CONNECT);
    assert_null(first.answer.content);

    house_ask(house, &query, &resting);
    assert_int_equal(resting.answer.error.code, ERR_UPSTREAM_CONNECT);
    assert_int_equal(scripted_origin_asked(house->origin), 3);
    fake_loop_advance(house->loop, 1000);
    house_warm(house, &query, "1.5");
    assert_int_equal(scripted_origin_asked(house->origin), 4);
}

static void rejected_query_is_not_tried_again(void **state)
{
    struct house *house = *state;
    struct asker asker;
    struct cost_query query = house_query(COST_VIEW_NAMESPACES, "7d");
    house_ask(house, &query, &asker);
    scripted_origin_answer(house->origin, 0, 400, "no");
    fake_loop_run(house->loop);
    assert_int_equal(asker.answer.error.code, ERR_UPSTREAM_REJECTED);
    assert_int_equal(scripted_origin_asked(house->origin), 1);
}

static void waiting_ends_at_the_deadline_and_the_fetch_goes_on(void **state)
{
    struct house *house = *state;
    struct asker asker;
    struct cost_query query = house_query(COST_VIEW_NAMESPACES, "7d");
    house_ask(house, &query, &asker);
    fake_loop_advance(house->loop, HOUSE_DEADLINE_MS - 1);
    assert_int_equal(asker.done, 0);
    fake_loop_advance(house->loop, 1);
    assert_int_equal(asker.done, 1);
    assert_int_equal(asker.answer.error.code, ERR_DEADLINE);
    house_answer(house, 0, one_pod_costing("1.5"));
    assert_int_equal(asker.done, 1);
    assert_true(house_hits(house, &query));
}

static void deadlines_are_each_request_s_own(void **state)
{
    struct house *house = *state;
    struct asker early;
    struct asker late;
    struct cost_query query = house_query(COST_VIEW_NAMESPACES, "7d");
    house_ask(house, &query, &early);
    fake_loop_advance(house->loop, 10 * 1000);
    house_ask(house, &query, &late);
    fake_loop_advance(house->loop, HOUSE_DEADLINE_MS - 10 * 1000);
    assert_int_equal(early.done, 1);
    assert_int_equal(late.done, 0);
    fake_loop_advance(house->loop, 10 * 1000);
    assert_int_equal(late.done, 1);
}

static void more_than_the_limit_do_not_wait(void **state)
{
    struct house *house = *state;
    static struct asker askers[HOUSE_MAX_WAITING + 1];
    struct cost_query query = house_query(COST_VIEW_NAMESPACES, "7d");
    for (int i = 0; i <= HOUSE_MAX_WAITING; i++)
        house_ask(house, &query, &askers[i]);
    const struct asker *refused = &askers[HOUSE_MAX_WAITING];
    assert_false(refused->accepted);
    assert_int_equal(refused->answer.error.code, ERR_BUSY);
    assert_int_equal(refused->done, 0);
    house_answer(house, 0, one_pod_costing("1.5"));
    for (int i = 0; i < HOUSE_MAX_WAITING; i++)
        asker_release(&askers[i]);
}

static void stop_releases_everyone_and_refuses_who_comes_later(void **state)
{
    struct house *house = *state;
    struct asker waiting;
    struct asker late;
    struct cost_query query = house_query(COST_VIEW_NAMESPACES, "7d");
    house_ask(house, &query, &waiting);
    cost_service_stop(house->service);
    assert_int_equal(waiting.done, 1);
    assert_int_equal(waiting.answer.error.code, ERR_SHUTDOWN);
    house_ask(house, &query, &late);
    assert_int_equal(late.done, 1);
    assert_int_equal(late.answer.error.code, ERR_SHUTDOWN);
}

static void stop_while_a_view_is_rendered_loses_nothing(void **state)
{
    struct house *house = *state;
    struct asker asker;
    struct cost_query query = house_query(COST_VIEW_NAMESPACES, "7d");
    struct cost_query other = house_query(COST_VIEW_PODS, "7d");
    house_warm(house, &query, "1.5");
    fake_loop_hold_jobs(house->loop, true);
    house_ask(house, &other, &asker);
    assert_int_equal(asker.done, 0);
    cost_service_stop(house->service);
    assert_int_equal(asker.answer.error.code, ERR_SHUTDOWN);
    fake_loop_hold_jobs(house->loop, false);
    fake_loop_run(house->loop);
    assert_int_equal(asker.done, 1);
}

struct refresh_outcome {
    int done;
    size_t pod_rows;
    struct error error;
};

static void refreshed(void *context, const struct error *error,
                      const struct cost_refreshed *refreshed)
{
    struct refresh_outcome *outcome = context;
    outcome->done++;
    outcome->pod_rows = refreshed->pod_rows;
    if (error != NULL)
        outcome->error = *error;
}

static struct refresh_outcome refresh(struct house *house, const struct cost_query *query,
                                      const char *body)
{
    struct refresh_outcome outcome = {0};
    size_t number = scripted_origin_asked(house->origin);
    const struct cost_refresh_order order = {.window = &query->window};
    cost_service_refresh(house->service, &order, refreshed, &outcome);
    assert_true(scripted_origin_is_open(house->origin, number));
    if (body == NULL)
        house_fail_fetch(house, number, ERR_UPSTREAM_CONNECT);
    else
        house_answer(house, number, body);
    assert_int_equal(outcome.done, 1);
    return outcome;
}

static void refresh_replaces_the_data_and_the_views_in_use_at_once(void **state)
{
    struct house *house = *state;
    struct cost_query query = house_query(COST_VIEW_PODS, "24h");
    struct cost_answer got;
    house_warm(house, &query, "1.5");
    assert_true(house_hits(house, &query));
    fake_loop_advance(house->loop, 1000);
    assert_int_equal(refresh(house, &query, one_pod_costing("2.5")).pod_rows, 1);
    assert_true(cost_service_lookup(house->service, &query, house_now_ms(house), &got));
    assert_non_null(strstr(http_content_bytes(got.content).data, "2.5"));
    assert_int_equal(got.fetched_ms, time_monotonic_ms(fake_loop_time(house->loop)));
    http_content_release(got.content);
}

static void refresh_makes_the_plain_views_before_anyone_asks(void **state)
{
    struct house *house = *state;
    struct cost_query week = house_query(COST_VIEW_NAMESPACES, "7d");
    struct cost_query month = house_query(COST_VIEW_NAMESPACES, "30d");
    const struct cost_query expected[] = {
        week,  house_query(COST_VIEW_PODS, "7d"),  house_query(COST_VIEW_RECOMMENDATIONS, NULL),
        month, house_query(COST_VIEW_PODS, "30d"), house_query(COST_VIEW_MONTHLY, NULL),
    };
    (void)refresh(house, &week, one_pod_costing("2.5"));
    (void)refresh(house, &month, one_pod_costing("9.5"));
    for (size_t i = 0; i < ARRAY_LENGTH(expected); i++)
        assert_true(house_hits(house, &expected[i]));
}

static void readers_keep_the_old_data_until_the_new_are_rendered(void **state)
{
    struct house *house = *state;
    struct cost_query query = house_query(COST_VIEW_NAMESPACES, "7d");
    struct refresh_outcome outcome = {0};
    house_warm(house, &query, "1.5");
    const struct cost_refresh_order order = {.window = &query.window};
    cost_service_refresh(house->service, &order, refreshed, &outcome);
    assert_true(house_hits(house, &query));
    scripted_origin_answer(house->origin, 1, 200, one_pod_costing("2.5"));
    assert_true(house_hits(house, &query));
    fake_loop_run(house->loop);
    assert_int_equal(outcome.done, 1);
    assert_true(house_hits(house, &query));
}

static void only_a_refresh_that_no_client_waits_for_is_read_at_leisure(void **state)
{
    struct house *house = *state;
    struct cost_query query = house_query(COST_VIEW_NAMESPACES, "7d");
    (void)refresh(house, &query, one_pod_costing("1.5"));
    size_t rests = fake_loop_rests(house->loop);
    assert_true(rests > 0);

    struct cost_query other = house_query(COST_VIEW_NAMESPACES, "24h");
    house_warm(house, &other, "1.5");
    assert_int_equal(fake_loop_rests(house->loop), rests);

    struct refresh_outcome outcome = {0};
    struct asker asker;
    struct cost_query joined = house_query(COST_VIEW_NAMESPACES, "30d");
    const struct cost_refresh_order order = {.window = &joined.window};
    size_t number = scripted_origin_asked(house->origin);
    cost_service_refresh(house->service, &order, refreshed, &outcome);
    house_ask(house, &joined, &asker);
    house_answer(house, number, one_pod_costing("1.5"));
    assert_int_equal(asker.done, 1);
    assert_int_equal(outcome.done, 1);
    assert_int_equal(fake_loop_rests(house->loop), rests);
    asker_release(&asker);
}

static void failed_refresh_keeps_what_is_there(void **state)
{
    struct house *house = *state;
    struct cost_query query = house_query(COST_VIEW_NAMESPACES, "7d");
    house_warm(house, &query, "1.5");
    assert_int_equal(refresh(house, &query, NULL).error.code, ERR_UPSTREAM_CONNECT);
    assert_true(house_hits(house, &query));
}

static void answer_without_rows_does_not_replace_fresh_rows(void **state)
{
    struct house *house = *state;
    struct cost_query query = house_query(COST_VIEW_NAMESPACES, "7d");
    struct asker asker;
    house_warm(house, &query, "1.5");
    assert_int_equal(refresh(house, &query, "{\"code\":200,\"data\":[{}]}").pod_rows, 1);
    assert_true(house_hits(house, &query));
    fake_loop_advance(house->loop, HOUSE_TTL_MS);
    house_ask(house, &query, &asker);
    house_answer(house, 2, "{\"code\":200,\"data\":[{}]}");
    assert_string_equal(asker_body(&asker),
                        "{\"namespaces\":[],\"total\":0.0,\"window\":\"7d\",\"item_count\":0}");
    asker_release(&asker);
}

static void request_joins_a_refresh_that_is_under_way(void **state)
{
    struct house *house = *state;
    struct cost_query query = house_query(COST_VIEW_NAMESPACES, "7d");
    struct refresh_outcome outcome = {0};
    struct asker asker;
    const struct cost_refresh_order order = {.window = &query.window};
    cost_service_refresh(house->service, &order, refreshed, &outcome);
    house_ask(house, &query, &asker);
    assert_int_equal(scripted_origin_asked(house->origin), 1);
    house_answer(house, 0, one_pod_costing("1.5"));
    assert_int_equal(asker.answer.source, COST_SOURCE_COLLAPSED);
    asker_release(&asker);
}

static void trend_asks_once_a_month_and_keeps_closed_months_for_a_day(void **state)
{
    struct house *house = *state;
    struct asker asker;
    struct cost_query query = house_query(COST_VIEW_MONTHLY, NULL);
    query.months = 3;
    house_ask(house, &query, &asker); /* it is 2026-11-23 */
    assert_int_equal(scripted_origin_asked(house->origin), 3);
    assert_non_null(strstr(scripted_origin_url(house->origin, 0),
                           "window=2026-09-01T00:00:00Z,2026-10-01T00:00:00Z&"));
    assert_non_null(strstr(scripted_origin_url(house->origin, 1),
                           "window=2026-10-01T00:00:00Z,2026-11-01T00:00:00Z&"));
    assert_non_null(strstr(scripted_origin_url(house->origin, 2),
                           "window=2026-11-01T00:00:00Z,2026-11-24T00:00:00Z&"));
    for (size_t i = 0; i < 3; i++)
        house_answer(house, i, one_pod_costing(i == 1 ? "20.5" : "10.5"));
    assert_non_null(strstr(asker_body(&asker), "\"period\":\"3 months\""));
    assert_int_equal(asker.answer.ttl_ms, HOUSE_TTL_MS);
    asker_release(&asker);
    assert_true(house_hits(house, &query));

    fake_loop_advance(house->loop, HOUSE_TTL_MS);
    assert_false(house_hits(house, &query));
    house_ask(house, &query, &asker);
    assert_int_equal(scripted_origin_asked(house->origin), 4);
    house_answer(house, 3, one_pod_costing("11.5"));
    assert_non_null(strstr(asker_body(&asker), "11.5"));
    asker_release(&asker);
}

static void month_that_expires_while_others_are_waited_for_is_asked_for_anew(void **state)
{
    struct house *house = *state;
    struct asker asker;
    struct cost_query month =
        house_query(COST_VIEW_NAMESPACES, "2026-11-01T00:00:00Z,2026-11-24T00:00:00Z");
    struct cost_query query = house_query(COST_VIEW_MONTHLY, NULL);
    query.months = 2;
    house_warm(house, &month, "1.5");
    fake_loop_advance(house->loop, HOUSE_TTL_MS - 1000);
    house_ask(house, &query, &asker);
    assert_int_equal(scripted_origin_asked(house->origin), 2);
    fake_loop_advance(house->loop, 1000);
    house_answer(house, 1, one_pod_costing("10.5"));
    assert_int_equal(scripted_origin_asked(house->origin), 3);
    house_answer(house, 2, one_pod_costing("2.5"));
    assert_non_null(strstr(asker_body(&asker), "\"total\":13.0"));
    assert_int_equal(asker.answer.fetched_ms, house_now_ms(house));
    asker_release(&asker);
    assert_true(house_hits(house, &query));
}

static void month_that_expires_behind_others_is_asked_for_anew_once(void **state)
{
    struct house *house = *state;
    struct asker first;
    struct asker asker;
    struct cost_query query = house_query(COST_VIEW_MONTHLY, NULL);
    query.months = 2;
    house_ask(house, &query, &first);
    house_answer(house, 1, one_pod_costing("1.5"));
    fake_loop_advance(house->loop, HOUSE_TTL_MS);
    house_ask(house, &query, &asker);
    house_answer(house, 0, one_pod_costing("10.5"));
    assert_int_equal(asker.done, 0);
    assert_int_equal(scripted_origin_asked(house->origin), 3);
    house_answer(house, 2, one_pod_costing("2.5"));
    assert_non_null(strstr(asker_body(&asker), "\"total\":13.0"));
    assert_int_equal(asker.answer.fetched_ms, house_now_ms(house));
    asker_release(&asker);
    asker_release(&first);
    assert_true(house_hits(house, &query));
    assert_int_equal(scripted_origin_asked(house->origin), 3);
}

static void current_month_is_partial_also_when_its_day_ends_while_opencost_is_asked(void **state)
{
    struct house *house = *state;
    struct asker asker;
    struct cost_query query = house_query(COST_VIEW_MONTHLY, NULL);
    query.months = 2;
    fake_loop_set_wall(house->loop, 1795478399); /* 2026-11-23T23:59:59Z */
    house_ask(house, &query, &asker);
    assert_non_null(strstr(scripted_origin_url(house->origin, 1),
                           "window=2026-11-01T00:00:00Z,2026-11-24T00:00:00Z&"));
    house_answer(house, 0, one_pod_costing("10.5"));
    fake_loop_advance(house->loop, 2000);
    house_answer(house, 1, one_pod_costing("23.0"));
    assert_non_null(strstr(asker_body(&asker), "{\"month\":\"2026-11\",\"total_cost\":23.0,"
                                               "\"daily_average\":1.0,\"namespaces\":1,"
                                               "\"pods\":1,\"partial\":true}"));
    asker_release(&asker);
}

static void trend_fails_with_its_first_month_and_keeps_the_others(void **state)
{
    struct house *house = *state;
    struct asker asker;
    struct cost_query query = house_query(COST_VIEW_MONTHLY, NULL);
    query.months = 2;
    house_ask(house, &query, &asker);
    scripted_origin_answer(house->origin, 0, 400, "no");
    fake_loop_run(house->loop);
    assert_int_equal(asker.answer.error.code, ERR_UPSTREAM_REJECTED);
    house_answer(house, 1, one_pod_costing("1.5"));
    fake_loop_advance(house->loop, 1000);
    house_ask(house, &query, &asker);
    assert_int_equal(scripted_origin_asked(house->origin), 3);
    house_answer(house, 2, one_pod_costing("1.5"));
    assert_non_null(asker_body(&asker));
    asker_release(&asker);
}

static void filter_that_no_namespace_can_match_is_answered_and_not_kept(void **state)
{
    struct house *house = *state;
    struct asker asker;
    char name[300];
    struct cost_query query = house_query(COST_VIEW_PODS, "7d");
    struct cost_query plain = query;
    memset(name, 'a', sizeof(name));
    query.has_namespace = true;
    query.namespace_name = (struct text){name, sizeof(name)};
    house_warm(house, &plain, "1.5");
    house_ask(house, &query, &asker);
    assert_non_null(strstr(asker_body(&asker), "\"pods\":[],\"total\":0.0"));
    asker_release(&asker);
    assert_false(house_hits(house, &query));
}

static void namespace_called_none_is_not_the_absence_of_a_filter(void **state)
{
    struct house *house = *state;
    struct asker asker;
    struct cost_query plain = house_query(COST_VIEW_PODS, "7d");
    struct cost_query query = plain;
    query.has_namespace = true;
    query.namespace_name = TEXT("None");
    house_warm(house, &plain, "1.5");
    assert_false(house_hits(house, &query));
    house_ask(house, &query, &asker);
    assert_non_null(strstr(asker_body(&asker), "\"pods\":[]"));
    asker_release(&asker);
}

static void cleanup_drops_expired_data(void **state)
{
    struct house *house = *state;
    struct cost_query query = house_query(COST_VIEW_NAMESPACES, "7d");
    house_warm(house, &query, "1.5");
    assert_int_equal(cost_service_cleanup(house->service), 0);
    fake_loop_advance(house->loop, HOUSE_TTL_MS);
    assert_int_equal(cost_service_cleanup(house->service), 2);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(two_hundred_equal_misses_are_one_fetch_and_one_answer),
        CASE(upstream_query_is_the_one_that_serves_all_views),
        CASE(every_view_of_a_window_comes_from_one_fetch),
        CASE(answer_echoes_the_window_as_the_caller_spelled_it),
        CASE(idle_is_a_dataset_of_its_own),
        CASE(expired_answer_is_fetched_anew),
        CASE(failure_reaches_everyone_after_three_tries_and_then_rests_for_a_second),
        CASE(rejected_query_is_not_tried_again),
        CASE(waiting_ends_at_the_deadline_and_the_fetch_goes_on),
        CASE(deadlines_are_each_request_s_own),
        CASE(more_than_the_limit_do_not_wait),
        CASE(stop_releases_everyone_and_refuses_who_comes_later),
        CASE(stop_while_a_view_is_rendered_loses_nothing),
        CASE(refresh_replaces_the_data_and_the_views_in_use_at_once),
        CASE(refresh_makes_the_plain_views_before_anyone_asks),
        CASE(readers_keep_the_old_data_until_the_new_are_rendered),
        CASE(only_a_refresh_that_no_client_waits_for_is_read_at_leisure),
        CASE(failed_refresh_keeps_what_is_there),
        CASE(answer_without_rows_does_not_replace_fresh_rows),
        CASE(request_joins_a_refresh_that_is_under_way),
        CASE(trend_asks_once_a_month_and_keeps_closed_months_for_a_day),
        CASE(month_that_expires_while_others_are_waited_for_is_asked_for_anew),
        CASE(month_that_expires_behind_others_is_asked_for_anew_once),
        CASE(current_month_is_partial_also_when_its_day_ends_while_opencost_is_asked),
        CASE(trend_fails_with_its_first_month_and_keeps_the_others),
        CASE(filter_that_no_namespace_can_match_is_answered_and_not_kept),
        CASE(namespace_called_none_is_not_the_absence_of_a_filter),
        CASE(cleanup_drops_expired_data),
    };
    return cmocka_run_group_tests_name("cost service", tests, NULL, NULL);
}
