/* SPDX-License-Identifier: Apache-2.0 */
/* Bodies: decoded while they arrive, held back when they run ahead, dropped when they are rubbish.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "client_support.h"

static void a_body_in_single_bytes_reads_as_one(void **state)
{
    (void)state;
    struct client_world *world = client_world_create(NULL);
    struct fetched fetched = {0};
    must_fetch(world, "7d", &fetched);
    for (const char *c = GOOD_BODY; *c != '\0'; c++) {
        assert_true(scripted_body(&world->engine, 0, c, 1));
        if ((c - GOOD_BODY) % 7 == 0) /* jobs of one byte and of some */
            fake_loop_run(world->loop);
    }
    scripted_answer(&world->engine, 0, 200, NULL);
    fake_loop_run(world->loop);
    assert_int_equal(fetched.calls, 1);
    assert_int_equal(fetched.pods, 1);
    client_world_destroy(world);
}

static void only_one_job_of_a_fetch_is_under_way(void **state)
{
    (void)state;
    struct client_world *world = client_world_create(NULL);
    struct fetched fetched = {0};
    must_fetch(world, "7d", &fetched);
    fake_loop_hold_jobs(world->loop, true);
    for (int i = 0; i < 100; i++)
        assert_true(scripted_body(&world->engine, 0, " ", 1));
    assert_int_equal(fake_loop_queued_jobs(world->loop), 1);
    scripted_answer(&world->engine, 0, 200, GOOD_BODY);
    assert_int_equal(fake_loop_queued_jobs(world->loop), 1);
    assert_int_equal(fetched.calls, 0);
    fake_loop_hold_jobs(world->loop, false);
    fake_loop_run(world->loop);
    assert_int_equal(fetched.pods, 1);
    client_world_destroy(world);
}

static void
a_transfer_is_paused_above_4_mib_and_resumed_when_the_decoder_has_caught_up(void **state)
{
    (void)state;
    struct client_world *world = client_world_create(NULL);
    struct fetched fetched = {0};
    must_fetch(world, "7d", &fetched);
    fake_loop_hold_jobs(world->loop, true);
    feed_spaces(world, PIECE_BYTES); /* the job under way has these */
    feed_spaces(world, 4 * MIB);
    assert_int_equal(world->engine.paused, 0);
    feed_spaces(world, PIECE_BYTES);
    assert_true(scripted_is_paused(&world->engine, 0));
    feed_spaces(world, PIECE_BYTES); /* what was on its way when it was told */
    assert_int_equal(world->engine.paused, 1);

    fake_loop_hold_jobs(world->loop, false);
    fake_loop_run(world->loop);
    assert_int_equal(world->engine.resumed, 1);
    assert_false(scripted_is_paused(&world->engine, 0));
    scripted_answer(&world->engine, 0, 200, GOOD_BODY);
    fake_loop_run(world->loop);
    assert_int_equal(fetched.pods, 1);
    client_world_destroy(world);
}

static void rubbish_cancels_the_transfer_at_once_and_is_tried_again(void **state)
{
    (void)state;
    struct client_world *world = client_world_create(NULL);
    struct fetched fetched = {0};
    must_fetch(world, "7d", &fetched);
    assert_true(scripted_body(&world->engine, 0, "<html>", 6));
    fake_loop_run(world->loop);
    assert_int_equal(world->engine.cancelled, 1);
    assert_int_equal(world->engine.live_count, 0);
    assert_int_equal(fetched.calls, 0);

    fake_loop_advance(world->loop, 1000);
    scripted_answer(&world->engine, 0, 200, GOOD_BODY);
    fake_loop_run(world->loop);
    assert_int_equal(fetched.pods, 1);
    assert_true(client_world_counts(
        world, "kubecent_opencost_failures_total{dataset=\"allocation\",reason=\"decode\"} 1\n"));
    client_world_destroy(world);
}

static void a_connection_that_breaks_yields_nothing_of_what_came(void **state)
{
    (void)state;
    struct client_world *world = client_world_create(NULL);
    struct fetched fetched = {0};
    must_fetch(world, "7d", &fetched);
    fake_loop_hold_jobs(world->loop, true);
    assert_true(scripted_body(&world->engine, 0, GOOD_BODY, strlen(GOOD_BODY)));
    scripted_fail(&world->engine, 0, ERR_UPSTREAM_CONNECT, 200);
    fake_loop_run(world->loop);
    assert_int_equal(fake_loop_next_timer_ms(world->loop), -1); /* the job is waited for */
    fake_loop_hold_jobs(world->loop, false);
    fake_loop_run(world->loop);
    assert_int_equal(fake_loop_next_timer_ms(world->loop), 1000);
    assert_int_equal(fetched.calls, 0);
    opencost_client_stop(world->client);
    client_world_destroy(world);
}

static void a_job_that_cannot_be_queued_ends_the_fetch(void **state)
{
    (void)state;
    struct client_world *world = client_world_create(NULL);
    struct fetched fetched = {0};
    must_fetch(world, "7d", &fetched);
    fake_loop_refuse_jobs(world->loop, true);
    assert_false(scripted_body(&world->engine, 0, "{", 1));
    scripted_fail(&world->engine, 0, ERR_UPSTREAM_BODY, 200);
    assert_int_equal(fetched.calls, 1);
    assert_int_equal(fetched.error.code, ERR_NO_MEMORY);

    must_fetch(world, "7d", &fetched);
    scripted_answer(&world->engine, 0, 200, NULL); /* fails with the last job */
    assert_int_equal(fetched.calls, 2);
    assert_int_equal(fetched.error.code, ERR_NO_MEMORY);
    client_world_destroy(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_body_in_single_bytes_reads_as_one),
        cmocka_unit_test(only_one_job_of_a_fetch_is_under_way),
        cmocka_unit_test(
            a_transfer_is_paused_above_4_mib_and_resumed_when_the_decoder_has_caught_up),
        cmocka_unit_test(rubbish_cancels_the_transfer_at_once_and_is_tried_again),
        cmocka_unit_test(a_connection_that_breaks_yields_nothing_of_what_came),
        cmocka_unit_test(a_job_that_cannot_be_queued_ends_the_fetch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
