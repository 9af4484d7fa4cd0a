/* SPDX-License-Identifier: Apache-2.0 */
/* Several replicas with a tier that works: OpenCost is asked as if there were one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "street.h"

enum {
    REPLICAS = 3,
    CLIENTS = 200,
    LATENCY_MS = 3,
    SKEW_S = 420,
    INTERVAL_MS = 240 * 1000,
    TOOK_MS = 700,
};

static struct street *build(const struct street_options *options)
{
    struct street *street = malloc(sizeof(*street));
    assert_non_null(street);
    street_build(street, options);
    return street;
}

static int setup(void **state)
{
    *state = build(&(struct street_options){
        .count = REPLICAS, .latency_ms = LATENCY_MS, .stale_ms = HOUSE_STALE_MS, .skew_s = SKEW_S});
    return 0;
}

static int teardown(void **state)
{
    street_tear_down(*state);
    free(*state);
    return 0;
}

/* The answer, `took_ms` after the question. */
static void answer_slowly(struct street *street, int64_t took_ms, const char *body)
{
    street_advance(street, took_ms);
    assert_true(street_answer(street, body));
    street_advance(street, 2 * LATENCY_MS);
}

static int64_t age_ms(const struct street *street, size_t house, const struct asker *asker)
{
    return scheduler_now_ms(fake_loop_scheduler(street->houses[house].loop)) -
           asker->answer.fetched_ms;
}

static void assert_equal_bodies(const struct asker *a, const struct asker *b)
{
    struct text left = http_content_bytes(a->answer.content);
    struct text right = http_content_bytes(b->answer.content);
    assert_int_equal(left.length, right.length);
    assert_memory_equal(left.data, right.data, left.length);
}

static void crowds_at_all_replicas_cost_one_query_and_get_equal_answers(void **state)
{
    static struct asker askers[REPLICAS * CLIENTS];
    struct street *street = *state;
    struct cost_query query = house_query(COST_VIEW_PODS, "7d");
    for (size_t i = 0; i < ARRAY_LENGTH(askers); i++)
        street_ask(street, i % REPLICAS, &query, &askers[i]);
    street_advance(street, TOOK_MS);
    assert_int_equal(street_asked(street), 1);
    assert_true(street_answer(street, one_pod_costing("1.5")));
    street_advance(street, 2 * LATENCY_MS);
    assert_int_equal(street_asked(street), 1);
    assert_non_null(strstr(asker_body(&askers[0]), "1.5"));
    for (size_t i = 0; i < ARRAY_LENGTH(askers); i++) {
        assert_int_equal(askers[i].done, 1);
        assert_equal_bodies(&askers[0], &askers[i]);
        assert_string_equal(http_content_etag(askers[0].answer.content),
                            http_content_etag(askers[i].answer.content));
        assert_int_equal(askers[i].answer.source,
                         i == 0 ? COST_SOURCE_MISS : COST_SOURCE_COLLAPSED);
    }
    for (size_t i = 0; i < ARRAY_LENGTH(askers); i++)
        asker_release(&askers[i]);
}

static void what_one_fetched_others_find_with_its_age_whatever_clocks_say(void **state)
{
    struct street *street = *state;
    struct cost_query query = house_query(COST_VIEW_NAMESPACES, "7d");
    struct asker first;
    struct asker second;
    street_ask(street, 0, &query, &first);
    answer_slowly(street, TOOK_MS, one_pod_costing("1.5"));
    street_advance(street, 100 * 1000);
    street_ask(street, 2, &query, &second);
    street_advance(street, LATENCY_MS);
    assert_int_equal(street_asked(street), 1);
    assert_equal_bodies(&first, &second);
    assert_int_equal(second.answer.source, COST_SOURCE_SHARED);
    assert_int_equal(second.answer.ttl_ms, first.answer.ttl_ms);
    assert_in_range(age_ms(street, 0, &first) - age_ms(street, 2, &second), 0, LATENCY_MS);
    assert_true(house_hits(&street->houses[2], &query));
    asker_release(&first);
    asker_release(&second);
}

static void expired_value_is_fetched_anew_by_one(void **state)
{
    struct street *street = *state;
    struct cost_query query = house_query(COST_VIEW_NAMESPACES, "7d");
    struct asker askers[REPLICAS];
    street_ask(street, 0, &query, &askers[0]);
    answer_slowly(street, TOOK_MS, one_pod_costing("1.5"));
    asker_release(&askers[0]);
    street_advance(street, HOUSE_TTL_MS);
    for (size_t i = 0; i < REPLICAS; i++)
        street_ask(street, i, &query, &askers[i]);
    answer_slowly(street, TOOK_MS, one_pod_costing("2.5"));
    assert_int_equal(street_asked(street), 2);
    for (size_t i = 0; i < REPLICAS; i++) {
        assert_non_null(strstr(asker_body(&askers[i]), "2.5"));
        asker_release(&askers[i]);
    }
}

/* The value that a replica stored itself looks a little younger in the tier than here. */
static void own_expired_dataset_is_not_taken_back_from_the_tier(void **state)
{
    struct street *street = *state;
    struct cost_query query = house_query(COST_VIEW_NAMESPACES, "7d");
    struct asker asker;
    street_ask(street, 0, &query, &asker);
    street_advance(street, TOOK_MS);
    assert_true(street_answer(street, one_pod_costing("1.5")));
    asker_release(&asker);
    street_advance(street, HOUSE_TTL_MS);
    street_ask(street, 0, &query, &asker);
    street_advance(street, LATENCY_MS);
    assert_int_equal(street_asked(street), 2);
    assert_true(street_answer(street, one_pod_costing("2.5")));
    assert_non_null(strstr(asker_body(&asker), "2.5"));
    asker_release(&asker);
}

static void closed_months_and_idle_are_shared_too(void **state)
{
    struct street *street = *state;
    struct cost_query months = house_query(COST_VIEW_MONTHLY, NULL);
    struct cost_query idle = house_query(COST_VIEW_NAMESPACES, "7d");
    struct asker asker;
    months.months = 3;
    idle.include_idle = true;
    street_ask(street, 0, &months, &asker);
    for (int month = 0; month < 3; month++) {
        street_advance(street, LATENCY_MS);
        assert_true(street_answer(street, one_pod_costing("1.5")));
    }
    asker_release(&asker);
    street_ask(street, 0, &idle, &asker);
    answer_slowly(street, TOOK_MS, one_pod_costing("1.5"));
    asker_release(&asker);
    assert_int_equal(street_asked(street), 4);

    street_advance(street, HOUSE_TTL_MS - 1000);
    street_ask(street, 1, &months, &asker);
    street_advance(street, LATENCY_MS);
    assert_int_equal(asker.answer.source, COST_SOURCE_SHARED);
    asker_release(&asker);
    street_ask(street, 1, &idle, &asker);
    street_advance(street, LATENCY_MS);
    assert_int_equal(asker.answer.source, COST_SOURCE_SHARED);
    asker_release(&asker);
    assert_int_equal(street_asked(street), 4);

    street_advance(street, HOUSE_TTL_MS);
    street_ask(street, 2, &months, &asker);
    street_advance(street, LATENCY_MS);
    assert_int_equal(street_asked(street), 5); /* the current month; closed ones keep for a day */
    assert_true(street_answer(street, one_pod_costing("2.5")));
    assert_int_equal(asker.answer.source, COST_SOURCE_MISS);
    asker_release(&asker);
}

static void value_is_kept_as_long_as_it_may_be_served(void **state)
{
    struct street *street = *state;
    struct cost_query query = house_query(COST_VIEW_NAMESPACES, "7d");
    struct asker asker;
    street_ask(street, 0, &query, &asker);
    answer_slowly(street, TOOK_MS, one_pod_costing("1.5"));
    asker_release(&asker);
    assert_int_equal(scripted_tier_keep_ms(street->tier, "opencost:allocation:7d:idle=False"),
                     HOUSE_TTL_MS + HOUSE_STALE_MS);
}

/* Notes what the tier had when it was answered. */
struct witness {
    struct cost_request request;
    const struct scripted_tier *tier;
    int done;
    size_t stored;
};

static void witness_answered(struct cost_request *request, const struct cost_answer *answer)
{
    struct witness *witness = CONTAINER_OF(request, struct witness, request);
    witness->done++;
    witness->stored = scripted_tier_counts(witness->tier).stored;
    http_content_release(answer->content);
}

static void who_asked_here_need_not_wait_until_the_value_is_stored(void **state)
{
    struct street *street = *state;
    struct cost_query query = house_query(COST_VIEW_NAMESPACES, "7d");
    struct witness witness = {.request.done = witness_answered, .tier = street->tier};
    assert_true(
        cost_service_request(street->houses[0].service, &query, NULL, &witness.request, NULL));
    answer_slowly(street, TOOK_MS, one_pod_costing("1.5"));
    assert_int_equal(witness.done, 1);
    assert_int_equal(witness.stored, 0);
    assert_int_equal(scripted_tier_counts(street->tier).stored, 1);
}

/* Answered, and from then on no job ends in that house: the value is not written. */
struct last_asker {
    struct cost_request request;
    struct fake_loop *loop;
};

static void last_answered(struct cost_request *request, const struct cost_answer *answer)
{
    fake_loop_hold_jobs(CONTAINER_OF(request, struct last_asker, request)->loop, true);
    http_content_release(answer->content);
}

static void value_ages_while_it_waits_to_be_written(void **state)
{
    enum { BUSY_MS = 30 * 1000 };
    struct street *street = *state;
    struct house *house = &street->houses[0];
    struct cost_query query = house_query(COST_VIEW_NAMESPACES, "7d");
    struct last_asker first = {.request.done = last_answered, .loop = house->loop};
    struct asker second;
    assert_true(cost_service_request(house->service, &query, NULL, &first.request, NULL));
    answer_slowly(street, TOOK_MS, one_pod_costing("1.5"));
    street_advance(street, BUSY_MS);
    fake_loop_hold_jobs(house->loop, false);
    street_advance(street, 5000);
    street_ask(street, 1, &query, &second);
    street_advance(street, LATENCY_MS);
    assert_int_equal(second.answer.source, COST_SOURCE_SHARED);
    assert_in_range(age_ms(street, 1, &second), BUSY_MS + 5000, BUSY_MS + 5000 + 3 * LATENCY_MS);
    asker_release(&second);
}

/* Refreshing. */

static void note_refresh(void *context, const struct error *error,
                         const struct cost_refreshed *refreshed)
{
    struct cost_refreshed *noted = context;
    assert_null(error);
    *noted = *refreshed;
}

/* Its cache may have lost what its refresher has seen, for want of room. */
static void refresh_takes_only_what_is_newer_than_what_was_seen_last(void **state)
{
    struct street *street = *state;
    struct cost_query query = house_query(COST_VIEW_NAMESPACES, "7d");
    struct cost_refreshed seen = {0};
    struct cost_refreshed fetched = {0};
    struct asker asker;
    street_ask(street, 0, &query, &asker);
    answer_slowly(street, TOOK_MS, one_pod_costing("1.5"));
    asker_release(&asker);
    struct cost_refresh_order order = {.window = &query.window};
    cost_service_refresh(street->houses[1].service, &order, note_refresh, &seen);
    street_advance(street, 10 * 1000);
    assert_int_equal(seen.pod_rows, 1);
    assert_int_equal(seen.took_ms, TOOK_MS - LATENCY_MS);
    assert_int_equal(street_asked(street), 1);

    order = (struct cost_refresh_order){.window = &query.window,
                                        .knows = true,
                                        .known_ms = seen.fetched_ms + STREET_UPTIME_STEP_MS};
    cost_service_refresh(street->houses[2].service, &order, note_refresh, &fetched);
    answer_slowly(street, TOOK_MS, one_pod_costing("2.5"));
    assert_int_equal(street_asked(street), 2);
    assert_int_equal(fetched.pod_rows, 1);
}

static void start_refreshers(struct street *street)
{
    for (size_t i = 0; i < street->count; i++)
        street_add_refresher(street, i, INTERVAL_MS);
    for (size_t i = 0; i < street->count; i++) {
        refresher_start(street->refreshers[i]);
        street_run(street);
    }
}

/* Lets time pass with an OpenCost that takes `took_ms` for an answer. Returns the questions. */
static size_t live(struct street *street, int64_t duration_ms, int64_t took_ms)
{
    enum { LOOK_MS = 50 };
    size_t before = street_asked(street);
    int64_t open_ms = 0;
    for (int64_t passed_ms = 0; passed_ms < duration_ms; passed_ms += LOOK_MS) {
        size_t house = 0;
        size_t number = 0;
        street_advance(street, LOOK_MS);
        open_ms = street_find_question(street, &house, &number) ? open_ms + LOOK_MS : 0;
        if (open_ms >= took_ms)
            assert_true(street_answer(street, one_pod_costing("1.5")));
    }
    return street_asked(street) - before;
}

static size_t questions_of(size_t replicas, int64_t took_ms)
{
    struct street *street = build(
        &(struct street_options){.count = replicas, .latency_ms = LATENCY_MS, .skew_s = SKEW_S});
    start_refreshers(street);
    size_t count = live(street, 10 * INTERVAL_MS + INTERVAL_MS / 2, took_ms);
    count += 1; /* the first, before time passes: it is among them only if asked later */
    for (size_t i = 0; i < replicas; i++)
        assert_true(
            cost_service_has_fresh(street->houses[i].service, &(struct window){.canonical = "7d"}));
    street_tear_down(street);
    free(street);
    return count;
}

static void ten_intervals_cost_as_many_queries_with_many_replicas_as_with_one(void **state)
{
    (void)state;
    size_t alone = questions_of(1, TOOK_MS);
    assert_in_range(alone, 10, 12);
    assert_int_equal(questions_of(3, TOOK_MS), alone);
    assert_int_equal(questions_of(20, TOOK_MS), alone);
}

/* A replica must not count its own short look at the tier for the time OpenCost took. */
static void slow_opencost_rests_as_long_with_many_replicas_as_with_one(void **state)
{
    enum { SLOW_MS = 20 * 1000, SHORT_INTERVAL_MS = 30 * 1000 };
    size_t asked[2];
    (void)state;
    for (size_t run = 0; run < 2; run++) {
        struct street *street =
            build(&(struct street_options){.count = run == 0 ? 1 : 3, .latency_ms = LATENCY_MS});
        for (size_t i = 0; i < street->count; i++)
            street_add_refresher(street, i, SHORT_INTERVAL_MS);
        refresher_start(street->refreshers[0]);
        asked[run] = live(street, SLOW_MS + 5000, SLOW_MS);
        for (size_t i = 1; i < street->count; i++)
            refresher_start(street->refreshers[i]); /* they find it at once */
        asked[run] += live(street, 1000 * 1000, SLOW_MS);
        street_tear_down(street);
        free(street);
    }
    assert_in_range(asked[0], 9, 11); /* 100 s each: it works a fifth of the time */
    assert_int_equal(asked[1], asked[0]);
}

static void replica_that_joins_late_takes_what_there_is_and_falls_into_step(void **state)
{
    struct street *street = *state;
    for (size_t i = 0; i < REPLICAS; i++)
        street_add_refresher(street, i, INTERVAL_MS);
    refresher_start(street->refreshers[0]);
    assert_int_equal(live(street, 100 * 1000, TOOK_MS), 1);
    refresher_start(street->refreshers[1]);
    assert_int_equal(live(street, 100 * 1000, TOOK_MS), 0);
    assert_true(refresher_is_warmed_up(street->refreshers[1]));
    refresher_start(street->refreshers[2]);
    assert_int_equal(live(street, 10 * INTERVAL_MS, TOOK_MS), 10);
}

/* Within its TTL, so that readers have it; past the interval, so that it is refreshed at once. */
static void warm_up_serves_what_is_due_and_refreshes_it(void **state)
{
    struct street *street = *state;
    struct cost_query query = house_query(COST_VIEW_NAMESPACES, "7d");
    struct asker asker;
    street_ask(street, 0, &query, &asker);
    answer_slowly(street, TOOK_MS, one_pod_costing("1.5"));
    asker_release(&asker);
    street_advance(street, INTERVAL_MS + 1000);
    street_add_refresher(street, 1, INTERVAL_MS);
    refresher_start(street->refreshers[1]);
    street_advance(street, 2 * LATENCY_MS);
    assert_true(refresher_is_warmed_up(street->refreshers[1]));
    assert_true(house_hits(&street->houses[1], &query));
    assert_int_equal(street_asked(street), 2);
    assert_true(street_answer(street, one_pod_costing("2.5")));
    assert_int_equal(live(street, INTERVAL_MS - 1000, TOOK_MS), 0);
}

static void replicas_out_of_step_fall_into_step_when_the_tier_is_back(void **state)
{
    struct street *street = *state;
    for (size_t i = 0; i < REPLICAS; i++) {
        scripted_tier_set_mood(street->tier, i, SCRIPTED_TIER_DOWN);
        street_add_refresher(street, i, INTERVAL_MS);
        refresher_start(street->refreshers[i]);
        assert_int_equal(live(street, INTERVAL_MS / REPLICAS, TOOK_MS), 1);
    }
    assert_int_equal(live(street, 2 * INTERVAL_MS, TOOK_MS), 2 * REPLICAS);
    for (size_t i = 0; i < REPLICAS; i++)
        scripted_tier_set_mood(street->tier, i, SCRIPTED_TIER_WELL);
    (void)live(street, 2 * INTERVAL_MS, TOOK_MS);
    assert_int_equal(live(street, 10 * INTERVAL_MS, TOOK_MS), 10);
}

static void failing_opencost_is_asked_by_one_at_a_time(void **state)
{
    struct street *street = *state;
    struct cost_query query = house_query(COST_VIEW_NAMESPACES, "7d");
    struct asker askers[REPLICAS];
    for (size_t i = 0; i < REPLICAS; i++)
        street_ask(street, i, &query, &askers[i]);
    street_advance(street, LATENCY_MS);
    scripted_origin_answer(street->houses[0].origin, 0, 404, "not here");
    street_advance(street, LATENCY_MS);
    assert_int_equal(street_asked(street), 1);
    for (size_t i = 0; i < REPLICAS; i++) {
        assert_int_equal(askers[i].done, 1);
        assert_int_equal(askers[i].answer.error.code, ERR_UPSTREAM_REFUSED);
        assert_int_equal(origin_health_state(street->houses[i].health), ORIGIN_DISCONNECTED);
    }
    street_ask(street, 1, &query, &askers[1]);
    assert_int_equal(askers[1].answer.error.code, ERR_UPSTREAM_REFUSED); /* the key rests */
    assert_int_equal(street_asked(street), 1);

    street_advance(street, 1000);
    street_ask(street, 0, &query, &askers[0]);
    street_ask(street, 1, &query, &askers[1]);
    answer_slowly(street, TOOK_MS, one_pod_costing("1.5"));
    assert_int_equal(street_asked(street), 2);
    assert_int_equal(origin_health_state(street->houses[0].health), ORIGIN_CONNECTED);
    assert_int_equal(origin_health_state(street->houses[1].health), ORIGIN_CONNECTED);
    assert_int_equal(origin_health_state(street->houses[2].health), ORIGIN_DISCONNECTED);
    asker_release(&askers[0]);
    asker_release(&askers[1]);
}

/* Past its TTL, and OpenCost fails. */

static void stale_value_of_another_replica_is_served_as_ones_own(void **state)
{
    struct street *street = *state;
    struct cost_query query = house_query(COST_VIEW_NAMESPACES, "7d");
    struct cost_query pods = house_query(COST_VIEW_PODS, "7d");
    struct asker asker;
    street_ask(street, 0, &query, &asker);
    answer_slowly(street, TOOK_MS, one_pod_costing("1.5"));
    asker_release(&asker);
    street_advance(street, HOUSE_TTL_MS + 60 * 1000);
    street_ask(street, 1, &query, &asker);
    street_advance(street, LATENCY_MS);
    scripted_origin_answer(street->houses[1].origin, 0, 404, "not here");
    street_advance(street, LATENCY_MS);
    assert_int_equal(asker.answer.source, COST_SOURCE_STALE);
    assert_true(asker.answer.origin_unavailable);
    assert_non_null(strstr(asker_body(&asker), "1.5"));
    assert_in_range(age_ms(street, 1, &asker), HOUSE_TTL_MS + 60 * 1000, HOUSE_TTL_MS + 61 * 1000);
    asker_release(&asker);

    street_ask(street, 1, &pods, &asker); /* the key rests, and what was found is ours now */
    assert_int_equal(asker.answer.source, COST_SOURCE_STALE);
    asker_release(&asker);
    assert_int_equal(scripted_tier_counts(street->tier).peeks, 1);
}

/* The tier was out of order when the fetch began, and is well when it has failed. */
static void value_within_its_ttl_is_not_called_stale_though_opencost_fails(void **state)
{
    struct street *street = *state;
    struct cost_query query = house_query(COST_VIEW_NAMESPACES, "7d");
    struct asker asker;
    struct asker other;
    scripted_tier_set_mood(street->tier, 1, SCRIPTED_TIER_DOWN);
    street_ask(street, 1, &query, &asker);
    street_advance(street, LATENCY_MS);
    scripted_tier_set_mood(street->tier, 1, SCRIPTED_TIER_WELL);
    street_ask(street, 0, &query, &other);
    street_advance(street, LATENCY_MS);
    scripted_origin_answer(street->houses[0].origin, 0, 200, one_pod_costing("1.5"));
    street_advance(street, TOOK_MS);
    asker_release(&other);
    scripted_origin_answer(street->houses[1].origin, 0, 404, "not here");
    street_advance(street, LATENCY_MS);
    assert_non_null(strstr(asker_body(&asker), "1.5"));
    assert_int_equal(asker.answer.source, COST_SOURCE_HIT);
    assert_false(asker.answer.origin_unavailable);
    asker_release(&asker);
}

/* It is kept longer than that, to be served while it is refetched. */
static void value_past_the_stale_time_is_not_served(void **state)
{
    struct street *street = build(&(struct street_options){.count = 2,
                                                           .latency_ms = LATENCY_MS,
                                                           .stale_ms = HOUSE_STALE_MS,
                                                           .revalidate_ms = 2 * HOUSE_STALE_MS});
    struct cost_query query = house_query(COST_VIEW_NAMESPACES, "7d");
    struct asker asker;
    (void)state;
    street_ask(street, 0, &query, &asker);
    answer_slowly(street, TOOK_MS, one_pod_costing("1.5"));
    asker_release(&asker);
    street_advance(street, HOUSE_TTL_MS + HOUSE_STALE_MS);
    street_ask(street, 1, &query, &asker);
    street_advance(street, LATENCY_MS);
    scripted_origin_answer(street->houses[1].origin, 0, 404, "not here");
    street_advance(street, LATENCY_MS);
    assert_int_equal(asker.answer.error.code, ERR_UPSTREAM_REFUSED);
    assert_non_null(scripted_tier_value(street->tier, "opencost:allocation:7d:idle=False"));
    street_tear_down(street);
    free(street);
}

static void without_a_stale_time_the_tier_is_not_asked_for_stale_data(void **state)
{
    struct street *street = build(&(struct street_options){.count = 1});
    struct cost_query query = house_query(COST_VIEW_NAMESPACES, "7d");
    struct asker asker;
    (void)state;
    street_ask(street, 0, &query, &asker);
    scripted_origin_answer(street->houses[0].origin, 0, 404, "not here");
    street_run(street);
    assert_int_equal(asker.answer.error.code, ERR_UPSTREAM_REFUSED);
    assert_int_equal(scripted_tier_counts(street->tier).peeks, 0);
    street_tear_down(street);
    free(street);
}

static void refreshed(void *context, const struct error *error,
                      const struct cost_refreshed *refreshed)
{
    (void)error;
    (void)refreshed;
    ++*(int *)context;
}

static void client_that_joins_a_refresh_before_opencost_is_asked_ends_its_leisure(void **state)
{
    struct street *street = *state;
    struct cost_query query = house_query(COST_VIEW_NAMESPACES, "7d");
    const struct cost_refresh_order order = {.window = &query.window};
    struct asker asker;
    int done = 0;
    cost_service_refresh(street->houses[0].service, &order, refreshed, &done);
    assert_int_equal(street_asked(street), 0); /* the tier is asked first */
    street_ask(street, 0, &query, &asker);
    answer_slowly(street, TOOK_MS, one_pod_costing("1.5"));
    assert_int_equal(asker.done, 1);
    assert_int_equal(done, 1);
    assert_int_equal(fake_loop_rests(street->houses[0].loop), 0);
    asker_release(&asker);
}

#define ON_STREET(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_STREET(crowds_at_all_replicas_cost_one_query_and_get_equal_answers),
        ON_STREET(what_one_fetched_others_find_with_its_age_whatever_clocks_say),
        ON_STREET(expired_value_is_fetched_anew_by_one),
        ON_STREET(own_expired_dataset_is_not_taken_back_from_the_tier),
        ON_STREET(closed_months_and_idle_are_shared_too),
        ON_STREET(value_is_kept_as_long_as_it_may_be_served),
        ON_STREET(who_asked_here_need_not_wait_until_the_value_is_stored),
        ON_STREET(value_ages_while_it_waits_to_be_written),
        ON_STREET(client_that_joins_a_refresh_before_opencost_is_asked_ends_its_leisure),
        ON_STREET(refresh_takes_only_what_is_newer_than_what_was_seen_last),
        cmocka_unit_test(ten_intervals_cost_as_many_queries_with_many_replicas_as_with_one),
        cmocka_unit_test(slow_opencost_rests_as_long_with_many_replicas_as_with_one),
        ON_STREET(replica_that_joins_late_takes_what_there_is_and_falls_into_step),
        ON_STREET(warm_up_serves_what_is_due_and_refreshes_it),
        ON_STREET(replicas_out_of_step_fall_into_step_when_the_tier_is_back),
        ON_STREET(failing_opencost_is_asked_by_one_at_a_time),
        ON_STREET(stale_value_of_another_replica_is_served_as_ones_own),
        ON_STREET(value_within_its_ttl_is_not_called_stale_though_opencost_fails),
        cmocka_unit_test(value_past_the_stale_time_is_not_served),
        cmocka_unit_test(without_a_stale_time_the_tier_is_not_asked_for_stale_data),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
