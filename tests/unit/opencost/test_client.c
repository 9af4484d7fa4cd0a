/* SPDX-License-Identifier: Apache-2.0 */
/* Tries, waits, the queue and the stop. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "client_support.h"

/* How each kind of fault is met. */

struct fault {
    const char *name;
    int status; /* 0: no answer, but `failure` */
    enum error_code failure;
    const char *body;
    int64_t retry_after_ms; /* 0: none named */
    int64_t waits_ms[2];
    int tries;
    enum error_code code; /* what the caller hears in the end */
};

static const struct fault faults[] = {
    {"refused connection", 0, ERR_UPSTREAM_CONNECT, NULL, 0, {1000, 2000}, 3, ERR_UPSTREAM_CONNECT},
    {"TLS", 0, ERR_UPSTREAM_TLS, NULL, 0, {1000, 2000}, 3, ERR_UPSTREAM_TLS},
    {"timeout", 0, ERR_UPSTREAM_TIMEOUT, NULL, 0, {1000, 2000}, 3, ERR_UPSTREAM_TIMEOUT},
    {"too large", 0, ERR_UPSTREAM_TOO_LARGE, NULL, 0, {0}, 1, ERR_UPSTREAM_TOO_LARGE},
    {"redirect elsewhere", 0, ERR_UPSTREAM_REFUSED, NULL, 0, {0}, 1, ERR_UPSTREAM_REFUSED},
    {"engine out of memory", 0, ERR_NO_MEMORY, NULL, 0, {0}, 1, ERR_NO_MEMORY},
    {"400: our query", 400, ERR_NONE, "Invalid 'window'", 0, {0}, 1, ERR_UPSTREAM_REJECTED},
    {"401", 401, ERR_NONE, "", 0, {0}, 1, ERR_UPSTREAM_REFUSED},
    {"403", 403, ERR_NONE, NULL, 0, {0}, 1, ERR_UPSTREAM_REFUSED},
    {"404", 404, ERR_NONE, "404 page not found", 0, {0}, 1, ERR_UPSTREAM_REFUSED},
    {"304, unasked", 304, ERR_NONE, NULL, 0, {0}, 1, ERR_UPSTREAM_REFUSED},
    {"408", 408, ERR_NONE, NULL, 0, {1000, 2000}, 3, ERR_UPSTREAM_STATUS},
    {"429", 429, ERR_NONE, NULL, 0, {1000, 2000}, 3, ERR_UPSTREAM_STATUS},
    {"429 in 7 s", 429, ERR_NONE, NULL, 7000, {7000, 7000}, 3, ERR_UPSTREAM_STATUS},
    {"429 in an hour", 429, ERR_NONE, NULL, 3600000, {10000, 10000}, 3, ERR_UPSTREAM_STATUS},
    {"503 in 4 s", 503, ERR_NONE, NULL, 4000, {4000, 4000}, 3, ERR_UPSTREAM_STATUS},
    {"500 may not name a wait", 500, ERR_NONE, NULL, 7000, {1000, 2000}, 3, ERR_UPSTREAM_STATUS},
    {"500", 500, ERR_NONE, "{\"code\":500}", 0, {1000, 2000}, 3, ERR_UPSTREAM_STATUS},
    {"504", 504, ERR_NONE, "<html>", 0, {1000, 2000}, 3, ERR_UPSTREAM_STATUS},
    {"204: no answer either", 204, ERR_NONE, NULL, 0, {1000, 2000}, 3, ERR_UPSTREAM_STATUS},
    {"200, empty", 200, ERR_NONE, NULL, 0, {1000, 2000}, 3, ERR_UPSTREAM_BODY},
    {"200, truncated", 200, ERR_NONE, "{\"code\":200,\"da", 0, {1000, 2000}, 3, ERR_UPSTREAM_BODY},
    {"200, HTML", 200, ERR_NONE, "<html>", 0, {1000, 2000}, 3, ERR_UPSTREAM_BODY},
    {"200, code 500",
     200,
     ERR_NONE,
     "{\"code\":500,\"message\":\"no\"}",
     0,
     {1000, 2000},
     3,
     ERR_UPSTREAM_BODY},
};

static void commit(struct client_world *world, const struct fault *fault)
{
    if (fault->status == 0)
        scripted_fail(&world->engine, 0, fault->failure, 0);
    else if (fault->retry_after_ms != 0)
        scripted_retry_after(&world->engine, 0, fault->status, fault->retry_after_ms);
    else
        scripted_answer(&world->engine, 0, fault->status, fault->body);
    fake_loop_run(world->loop);
}

/* The last millisecond of a wait is checked on both sides. */
static void expect_wait(struct client_world *world, int64_t wait_ms)
{
    assert_int_equal(fake_loop_next_timer_ms(world->loop), wait_ms);
    fake_loop_advance(world->loop, wait_ms - 1);
    assert_int_equal(world->engine.live_count, 0);
    fake_loop_advance(world->loop, 1);
    assert_int_equal(world->engine.live_count, 1);
}

static void check_fault(const struct fault *fault)
{
    struct client_world *world = client_world_create(NULL);
    struct fetched fetched = {0};
    must_fetch(world, "7d", &fetched);
    for (int i = 1; i <= fault->tries; i++) {
        assert_int_equal(fetched.calls, 0);
        assert_int_equal(world->engine.live_count, 1);
        commit(world, fault);
        if (i < fault->tries)
            expect_wait(world, fault->waits_ms[i - 1]);
    }
    /* No wait after the last try, and nothing left over. */
    assert_int_equal(fetched.calls, 1);
    assert_int_equal(fetched.error.code, fault->code);
    assert_int_equal(fetched.error.http_status, fault->status == 200 ? 0 : fault->status);
    assert_int_equal(fake_loop_next_timer_ms(world->loop), -1);
    assert_int_equal(world->engine.started, fault->tries);
    client_world_destroy(world);
}

static void each_fault_has_its_number_of_tries_and_its_waits(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(faults); i++) {
        print_message("    %s\n", faults[i].name);
        check_fault(&faults[i]);
    }
}

static void a_wait_of_zero_is_honoured(void **state)
{
    (void)state;
    struct client_world *world = client_world_create(NULL);
    struct fetched fetched = {0};
    must_fetch(world, "7d", &fetched);
    scripted_retry_after(&world->engine, 0, 503, 0);
    fake_loop_run(world->loop);
    assert_int_equal(world->engine.live_count, 1);
    scripted_answer(&world->engine, 0, 200, GOOD_BODY);
    fake_loop_run(world->loop);
    assert_int_equal(fetched.pods, 1);
    client_world_destroy(world);
}

static void a_good_answer_after_a_bad_one_is_a_success(void **state)
{
    (void)state;
    struct client_world *world = client_world_create(NULL);
    struct fetched fetched = {0};
    must_fetch(world, "7d", &fetched);
    scripted_answer(&world->engine, 0, 500, "x");
    fake_loop_advance(world->loop, 1000);
    fake_loop_advance(world->loop, 250);
    scripted_answer(&world->engine, 0, 200, GOOD_BODY);
    fake_loop_run(world->loop);
    assert_int_equal(fetched.calls, 1);
    assert_int_equal(fetched.error.code, ERR_NONE);
    assert_int_equal(fetched.pods, 1);
    assert_true(client_world_counts(
        world, "kubecent_opencost_request_duration_seconds_sum{dataset=\"allocation\"} 0.25"));
    assert_true(
        client_world_counts(world, "kubecent_opencost_requests_total{dataset=\"allocation\"} 2\n"));
    assert_true(
        client_world_counts(world, "kubecent_opencost_retries_total{dataset=\"allocation\"} 1\n"));
    assert_true(client_world_counts(
        world, "kubecent_opencost_failures_total{dataset=\"allocation\",reason=\"http_5xx\"} 1\n"));
    client_world_destroy(world);
}

static void the_time_of_the_last_success_is_known_by_dataset(void **state)
{
    static const char never[] =
        "kubecent_opencost_last_success_timestamp_seconds{dataset=\"allocation\"} 0\n";
    static const char then[] =
        "kubecent_opencost_last_success_timestamp_seconds{dataset=\"allocation\"} 1700000001\n";
    (void)state;
    struct client_world *world = client_world_create(NULL);
    struct fetched fetched = {0};
    fake_loop_set_wall(world->loop, 1700000000);
    must_fetch(world, "7d", &fetched);
    scripted_answer(&world->engine, 0, 500, "x");
    fake_loop_run(world->loop);
    assert_true(client_world_counts(world, never));
    fake_loop_advance(world->loop, 1000);
    scripted_answer(&world->engine, 0, 200, GOOD_BODY);
    fake_loop_run(world->loop);
    assert_true(client_world_counts(world, then));
    assert_true(client_world_counts(
        world, "kubecent_opencost_last_success_timestamp_seconds{dataset=\"health\"} 0\n"));
    client_world_destroy(world);
}

static void the_longest_fetch_counts_all_tries_and_the_longest_waits(void **state)
{
    (void)state;
    struct client_world *world = client_world_create(NULL);
    assert_int_equal(opencost_client_longest_fetch_ms(world->client), 3 * 30000 + 2 * 10000);
    client_world_destroy(world);
}

/* The request. */

static void the_query_asks_for_pods_by_namespace_accumulated(void **state)
{
    (void)state;
    struct client_world *world = client_world_create(NULL);
    struct fetched fetched = {0};
    must_fetch(world, "2026-10-01T00:00:00Z,2026-11-01T00:00:00Z", &fetched);
    assert_string_equal(world->engine.last_url,
                        "http://user:secret@opencost:9003/model/allocation/compute"
                        "?window=2026-10-01T00:00:00Z,2026-11-01T00:00:00Z"
                        "&aggregate=namespace,pod&accumulate=true");
    assert_int_equal(world->engine.last_request.timeout_ms, 30000);
    assert_int_equal(world->engine.last_request.connect_timeout_ms, 5000);
    assert_int_equal(world->engine.last_request.max_body_bytes, 1024);
    assert_true(opencost_client_fetch(
        world->client,
        &(struct opencost_query){.window = "1&a=b +%#\xc3\xa4", .include_idle = true}, on_fetched,
        &fetched, NULL));
    assert_string_equal(world->engine.last_url,
                        "http://user:secret@opencost:9003/model/allocation/compute"
                        "?window=1%26a%3Db%20%2B%25%23%C3%A4"
                        "&aggregate=namespace,pod&accumulate=true&includeIdle=true");
    opencost_client_stop(world->client);
    client_world_destroy(world);
}

/* The queue. */

static void two_are_under_way_and_the_others_wait_their_turn(void **state)
{
    (void)state;
    struct client_world *world = client_world_create(NULL);
    struct fetched fetched[4] = {0};
    static const char *const windows[] = {"1d", "2d", "3d", "4d"};
    for (size_t i = 0; i < ARRAY_LENGTH(fetched); i++)
        must_fetch(world, windows[i], &fetched[i]);
    assert_int_equal(world->engine.live_count, 2);

    /* A fetch that waits between tries keeps its slot. */
    scripted_answer(&world->engine, 0, 500, NULL);
    fake_loop_run(world->loop);
    assert_int_equal(world->engine.started, 2);

    scripted_answer(&world->engine, 0, 200, GOOD_BODY); /* the second */
    fake_loop_run(world->loop);
    assert_int_equal(fetched[1].calls, 1);
    assert_int_equal(world->engine.live_count, 1);
    assert_non_null(strstr(world->engine.last_url, "window=3d"));

    fake_loop_advance(world->loop, 1000); /* the first again */
    assert_non_null(strstr(world->engine.last_url, "window=1d"));
    scripted_answer(&world->engine, 1, 400, NULL);
    fake_loop_run(world->loop);
    assert_non_null(strstr(world->engine.last_url, "window=4d"));
    assert_int_equal(fetched[0].calls, 1);
    assert_int_equal(world->engine.live_count, 2);
    opencost_client_stop(world->client);
    client_world_destroy(world);
}

static void a_fetch_from_inside_done_goes_behind_those_that_wait(void **state)
{
    (void)state;
    struct client_world *world = client_world_create(NULL);
    struct fetched again = {0};
    struct fetched fetched[3] = {0};
    fetched[0].fetches_again = world->client;
    fetched[0].again = &again;
    must_fetch(world, "1d", &fetched[0]);
    must_fetch(world, "2d", &fetched[1]);
    must_fetch(world, "3d", &fetched[2]);
    scripted_answer(&world->engine, 0, 400, NULL);
    fake_loop_run(world->loop);
    assert_non_null(strstr(world->engine.last_url, "window=3d"));
    scripted_answer(&world->engine, 0, 400, NULL);
    fake_loop_run(world->loop);
    assert_non_null(strstr(world->engine.last_url, "window=again"));
    opencost_client_stop(world->client);
    assert_int_equal(again.calls, 1);
    assert_int_equal(again.error.code, ERR_SHUTDOWN);
    client_world_destroy(world);
}

static void an_engine_without_memory_ends_the_fetch_but_not_inside_the_call(void **state)
{
    (void)state;
    struct client_world *world = client_world_create(NULL);
    struct fetched fetched = {0};
    world->engine.refuses = true;
    assert_true(opencost_client_fetch(
        world->client, &(struct opencost_query){.window = "7d", .include_idle = false}, on_fetched,
        &fetched, NULL));
    assert_int_equal(fetched.calls, 0);
    fake_loop_run(world->loop);
    assert_int_equal(fetched.calls, 1);
    assert_int_equal(fetched.error.code, ERR_NO_MEMORY);

    struct error error = {0};
    assert_false(opencost_client_check(world->client, 1000, NULL, NULL, &error));
    assert_int_equal(error.code, ERR_NO_MEMORY);
    fake_loop_refuse_timers(world->loop, true);
    assert_false(opencost_client_fetch(
        world->client, &(struct opencost_query){.window = "7d", .include_idle = false}, on_fetched,
        &fetched, &error));
    assert_int_equal(error.code, ERR_NO_MEMORY);
    client_world_destroy(world);
}

/* The stop, in each state. */

enum stop_in { IN_QUEUE, IN_TRY, IN_TRY_WITH_JOB, IN_DECODING, IN_WAIT };

static void bring_to(struct client_world *world, enum stop_in state)
{
    switch (state) {
    case IN_QUEUE:
    case IN_TRY:
        break;
    case IN_TRY_WITH_JOB:
        fake_loop_hold_jobs(world->loop, true);
        assert_true(scripted_body(&world->engine, 0, "{", 1));
        break;
    case IN_DECODING:
        fake_loop_hold_jobs(world->loop, true);
        scripted_answer(&world->engine, 0, 200, GOOD_BODY);
        break;
    case IN_WAIT:
        scripted_answer(&world->engine, 0, 500, NULL);
        break;
    }
}

static void a_stop_ends_a_fetch_in_each_state(void **state)
{
    (void)state;
    for (enum stop_in in = IN_QUEUE; in <= IN_WAIT; in++) {
        struct client_world *world = client_world_create(NULL);
        struct fetched others[2] = {0};
        struct fetched fetched = {0};
        if (in == IN_QUEUE) {
            must_fetch(world, "1d", &others[0]);
            must_fetch(world, "2d", &others[1]);
        }
        must_fetch(world, "7d", &fetched);
        bring_to(world, in);
        opencost_client_stop(world->client);
        bool has_job = in == IN_TRY_WITH_JOB || in == IN_DECODING;
        assert_int_equal(fetched.calls, has_job ? 0 : 1);
        assert_int_equal(world->engine.live_count, 0);

        fake_loop_hold_jobs(world->loop, false);
        fake_loop_run(world->loop);
        assert_int_equal(fetched.calls, 1);
        assert_int_equal(fetched.error.code, ERR_SHUTDOWN);
        assert_int_equal(fake_loop_next_timer_ms(world->loop), -1);
        assert_false(opencost_client_fetch(
            world->client, &(struct opencost_query){.window = "7d", .include_idle = false},
            on_fetched, &fetched, NULL));
        client_world_destroy(world);
    }
}

static void a_job_cancelled_by_the_loops_stop_ends_the_fetch_too(void **state)
{
    (void)state;
    struct client_world *world = client_world_create(NULL);
    struct fetched fetched = {0};
    must_fetch(world, "7d", &fetched);
    bring_to(world, IN_DECODING);
    opencost_client_stop(world->client);
    fake_loop_stop(world->loop);
    assert_int_equal(fetched.calls, 1);
    assert_int_equal(fetched.error.code, ERR_SHUTDOWN);
    client_world_destroy(world);
}

/* Health checks. */

struct checked {
    int calls;
    bool is_well;
    struct error error;
};

static void on_checked(void *context, const struct error *error)
{
    struct checked *checked = context;
    checked->calls++;
    checked->is_well = error == NULL;
    if (error != NULL)
        checked->error = *error;
}

static void a_check_is_one_try_that_does_not_queue(void **state)
{
    (void)state;
    struct client_world *world = client_world_create(NULL);
    struct fetched fetched[2] = {0};
    struct checked checked[3] = {0};
    must_fetch(world, "1d", &fetched[0]);
    must_fetch(world, "2d", &fetched[1]);
    for (size_t i = 0; i < ARRAY_LENGTH(checked); i++)
        assert_true(opencost_client_check(world->client, 2000, on_checked, &checked[i], NULL));
    assert_int_equal(world->engine.live_count, 5);
    assert_string_equal(world->engine.last_url, "http://user:secret@opencost:9003/model/healthz");
    assert_int_equal(world->engine.last_request.timeout_ms, 2000);
    assert_int_equal(world->engine.last_request.connect_timeout_ms, 2000);

    scripted_answer(&world->engine, 2, 200, "OK");
    scripted_answer(&world->engine, 2, 503, "x");
    scripted_fail(&world->engine, 2, ERR_UPSTREAM_CONNECT, 0);
    fake_loop_run(world->loop);
    assert_true(checked[0].is_well);
    assert_int_equal(checked[1].error.code, ERR_UPSTREAM_STATUS);
    assert_int_equal(checked[2].error.code, ERR_UPSTREAM_CONNECT);
    assert_int_equal(world->engine.started, 5);
    assert_true(
        client_world_counts(world, "kubecent_opencost_requests_total{dataset=\"health\"} 3\n"));
    assert_true(client_world_counts(
        world, "kubecent_opencost_failures_total{dataset=\"health\",reason=\"connect\"} 1\n"));
    opencost_client_stop(world->client);
    client_world_destroy(world);
}

static void a_stop_ends_checks(void **state)
{
    (void)state;
    struct client_world *world = client_world_create(NULL);
    struct checked checked = {0};
    assert_true(opencost_client_check(world->client, 2000, on_checked, &checked, NULL));
    opencost_client_stop(world->client);
    assert_int_equal(checked.calls, 1);
    assert_int_equal(checked.error.code, ERR_SHUTDOWN);
    assert_int_equal(world->engine.cancelled, 1);
    assert_false(opencost_client_check(world->client, 2000, on_checked, &checked, NULL));
    client_world_destroy(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_fault_has_its_number_of_tries_and_its_waits),
        cmocka_unit_test(a_wait_of_zero_is_honoured),
        cmocka_unit_test(a_good_answer_after_a_bad_one_is_a_success),
        cmocka_unit_test(the_time_of_the_last_success_is_known_by_dataset),
        cmocka_unit_test(the_longest_fetch_counts_all_tries_and_the_longest_waits),
        cmocka_unit_test(the_query_asks_for_pods_by_namespace_accumulated),
        cmocka_unit_test(two_are_under_way_and_the_others_wait_their_turn),
        cmocka_unit_test(a_fetch_from_inside_done_goes_behind_those_that_wait),
        cmocka_unit_test(an_engine_without_memory_ends_the_fetch_but_not_inside_the_call),
        cmocka_unit_test(a_stop_ends_a_fetch_in_each_state),
        cmocka_unit_test(a_job_cancelled_by_the_loops_stop_ends_the_fetch_too),
        cmocka_unit_test(a_check_is_one_try_that_does_not_queue),
        cmocka_unit_test(a_stop_ends_checks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
