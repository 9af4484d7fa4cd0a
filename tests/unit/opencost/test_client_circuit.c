/* SPDX-License-Identifier: Apache-2.0 */
/* What counts for the circuit, and what fetches meet while it is open. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "client_support.h"

enum { FAILURES = 5, WAIT_MS = 10000, TRIES = 3 };

static int setup(void **state)
{
    *state = client_world_create(NULL);
    return 0;
}

static int teardown(void **state)
{
    struct client_world *world = *state;
    opencost_client_stop(world->client);
    client_world_destroy(world);
    return 0;
}

static void answer(struct client_world *world, int status, const char *body)
{
    scripted_answer(&world->engine, 0, status, body);
    fake_loop_run(world->loop);
}

/* One fetch that fails in one try: a 404 is not tried again. */
static void fail_once(struct client_world *world)
{
    struct fetched fetched = {0};
    must_fetch(world, "7d", &fetched);
    answer(world, 404, NULL);
    assert_int_equal(fetched.error.code, ERR_UPSTREAM_REFUSED);
}

static void open_circuit(struct client_world *world)
{
    for (int i = 0; i < FAILURES; i++)
        fail_once(world);
}

static bool is_refused(struct client_world *world, struct error *reterr)
{
    static struct fetched fetched; /* it outlives the call when it is taken */
    unsigned started = world->engine.started;
    fetched = (struct fetched){0};
    bool taken = opencost_client_fetch(
        world->client, &(struct opencost_query){.window = "7d", .include_idle = false}, on_fetched,
        &fetched, reterr);
    fake_loop_run(world->loop);
    if (taken)
        return false;
    assert_int_equal(fetched.calls, 0);
    assert_int_equal(world->engine.started, started);
    return reterr->code == ERR_UPSTREAM_UNAVAILABLE;
}

static void after_five_failures_fetches_fail_at_once_and_say_until_when(void **state)
{
    struct client_world *world = *state;
    struct error error = {0};
    open_circuit(world);
    assert_true(is_refused(world, &error));
    assert_string_equal(error.text,
                        "not asked: 5 fetches in a row have failed, the next probe comes in 10 s; "
                        "the last: OpenCost answered 404");
    fake_loop_advance(world->loop, 2500);
    assert_true(is_refused(world, &error));
    assert_non_null(strstr(error.text, "the next probe comes in 8 s"));
}

static void a_fetch_counts_once_however_many_tries_it_had(void **state)
{
    struct client_world *world = *state;
    for (int i = 1; i <= FAILURES; i++) {
        struct fetched fetched = {0};
        must_fetch(world, "7d", &fetched);
        for (int try = 1; try <= TRIES; try++) {
            assert_int_equal(fetched.calls, 0);
            scripted_fail(&world->engine, 0, ERR_UPSTREAM_CONNECT, 0);
            fake_loop_run(world->loop);
            if (try < TRIES)
                fake_loop_advance(world->loop, 1000 << (try - 1));
        }
        assert_int_equal(fetched.error.code, ERR_UPSTREAM_CONNECT);
    }
    struct error error = {0};
    assert_true(is_refused(world, &error));
}

/* All tries of one fetch of `window` end like this; 0: no answer, but `failure`. */
static void fail_all_tries(struct client_world *world, const char *window, int status,
                           const char *body, enum error_code failure)
{
    struct fetched fetched = {0};
    must_fetch(world, window, &fetched);
    for (int try = 1; fetched.calls == 0 && try <= TRIES; try++) {
        if (status != 0)
            scripted_answer(&world->engine, 0, status, body);
        else
            scripted_fail(&world->engine, 0, failure, 0);
        fake_loop_run(world->loop);
        if (fetched.calls == 0)
            fake_loop_advance(world->loop, 1000 << (try - 1));
    }
    assert_int_equal(fetched.calls, 1);
    assert_int_equal(fetched.pods, 0);
}

static void a_window_that_opencost_cannot_do_does_not_lock_out_those_it_can(void **state)
{
    struct client_world *world = *state;
    struct error error = {0};
    struct fetched good = {0};
    for (int i = 1; i <= 2 * FAILURES; i++)
        fail_all_tries(world, "30d", 500, NULL, ERR_NONE);
    must_fetch(world, "1d", &good);
    answer(world, 200, GOOD_BODY);
    assert_int_equal(good.pods, 1);
    assert_false(is_refused(world, &error));
}

static void nor_do_several(void **state)
{
    static const char *const heavy[] = {"30d", "60d", "90d"};
    struct client_world *world = *state;
    struct error error = {0};
    struct fetched good = {0};
    for (int i = 0; i < 2 * FAILURES; i++) {
        struct fetched fetched = {0};
        if (i < FAILURES)
            fail_all_tries(world, heavy[i % 3], 500, NULL, ERR_NONE);
        else
            assert_false(opencost_client_fetch(
                world->client,
                &(struct opencost_query){.window = heavy[i % 3], .include_idle = false}, on_fetched,
                &fetched, &error));
    }
    assert_int_equal(error.code, ERR_UPSTREAM_UNAVAILABLE);
    must_fetch(world, "1d", &good);
    answer(world, 200, GOOD_BODY);
    assert_int_equal(good.pods, 1);
    assert_false(is_refused(world, &error));
}

/* With and without idle are two queries: that both fail is no coincidence of one. */
static void the_same_window_with_idle_is_another_query(void **state)
{
    struct client_world *world = *state;
    struct error error = {0};
    struct fetched fetched = {0};
    for (int i = 1; i < FAILURES; i++)
        fail_all_tries(world, "7d", 500, NULL, ERR_NONE);
    assert_true(opencost_client_fetch(
        world->client, &(struct opencost_query){.window = "7d", .include_idle = true}, on_fetched,
        &fetched, &error));
    for (int try = 1; try <= TRIES; try++) {
        answer(world, 500, NULL);
        fake_loop_advance(world->loop, 1000 << (try - 1));
    }
    assert_int_equal(fetched.calls, 1);
    assert_true(is_refused(world, &error));
}

enum verdict { COUNTS_NOT, COUNTS_OF_SEVERAL, COUNTS };

/* How fetches end, and whether five in a row open the circuit. */
static const struct {
    const char *name;
    int status; /* 0: no answer, but `failure` */
    const char *body;
    enum error_code failure;
    enum verdict verdict;
} endings[] = {
    {"401", 401, NULL, ERR_NONE, COUNTS},
    {"404", 404, NULL, ERR_NONE, COUNTS},
    {"redirect elsewhere", 0, NULL, ERR_UPSTREAM_REFUSED, COUNTS},
    {"not reached", 0, NULL, ERR_UPSTREAM_CONNECT, COUNTS},
    {"TLS", 0, NULL, ERR_UPSTREAM_TLS, COUNTS},
    {"time-out", 0, NULL, ERR_UPSTREAM_TIMEOUT, COUNTS_OF_SEVERAL},
    {"500", 500, NULL, ERR_NONE, COUNTS_OF_SEVERAL},
    {"504", 504, NULL, ERR_NONE, COUNTS_OF_SEVERAL},
    {"429", 429, NULL, ERR_NONE, COUNTS_OF_SEVERAL},
    {"empty body", 200, "", ERR_NONE, COUNTS_OF_SEVERAL},
    {"broken body", 200, "{\"code\":200,\"data\":[{", ERR_NONE, COUNTS_OF_SEVERAL},
    {"code 500 in a 200", 200, "{\"code\":500}", ERR_NONE, COUNTS_OF_SEVERAL},
    {"400: our query", 400, NULL, ERR_NONE, COUNTS_NOT},
    {"too large: our limit", 0, NULL, ERR_UPSTREAM_TOO_LARGE, COUNTS_NOT},
    {"no memory: our own", 0, NULL, ERR_NO_MEMORY, COUNTS_NOT},
};

static bool opens(size_t ending, const char *const *windows, size_t window_count)
{
    struct client_world *world = client_world_create(NULL);
    struct error error = {0};
    for (size_t i = 0; i < FAILURES; i++)
        fail_all_tries(world, windows[i % window_count], endings[ending].status,
                       endings[ending].body, endings[ending].failure);
    bool is_open = is_refused(world, &error);
    opencost_client_stop(world->client);
    client_world_destroy(world);
    return is_open;
}

static void failures_count_by_what_they_say_of_opencost(void **state)
{
    static const char *const windows[] = {"7d", "1d"};
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(endings); i++) {
        print_message("    %s\n", endings[i].name);
        assert_int_equal(opens(i, windows, 1), endings[i].verdict == COUNTS);
        assert_int_equal(opens(i, windows, 2), endings[i].verdict != COUNTS_NOT);
    }
}

static void queued_fetches_fail_when_it_opens_and_those_under_way_go_on(void **state)
{
    struct client_world *world = *state;
    struct fetched under_way = {0};
    struct fetched fifth = {0};
    struct fetched queued[3] = {0};
    for (int i = 1; i < FAILURES; i++)
        fail_once(world);
    must_fetch(world, "1d", &fifth);
    must_fetch(world, "2d", &under_way);
    for (size_t i = 0; i < ARRAY_LENGTH(queued); i++)
        must_fetch(world, "3d", &queued[i]);
    answer(world, 404, NULL);
    assert_int_equal(fifth.error.code, ERR_UPSTREAM_REFUSED);
    for (size_t i = 0; i < ARRAY_LENGTH(queued); i++) {
        assert_int_equal(queued[i].calls, 1);
        assert_int_equal(queued[i].error.code, ERR_UPSTREAM_UNAVAILABLE);
    }
    assert_int_equal(world->engine.live_count, 1);
    answer(world, 200, GOOD_BODY);
    assert_int_equal(under_way.pods, 1);
    struct error error = {0};
    assert_false(is_refused(world, &error));
}

struct refused_inside {
    struct opencost_client *client;
    int calls;
    bool taken;
    struct error error;
};

static void fetch_again(void *context, struct cost_set *set, const struct error *error)
{
    struct refused_inside *inside = context;
    assert_null(set);
    assert_non_null(error);
    inside->calls++;
    inside->taken = opencost_client_fetch(
        inside->client, &(struct opencost_query){.window = "1d", .include_idle = false},
        fetch_again, inside, &inside->error);
}

static void a_refusal_from_inside_done_is_told_at_once(void **state)
{
    struct client_world *world = *state;
    struct refused_inside inside = {.client = world->client};
    for (int i = 1; i < FAILURES; i++)
        fail_once(world);
    assert_true(opencost_client_fetch(
        world->client, &(struct opencost_query){.window = "1d", .include_idle = false}, fetch_again,
        &inside, NULL));
    answer(world, 404, NULL);
    assert_int_equal(inside.calls, 1);
    assert_false(inside.taken);
    assert_int_equal(inside.error.code, ERR_UPSTREAM_UNAVAILABLE);
}

static void a_probe_has_one_try_and_goes_alone(void **state)
{
    struct client_world *world = *state;
    struct fetched probe = {0};
    struct error error = {0};
    open_circuit(world);
    fake_loop_advance(world->loop, WAIT_MS);
    must_fetch(world, "7d", &probe);
    assert_int_equal(world->engine.live_count, 1);
    assert_true(is_refused(world, &error));
    assert_non_null(strstr(error.text, "a probe is under way"));
    scripted_fail(&world->engine, 0, ERR_UPSTREAM_CONNECT, 0);
    fake_loop_run(world->loop);
    assert_int_equal(probe.calls, 1);
    assert_int_equal(probe.error.code, ERR_UPSTREAM_CONNECT);
    assert_true(is_refused(world, &error));
    assert_non_null(
        strstr(error.text, "6 fetches in a row have failed, the next probe comes in 20 s"));
}

static void a_probe_that_succeeds_closes_it(void **state)
{
    struct client_world *world = *state;
    struct fetched probe = {0};
    struct fetched others[2] = {0};
    open_circuit(world);
    fake_loop_advance(world->loop, WAIT_MS);
    must_fetch(world, "7d", &probe);
    answer(world, 200, GOOD_BODY);
    assert_int_equal(probe.pods, 1);
    must_fetch(world, "1d", &others[0]);
    must_fetch(world, "2d", &others[1]);
    assert_int_equal(world->engine.live_count, 2);
    answer(world, 500, NULL); /* tried again, as ever */
    assert_int_equal(others[0].calls, 0);
    opencost_client_stop(world->client);
}

static void a_stopped_probe_is_no_failure(void **state)
{
    struct client_world *world = *state;
    struct fetched probe = {0};
    open_circuit(world);
    fake_loop_advance(world->loop, WAIT_MS);
    must_fetch(world, "7d", &probe);
    opencost_client_stop(world->client);
    assert_int_equal(probe.calls, 1);
    assert_int_equal(probe.error.code, ERR_SHUTDOWN);
}

static void a_stop_ends_refused_fetches_once(void **state)
{
    struct client_world *world = *state;
    struct fetched under_way[2] = {0};
    struct fetched queued = {0};
    for (int i = 1; i < FAILURES; i++)
        fail_once(world);
    must_fetch(world, "1d", &under_way[0]);
    must_fetch(world, "2d", &under_way[1]);
    must_fetch(world, "3d", &queued);
    scripted_answer(&world->engine, 0, 404, NULL);
    assert_int_equal(queued.calls, 0);
    opencost_client_stop(world->client);
    fake_loop_run(world->loop);
    assert_int_equal(queued.calls, 1);
    assert_int_equal(queued.error.code, ERR_SHUTDOWN);
}

static void a_probe_that_finds_no_memory_leaves_the_next_its_turn(void **state)
{
    struct client_world *world = *state;
    struct error error = {0};
    open_circuit(world);
    fake_loop_advance(world->loop, WAIT_MS);
    fake_loop_refuse_timers(world->loop, true);
    assert_false(opencost_client_fetch(
        world->client, &(struct opencost_query){.window = "7d", .include_idle = false}, on_fetched,
        NULL, &error));
    assert_int_equal(error.code, ERR_NO_MEMORY);
    fake_loop_refuse_timers(world->loop, false);
    assert_false(is_refused(world, &error));
    assert_int_equal(world->engine.live_count, 1);
}

static void opencost_seen_again_is_probed_without_waiting(void **state)
{
    struct client_world *world = *state;
    struct error error = {0};
    open_circuit(world);
    assert_true(is_refused(world, &error));
    opencost_client_origin_seen(world->client);
    assert_false(is_refused(world, &error));
    assert_int_equal(world->engine.live_count, 1);
}

static size_t count(const char *text, const char *part)
{
    size_t found = 0;
    for (const char *at = strstr(text, part); at != NULL; at = strstr(at + 1, part))
        found++;
    return found;
}

static void each_change_is_one_line_of_the_log_and_the_gauge_follows(void **state)
{
    static const char gauge[] = "kubecent_opencost_circuit_open ";
    struct client_world *world = *state;
    struct error error = {0};
    struct fetched probe = {0};
    char line[sizeof(gauge) + 3];
    (void)snprintf(line, sizeof(line), "\n%s0\n", gauge);
    assert_true(client_world_counts(world, line));
    open_circuit(world);
    line[sizeof(gauge)] = '1';
    assert_true(client_world_counts(world, line));
    for (int i = 0; i < 3; i++)
        assert_true(is_refused(world, &error));
    for (int64_t wait_ms = WAIT_MS; wait_ms <= 2 * WAIT_MS; wait_ms *= 2) {
        fake_loop_advance(world->loop, wait_ms);
        must_fetch(world, "7d", &probe);
        answer(world, wait_ms == WAIT_MS ? 404 : 200, GOOD_BODY);
    }
    line[sizeof(gauge)] = '0';
    assert_true(client_world_counts(world, line));
    char *log = client_world_log(world);
    assert_int_equal(count(log, "opencost.circuit_opened"), 1);
    assert_int_equal(count(log, "opencost.circuit_closed"), 1);
    assert_non_null(strstr(log, "{\"failures\": 5, \"probe_in_seconds\": 10, \"error\": \"OpenCost "
                                "answered 404\", \"event\": \"opencost.circuit_opened\", "
                                "\"level\": \"warning\""));
    assert_non_null(strstr(log, "{\"open_seconds\": 30, \"event\": \"opencost.circuit_closed\", "
                                "\"level\": \"info\""));
    /* Five fetches failed, and one probe; what was refused is no failure of its own. */
    assert_int_equal(count(log, "opencost.allocation_error"), 6);
    free(log);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(after_five_failures_fetches_fail_at_once_and_say_until_when),
        CASE(a_fetch_counts_once_however_many_tries_it_had),
        CASE(a_window_that_opencost_cannot_do_does_not_lock_out_those_it_can),
        CASE(nor_do_several),
        CASE(the_same_window_with_idle_is_another_query),
        cmocka_unit_test(failures_count_by_what_they_say_of_opencost),
        CASE(queued_fetches_fail_when_it_opens_and_those_under_way_go_on),
        CASE(a_refusal_from_inside_done_is_told_at_once),
        CASE(a_probe_has_one_try_and_goes_alone),
        CASE(a_probe_that_succeeds_closes_it),
        CASE(a_stopped_probe_is_no_failure),
        CASE(a_stop_ends_refused_fetches_once),
        CASE(a_probe_that_finds_no_memory_leaves_the_next_its_turn),
        CASE(opencost_seen_again_is_probed_without_waiting),
        CASE(each_change_is_one_line_of_the_log_and_the_gauge_follows),
    };
    return cmocka_run_group_tests_name("client circuit", tests, NULL, NULL);
}
