/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h needs those above */
#include <cmocka.h>
#include <pthread.h>
#include <stdatomic.h>

#include "support/alloc_fault.h"
#include "waiting.h"

static const struct http_peer first = {.bytes = {1}};
static const struct http_peer second = {.bytes = {2}};

static void each_client_has_a_limit_of_its_own(void **state)
{
    struct waiting *waiting = waiting_create(2);
    (void)state;
    assert_non_null(waiting);
    assert_true(waiting_enter(waiting, &first));
    assert_true(waiting_enter(waiting, &first));
    assert_false(waiting_enter(waiting, &first));
    assert_true(waiting_enter(waiting, &second));
    waiting_leave(waiting, &first);
    assert_true(waiting_enter(waiting, &first));
    assert_false(waiting_enter(waiting, &first));
    waiting_leave(waiting, &first);
    waiting_leave(waiting, &first);
    waiting_leave(waiting, &second);
    waiting_destroy(waiting);
}

static void no_limit_counts_nobody(void **state)
{
    struct waiting *waiting = waiting_create(0);
    (void)state;
    assert_non_null(waiting);
    for (int i = 0; i < 100000; i++)
        assert_true(waiting_enter(waiting, &first));
    waiting_leave(waiting, &first);
    waiting_destroy(waiting);
}

static void client_that_cannot_be_counted_may_not_wait(void **state)
{
    long refusals = 0;
    bool hit = true;
    (void)state;
    if (!alloc_fault_supported())
        skip();
    struct waiting *waiting = waiting_create(2);
    assert_non_null(waiting);
    for (long nth = 1; hit; nth++) {
        alloc_fault_arm(nth);
        bool may_wait = waiting_enter(waiting, &first);
        hit = alloc_fault_hit();
        alloc_fault_disarm();
        assert_int_equal(may_wait, !hit);
        refusals += !may_wait;
        if (may_wait)
            waiting_leave(waiting, &first);
    }
    assert_true(refusals > 1);
    waiting_destroy(waiting);
}

enum { ROUNDS = 20000, THREADS = 4, LIMIT = 2 };

struct crowd {
    struct waiting *waiting;
    atomic_uint inside[2]; /* who waits now, by the test's own count */
    atomic_uint too_many;  /* times that more waited than may */
};

static void *come_and_go(void *context)
{
    struct crowd *crowd = context;
    for (unsigned i = 0; i < ROUNDS; i++) {
        unsigned which = i % 3 == 0 ? 0 : 1;
        const struct http_peer *peer = which == 0 ? &first : &second;
        if (!waiting_enter(crowd->waiting, peer))
            continue;
        if (atomic_fetch_add(&crowd->inside[which], 1) >= LIMIT)
            atomic_fetch_add(&crowd->too_many, 1);
        atomic_fetch_sub(&crowd->inside[which], 1);
        waiting_leave(crowd->waiting, peer);
    }
    return NULL;
}

static void never_more_than_may_wait_whatever_the_threads(void **state)
{
    struct crowd crowd = {.waiting = waiting_create(LIMIT)};
    pthread_t threads[THREADS];
    (void)state;
    assert_non_null(crowd.waiting);
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, come_and_go, &crowd), 0);
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_int_equal(crowd.too_many, 0);
    for (int i = 0; i < LIMIT; i++) /* nobody was forgotten inside */
        assert_true(waiting_enter(crowd.waiting, &first));
    assert_false(waiting_enter(crowd.waiting, &first));
    for (int i = 0; i < LIMIT; i++)
        waiting_leave(crowd.waiting, &first);
    waiting_destroy(crowd.waiting);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_client_has_a_limit_of_its_own),
        cmocka_unit_test(no_limit_counts_nobody),
        cmocka_unit_test(client_that_cannot_be_counted_may_not_wait),
        cmocka_unit_test(never_more_than_may_wait_whatever_the_threads),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
