/* SPDX-License-Identifier: Apache-2.0 */
/* Lets the n-th allocation fail, for each n until the answer succeeds. The linker puts the
 * functions below in the place of the C library's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdbool.h>
#include <stdlib.h>

#include "base/civil_time.h"
#include "demo_answer.h"
#include "support/alloc_fault.h"

/* How many of the query's allocations failed, one a time, before none was left to fail. */
static long failures_survived(const struct demo_query *query)
{
    const int64_t now_s = civil_midnight(2026, 11, 23);
    for (long nth = 1;; nth++) {
        struct demo_answer answer = {0};
        struct error error = {.code = ERR_NONE};
        alloc_fault_arm(nth);
        const bool is_answered = demo_answer_allocation(query, now_s, &answer, &error);
        const bool was_hit = alloc_fault_hit();
        alloc_fault_disarm();
        free(answer.body);
        if (!was_hit) {
            assert_true(is_answered);
            return nth - 1;
        }
        /* Only giving back unused memory may fail unnoticed. */
        if (!is_answered) {
            assert_int_equal(error.code, ERR_NO_MEMORY);
            assert_null(answer.body);
        }
    }
}

static void an_answer_that_finds_no_memory_fails_cleanly(void **state)
{
    const struct demo_query costs = {
        .window = "7d", .aggregate = "namespace,pod", .include_idle = "true"};
    const struct demo_query refused = {.window = "foo"};
    (void)state;
    /* Sanitizers and valgrind bring their own allocators, which never fail. */
    if (!alloc_fault_supported() || failures_survived(&refused) == 0)
        skip();
    assert_true(failures_survived(&costs) > 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_that_finds_no_memory_fails_cleanly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
