/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h needs those above */
#include <cmocka.h>
#include <sched.h>

#include "cpus.h"

static void a_quota_counts_up_to_whole_cpus(void **state)
{
    static const struct {
        const char *text;
        unsigned cpus;
    } cases[] = {
        {"100000 100000\n", 1},
        {"150000 100000\n", 2},
        {"1000 100000", 1}, /* a hundredth of one */
        {"800000 100000\n", 8},
        {"50000 50000", 1},
        {"max 100000\n", 0},
        {"-1 100000", 0}, /* cgroup v1 without a quota */
        {"0 100000", 0},
        {"100000 0", 0},
        {"100000", 0},
        {"100000 -5", 0},
        {"", 0},
        {"words", 0},
        {"9223372036854775807 1", 0}, /* more CPUs than there are numbers for */
        {"99999999999999999999999 99999999999999999999999", 1},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        if (cpus_of_cpu_max(cases[i].text) != cases[i].cpus)
            fail_msg("\"%s\" gave %u", cases[i].text, cpus_of_cpu_max(cases[i].text));
    }
}

static void no_more_cpus_are_used_than_the_process_may_run_on(void **state)
{
    cpu_set_t all, one;
    (void)state;
    assert_int_equal(sched_getaffinity(0, sizeof(all), &all), 0);
    unsigned cpus = usable_cpus();
    assert_in_range(cpus, 1, (unsigned)CPU_COUNT(&all));

    size_t first = 0;
    while (!CPU_ISSET(first, &all))
        first++;
    CPU_ZERO(&one);
    CPU_SET(first, &one);
    assert_int_equal(sched_setaffinity(0, sizeof(one), &one), 0);
    assert_int_equal(usable_cpus(), 1);
    assert_int_equal(sched_setaffinity(0, sizeof(all), &all), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_quota_counts_up_to_whole_cpus),
        cmocka_unit_test(no_more_cpus_are_used_than_the_process_may_run_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
