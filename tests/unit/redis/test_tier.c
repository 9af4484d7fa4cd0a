/* SPDX-License-Identifier: Apache-2.0 */
/* What replicas share, to the millisecond. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tier_world.h"

enum { LEASE_MS = 8000, LEASE_PROLONG_MS = 2000, POLL_MS = 1000 };

static void the_first_leads_and_the_others_get_what_it_settles(void **state)
{
    (void)state;
    struct tier_world *world = world_create();
    struct asked leader = {0};
    struct asked followers[REPLICAS] = {0};
    assert_int_equal(outcome_of(world, &world->replicas[0], &leader, "7d"), TIER_LEADING);
    for (size_t i = 0; i < REPLICAS; i++)
        ask(&world->replicas[i], &followers[i], "7d");
    world_pass(world, 60 * 1000);
    for (size_t i = 0; i < REPLICAS; i++)
        assert_int_equal(followers[i].calls, 0);
    settle(&world->replicas[0], &leader, "costs");
    world_pass(world, 1);
    for (size_t i = 0; i < REPLICAS; i++) {
        assert_int_equal(followers[i].calls, 1);
        assert_int_equal(followers[i].outcome, TIER_FOUND);
        assert_string_equal(followers[i].value, "costs");
        assert_true(followers[i].age_ms <= 1);
    }
    assert_null(fake_redis_get(&world->redis, "k:l:7d"));
    assert_int_equal(counted(&world->replicas[1], "kubecent_redis_lease_waits_total"), 1);
    assert_int_equal(counted(&world->replicas[0], "kubecent_redis_leases_total"), 1);
    world_destroy(world);
}

static void a_value_ages_and_ends(void **state)
{
    (void)state;
    struct tier_world *world = world_create();
    struct asked leader = {0};
    struct asked in_time = {0};
    struct asked too_late = {0};
    assert_int_equal(outcome_of(world, &world->replicas[0], &leader, "7d"), TIER_LEADING);
    settle(&world->replicas[0], &leader, "costs");
    world_pass(world, 100);
    fake_loop_advance(world->loop, KEEP_MS - 200);
    assert_int_equal(outcome_of(world, &world->replicas[1], &in_time, "7d"), TIER_FOUND);
    assert_in_range(in_time.age_ms, KEEP_MS - 101, KEEP_MS - 99);
    fake_loop_advance(world->loop, 100);
    assert_int_equal(outcome_of(world, &world->replicas[1], &too_late, "7d"), TIER_LEADING);
    settle(&world->replicas[1], &too_late, NULL);
    world_pass(world, 10);
    world_destroy(world);
}

static void a_value_that_is_not_wanted_is_fetched_anew_by_one(void **state)
{
    (void)state;
    struct tier_world *world = world_create();
    struct asked first = {0};
    struct asked second = {.wanted = "new"};
    struct asked third = {.wanted = "new"};
    assert_int_equal(outcome_of(world, &world->replicas[0], &first, "7d"), TIER_LEADING);
    settle(&world->replicas[0], &first, "old");
    world_pass(world, 10);
    assert_int_equal(outcome_of(world, &world->replicas[1], &second, "7d"), TIER_LEADING);
    ask(&world->replicas[2], &third, "7d");
    world_pass(world, 5000);
    assert_int_equal(third.calls, 0);
    settle(&world->replicas[1], &second, "new");
    world_pass(world, 10);
    assert_int_equal(third.outcome, TIER_FOUND);
    assert_string_equal(third.value, "new");
    world_destroy(world);
}

/* Followers poll when messages are lost; `must_poll` says how long that takes at most. */
static void hears_within(bool forgets_messages, int64_t most_ms)
{
    struct tier_world *world = world_create();
    struct asked leader = {0};
    struct asked follower = {0};
    world->redis.forgets_messages = forgets_messages;
    assert_int_equal(outcome_of(world, &world->replicas[0], &leader, "7d"), TIER_LEADING);
    ask(&world->replicas[1], &follower, "7d");
    world_pass(world, 3333);
    settle(&world->replicas[0], &leader, "costs");
    world_pass(world, most_ms);
    assert_int_equal(follower.calls, 1);
    assert_int_equal(follower.outcome, TIER_FOUND);
    world_destroy(world);
}

static void followers_are_told_or_else_poll(void **state)
{
    (void)state;
    hears_within(false, 1);
    hears_within(true, POLL_MS + 2);
}

/* The subscription takes a while, and the lease is settled meanwhile: what was said then is
 * lost. */
static void a_message_before_the_subscription_is_made_up_for(void **state)
{
    enum { LATENCY_MS = 20, PATIENCE = 5 * LATENCY_MS };
    (void)state;
    struct tier_world *world = world_create();
    struct asked leader = {0};
    struct asked warm_up = {0};
    struct asked follower = {0};
    assert_int_equal(outcome_of(world, &world->replicas[0], &leader, "7d"), TIER_LEADING);
    peek(&world->replicas[1], &warm_up, "7d");
    world_pass(world, 10);
    world->redis.latency_ms = LATENCY_MS;
    ask(&world->replicas[1], &follower, "7d");
    world_pass(world, 2 * LATENCY_MS + 5); /* it has looked, tried, and begins to subscribe */
    settle(&world->replicas[0], &leader, "costs");
    world_pass(world, PATIENCE);
    assert_int_equal(follower.calls, 1);
    assert_int_equal(follower.outcome, TIER_FOUND);
    world_destroy(world);
}

/* The lease is settled after Redis has said that it is not, and before that is heard. */
static void a_message_that_overtakes_an_answer_is_not_forgotten(void **state)
{
    enum { LATENCY_MS = 20 };
    (void)state;
    for (int64_t ms = 0; ms < 6 * LATENCY_MS; ms++) {
        struct tier_world *world = world_create();
        struct asked leader = {0};
        struct asked warm_up = {0};
        struct asked follower = {0};
        assert_int_equal(outcome_of(world, &world->replicas[0], &leader, "7d"), TIER_LEADING);
        peek(&world->replicas[1], &warm_up, "7d");
        world_pass(world, 10);
        world->redis.latency_ms = LATENCY_MS;
        world->redis.messages_overtake = true;
        ask(&world->replicas[1], &follower, "7d");
        world_pass(world, ms);
        settle(&world->replicas[0], &leader, "costs");
        world_pass(world, 6 * LATENCY_MS);
        assert_int_equal(follower.calls, 1);
        assert_int_equal(follower.outcome, TIER_FOUND);
        world_destroy(world);
    }
}

static void followers_fail_as_the_leader_did_but_those_who_come_later_try(void **state)
{
    (void)state;
    struct tier_world *world = world_create();
    struct asked leader = {0};
    struct asked followers[2] = {0};
    struct asked later = {0};
    struct error error;
    error_set(&error, ERR_UPSTREAM_STATUS, "OpenCost answered 503");
    error.http_status = 503;
    /* One is told, the other polls. */
    assert_int_equal(outcome_of(world, &world->replicas[0], &leader, "7d"), TIER_LEADING);
    ask(&world->replicas[1], &followers[0], "7d");
    world_pass(world, 50);
    ask(&world->replicas[2], &followers[1], "7d");
    world_pass(world, 50);
    struct tier_lease *lease = leader.lease;
    tier_settle(world->replicas[0].door, lease, NULL, 0, &error);
    world_pass(world, 10);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(followers[i].outcome, TIER_FAILED);
        assert_int_equal(followers[i].error.code, ERR_UPSTREAM_STATUS);
        assert_int_equal(followers[i].error.http_status, 503);
        assert_string_equal(followers[i].error.text, "OpenCost answered 503");
    }
    assert_int_equal(outcome_of(world, &world->replicas[1], &later, "7d"), TIER_LEADING);
    settle(&world->replicas[1], &later, NULL);
    world_pass(world, 10);
    world_destroy(world);
}

static void a_failure_is_heard_by_those_who_poll(void **state)
{
    (void)state;
    struct tier_world *world = world_create();
    struct asked leader = {0};
    struct asked follower = {0};
    struct error error;
    error_set(&error, ERR_UPSTREAM_TIMEOUT, "no answer");
    world->redis.forgets_messages = true;
    assert_int_equal(outcome_of(world, &world->replicas[0], &leader, "7d"), TIER_LEADING);
    ask(&world->replicas[1], &follower, "7d");
    world_pass(world, 5100);
    tier_settle(world->replicas[0].door, leader.lease, NULL, 0, &error);
    world_pass(world, POLL_MS + 2);
    assert_int_equal(follower.outcome, TIER_FAILED);
    assert_int_equal(follower.error.code, ERR_UPSTREAM_TIMEOUT);
    world_destroy(world);
}

static void a_holder_that_dies_is_missed_after_a_lease(void **state)
{
    (void)state;
    struct tier_world *world = world_create();
    struct asked followers[2] = {0};
    /* A dead replica's lease: nobody prolongs it. */
    fake_redis_set(&world->redis, "k:l:7d", TEXT("0123456789abcdef0123456789abcdef"), LEASE_MS);
    ask(&world->replicas[0], &followers[0], "7d");
    ask(&world->replicas[1], &followers[1], "7d");
    world_pass(world, LEASE_MS - 1);
    assert_int_equal(followers[0].calls + followers[1].calls, 0);
    world_pass(world, POLL_MS + 2);
    assert_int_equal(followers[0].calls + followers[1].calls, 1); /* one leads, one waits for it */
    struct asked *leader = followers[0].calls == 1 ? &followers[0] : &followers[1];
    struct asked *other = followers[0].calls == 1 ? &followers[1] : &followers[0];
    assert_int_equal(leader->outcome, TIER_LEADING);
    settle(&world->replicas[leader - followers], leader, "costs");
    world_pass(world, 10);
    assert_int_equal(other->outcome, TIER_FOUND);
    world_destroy(world);
}

static void a_lease_lasts_as_long_as_its_holder_needs(void **state)
{
    (void)state;
    struct tier_world *world = world_create();
    struct asked leader = {0};
    struct asked follower = {0};
    assert_int_equal(outcome_of(world, &world->replicas[0], &leader, "7d"), TIER_LEADING);
    ask(&world->replicas[1], &follower, "7d");
    for (int i = 0; i < 300; i++) {
        fake_loop_advance(world->loop, 1000);
        assert_non_null(fake_redis_get(&world->redis, "k:l:7d"));
    }
    assert_int_equal(follower.calls, 0);
    settle(&world->replicas[0], &leader, NULL);
    world_pass(world, 10);
    assert_int_equal(follower.outcome, TIER_LEADING);
    settle(&world->replicas[1], &follower, NULL);
    world_pass(world, 10);
    world_destroy(world);
}

static void who_waits_too_long_goes_on_without(void **state)
{
    (void)state;
    struct tier_world *world = world_create();
    struct asked leader = {0};
    struct asked follower = {.max_wait_ms = 2500};
    assert_int_equal(outcome_of(world, &world->replicas[0], &leader, "7d"), TIER_LEADING);
    ask(&world->replicas[1], &follower, "7d");
    world_pass(world, 2499);
    assert_int_equal(follower.calls, 0);
    world_pass(world, 2);
    assert_int_equal(follower.outcome, TIER_ABSENT);
    settle(&world->replicas[0], &leader, NULL);
    world_pass(world, 10);
    world_destroy(world);
}

static void a_restarted_empty_redis_gets_its_leases_back(void **state)
{
    (void)state;
    struct tier_world *world = world_create();
    struct asked leader = {0};
    struct asked follower = {0};
    assert_int_equal(outcome_of(world, &world->replicas[0], &leader, "7d"), TIER_LEADING);
    world_pass(world, 6000); /* the links are no longer new */
    fake_redis_flush(&world->redis);
    fake_redis_cut(&world->redis);
    world_pass(world, 2100);
    assert_non_null(fake_redis_get(&world->redis, "k:l:7d"));
    ask(&world->replicas[1], &follower, "7d");
    world_pass(world, 100);
    assert_int_equal(follower.calls, 0);
    settle(&world->replicas[0], &leader, "costs");
    world_pass(world, 10);
    assert_int_equal(follower.outcome, TIER_FOUND);
    world_destroy(world);
}

/* A replica that was held up while another one took over, and has heard of it. */
static void a_lease_that_is_lost_stores_nothing(void **state)
{
    (void)state;
    struct tier_world *world = world_create();
    struct asked slow = {0};
    struct asked quick = {0};
    struct asked reader = {0};
    assert_int_equal(outcome_of(world, &world->replicas[0], &slow, "7d"), TIER_LEADING);
    fake_redis_delete(&world->redis, "k:l:7d");
    assert_int_equal(outcome_of(world, &world->replicas[1], &quick, "7d"), TIER_LEADING);
    world_pass(world, 2100); /* the first asks for more time */
    settle(&world->replicas[0], &slow, "old");
    world_pass(world, 10);
    assert_null(fake_redis_get(&world->redis, "k:v:7d"));
    settle(&world->replicas[1], &quick, "new");
    world_pass(world, 10);
    assert_int_equal(outcome_of(world, &world->replicas[2], &reader, "7d"), TIER_FOUND);
    assert_string_equal(reader.value, "new");
    world_destroy(world);
}

/* Cut off for longer than a lease, and settling before it could ask whether it has it still. */
static void a_late_settlement_asks_first(void **state)
{
    (void)state;
    for (int was_taken = 0; was_taken < 2; was_taken++) {
        struct tier_world *world = world_create();
        struct asked slow = {0};
        assert_int_equal(outcome_of(world, &world->replicas[0], &slow, "7d"), TIER_LEADING);
        world->redis.hangs = true;
        world_pass(world, 2 * LEASE_MS);
        assert_null(fake_redis_get(&world->redis, "k:l:7d"));
        if (was_taken == 1)
            fake_redis_set(&world->redis, "k:l:7d", TEXT("0123456789abcdef0123456789abcdef"), 0);
        world->redis.hangs = false;
        for (int i = 0; i < 60000 && logged(world, "redis.available") == 0; i++)
            world_pass(world, 1); /* before the next prolongation is due */
        settle(&world->replicas[0], &slow, "costs");
        world_pass(world, 10);
        assert_true((fake_redis_get(&world->redis, "k:v:7d") == NULL) == (was_taken == 1));
        world_destroy(world);
    }
}

/* The same, and another replica has led and settled meanwhile: its value is newer. */
static void a_late_holder_replaces_no_value_of_another(void **state)
{
    (void)state;
    for (int prolongs = 0; prolongs < 2; prolongs++) {
        struct tier_world *world = world_create();
        struct asked slow = {0};
        struct asked quick = {0};
        struct asked reader = {0};
        assert_int_equal(outcome_of(world, &world->replicas[0], &slow, "7d"), TIER_LEADING);
        world->redis.hangs = true;
        world_pass(world, 2 * LEASE_MS);
        world->redis.hangs = false;
        for (int i = 0; i < 60000 && logged(world, "redis.available") == 0; i++)
            world_pass(world, 1);
        assert_int_equal(outcome_of(world, &world->replicas[1], &quick, "7d"), TIER_LEADING);
        settle(&world->replicas[1], &quick, "new");
        world_pass(world, prolongs == 1 ? LEASE_PROLONG_MS + 10 : 10);
        settle(&world->replicas[0], &slow, "old");
        world_pass(world, 10);
        assert_int_equal(outcome_of(world, &world->replicas[2], &reader, "7d"), TIER_FOUND);
        assert_string_equal(reader.value, "new");
        world_destroy(world);
    }
}

static void peeking_takes_no_lease_and_waits_for_none(void **state)
{
    (void)state;
    struct tier_world *world = world_create();
    struct asked peeks[2] = {0};
    struct asked leader = {0};
    assert_int_equal(outcome_of(world, &world->replicas[0], &leader, "7d"), TIER_LEADING);
    peek(&world->replicas[1], &peeks[0], "7d");
    world_pass(world, 10);
    assert_int_equal(peeks[0].calls, 1);
    assert_int_equal(peeks[0].outcome, TIER_ABSENT);
    settle(&world->replicas[0], &leader, "costs");
    world_pass(world, 10);
    peek(&world->replicas[1], &peeks[1], "7d");
    world_pass(world, 10);
    assert_int_equal(peeks[1].outcome, TIER_FOUND);
    assert_string_equal(peeks[1].value, "costs");
    world_destroy(world);
}

/* Two look, find nothing, and the first has settled before the second takes its lease. */
static void a_value_settled_between_look_and_lease_is_found(void **state)
{
    (void)state;
    struct tier_world *world = world_create();
    struct asked warm_up[2] = {0};
    struct asked first = {0};
    struct asked second = {0};
    peek(&world->replicas[0], &warm_up[0], "x");
    peek(&world->replicas[1], &warm_up[1], "x");
    world_pass(world, 10);
    assert_int_equal(outcome_of(world, &world->replicas[0], &first, "7d"), TIER_LEADING);
    settle(&world->replicas[0], &first, "costs");
    world_pass(world, 10);
    world->redis.latency_ms = 5;
    char value[64];
    const struct fake_entry *entry = fake_redis_get(&world->redis, "k:v:7d");
    struct text stored = {memcpy(value, entry->value, entry->length), entry->length};
    fake_redis_delete(&world->redis, "k:v:7d");
    ask(&world->replicas[1], &second, "7d"); /* its look has found nothing already */
    fake_redis_set(&world->redis, "k:v:7d", stored, KEEP_MS);
    world_pass(world, 30);
    assert_int_equal(second.outcome, TIER_FOUND);
    assert_null(fake_redis_get(&world->redis, "k:l:7d"));
    world_destroy(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_leads_and_the_others_get_what_it_settles),
        cmocka_unit_test(a_value_ages_and_ends),
        cmocka_unit_test(a_value_that_is_not_wanted_is_fetched_anew_by_one),
        cmocka_unit_test(followers_are_told_or_else_poll),
        cmocka_unit_test(a_message_before_the_subscription_is_made_up_for),
        cmocka_unit_test(a_message_that_overtakes_an_answer_is_not_forgotten),
        cmocka_unit_test(followers_fail_as_the_leader_did_but_those_who_come_later_try),
        cmocka_unit_test(a_failure_is_heard_by_those_who_poll),
        cmocka_unit_test(a_holder_that_dies_is_missed_after_a_lease),
        cmocka_unit_test(a_lease_lasts_as_long_as_its_holder_needs),
        cmocka_unit_test(who_waits_too_long_goes_on_without),
        cmocka_unit_test(a_restarted_empty_redis_gets_its_leases_back),
        cmocka_unit_test(a_lease_that_is_lost_stores_nothing),
        cmocka_unit_test(a_late_settlement_asks_first),
        cmocka_unit_test(a_late_holder_replaces_no_value_of_another),
        cmocka_unit_test(peeking_takes_no_lease_and_waits_for_none),
        cmocka_unit_test(a_value_settled_between_look_and_lease_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
