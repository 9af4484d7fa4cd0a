/* SPDX-License-Identifier: Apache-2.0 */
/* Every allocation of a client, and of a fetch from its call to its end, fails once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "client_support.h"
#include "support/alloc_fault.h"

static struct opencost_options options_of(struct client_world *world)
{
    return (struct opencost_options){
        .base_url = "http://opencost:9003",
        .token_file = "/nonexistent/token",
        .timeout_ms = 30000,
        .connect_timeout_ms = 5000,
        .tries = 1,
        .max_in_flight = 1,
        .max_body_bytes = 1024,
        .scheduler = fake_loop_scheduler(world->loop),
        .engine = &world->engine.engine,
    };
}

static void a_client_that_finds_no_memory_is_not_made(void **state)
{
    (void)state;
    if (!alloc_fault_supported())
        skip();
    struct client_world *world = client_world_create(NULL);
    const struct opencost_options options = options_of(world);
    long nth = 1;
    for (bool was_hit = true; was_hit; nth++) {
        struct error error = {0};
        alloc_fault_arm(nth);
        struct opencost_client *client = opencost_client_create(&options, &error);
        was_hit = alloc_fault_hit();
        alloc_fault_disarm();
        assert_true((client == NULL) == was_hit);
        assert_int_equal(error.code, was_hit ? ERR_NO_MEMORY : ERR_NONE);
        opencost_client_destroy(client);
    }
    assert_true(nth > 2);
    client_world_destroy(world);
}

/* From the call to the end, as far as it gets. */
static bool fetch_with_fault(struct client_world *world, struct opencost_client *client, long nth,
                             struct fetched *fetched)
{
    alloc_fault_arm(nth);
    bool was_taken = opencost_client_fetch(
        client, &(struct opencost_query){.window = "7d", .include_idle = true}, on_fetched, fetched,
        &fetched->error);
    fake_loop_run(world->loop);
    if (world->engine.live_count > 0 &&
        scripted_body(&world->engine, 0, GOOD_BODY, strlen(GOOD_BODY)))
        fake_loop_run(world->loop);
    if (world->engine.live_count > 0)
        scripted_answer(&world->engine, 0, 200, NULL);
    fake_loop_run(world->loop);
    bool was_hit = alloc_fault_hit();
    alloc_fault_disarm();
    assert_int_equal(fetched->calls, was_taken ? 1 : 0);
    return was_hit;
}

static void a_fetch_that_finds_no_memory_ends_once_and_says_so(void **state)
{
    (void)state;
    if (!alloc_fault_supported())
        skip();
    struct client_world *world = client_world_create(NULL);
    const struct opencost_options options = options_of(world);
    struct opencost_client *client = opencost_client_create(&options, NULL);
    long nth = 1;
    for (bool was_hit = true; was_hit; nth++) {
        struct fetched fetched = {0};
        was_hit = fetch_with_fault(world, client, nth, &fetched);
        assert_int_equal(fetched.error.code,
                         was_hit && fetched.pods == 0 ? ERR_NO_MEMORY : ERR_NONE);
        assert_int_equal(world->engine.live_count, 0);
    }
    assert_true(nth > 8);
    opencost_client_destroy(client);
    client_world_destroy(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_client_that_finds_no_memory_is_not_made),
        cmocka_unit_test(a_fetch_that_finds_no_memory_ends_once_and_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
