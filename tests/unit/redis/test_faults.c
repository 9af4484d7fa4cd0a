/* SPDX-License-Identifier: Apache-2.0 */
/* A Redis that is of no use, in every way a script can be: what it costs, and that it ends. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/attrs.h"
#include "tier_world.h"

/* Beyond a time-out: one turn of the loop, for answers that lie in the socket already. */
enum { TURN_MS = 2 };

static void claims_wait_for_the_first_connection_but_not_for_long(void **state)
{
    (void)state;
    struct tier_world *world = world_create();
    struct asked early = {0};
    struct asked hopeless = {0};
    world->redis.latency_ms = 40;
    ask(&world->replicas[0], &early, "7d");
    world_pass(world, 40 + 40 + 40 + 40); /* connection, log-in, look, lease */
    assert_int_equal(early.outcome, TIER_LEADING);
    settle(&world->replicas[0], &early, NULL);

    world->redis.is_deaf = true;
    ask(&world->replicas[1], &hopeless, "7d");
    world_pass(world, TIMEOUT_MS - 1);
    assert_int_equal(hopeless.calls, 0);
    world_pass(world, TURN_MS);
    assert_int_equal(hopeless.outcome, TIER_ABSENT);
    assert_int_equal(failures(&world->replicas[1], "timeout"), 1);
    world_destroy(world);
}

static void a_redis_that_falls_silent_costs_one_time_out_in_all(void **state)
{
    (void)state;
    enum { CLAIMS = 50 };
    struct tier_world *world = world_create();
    struct asked warm_up = {0};
    struct asked asked[CLAIMS] = {0};
    struct asked after[CLAIMS] = {0};
    peek(&world->replicas[0], &warm_up, "x");
    world_pass(world, 10);
    world->redis.hangs = true;
    for (size_t i = 0; i < CLAIMS; i++)
        ask(&world->replicas[0], &asked[i], "7d");
    world_pass(world, TIMEOUT_MS - 1);
    for (size_t i = 0; i < CLAIMS; i++)
        assert_int_equal(asked[i].calls, 0);
    world_pass(world, TURN_MS);
    for (size_t i = 0; i < CLAIMS; i++)
        assert_int_equal(asked[i].outcome, TIER_ABSENT);
    for (size_t i = 0; i < CLAIMS; i++)
        ask(&world->replicas[0], &after[i], "7d");
    world_pass(world, 1);
    for (size_t i = 0; i < CLAIMS; i++) {
        assert_int_equal(after[i].calls, 1);
        assert_int_equal(after[i].outcome, TIER_ABSENT);
    }
    assert_int_equal(logged(world, "redis.unavailable"), 1);
    world_destroy(world);
}

/* Look and lease have one time-out together; the lease that comes too late is given back. */
static void a_redis_that_is_slow_costs_one_time_out(void **state)
{
    (void)state;
    struct tier_world *world = world_create();
    struct asked warm_up = {0};
    struct asked slow = {0};
    struct asked cancelled = {0};
    struct asked after = {0};
    peek(&world->replicas[0], &warm_up, "x");
    world_pass(world, 10);
    world->redis.latency_ms = TIMEOUT_MS * 2 / 3;
    ask(&world->replicas[0], &slow, "7d");
    ask(&world->replicas[0], &cancelled, "30d");
    world_pass(world, TIMEOUT_MS - 1);
    assert_int_equal(slow.calls, 0);
    tier_claim_cancel(world->replicas[0].door, cancelled.claim);
    world_pass(world, TURN_MS);
    assert_int_equal(slow.calls, 1);
    assert_int_equal(slow.outcome, TIER_ABSENT);
    world_pass(world, 2 * TIMEOUT_MS);
    assert_int_equal(slow.calls, 1);
    assert_int_equal(cancelled.calls, 0);
    assert_null(fake_redis_get(&world->redis, "k:l:7d"));
    assert_null(fake_redis_get(&world->redis, "k:l:30d"));
    assert_int_equal(logged(world, "redis.unavailable"), 0);
    world->redis.latency_ms = 1;
    assert_int_equal(outcome_of(world, &world->replicas[0], &after, "7d"), TIER_LEADING);
    settle(&world->replicas[0], &after, NULL);
    world_pass(world, 10);
    world_destroy(world);
}

static void be_patient(struct redis_tier_options *options)
{
    options->timeout_ms = 9000;
}

static void a_long_time_out_is_granted_whole(void **state)
{
    (void)state;
    struct tier_world *world = world_create_with(be_patient);
    struct asked leader = {0};
    struct asked reader = {0};
    assert_int_equal(outcome_of(world, &world->replicas[0], &leader, "7d"), TIER_LEADING);
    settle(&world->replicas[0], &leader, "costs");
    world_pass(world, 10);
    world->redis.latency_ms = 8000;
    peek(&world->replicas[0], &reader, "7d");
    world_pass(world, 8000 + TURN_MS);
    assert_int_equal(reader.outcome, TIER_FOUND);
    assert_string_equal(reader.value, "costs");
    assert_int_equal(logged(world, "redis.unavailable"), 0);
    world_destroy(world);
}

static void probes_come_ever_less_often_and_find_it_back(void **state)
{
    (void)state;
    static const int64_t waits_ms[] = {500, 1000, 2000, 4000, 8000, 16000, 30000, 30000};
    struct tier_world *world = world_create();
    struct asked first = {0};
    struct asked last = {0};
    world->redis.refuses = true;
    assert_int_equal(outcome_of(world, &world->replicas[0], &first, "7d"), TIER_ABSENT);
    unsigned seen = world->redis.connections;
    assert_int_equal(seen, 1);
    for (size_t i = 0; i < ARRAY_LENGTH(waits_ms); i++) {
        world_pass(world, waits_ms[i] - 20);
        assert_int_equal(world->redis.connections, seen);
        world_pass(world, 20);
        assert_int_equal(world->redis.connections, ++seen);
    }
    assert_int_equal(logged(world, "redis.unavailable"), 1);
    assert_int_equal(logged(world, "redis.available"), 0);
    world->redis.refuses = false;
    world_pass(world, 30 * 1000);
    assert_int_equal(logged(world, "redis.available"), 1);
    assert_int_equal(outcome_of(world, &world->replicas[0], &last, "7d"), TIER_LEADING);
    settle(&world->replicas[0], &last, NULL);
    world_pass(world, 10);
    world_destroy(world);
}

/* A connection that had been up for a while is made anew at once, and nobody is told. */
static void a_broken_connection_is_no_outage_unless_it_breaks_again(void **state)
{
    (void)state;
    struct tier_world *world = world_create();
    struct asked asked[2] = {0};
    peek(&world->replicas[0], &asked[0], "x");
    world_pass(world, 6000);
    fake_redis_cut(&world->redis);
    world_pass(world, 5);
    assert_int_equal(outcome_of(world, &world->replicas[0], &asked[1], "7d"), TIER_LEADING);
    assert_int_equal(logged(world, "redis.unavailable"), 0);
    assert_int_equal(failures(&world->replicas[0], "connect"), 1);
    fake_redis_cut(&world->redis);
    world_pass(world, 5);
    assert_int_equal(logged(world, "redis.unavailable"), 1);
    settle(&world->replicas[0], &asked[1], NULL);
    world_destroy(world);
}

/* In the midst of a question, too. */
static void a_claim_goes_on_over_a_new_connection(void **state)
{
    (void)state;
    struct tier_world *world = world_create();
    struct asked warm_up = {0};
    struct asked asked = {0};
    peek(&world->replicas[0], &warm_up, "x");
    world_pass(world, 6000);
    world->redis.latency_ms = 20;
    ask(&world->replicas[0], &asked, "7d");
    fake_redis_cut(&world->redis);
    world_pass(world, 200);
    assert_int_equal(asked.outcome, TIER_LEADING);
    settle(&world->replicas[0], &asked, NULL);
    world_pass(world, 50);
    world_destroy(world);
}

/* Whatever has been said and done before it broke: also when the lease was taken and nobody
 * heard. */
static void a_connection_may_break_at_any_moment_of_a_claim(void **state)
{
    enum { LATENCY_MS = 10, MOMENTS = 4 * LATENCY_MS };
    (void)state;
    for (int64_t ms = 0; ms < MOMENTS; ms++) {
        struct tier_world *world = world_create();
        struct asked warm_up = {0};
        struct asked asked = {0};
        peek(&world->replicas[0], &warm_up, "x");
        world_pass(world, 6000);
        world->redis.latency_ms = LATENCY_MS;
        ask(&world->replicas[0], &asked, "7d");
        world_pass(world, ms);
        fake_redis_cut(&world->redis);
        world_pass(world, 200);
        assert_int_equal(asked.calls, 1);
        assert_int_equal(asked.outcome, TIER_LEADING);
        settle(&world->replicas[0], &asked, "costs");
        world_pass(world, 50);
        assert_null(fake_redis_get(&world->redis, "k:l:7d"));
        world_destroy(world);
    }
}

static void what_redis_refuses_is_an_outage_with_its_reason(void **state)
{
    static const struct {
        const char *command, *error, *reason;
    } cases[] = {
        {"SET", "-OOM command not allowed when used memory > 'maxmemory'.", "full"},
        {"SET", "-MISCONF Redis is configured to save RDB snapshots", "full"},
        {"SET", "-READONLY You can't write against a read only replica.", "read_only"},
        {"SET", "-NOREPLICAS Not enough good replicas to write.", "read_only"},
        {"GETRANGE", "-MASTERDOWN Link with MASTER is down", "read_only"},
        {"GETRANGE", "-LOADING Redis is loading the dataset in memory", "loading"},
        {"GETRANGE", "-BUSY Redis is busy running a script.", "loading"},
        {"GETRANGE", "-NOAUTH Authentication required.", "auth"},
        {"EVAL", "-NOPERM this user has no permissions to run the 'eval' command", "auth"},
        {"MULTI", "-ERR unknown command 'MULTI'", "refused"},
        {"EXEC", "-ERR something else", "refused"},
        {"PTTL", "-", "refused"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        for (int begins_later = 0; begins_later < 2; begins_later++) {
            struct tier_world *world = world_create();
            struct replica *replica = &world->replicas[0];
            struct asked warm_up = {0};
            struct asked asked = {0};
            struct asked after = {0};
            if (begins_later == 1) {
                peek(replica, &warm_up, "x");
                world_pass(world, 6000);
            }
            world->redis.refused = cases[i].command;
            world->redis.error = cases[i].error;
            /* EVAL is asked for when the lease is to be prolonged. */
            ask(replica, &asked, "7d");
            world_pass(world, 2500);
            if (asked.lease != NULL)
                settle(replica, &asked, NULL);
            world_pass(world, 10);
            assert_true(failures(replica, cases[i].reason) > 0);
            assert_int_equal(logged(world, "redis.unavailable"), 1);
            assert_int_equal(outcome_of(world, replica, &after, "7d"), TIER_ABSENT);
            world->redis.refused = NULL;
            world_pass(world, 32 * 1000);
            assert_int_equal(logged(world, "redis.available"), 1);
            world_destroy(world);
        }
    }
}

static void set_password(struct redis_tier_options *options)
{
    options->user = "user";
    options->password = "secret";
    options->database = 3;
}

static void a_password_is_said_first(void **state)
{
    (void)state;
    static const char *const passwords[] = {"secret", "another"};
    for (size_t i = 0; i < ARRAY_LENGTH(passwords); i++) {
        struct tier_world *world = world_create_with(set_password);
        struct asked asked = {0};
        world->redis.password = passwords[i];
        enum tier_outcome outcome = outcome_of(world, &world->replicas[0], &asked, "7d");
        assert_int_equal(outcome, i == 0 ? TIER_LEADING : TIER_ABSENT);
        assert_int_equal(failures(&world->replicas[0], "auth"), i == 0 ? 0 : 1);
        assert_int_equal(logged(world, "secret"), 0);
        if (asked.lease != NULL)
            settle(&world->replicas[0], &asked, NULL);
        world_pass(world, 10);
        world_destroy(world);
    }
}

static void use_sentinels(struct redis_tier_options *options)
{
    static const struct redis_endpoint sentinels[] = {{"a", 1}, {"b", 2}, {"c", 3}};
    options->endpoints = sentinels;
    options->endpoint_count = ARRAY_LENGTH(sentinels);
    options->master = "main";
}

static void sentinels_are_asked_for_the_master(void **state)
{
    (void)state;
    struct tier_world *world = world_create_with(use_sentinels);
    struct asked asked = {0};
    struct asked after = {0};
    world->redis.master_host = "10.0.0.1";
    world->redis.master_port = 7001;
    assert_int_equal(outcome_of(world, &world->replicas[0], &asked, "7d"), TIER_LEADING);
    assert_string_equal(world->redis.last_host, "10.0.0.1");
    assert_int_equal(world->redis.last_port, 7001);
    settle(&world->replicas[0], &asked, "costs");
    world_pass(world, 6000);
    world->redis.master_host = "10.0.0.2";
    fake_redis_cut(&world->redis);
    world_pass(world, 10);
    assert_int_equal(outcome_of(world, &world->replicas[0], &after, "7d"), TIER_FOUND);
    assert_string_equal(world->redis.last_host, "10.0.0.2");
    world_destroy(world);
}

static void a_master_that_is_none_yet_is_asked_again_later(void **state)
{
    (void)state;
    struct tier_world *world = world_create_with(use_sentinels);
    struct asked asked = {0};
    world->redis.master_host = "10.0.0.1";
    world->redis.master_port = 7001;
    world->redis.role = "slave";
    assert_int_equal(outcome_of(world, &world->replicas[0], &asked, "7d"), TIER_ABSENT);
    assert_int_equal(failures(&world->replicas[0], "read_only"), 1);
    world->redis.role = "master";
    world_pass(world, 600);
    assert_int_equal(logged(world, "redis.available"), 1);
    world_destroy(world);
}

static void each_sentinel_is_tried_once_a_round(void **state)
{
    (void)state;
    struct tier_world *world = world_create_with(use_sentinels);
    struct asked asked = {0};
    assert_int_equal(outcome_of(world, &world->replicas[0], &asked, "7d"), TIER_ABSENT);
    assert_int_equal(world->redis.connections, 3);
    assert_int_equal(failures(&world->replicas[0], "refused"), 1);
    world_destroy(world);
}

/* Whatever stands where an answer should, a claim ends once, and does not lead or find anything. */
static void answers_to_other_questions_are_none(void **state)
{
    static const char *const answers[] = {
        "+OK\r\n",
        "+QUEUED\r\n",
        ":1\r\n",
        "$-1\r\n",
        "*-1\r\n",
        "*0\r\n",
        "*3\r\n$-1\r\n$-1\r\n:-2\r\n",
        "*3\r\n$0\r\n\r\n$0\r\n\r\n:-2\r\n",
        "*3\r\n+OK\r\n+OK\r\n+OK\r\n",
        "*5\r\n+OK\r\n$-1\r\n$-1\r\n$-1\r\n:-2\r\n",
        "*5\r\n:1\r\n:1\r\n:1\r\n:1\r\n:1\r\n",
        "*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n:1\r\n",
        "*300\r\n",
        "$70000000\r\n",
        "-\r\n",
        "\r\n",
        "?",
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(answers); i++) {
        for (int begins_later = 0; begins_later < 2; begins_later++) {
            struct tier_world *world = world_create();
            struct asked warm_up = {0};
            struct asked asked = {0};
            if (begins_later == 1) {
                peek(&world->replicas[0], &warm_up, "x");
                world_pass(world, 10);
            }
            world->redis.raw = answers[i];
            world->redis.raw_length = strlen(answers[i]);
            ask(&world->replicas[0], &asked, "7d");
            world_pass(world, 2 * TIMEOUT_MS);
            assert_int_equal(asked.calls, 1);
            assert_int_equal(asked.outcome, TIER_ABSENT);
            world_destroy(world);
        }
    }
}

/* Never silent, never done: a value would do, at that place, but a status may not be so long. */
static void an_answer_without_end_is_cut_off(void **state)
{
    enum { PIECE = 60 * 1024 };
    (void)state;
    struct tier_world *world = world_create();
    struct asked asked = {0};
    char *piece = malloc(PIECE);
    memset(piece, 'x', PIECE);
    piece[0] = '+';
    world->redis.raw = piece;
    world->redis.raw_length = PIECE;
    ask(&world->replicas[0], &asked, "7d");
    world_pass(world, 10);
    assert_int_equal(asked.outcome, TIER_ABSENT);
    assert_int_equal(failures(&world->replicas[0], "too_large"), 1);
    world_destroy(world);
    free(piece);
}

static void an_answer_may_come_byte_by_byte(void **state)
{
    (void)state;
    struct tier_world *world = world_create();
    struct asked first = {0};
    struct asked second = {0};
    world->redis.piece_bytes = 1;
    assert_int_equal(outcome_of(world, &world->replicas[0], &first, "7d"), TIER_LEADING);
    settle(&world->replicas[0], &first, "costs");
    world_pass(world, 10);
    assert_int_equal(outcome_of(world, &world->replicas[1], &second, "7d"), TIER_FOUND);
    assert_string_equal(second.value, "costs");
    world_destroy(world);
}

/* A lease that no replica has taken is not waited for: nobody would settle it. */
static void a_lease_of_others_is_not_waited_for(void **state)
{
    static const struct text tokens[] = {TEXT_INIT(""), TEXT_INIT("mine"),
                                         TEXT_INIT("0123456789abcdef0123456789abcdef0")};
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(tokens); i++) {
        struct tier_world *world = world_create();
        struct asked asked = {0};
        fake_redis_set(&world->redis, "k:l:7d", tokens[i], 0);
        assert_int_equal(outcome_of(world, &world->replicas[0], &asked, "7d"), TIER_ABSENT);
        assert_int_equal(failures(&world->replicas[0], "foreign"), 1);
        world_destroy(world);
    }
}

/* Ends a claim and its replica's Redis in every moment of its life, in each of three ways. */
enum ending { ENDING_CANCEL, ENDING_CUT, ENDING_STOP, ENDINGS };

static void end_after(struct tier_world *world, enum ending ending, int64_t ms)
{
    struct replica *replica = &world->replicas[0];
    struct asked asked = {0};
    ask(replica, &asked, "7d");
    world_pass(world, ms);
    if (ending == ENDING_CANCEL && asked.claim != NULL)
        tier_claim_cancel(replica->door, asked.claim);
    else if (ending == ENDING_CUT)
        fake_redis_cut(&world->redis);
    else if (ending == ENDING_STOP)
        redis_tier_stop(replica->tier);
    bool is_cancelled = ending == ENDING_CANCEL && asked.calls == 0;
    world_pass(world, 10 * TIMEOUT_MS);
    assert_int_equal(asked.calls, is_cancelled ? 0 : 1);
    if (asked.lease != NULL)
        settle(replica, &asked, NULL);
    world_pass(world, TIMEOUT_MS);
}

static void a_claim_may_end_at_any_moment(void **state)
{
    enum { MOMENTS = 40 };
    (void)state;
    for (int ending = 0; ending < ENDINGS; ending++) {
        for (int64_t ms = 0; ms < MOMENTS; ms++) {
            struct tier_world *world = world_create();
            world->redis.latency_ms = 5;
            end_after(world, (enum ending)ending, ms);
            /* Nothing that was taken is left, but for the moment in which nobody could be told. */
            if (ending == ENDING_CANCEL)
                assert_null(fake_redis_get(&world->redis, "k:l:7d"));
            world_destroy(world);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(claims_wait_for_the_first_connection_but_not_for_long),
        cmocka_unit_test(a_redis_that_falls_silent_costs_one_time_out_in_all),
        cmocka_unit_test(a_redis_that_is_slow_costs_one_time_out),
        cmocka_unit_test(a_long_time_out_is_granted_whole),
        cmocka_unit_test(probes_come_ever_less_often_and_find_it_back),
        cmocka_unit_test(a_broken_connection_is_no_outage_unless_it_breaks_again),
        cmocka_unit_test(a_claim_goes_on_over_a_new_connection),
        cmocka_unit_test(a_connection_may_break_at_any_moment_of_a_claim),
        cmocka_unit_test(what_redis_refuses_is_an_outage_with_its_reason),
        cmocka_unit_test(a_password_is_said_first),
        cmocka_unit_test(sentinels_are_asked_for_the_master),
        cmocka_unit_test(a_master_that_is_none_yet_is_asked_again_later),
        cmocka_unit_test(each_sentinel_is_tried_once_a_round),
        cmocka_unit_test(answers_to_other_questions_are_none),
        cmocka_unit_test(an_answer_without_end_is_cut_off),
        cmocka_unit_test(an_answer_may_come_byte_by_byte),
        cmocka_unit_test(a_lease_of_others_is_not_waited_for),
        cmocka_unit_test(a_claim_may_end_at_any_moment),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
