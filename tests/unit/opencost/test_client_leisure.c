/* SPDX-License-Identifier: Apache-2.0 */
/* What no client waits for is read at leisure, and nothing else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "client_support.h"

static struct opencost_fetch *fetch(struct client_world *world, const char *window,
                                    bool is_in_background, struct fetched *fetched)
{
    const struct opencost_query query = {.window = window, .is_in_background = is_in_background};
    struct opencost_fetch *handle =
        opencost_client_fetch(world->client, &query, on_fetched, fetched, &fetched->error);
    assert_non_null(handle);
    fake_loop_run(world->loop);
    return handle;
}

/* Whether the oldest transfer's next piece is followed by a rest. */
static bool rests(struct client_world *world)
{
    size_t before = fake_loop_rests(world->loop);
    feed_spaces(world, PIECE_BYTES);
    fake_loop_run(world->loop);
    return fake_loop_rests(world->loop) > before;
}

static void must_end_well(struct client_world *world, const struct fetched *fetched)
{
    scripted_answer(&world->engine, 0, 200, GOOD_BODY);
    fake_loop_run(world->loop);
    assert_int_equal(fetched->pods, 1);
}

static void what_a_client_waits_for_is_read_without_a_rest(void **state)
{
    (void)state;
    struct client_world *world = client_world_create(NULL);
    struct fetched fetched = {0};
    fetch(world, "7d", false, &fetched);
    feed_spaces(world, MIB);
    must_end_well(world, &fetched);
    assert_int_equal(fake_loop_rests(world->loop), 0);
    client_world_destroy(world);
}

static void in_the_background_jobs_rest_and_transfers_stay_close(void **state)
{
    (void)state;
    struct client_world *world = client_world_create(NULL);
    struct fetched fetched = {0};
    fetch(world, "7d", true, &fetched);
    fake_loop_hold_jobs(world->loop, true);
    feed_spaces(world, PIECE_BYTES); /* the job under way has these */
    feed_spaces(world, MIB / 4);
    assert_int_equal(world->engine.paused, 0);
    feed_spaces(world, PIECE_BYTES);
    assert_true(scripted_is_paused(&world->engine, 0));

    fake_loop_hold_jobs(world->loop, false);
    fake_loop_run(world->loop);
    assert_false(scripted_is_paused(&world->engine, 0));
    assert_in_range(fake_loop_rests(world->loop), 4, 8); /* one for each 64 KiB or less */
    must_end_well(world, &fetched);
    client_world_destroy(world);
}

static void a_further_try_is_read_at_leisure_too(void **state)
{
    (void)state;
    struct client_world *world = client_world_create(NULL);
    struct fetched fetched = {0};
    fetch(world, "7d", true, &fetched);
    scripted_answer(&world->engine, 0, 500, NULL);
    fake_loop_run(world->loop);
    fake_loop_advance(world->loop, 1000);
    assert_true(rests(world));
    must_end_well(world, &fetched);
    client_world_destroy(world);
}

static void a_fetch_that_a_client_comes_to_wait_for_rests_no_more(void **state)
{
    (void)state;
    struct client_world *world = client_world_create(NULL);
    struct fetched fetched = {0};
    struct opencost_fetch *handle = fetch(world, "7d", true, &fetched);
    assert_true(rests(world));
    opencost_fetch_leave_background(handle);
    assert_false(rests(world));
    fake_loop_hold_jobs(world->loop, true);
    feed_spaces(world, MIB);
    assert_int_equal(world->engine.paused, 0);
    fake_loop_hold_jobs(world->loop, false);
    must_end_well(world, &fetched);
    client_world_destroy(world);
}

static void a_paused_transfer_goes_on_though_its_fetch_has_left_the_background(void **state)
{
    (void)state;
    struct client_world *world = client_world_create(NULL);
    struct fetched fetched = {0};
    struct opencost_fetch *handle = fetch(world, "7d", true, &fetched);
    fake_loop_hold_jobs(world->loop, true);
    feed_spaces(world, MIB / 2);
    assert_true(scripted_is_paused(&world->engine, 0));
    opencost_fetch_leave_background(handle);
    fake_loop_hold_jobs(world->loop, false);
    fake_loop_run(world->loop);
    assert_false(scripted_is_paused(&world->engine, 0));
    must_end_well(world, &fetched);
    client_world_destroy(world);
}

/* Two slots: whoever has one does not keep the client waiting that has none. */
static void while_a_client_waits_for_a_slot_nobody_rests(void **state)
{
    (void)state;
    struct client_world *world = client_world_create(NULL);
    struct fetched fetched[4] = {{0}};
    fetch(world, "7d", true, &fetched[0]);
    fetch(world, "1h", false, &fetched[1]);
    struct opencost_fetch *queued = fetch(world, "30d", true, &fetched[2]);
    assert_true(rests(world)); /* nobody waits for that one either */
    opencost_fetch_leave_background(queued);
    assert_false(rests(world));
    fetch(world, "2h", false, &fetched[3]);
    for (size_t i = 0; i < ARRAY_LENGTH(fetched); i++)
        must_end_well(world, &fetched[i]);
    assert_int_equal(fake_loop_rests(world->loop), 1);
    client_world_destroy(world);
}

static void a_fetch_that_gets_its_slot_before_waiting_clients_does_not_rest(void **state)
{
    (void)state;
    struct client_world *world = client_world_create(NULL);
    const struct opencost_query refresh = {
        .window = "7d", .is_urgent = true, .is_in_background = true};
    struct fetched fetched[4] = {{0}};
    for (size_t i = 0; i < 3; i++)
        fetch(world, i == 0 ? "1h" : i == 1 ? "2h" : "3h", false, &fetched[i]);
    assert_non_null(
        opencost_client_fetch(world->client, &refresh, on_fetched, &fetched[3], &fetched[3].error));
    must_end_well(world, &fetched[0]);
    must_end_well(world, &fetched[1]); /* the refresh is the oldest under way now */
    fetch(world, "4h", false, &(struct fetched){0});
    assert_false(rests(world));
    opencost_client_stop(world->client);
    client_world_destroy(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_client_waits_for_is_read_without_a_rest),
        cmocka_unit_test(in_the_background_jobs_rest_and_transfers_stay_close),
        cmocka_unit_test(a_further_try_is_read_at_leisure_too),
        cmocka_unit_test(a_fetch_that_a_client_comes_to_wait_for_rests_no_more),
        cmocka_unit_test(a_paused_transfer_goes_on_though_its_fetch_has_left_the_background),
        cmocka_unit_test(while_a_client_waits_for_a_slot_nobody_rests),
        cmocka_unit_test(a_fetch_that_gets_its_slot_before_waiting_clients_does_not_rest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
