/* SPDX-License-Identifier: Apache-2.0 */
/* Who of those that wait for a slot gets the next one, and who waits no more. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "client_support.h"

enum { SLOTS = 2, OTHERS = 6 };

/* Two under way, for whom slots are taken, and others in the queue. */
struct queue {
    struct client_world *world;
    struct fetched under_way[SLOTS];
    struct fetched others[OTHERS];
    struct opencost_fetch *handles[OTHERS];
};

static struct opencost_fetch *fetch(struct client_world *world, const char *window, bool is_urgent,
                                    struct fetched *fetched)
{
    const struct opencost_query query = {.window = window, .is_urgent = is_urgent};
    struct opencost_fetch *handle =
        opencost_client_fetch(world->client, &query, on_fetched, fetched, &fetched->error);
    assert_non_null(handle);
    fake_loop_run(world->loop);
    return handle;
}

static int setup(void **state)
{
    static const char *const windows[OTHERS] = {"11h", "12h", "13h", "14h", "15h", "16h"};
    struct queue *queue = calloc(1, sizeof(*queue));
    assert_non_null(queue);
    queue->world = client_world_create(NULL);
    for (size_t i = 0; i < SLOTS; i++)
        fetch(queue->world, i == 0 ? "1h" : "2h", false, &queue->under_way[i]);
    for (size_t i = 0; i < OTHERS; i++)
        queue->handles[i] = fetch(queue->world, windows[i], false, &queue->others[i]);
    *state = queue;
    return 0;
}

static int teardown(void **state)
{
    struct queue *queue = *state;
    opencost_client_stop(queue->world->client);
    client_world_destroy(queue->world);
    free(queue);
    return 0;
}

/* Ends the oldest fetch under way; the next begins. True when that is of `window`. */
static bool next_is(struct queue *queue, const char *window)
{
    char part[64];
    scripted_answer(&queue->world->engine, 0, 200, GOOD_BODY);
    fake_loop_run(queue->world->loop);
    (void)snprintf(part, sizeof(part), "window=%s&", window);
    return strstr(queue->world->engine.last_url, part) != NULL;
}

static void urgent_fetches_get_the_next_slot_and_leave_the_other_to_the_rest(void **state)
{
    struct queue *queue = *state;
    struct fetched urgent[3] = {0};
    fetch(queue->world, "7d", true, &urgent[0]);
    fetch(queue->world, "30d", true, &urgent[1]);
    fetch(queue->world, "60d", true, &urgent[2]);
    assert_true(next_is(queue, "7d"));
    assert_true(next_is(queue, "11h")); /* one slot is enough for them */
    assert_true(next_is(queue, "30d")); /* 7d has ended */
    assert_true(next_is(queue, "12h"));
    assert_true(next_is(queue, "60d"));
    assert_true(next_is(queue, "13h"));
    assert_true(next_is(queue, "14h"));
}

static void urgent_fetches_take_all_slots_when_nobody_else_wants_them(void **state)
{
    struct client_world *world = client_world_create(NULL);
    struct fetched urgent[3] = {0};
    (void)state;
    fetch(world, "7d", true, &urgent[0]);
    fetch(world, "30d", true, &urgent[1]);
    fetch(world, "60d", true, &urgent[2]);
    assert_int_equal(world->engine.live_count, SLOTS);
    opencost_client_stop(world->client);
    client_world_destroy(world);
}

static void a_fetch_that_becomes_urgent_gets_the_next_slot(void **state)
{
    struct queue *queue = *state;
    opencost_fetch_hurry(queue->handles[4]);
    assert_true(next_is(queue, "15h"));
    assert_true(next_is(queue, "11h"));
}

static void what_is_withdrawn_is_never_asked_nor_told(void **state)
{
    struct queue *queue = *state;
    static const size_t withdrawn[] = {0, 2, 5}; /* the first, one between, the last */
    for (size_t i = 0; i < ARRAY_LENGTH(withdrawn); i++)
        assert_true(opencost_fetch_withdraw(queue->handles[withdrawn[i]]));
    assert_true(next_is(queue, "12h"));
    assert_true(next_is(queue, "14h"));
    assert_true(next_is(queue, "15h"));
    for (int i = 0; i < SLOTS; i++) {
        scripted_answer(&queue->world->engine, 0, 200, GOOD_BODY);
        fake_loop_run(queue->world->loop);
    }
    assert_int_equal(queue->world->engine.live_count, 0);
    for (size_t i = 0; i < OTHERS; i++)
        assert_int_equal(queue->others[i].calls, i == 0 || i == 2 || i == 5 ? 0 : 1);
}

static void what_has_begun_goes_on(void **state)
{
    struct queue *queue = *state;
    assert_false(opencost_fetch_has_begun(queue->handles[0]));
    assert_true(next_is(queue, "11h"));
    assert_true(opencost_fetch_has_begun(queue->handles[0]));
    assert_false(opencost_fetch_withdraw(queue->handles[0]));
    scripted_fail(&queue->world->engine, 1, ERR_UPSTREAM_CONNECT, 0);
    fake_loop_run(queue->world->loop);
    assert_false(opencost_fetch_withdraw(queue->handles[0])); /* between two tries */
    assert_int_equal(queue->others[0].calls, 0);
}

static void what_the_circuit_has_refused_is_told_so(void **state)
{
    struct queue *queue = *state;
    for (int i = 0; i < 5; i++) {
        scripted_answer(&queue->world->engine, 0, 404, NULL);
        if (i < 4)
            fake_loop_run(queue->world->loop);
    }
    assert_false(opencost_fetch_withdraw(queue->handles[5]));
    fake_loop_run(queue->world->loop);
    assert_int_equal(queue->others[5].calls, 1);
    assert_int_equal(queue->others[5].error.code, ERR_UPSTREAM_UNAVAILABLE);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(urgent_fetches_get_the_next_slot_and_leave_the_other_to_the_rest),
        cmocka_unit_test(urgent_fetches_take_all_slots_when_nobody_else_wants_them),
        CASE(a_fetch_that_becomes_urgent_gets_the_next_slot),
        CASE(what_is_withdrawn_is_never_asked_nor_told),
        CASE(what_has_begun_goes_on),
        CASE(what_the_circuit_has_refused_is_told_so),
    };
    return cmocka_run_group_tests_name("client queue", tests, NULL, NULL);
}
