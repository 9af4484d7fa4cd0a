/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdbool.h>

#include "base/attrs.h"
#include "base/shared.h"

struct value {
    struct shared shared;
    int writes; /* not atomic: only ordering keeps the sanitizer quiet */
    int destroyed;
};

static void count_destruction(struct shared *shared)
{
    struct value *value = CONTAINER_OF(shared, struct value, shared);
    value->destroyed++;
    value->writes++;
}

static void the_last_release_destroys_once(void **state)
{
    struct value value = {.writes = 0};
    (void)state;
    shared_init(&value.shared, count_destruction);
    assert_ptr_equal(shared_hold(&value.shared), &value.shared);
    shared_release(&value.shared);
    assert_int_equal(value.destroyed, 0);
    shared_release(&value.shared);
    assert_int_equal(value.destroyed, 1);
    shared_release(NULL);
}

enum { THREADS = 4, ROUNDS = 10000 };

static void *hold_and_release(void *argument)
{
    struct value *value = argument;
    for (int i = 0; i < ROUNDS; i++) {
        shared_hold(&value->shared);
        shared_release(&value->shared);
    }
    shared_release(&value->shared);
    return NULL;
}

static void threads_may_hold_and_release_at_once(void **state)
{
    struct value value = {.writes = 0};
    pthread_t threads[THREADS];
    (void)state;
    shared_init(&value.shared, count_destruction);
    for (int i = 0; i < THREADS; i++) {
        shared_hold(&value.shared);
        assert_int_equal(pthread_create(&threads[i], NULL, hold_and_release, &value), 0);
    }
    shared_release(&value.shared);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(value.destroyed, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_last_release_destroys_once),
        cmocka_unit_test(threads_may_hold_and_release_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
