/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/attrs.h"
#include "breaker.h"

/* Some moment: none of the waits begins at 0. */
enum { NOW_MS = 1234567 };

static void pass_and_note(struct breaker *breaker, enum breaker_outcome outcome, bool changes)
{
    assert_int_equal(breaker_ask(breaker, NOW_MS), BREAKER_PASS);
    assert_int_equal(breaker_note(breaker, BREAKER_PASS, outcome, NOW_MS), changes);
}

static struct breaker open_breaker(void)
{
    struct breaker breaker = {0};
    for (int i = 1; i <= BREAKER_FAILURES; i++)
        pass_and_note(&breaker, BREAKER_FAILURE, i == BREAKER_FAILURES);
    return breaker;
}

/* The next probe goes after this wait and not a millisecond earlier, alone. Returns when. */
static int64_t probe_after(struct breaker *breaker, int64_t now_ms, int64_t wait_ms)
{
    assert_int_equal(breaker_ask(breaker, now_ms), BREAKER_REFUSED);
    assert_int_equal(breaker_probe_in_ms(breaker, now_ms), wait_ms);
    assert_int_equal(breaker_ask(breaker, now_ms + wait_ms - 1), BREAKER_REFUSED);
    assert_int_equal(breaker_ask(breaker, now_ms + wait_ms), BREAKER_PROBE);
    assert_int_equal(breaker_ask(breaker, now_ms + wait_ms), BREAKER_REFUSED);
    assert_int_equal(breaker_probe_in_ms(breaker, now_ms + wait_ms), 0);
    return now_ms + wait_ms;
}

static void five_failures_in_a_row_open_it(void **state)
{
    struct breaker breaker = open_breaker();
    (void)state;
    assert_int_equal(breaker.state, BREAKER_OPEN);
    assert_int_equal(breaker.failures, 5);
    assert_int_equal(breaker_ask(&breaker, NOW_MS), BREAKER_REFUSED);
}

static void a_success_among_them_starts_the_count_anew(void **state)
{
    struct breaker breaker = {0};
    (void)state;
    for (int round = 0; round < 3; round++) {
        for (int i = 1; i < BREAKER_FAILURES; i++)
            pass_and_note(&breaker, BREAKER_FAILURE, false);
        pass_and_note(&breaker, BREAKER_SUCCESS, false);
    }
    assert_int_equal(breaker.state, BREAKER_CLOSED);
}

static void what_says_nothing_neither_counts_nor_breaks_the_row(void **state)
{
    struct breaker breaker = {0};
    (void)state;
    for (int i = 1; i <= BREAKER_FAILURES; i++) {
        pass_and_note(&breaker, BREAKER_NO_VERDICT, false);
        pass_and_note(&breaker, BREAKER_FAILURE, i == BREAKER_FAILURES);
    }
}

static void waits_double_up_to_a_minute_while_probes_fail(void **state)
{
    static const int64_t waits_ms[] = {10000, 20000, 40000, 60000, 60000};
    struct breaker breaker = open_breaker();
    int64_t now_ms = NOW_MS;
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(waits_ms); i++) {
        now_ms = probe_after(&breaker, now_ms, waits_ms[i]);
        now_ms += 777; /* the probe's own time does not count as waiting */
        assert_false(breaker_note(&breaker, BREAKER_PROBE, BREAKER_FAILURE, now_ms));
    }
}

static void a_probe_that_succeeds_closes_it_and_the_next_outage_begins_anew(void **state)
{
    struct breaker breaker = open_breaker();
    (void)state;
    int64_t now_ms = probe_after(&breaker, NOW_MS, BREAKER_WAIT_MS);
    assert_false(breaker_note(&breaker, BREAKER_PROBE, BREAKER_FAILURE, now_ms));
    now_ms = probe_after(&breaker, now_ms, 2 * BREAKER_WAIT_MS);
    assert_true(breaker_note(&breaker, BREAKER_PROBE, BREAKER_SUCCESS, now_ms));
    assert_int_equal(breaker.state, BREAKER_CLOSED);
    for (int i = 1; i <= BREAKER_FAILURES; i++)
        pass_and_note(&breaker, BREAKER_FAILURE, i == BREAKER_FAILURES);
    (void)probe_after(&breaker, NOW_MS, BREAKER_WAIT_MS);
}

static void a_probe_without_verdict_lets_another_go_at_once(void **state)
{
    struct breaker breaker = open_breaker();
    (void)state;
    int64_t now_ms = probe_after(&breaker, NOW_MS, BREAKER_WAIT_MS);
    assert_false(breaker_note(&breaker, BREAKER_PROBE, BREAKER_NO_VERDICT, now_ms));
    assert_int_equal(breaker_ask(&breaker, now_ms), BREAKER_PROBE);
    assert_int_equal(breaker_ask(&breaker, now_ms), BREAKER_REFUSED);
}

static void what_was_begun_before_it_opened_may_close_it_but_lengthens_no_wait(void **state)
{
    struct breaker breaker = open_breaker();
    (void)state;
    assert_false(breaker_note(&breaker, BREAKER_PASS, BREAKER_FAILURE, NOW_MS + 5000));
    assert_int_equal(breaker_probe_in_ms(&breaker, NOW_MS + 5000), BREAKER_WAIT_MS - 5000);

    int64_t now_ms = probe_after(&breaker, NOW_MS, BREAKER_WAIT_MS);
    assert_false(breaker_note(&breaker, BREAKER_PASS, BREAKER_FAILURE, now_ms));
    assert_int_equal(breaker.state, BREAKER_PROBING);
    assert_true(breaker_note(&breaker, BREAKER_PASS, BREAKER_SUCCESS, now_ms));
    assert_int_equal(breaker_ask(&breaker, now_ms), BREAKER_PASS);

    /* The probe that is still under way is one failure like another then. */
    assert_false(breaker_note(&breaker, BREAKER_PROBE, BREAKER_FAILURE, now_ms));
    assert_int_equal(breaker.failures, 1);
    assert_int_equal(breaker.state, BREAKER_CLOSED);
}

static void being_seen_spares_the_wait_of_an_open_one_only(void **state)
{
    struct breaker breaker = {0};
    (void)state;
    breaker_probe_now(&breaker, NOW_MS);
    assert_int_equal(breaker_ask(&breaker, NOW_MS), BREAKER_PASS);

    breaker = open_breaker();
    breaker_probe_now(&breaker, NOW_MS + 1);
    assert_int_equal(breaker_ask(&breaker, NOW_MS + 1), BREAKER_PROBE);
    breaker_probe_now(&breaker, NOW_MS + 2);
    assert_int_equal(breaker_ask(&breaker, NOW_MS + 2), BREAKER_REFUSED);
    assert_false(breaker_note(&breaker, BREAKER_PROBE, BREAKER_FAILURE, NOW_MS + 3));
    (void)probe_after(&breaker, NOW_MS + 3, 2 * BREAKER_WAIT_MS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(five_failures_in_a_row_open_it),
        cmocka_unit_test(a_success_among_them_starts_the_count_anew),
        cmocka_unit_test(what_says_nothing_neither_counts_nor_breaks_the_row),
        cmocka_unit_test(waits_double_up_to_a_minute_while_probes_fail),
        cmocka_unit_test(a_probe_that_succeeds_closes_it_and_the_next_outage_begins_anew),
        cmocka_unit_test(a_probe_without_verdict_lets_another_go_at_once),
        cmocka_unit_test(what_was_begun_before_it_opened_may_close_it_but_lengthens_no_wait),
        cmocka_unit_test(being_seen_spares_the_wait_of_an_open_one_only),
    };
    return cmocka_run_group_tests_name("breaker", tests, NULL, NULL);
}
