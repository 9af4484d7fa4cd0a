/* SPDX-License-Identifier: Apache-2.0 */
/* Every allocation of a tier, and of all that a claim, a settlement and a peek take, fails once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support/alloc_fault.h"
#include "tier_world.h"

static void a_tier_that_finds_no_memory_is_not_made(void **state)
{
    (void)state;
    if (!alloc_fault_supported())
        skip();
    static const struct redis_endpoint sentinels[] = {{"a", 1}, {"b", 2}};
    struct tier_world *world = world_create();
    struct redis_tier_options options = world_options(world);
    options.endpoints = sentinels;
    options.endpoint_count = 2;
    options.master = "main";
    options.user = "user";
    options.password = "secret";
    long nth = 1;
    for (bool was_hit = true; was_hit; nth++) {
        alloc_fault_arm(nth);
        struct redis_tier *tier = redis_tier_create(&options);
        was_hit = alloc_fault_hit();
        alloc_fault_disarm();
        assert_true((tier == NULL) == was_hit);
        redis_tier_destroy(tier);
    }
    assert_true(nth > 10);
    world_destroy(world);
}

/* One leads, another waits for it and finds what it settled, a third peeks. Whatever fails, each
 * ends once, and nothing wrong is found. */
static bool share_with_fault(long nth)
{
    struct tier_world *world = world_create();
    struct asked leader = {0};
    struct asked follower = {.max_wait_ms = 3000};
    struct asked peeker = {0};
    alloc_fault_arm(nth);
    ask(&world->replicas[0], &leader, "7d");
    world_pass(world, 10);
    ask(&world->replicas[1], &follower, "7d");
    world_pass(world, 2500);
    if (leader.lease != NULL)
        settle(&world->replicas[0], &leader, "costs");
    world_pass(world, 10);
    peek(&world->replicas[2], &peeker, "7d");
    world_pass(world, 15000);
    bool was_hit = alloc_fault_hit();
    alloc_fault_disarm();
    struct asked *asked[] = {&leader, &follower, &peeker};
    for (size_t i = 0; i < 3; i++) {
        assert_null(asked[i]->claim);
        assert_true(asked[i]->calls <= 1); /* 0: it was not begun */
        assert_true(asked[i]->outcome != TIER_FOUND || strcmp(asked[i]->value, "costs") == 0 ||
                    asked[i]->calls == 0);
    }
    if (!was_hit)
        assert_true(follower.outcome == TIER_FOUND && peeker.outcome == TIER_FOUND);
    if (follower.lease != NULL)
        settle(&world->replicas[1], &follower, NULL);
    world_pass(world, 10);
    world_destroy(world);
    return was_hit;
}

static void sharing_survives_any_failing_allocation(void **state)
{
    (void)state;
    if (!alloc_fault_supported())
        skip();
    long nth = 1;
    while (share_with_fault(nth))
        nth++;
    assert_true(nth > 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_tier_that_finds_no_memory_is_not_made),
        cmocka_unit_test(sharing_survives_any_failing_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
