/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h needs those above */
#include <cmocka.h>
#include <pthread.h>

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

enum { ROUNDS = 20000 };

static void *come_and_go(void *context)
{
    struct waiting *waiting = context;
    unsigned refusals = 0;
    for (int i = 0; i < ROUNDS; i++) {
        const struct http_peer *peer = i % 3 == 0 ? &first : &second;
        if (waiting_enter(waiting, peer))
            waiting_leave(waiting, peer);
        else
            refusals++;
    }
    return refusals < ROUNDS ? context : NULL;
}

static void clients_come_and_go_on_any_thread(void **state)
{
    struct waiting *waiting = waiting_create(1);
    pthread_t threads[4];
    (void)state;
    assert_non_null(waiting);
    for (size_t i = 0; i < ARRAY_LENGTH(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, come_and_go, waiting), 0);
    for (size_t i = 0; i < ARRAY_LENGTH(threads); i++) {
        void *result = NULL;
        assert_int_equal(pthread_join(threads[i], &result), 0);
        assert_ptr_equal(result, waiting);
    }
    assert_true(waiting_enter(waiting, &first));
    waiting_leave(waiting, &first);
    waiting_destroy(waiting);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_client_has_a_limit_of_its_own),
        cmocka_unit_test(no_limit_counts_nobody),
        cmocka_unit_test(client_that_cannot_be_counted_may_not_wait),
        cmocka_unit_test(clients_come_and_go_on_any_thread),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
