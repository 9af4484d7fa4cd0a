/* SPDX-License-Identifier: Apache-2.0 */
/* Several replicas, and what can go wrong between them: each goes on as if it were alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/wire.h"
#include "street.h"
#include "support/alloc_fault.h"

enum {
    REPLICAS = 3,
    LATENCY_MS = 3,
    ASKING_MS = 2 * LATENCY_MS, /* for what the tier says, twice */
};

static const char key_end[] = "opencost:allocation:7d:idle=False";

struct scene {
    struct street street;
    struct cost_query query;
    struct asker askers[REPLICAS];
};

static int setup(void **state)
{
    struct scene *scene = malloc(sizeof(*scene));
    assert_non_null(scene);
    street_build(&scene->street, &(struct street_options){.count = REPLICAS,
                                                          .latency_ms = LATENCY_MS,
                                                          .stale_ms = HOUSE_STALE_MS});
    scene->query = house_query(COST_VIEW_NAMESPACES, "7d");
    memset(scene->askers, 0, sizeof(scene->askers));
    *state = scene;
    return 0;
}

static int teardown(void **state)
{
    struct scene *scene = *state;
    for (size_t i = 0; i < REPLICAS; i++)
        asker_release(&scene->askers[i]);
    street_tear_down(&scene->street);
    free(scene);
    return 0;
}

static void ask(struct scene *scene, size_t house)
{
    asker_release(&scene->askers[house]);
    street_ask(&scene->street, house, &scene->query, &scene->askers[house]);
    street_advance(&scene->street, ASKING_MS);
}

static void answer(struct scene *scene, const char *total)
{
    assert_true(street_answer(&scene->street, one_pod_costing(total)));
    street_advance(&scene->street, ASKING_MS);
}

/* A house asks and OpenCost is asked for it. */
static void fetch(struct scene *scene, size_t house, const char *total)
{
    ask(scene, house);
    answer(scene, total);
}

static void assert_answered(const struct scene *scene, size_t house, const char *total)
{
    assert_non_null(strstr(asker_body(&scene->askers[house]), total));
}

static size_t asked(const struct scene *scene)
{
    return street_asked(&scene->street);
}

static struct scripted_tier_counts counts(const struct scene *scene)
{
    return scripted_tier_counts(scene->street.tier);
}

static void set_mood(struct scene *scene, size_t house, enum scripted_tier_mood mood)
{
    scripted_tier_set_mood(scene->street.tier, house, mood);
    street_run(&scene->street);
}

/* The one who leads. */

static void leader_that_dies_costs_one_lease(void **state)
{
    struct scene *scene = *state;
    ask(scene, 0);
    ask(scene, 1);
    ask(scene, 2);
    scripted_tier_kill(scene->street.tier, 0);
    street_advance(&scene->street, SCRIPTED_TIER_LEASE_MS - 1);
    assert_int_equal(asked(scene), 1);
    street_advance(&scene->street, 1);
    assert_int_equal(asked(scene), 2);
    scripted_origin_answer(scene->street.houses[1].origin, 0, 200, one_pod_costing("2.5"));
    street_run(&scene->street);
    street_advance(&scene->street, LATENCY_MS);
    assert_answered(scene, 1, "2.5");
    assert_answered(scene, 2, "2.5");
    assert_int_equal(asked(scene), 2);
}

static void leader_that_stops_hands_over_at_once(void **state)
{
    struct scene *scene = *state;
    ask(scene, 0);
    ask(scene, 1);
    house_stop(&scene->street.houses[0]);
    street_run(&scene->street);
    assert_int_equal(scene->askers[0].answer.error.code, ERR_SHUTDOWN);
    assert_int_equal(counts(scene).given_back, 1);
    assert_int_equal(asked(scene), 2);
    answer(scene, "2.5");
    assert_answered(scene, 1, "2.5");
}

/* Answered, and from then on no job ends in its house. */
struct last_asker {
    struct cost_request request;
    struct fake_loop *loop;
    int done;
};

static void last_answered(struct cost_request *request, const struct cost_answer *answer)
{
    struct last_asker *asker = CONTAINER_OF(request, struct last_asker, request);
    asker->done++;
    fake_loop_hold_jobs(asker->loop, true);
    http_content_release(answer->content);
}

static void leader_that_stops_while_it_writes_hands_over_at_once(void **state)
{
    struct scene *scene = *state;
    struct house *house = &scene->street.houses[0];
    struct last_asker asker = {.request.done = last_answered, .loop = house->loop};
    assert_true(cost_service_request(house->service, &scene->query, NULL, &asker.request, NULL));
    street_advance(&scene->street, ASKING_MS);
    ask(scene, 1);
    scripted_origin_answer(house->origin, 0, 200, one_pod_costing("1.5"));
    street_run(&scene->street);
    assert_int_equal(asker.done, 1);
    assert_int_equal(fake_loop_queued_jobs(house->loop), 1);
    house_stop(house);
    street_run(&scene->street);
    assert_int_equal(counts(scene).given_back, 1);
    answer(scene, "2.5");
    assert_answered(scene, 1, "2.5");
    fake_loop_hold_jobs(house->loop, false);
    street_run(&scene->street);
    assert_int_equal(counts(scene).stored, 1);
}

static void without_memory_for_the_value_another_leads(void **state)
{
    struct scene *scene = *state;
    struct house *house = &scene->street.houses[0];
    ask(scene, 0);
    ask(scene, 1);
    scripted_origin_answer(house->origin, 0, 200, one_pod_costing("1.5"));
    fake_loop_refuse_jobs(house->loop, true);
    street_run(&scene->street);
    fake_loop_refuse_jobs(house->loop, false);
    assert_int_equal(counts(scene).given_back, 1);
    answer(scene, "2.5");
    assert_answered(scene, 1, "2.5");
}

static void open_circuit_of_one_is_not_the_failure_of_all(void **state)
{
    static const char *const windows[] = {"1h", "2h", "3h", "4h", "5h"};
    struct scene *scene = *state;
    struct asker asker;
    for (size_t i = 0; i < ARRAY_LENGTH(windows); i++) {
        struct cost_query other = house_query(COST_VIEW_PODS, windows[i]);
        street_ask(&scene->street, 0, &other, &asker);
        street_advance(&scene->street, LATENCY_MS);
        scripted_origin_answer(scene->street.houses[0].origin, i, 404, "not here");
        street_advance(&scene->street, ASKING_MS);
        assert_int_equal(asker.answer.error.code, ERR_UPSTREAM_REFUSED);
    }
    ask(scene, 0);
    assert_int_equal(scene->askers[0].answer.error.code, ERR_UPSTREAM_UNAVAILABLE);
    assert_int_equal(counts(scene).given_back, 1);
    fetch(scene, 1, "1.5");
    assert_answered(scene, 1, "1.5");
    street_advance(&scene->street, 1000);
    ask(scene, 0);
    assert_answered(scene, 0, "1.5");
}

static bool wants_nothing(void *context, const struct tier_value *value)
{
    (void)context, (void)value;
    return false;
}

static void take_lease(void *context, enum tier_outcome outcome, const struct tier_value *value,
                       struct tier_lease *lease, const struct error *error)
{
    struct tier_lease **taken = context;
    (void)value, (void)error;
    assert_int_equal(outcome, TIER_LEADING);
    *taken = lease;
}

/* No replica says such things; whoever may write to the tier can. */
static void failure_that_is_not_of_opencost_is_none(void **state)
{
    static const enum error_code codes[] = {ERR_SHUTDOWN, ERR_NO_MEMORY, ERR_UPSTREAM_UNAVAILABLE};
    struct scene *scene = *state;
    const struct shared_tier *stranger = scripted_tier_door(scene->street.tier, REPLICAS);
    fetch(scene, 0, "1.5");
    for (size_t i = 0; i < ARRAY_LENGTH(codes); i++) {
        const struct error error = {.code = codes[i], .text = "nonsense"};
        struct tier_lease *lease = NULL;
        const struct tier_claim_request request = {
            .key = scripted_tier_key(scene->street.tier, key_end),
            .max_wait_ms = 1000,
            .is_wanted = wants_nothing,
            .done = take_lease,
            .context = &lease,
        };
        street_advance(&scene->street, HOUSE_TTL_MS);
        assert_non_null(tier_claim(stranger, &request));
        street_advance(&scene->street, ASKING_MS);
        ask(scene, 1);
        tier_settle(stranger, lease, NULL, 0, &error);
        street_advance(&scene->street, ASKING_MS);
        answer(scene, "2.5");
        assert_answered(scene, 1, "2.5");
    }
}

static void refreshed(void *context, const struct error *error,
                      const struct cost_refreshed *refreshed)
{
    int *done = context;
    (void)refreshed;
    assert_null(error);
    (*done)++;
}

static void refresh(struct scene *scene, size_t house, int *done)
{
    const struct cost_refresh_order order = {.window = &scene->query.window};
    cost_service_refresh(scene->street.houses[house].service, &order, refreshed, done);
    street_advance(&scene->street, ASKING_MS);
}

static void leader_that_never_ends_is_waited_for_twice_as_long_as_one_should_take(void **state)
{
    struct scene *scene = *state;
    int done = 0;
    ask(scene, 0);
    refresh(scene, 1, &done);
    street_advance(&scene->street, 2 * HOUSE_DEADLINE_MS - ASKING_MS - 1);
    assert_int_equal(asked(scene), 1);
    street_advance(&scene->street, 1);
    assert_int_equal(asked(scene), 2);
    scripted_origin_answer(scene->street.houses[1].origin, 0, 200, one_pod_costing("2.5"));
    street_run(&scene->street);
    assert_int_equal(done, 1);
}

/* Whoever waited has gone: no lease for nobody. */
static void claim_that_nobody_waits_for_any_more_is_given_up(void **state)
{
    struct scene *scene = *state;
    int done = 0;
    refresh(scene, 0, &done);
    ask(scene, 1);
    street_advance(&scene->street, HOUSE_DEADLINE_MS);
    assert_int_equal(scene->askers[1].answer.error.code, ERR_DEADLINE);
    assert_int_equal(counts(scene).cancelled, 1);
    answer(scene, "1.5");
    assert_int_equal(asked(scene), 1);
    ask(scene, 1);
    assert_answered(scene, 1, "1.5");
    assert_int_equal(asked(scene), 1);
}

/* Rows are kept when OpenCost suddenly has none; what was not believed is not handed on. */
static void empty_answer_that_is_not_used_is_not_shared(void **state)
{
    struct scene *scene = *state;
    int done = 0;
    fetch(scene, 0, "1.5");
    street_advance(&scene->street, 10 * 1000);
    refresh(scene, 0, &done);
    assert_true(street_answer(&scene->street, "{\"code\":200,\"data\":[{}]}"));
    assert_int_equal(done, 1);
    assert_int_equal(counts(scene).stored, 1);
    assert_int_equal(counts(scene).given_back, 1);
    ask(scene, 1);
    assert_answered(scene, 1, "1.5");
}

/* The tier. */

static void tier_that_is_down_leaves_each_to_itself(void **state)
{
    struct scene *scene = *state;
    for (size_t i = 0; i < REPLICAS; i++) {
        set_mood(scene, i, SCRIPTED_TIER_DOWN);
        ask(scene, i);
    }
    assert_int_equal(asked(scene), REPLICAS);
    for (size_t i = 0; i < REPLICAS; i++)
        answer(scene, "1.5");
    for (size_t i = 0; i < REPLICAS; i++) {
        assert_answered(scene, i, "1.5");
        assert_int_equal(scene->askers[i].answer.source, COST_SOURCE_MISS);
    }
}

static void tier_that_hangs_costs_its_timeout(void **state)
{
    struct scene *scene = *state;
    set_mood(scene, 0, SCRIPTED_TIER_HANGING);
    ask(scene, 0);
    street_advance(&scene->street, SCRIPTED_TIER_TIMEOUT_MS - ASKING_MS - 1);
    assert_int_equal(asked(scene), 0);
    street_advance(&scene->street, 1);
    assert_int_equal(asked(scene), 1);
    answer(scene, "1.5");
    assert_answered(scene, 0, "1.5");
    assert_true(house_hits(&scene->street.houses[0], &scene->query));
}

static void tier_that_goes_down_while_one_waits_leaves_him_to_himself(void **state)
{
    struct scene *scene = *state;
    ask(scene, 0);
    ask(scene, 1);
    assert_int_equal(asked(scene), 1);
    set_mood(scene, 1, SCRIPTED_TIER_DOWN);
    assert_int_equal(asked(scene), 2);
    answer(scene, "1.5");
    answer(scene, "1.5");
    assert_answered(scene, 0, "1.5");
    assert_answered(scene, 1, "1.5");
}

static void tier_that_goes_down_while_one_leads_does_not_matter_to_him(void **state)
{
    struct scene *scene = *state;
    ask(scene, 0);
    set_mood(scene, 0, SCRIPTED_TIER_DOWN);
    answer(scene, "1.5");
    assert_answered(scene, 0, "1.5");
    ask(scene, 1);
    street_advance(&scene->street, SCRIPTED_TIER_LEASE_MS);
    answer(scene, "2.5");
    assert_answered(scene, 1, "2.5");
}

static void tier_without_memory_is_as_good_as_none(void **state)
{
    struct scene *scene = *state;
    set_mood(scene, 0, SCRIPTED_TIER_NO_MEMORY);
    fetch(scene, 0, "1.5");
    assert_answered(scene, 0, "1.5");
    assert_int_equal(counts(scene).claims, 0);
}

static void tier_that_was_restarted_empty_is_filled_again(void **state)
{
    struct scene *scene = *state;
    fetch(scene, 0, "1.5");
    scripted_tier_forget(scene->street.tier);
    fetch(scene, 1, "2.5");
    ask(scene, 2);
    assert_answered(scene, 2, "2.5");
    assert_int_equal(asked(scene), 2);
}

/* What lies in the tier. */

static void assert_mended(struct scene *scene, const char *total)
{
    size_t before = asked(scene);
    ask(scene, 1);
    ask(scene, 2);
    assert_int_equal(asked(scene), before + 1);
    answer(scene, total);
    assert_answered(scene, 1, total);
    assert_answered(scene, 2, total);
    assert_int_equal(asked(scene), before + 1);
}

static void poison(struct scene *scene, char *bytes, size_t length)
{
    scripted_tier_poison(scene->street.tier, key_end,
                         (struct text){.data = bytes, .length = length});
    free(bytes);
}

static char *copy_of_value(const struct scene *scene, size_t *ret_length)
{
    const struct text *value = scripted_tier_value(scene->street.tier, key_end);
    assert_non_null(value);
    char *bytes = malloc(value->length);
    assert_non_null(bytes);
    memcpy(bytes, value->data, value->length);
    *ret_length = value->length;
    return bytes;
}

static void damaged_value_is_mended_by_one(void **state)
{
    struct scene *scene = *state;
    size_t length = 0;
    fetch(scene, 0, "1.5");
    char *bytes = copy_of_value(scene, &length);
    bytes[length - 12] ^= 1; /* its head is as it should be */
    poison(scene, bytes, length);
    assert_mended(scene, "2.5");
}

/* The good value differs from the damaged one in that byte alone. */
static void value_that_is_mended_meanwhile_is_found(void **state)
{
    struct scene *scene = *state;
    size_t length = 0;
    fetch(scene, 0, "1.5");
    char *good = copy_of_value(scene, &length);
    char *bytes = copy_of_value(scene, &length);
    bytes[length - 12] ^= 1;
    poison(scene, bytes, length);
    fake_loop_hold_jobs(scene->street.houses[1].loop, true);
    ask(scene, 1);
    poison(scene, good, length);
    fake_loop_hold_jobs(scene->street.houses[1].loop, false);
    street_advance(&scene->street, ASKING_MS);
    assert_int_equal(asked(scene), 1);
    assert_answered(scene, 1, "1.5");
}

static void value_that_is_cut_off_is_mended_by_one(void **state)
{
    struct scene *scene = *state;
    size_t length = 0;
    fetch(scene, 0, "1.5");
    for (size_t left = 0; left < 40; left += 13) {
        char *bytes = copy_of_value(scene, &length);
        poison(scene, bytes, left);
        assert_mended(scene, "2.5");
        street_advance(&scene->street, HOUSE_TTL_MS);
    }
}

static void foreign_value_is_mended_by_one(void **state)
{
    struct scene *scene = *state;
    char *bytes = strdup("{\"this\":\"is somebody else's, and by no means a dataset of ours\"}");
    assert_non_null(bytes);
    fetch(scene, 0, "1.5");
    poison(scene, bytes, strlen(bytes));
    assert_mended(scene, "2.5");
}

static void value_of_a_newer_version_is_replaced_by_one(void **state)
{
    struct scene *scene = *state;
    size_t length = 0;
    fetch(scene, 0, "1.5");
    char *bytes = copy_of_value(scene, &length);
    bytes[strlen("kubecent")] = 99;
    poison(scene, bytes, length);
    assert_mended(scene, "2.5");
}

/* A good value, under the wrong key. */
static void value_of_another_window_is_mended_by_one(void **state)
{
    struct scene *scene = *state;
    struct cost_query other = house_query(COST_VIEW_NAMESPACES, "24h");
    struct asker asker;
    fetch(scene, 0, "1.5");
    street_ask(&scene->street, 0, &other, &asker);
    street_advance(&scene->street, LATENCY_MS);
    answer(scene, "7.5");
    asker_release(&asker);
    scripted_tier_poison(
        scene->street.tier, key_end,
        *scripted_tier_value(scene->street.tier, "opencost:allocation:24h:idle=False"));
    assert_mended(scene, "2.5");
}

/* Somebody puts damage there faster than it is mended: no replica waits for the end of it. */
static void value_that_is_damaged_again_and_again_is_done_without(void **state)
{
    struct scene *scene = *state;
    size_t length = 0;
    fetch(scene, 0, "1.5");
    char *bytes = copy_of_value(scene, &length);
    bytes[length - 12] ^= 1;
    poison(scene, bytes, length);
    fake_loop_hold_jobs(scene->street.houses[1].loop, true);
    ask(scene, 1);
    bytes = copy_of_value(scene, &length);
    bytes[length - 1] ^= 1;
    poison(scene, bytes, length);
    fake_loop_hold_jobs(scene->street.houses[1].loop, false);
    street_advance(&scene->street, ASKING_MS);
    assert_int_equal(asked(scene), 2);
    assert_int_equal(counts(scene).led, 1); /* the first of all; this one asked without a lease */
    answer(scene, "2.5");
    assert_answered(scene, 1, "2.5");
}

static void damaged_value_is_not_served_stale(void **state)
{
    struct scene *scene = *state;
    size_t length = 0;
    fetch(scene, 0, "1.5");
    street_advance(&scene->street, HOUSE_TTL_MS);
    char *bytes = copy_of_value(scene, &length);
    bytes[length - 12] ^= 1;
    poison(scene, bytes, length);
    street_advance(&scene->street, HOUSE_TTL_MS);
    ask(scene, 1);
    scripted_origin_answer(scene->street.houses[1].origin, 0, 404, "not here");
    street_advance(&scene->street, LATENCY_MS);
    assert_int_equal(counts(scene).peeks, 1);
    assert_int_equal(scene->askers[1].answer.error.code, ERR_UPSTREAM_REFUSED);
}

static void origins_and_versions_are_told_apart_by_the_key(void **state)
{
    struct scene *scene = *state;
    struct house other;
    struct asker asker;
    fetch(scene, 0, "1.5");
    const char *key = scripted_tier_key(scene->street.tier, key_end);
    assert_string_equal(key + 16, ":1:opencost:allocation:7d:idle=False");
    house_build_with(
        &other, &(struct house_options){.tier = scripted_tier_door(scene->street.tier, REPLICAS),
                                        .origin = "http://another:9003"});
    house_ask(&other, &scene->query, &asker);
    street_advance(&scene->street, LATENCY_MS);
    assert_int_equal(scripted_origin_asked(other.origin), 1);
    house_answer(&other, 0, one_pod_costing("7.5"));
    asker_release(&asker);
    ask(scene, 1);
    assert_answered(scene, 1, "1.5");
    house_tear_down(&other);
}

/* Memory and the end. */

static void without_memory_for_a_job_the_fetch_is_made_alone(void **state)
{
    struct scene *scene = *state;
    fetch(scene, 0, "1.5");
    ask(scene, 1);
    assert_answered(scene, 1, "1.5");
    street_run(&scene->street);
    asker_release(&scene->askers[2]);
    house_ask(&scene->street.houses[2], &scene->query, &scene->askers[2]);
    fake_loop_refuse_jobs(scene->street.houses[2].loop, true);
    fake_loop_advance(scene->street.tier_loop, LATENCY_MS);
    fake_loop_refuse_jobs(scene->street.houses[2].loop, false);
    assert_int_equal(scripted_origin_asked(scene->street.houses[2].origin), 1);
    answer(scene, "2.5");
    assert_answered(scene, 2, "2.5");
}

/* Two replicas ask, one after the other, while an allocation fails. True when it came to that. */
static bool survive_failure(long nth)
{
    struct street street;
    struct asker askers[2];
    struct cost_query query = house_query(COST_VIEW_NAMESPACES, "7d");
    street_build(&street, &(struct street_options){.count = 2, .stale_ms = HOUSE_STALE_MS});
    alloc_fault_arm(nth);
    for (size_t house = 0; house < 2; house++) {
        street_ask(&street, house, &query, &askers[house]);
        while (street_answer(&street, one_pod_costing("1.5")))
            street_run(&street);
    }
    bool hit = alloc_fault_hit();
    alloc_fault_disarm();
    street_advance(&street, 10 * 1000); /* what is left to run out */
    for (size_t house = 0; house < 2; house++) {
        assert_int_equal(askers[house].done, askers[house].accepted);
        if (askers[house].answer.content != NULL)
            assert_non_null(strstr(asker_body(&askers[house]), "1.5"));
        else
            assert_int_equal(askers[house].answer.error.code, ERR_NO_MEMORY);
        asker_release(&askers[house]);
    }
    street_tear_down(&street);
    return hit;
}

static void every_allocation_may_fail(void **state)
{
    long nth = 1;
    (void)state;
    if (!alloc_fault_supported())
        skip();
    while (survive_failure(nth))
        nth++;
    assert_true(nth > 20);
}

static void stop_in(struct scene *scene, size_t house)
{
    house_stop(&scene->street.houses[house]);
    street_advance(&scene->street, 2 * SCRIPTED_TIER_LEASE_MS);
    assert_int_equal(scene->askers[house].done, 1);
    assert_int_equal(scene->askers[house].answer.error.code, ERR_SHUTDOWN);
}

static void stop_cancels_a_claim(void **state)
{
    struct scene *scene = *state;
    street_ask(&scene->street, 0, &scene->query, &scene->askers[0]); /* not answered yet */
    stop_in(scene, 0);
    assert_int_equal(counts(scene).cancelled, 1);
    assert_int_equal(asked(scene), 0);
}

static void stop_cancels_a_claim_that_waits_for_another_replica(void **state)
{
    struct scene *scene = *state;
    ask(scene, 0);
    ask(scene, 1);
    stop_in(scene, 1);
    assert_int_equal(counts(scene).cancelled, 1);
    answer(scene, "1.5");
    assert_answered(scene, 0, "1.5");
}

static void stop_while_a_value_is_read_uses_nothing_of_it(void **state)
{
    struct scene *scene = *state;
    fetch(scene, 0, "1.5");
    fake_loop_hold_jobs(scene->street.houses[1].loop, true);
    ask(scene, 1);
    assert_int_equal(fake_loop_queued_jobs(scene->street.houses[1].loop), 1);
    stop_in(scene, 1);
    fake_loop_hold_jobs(scene->street.houses[1].loop, false);
    street_run(&scene->street);
    assert_false(house_hits(&scene->street.houses[1], &scene->query));
}

static void stop_while_a_value_is_looked_for_to_be_served_stale(void **state)
{
    struct scene *scene = *state;
    fetch(scene, 0, "1.5");
    street_advance(&scene->street, HOUSE_TTL_MS);
    ask(scene, 1);
    scripted_origin_answer(scene->street.houses[1].origin, 0, 404, "not here");
    fake_loop_run(scene->street.houses[1].loop);
    assert_int_equal(counts(scene).peeks, 1);
    stop_in(scene, 1);
    assert_int_equal(counts(scene).cancelled, 1);
}

static void stop_while_a_stale_value_is_read(void **state)
{
    struct scene *scene = *state;
    fetch(scene, 0, "1.5");
    street_advance(&scene->street, HOUSE_TTL_MS);
    ask(scene, 1);
    scripted_origin_answer(scene->street.houses[1].origin, 0, 404, "not here");
    fake_loop_run(scene->street.houses[1].loop);
    fake_loop_hold_jobs(scene->street.houses[1].loop, true);
    street_advance(&scene->street, LATENCY_MS);
    assert_int_equal(fake_loop_queued_jobs(scene->street.houses[1].loop), 1);
    stop_in(scene, 1);
    fake_loop_hold_jobs(scene->street.houses[1].loop, false);
}

/* The first claim that fails ends the work that waits for the others. */
static void stop_cancels_all_claims_of_a_trend_that_is_refetched(void **state)
{
    enum { DAY_MS = 24 * 3600 * 1000 };
    struct street *street = malloc(sizeof(*street));
    struct cost_query trend = house_query(COST_VIEW_MONTHLY, NULL);
    struct cost_answer stale;
    struct asker asker;
    (void)state;
    assert_non_null(street);
    street_build(street, &(struct street_options){.count = 1, .revalidate_ms = 2 * DAY_MS});
    trend.months = 3;
    street_ask(street, 0, &trend, &asker);
    while (street_answer(street, one_pod_costing("1.5")))
        street_run(street);
    asker_release(&asker);
    street_advance(street, DAY_MS);
    scripted_tier_set_mood(street->tier, 0, SCRIPTED_TIER_HANGING);
    assert_true(cost_service_lookup(street->houses[0].service, &trend,
                                    house_now_ms(&street->houses[0]), &stale));
    http_content_release(stale.content);
    street_run(street);
    assert_int_equal(scripted_tier_counts(street->tier).claims, 6);
    house_stop(&street->houses[0]);
    assert_int_equal(scripted_tier_counts(street->tier).cancelled, 3);
    street_tear_down(street);
    free(street);
}

#define ON_STREET(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_STREET(leader_that_dies_costs_one_lease),
        ON_STREET(leader_that_stops_hands_over_at_once),
        ON_STREET(leader_that_stops_while_it_writes_hands_over_at_once),
        ON_STREET(without_memory_for_the_value_another_leads),
        ON_STREET(open_circuit_of_one_is_not_the_failure_of_all),
        ON_STREET(failure_that_is_not_of_opencost_is_none),
        ON_STREET(empty_answer_that_is_not_used_is_not_shared),
        ON_STREET(tier_that_is_down_leaves_each_to_itself),
        ON_STREET(tier_that_hangs_costs_its_timeout),
        ON_STREET(tier_that_goes_down_while_one_waits_leaves_him_to_himself),
        ON_STREET(tier_that_goes_down_while_one_leads_does_not_matter_to_him),
        ON_STREET(tier_without_memory_is_as_good_as_none),
        ON_STREET(tier_that_was_restarted_empty_is_filled_again),
        ON_STREET(leader_that_never_ends_is_waited_for_twice_as_long_as_one_should_take),
        ON_STREET(claim_that_nobody_waits_for_any_more_is_given_up),
        ON_STREET(damaged_value_is_mended_by_one),
        ON_STREET(value_that_is_mended_meanwhile_is_found),
        ON_STREET(value_that_is_cut_off_is_mended_by_one),
        ON_STREET(foreign_value_is_mended_by_one),
        ON_STREET(value_of_a_newer_version_is_replaced_by_one),
        ON_STREET(value_of_another_window_is_mended_by_one),
        ON_STREET(value_that_is_damaged_again_and_again_is_done_without),
        ON_STREET(damaged_value_is_not_served_stale),
        ON_STREET(origins_and_versions_are_told_apart_by_the_key),
        ON_STREET(without_memory_for_a_job_the_fetch_is_made_alone),
        ON_STREET(every_allocation_may_fail),
        ON_STREET(stop_cancels_a_claim),
        ON_STREET(stop_cancels_a_claim_that_waits_for_another_replica),
        ON_STREET(stop_while_a_value_is_read_uses_nothing_of_it),
        ON_STREET(stop_while_a_value_is_looked_for_to_be_served_stale),
        ON_STREET(stop_while_a_stale_value_is_read),
        cmocka_unit_test(stop_cancels_all_claims_of_a_trend_that_is_refetched),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
