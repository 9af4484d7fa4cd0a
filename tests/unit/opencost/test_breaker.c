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

/* A query; others are other numbers. */
enum { QUERY = 7 };

static void pass_and_note(struct breaker *breaker, enum breaker_outcome outcome, bool changes)
{
    assert_int_equal(breaker_ask(breaker, QUERY, NOW_MS), BREAKER_PASS);
    assert_int_equal(breaker_note(breaker, BREAKER_PASS, QUERY, outcome, NOW_MS), changes);
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
    assert_int_equal(breaker_ask(breaker, QUERY, now_ms), BREAKER_REFUSED);
    assert_int_equal(breaker_probe_in_ms(breaker, now_ms), wait_ms);
    assert_int_equal(breaker_ask(breaker, QUERY, now_ms + wait_ms - 1), BREAKER_REFUSED);
    assert_int_equal(breaker_ask(breaker, QUERY, now_ms + wait_ms), BREAKER_PROBE);
    assert_int_equal(breaker_ask(breaker, QUERY, now_ms + wait_ms), BREAKER_REFUSED);
    assert_int_equal(breaker_probe_in_ms(breaker, now_ms + wait_ms), 0);
    return now_ms + wait_ms;
}

static void five_failures_in_a_row_open_it(void **state)
{
    struct breaker breaker = open_breaker();
    (void)state;
    assert_int_equal(breaker.state, BREAKER_OPEN);
    assert_int_equal(breaker.failures, 5);
    assert_int_equal(breaker_ask(&breaker, QUERY, NOW_MS), BREAKER_REFUSED);
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
        assert_false(breaker_note(&breaker, BREAKER_PROBE, QUERY, BREAKER_FAILURE, now_ms));
    }
}

static void a_probe_that_succeeds_closes_it_and_the_next_outage_begins_anew(void **state)
{
    struct breaker breaker = open_breaker();
    (void)state;
    int64_t now_ms = probe_after(&breaker, NOW_MS, BREAKER_WAIT_MS);
    assert_false(breaker_note(&breaker, BREAKER_PROBE, QUERY, BREAKER_FAILURE, now_ms));
    now_ms = probe_after(&breaker, now_ms, 2 * BREAKER_WAIT_MS);
    assert_true(breaker_note(&breaker, BREAKER_PROBE, QUERY, BREAKER_SUCCESS, now_ms));
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
    assert_false(breaker_note(&breaker, BREAKER_PROBE, QUERY, BREAKER_NO_VERDICT, now_ms));
    assert_int_equal(breaker_ask(&breaker, QUERY, now_ms), BREAKER_PROBE);
    assert_int_equal(breaker_ask(&breaker, QUERY, now_ms), BREAKER_REFUSED);
}

static void what_was_begun_before_it_opened_may_close_it_but_lengthens_no_wait(void **state)
{
    struct breaker breaker = open_breaker();
    (void)state;
    assert_false(breaker_note(&breaker, BREAKER_PASS, QUERY, BREAKER_FAILURE, NOW_MS + 5000));
    assert_int_equal(breaker_probe_in_ms(&breaker, NOW_MS + 5000), BREAKER_WAIT_MS - 5000);

    int64_t now_ms = probe_after(&breaker, NOW_MS, BREAKER_WAIT_MS);
    assert_false(breaker_note(&breaker, BREAKER_PASS, QUERY, BREAKER_FAILURE, now_ms));
    assert_int_equal(breaker.state, BREAKER_PROBING);
    assert_true(breaker_note(&breaker, BREAKER_PASS, QUERY, BREAKER_SUCCESS, now_ms));
    assert_int_equal(breaker_ask(&breaker, QUERY, now_ms), BREAKER_PASS);

    /* The probe that is still under way is one failure like another then. */
    assert_false(breaker_note(&breaker, BREAKER_PROBE, QUERY, BREAKER_FAILURE, now_ms));
    assert_int_equal(breaker.failures, 1);
    assert_int_equal(breaker.state, BREAKER_CLOSED);
}

static void being_seen_spares_the_wait_of_an_open_one_only(void **state)
{
    struct breaker breaker = {0};
    (void)state;
    breaker_probe_now(&breaker, NOW_MS);
    assert_int_equal(breaker_ask(&breaker, QUERY, NOW_MS), BREAKER_PASS);

    breaker = open_breaker();
    breaker_probe_now(&breaker, NOW_MS + 1);
    assert_int_equal(breaker_ask(&breaker, QUERY, NOW_MS + 1), BREAKER_PROBE);
    breaker_probe_now(&breaker, NOW_MS + 2);
    assert_int_equal(breaker_ask(&breaker, QUERY, NOW_MS + 2), BREAKER_REFUSED);
    assert_false(breaker_note(&breaker, BREAKER_PROBE, QUERY, BREAKER_FAILURE, NOW_MS + 3));
    (void)probe_after(&breaker, NOW_MS + 3, 2 * BREAKER_WAIT_MS);
}

/* A failure of `query` that may be its own doing, while the circuit is closed. */
static void fail_query(struct breaker *breaker, uint64_t query, bool opens)
{
    assert_int_equal(breaker_ask(breaker, query, NOW_MS), BREAKER_PASS);
    assert_int_equal(breaker_note(breaker, BREAKER_PASS, query, BREAKER_QUERY_FAILURE, NOW_MS),
                     opens);
}

/* By two queries that may be to blame. */
static struct breaker open_by_queries(void)
{
    struct breaker breaker = {0};
    for (int i = 1; i <= BREAKER_FAILURES; i++)
        fail_query(&breaker, i % 2 == 0 ? 1 : 2, i == BREAKER_FAILURES);
    return breaker;
}

static void one_query_that_fails_opens_it_never_another_beside_it_does(void **state)
{
    struct breaker breaker = {0};
    (void)state;
    for (int i = 0; i < 10 * BREAKER_FAILURES; i++)
        fail_query(&breaker, QUERY, false);
    fail_query(&breaker, QUERY + 1, true);
}

static void few_failures_do_not_open_it_however_many_queries_they_are_of(void **state)
{
    struct breaker breaker = {0};
    (void)state;
    for (uint64_t i = 1; i < BREAKER_FAILURES; i++)
        fail_query(&breaker, i, false);
    fail_query(&breaker, 1, true);
}

static void of_one_query_only_failures_without_blame_add_up_to_opening(void **state)
{
    struct breaker breaker = {0};
    (void)state;
    for (int i = 1; i <= BREAKER_FAILURES; i++) {
        fail_query(&breaker, QUERY, false);
        pass_and_note(&breaker, BREAKER_FAILURE, i == BREAKER_FAILURES);
    }
}

static void a_success_clears_all_queries_of_suspicion(void **state)
{
    struct breaker breaker = {0};
    (void)state;
    for (int round = 0; round < 3; round++) {
        for (uint64_t i = 1; i < BREAKER_FAILURES; i++)
            fail_query(&breaker, i, false);
        pass_and_note(&breaker, BREAKER_SUCCESS, false);
    }
    for (int i = 0; i < BREAKER_FAILURES; i++)
        fail_query(&breaker, QUERY, false);
}

static void a_query_that_has_not_failed_goes_before_its_time_alone(void **state)
{
    struct breaker breaker = open_by_queries();
    (void)state;
    assert_int_equal(breaker_ask(&breaker, 1, NOW_MS), BREAKER_REFUSED);
    assert_int_equal(breaker_ask(&breaker, 2, NOW_MS), BREAKER_REFUSED);
    assert_int_equal(breaker_ask(&breaker, QUERY, NOW_MS), BREAKER_PROBE);
    assert_int_equal(breaker_ask(&breaker, QUERY + 1, NOW_MS), BREAKER_REFUSED);
    assert_true(breaker_note(&breaker, BREAKER_PROBE, QUERY, BREAKER_SUCCESS, NOW_MS));
    assert_int_equal(breaker_ask(&breaker, 1, NOW_MS), BREAKER_PASS);
}

static void early_probes_lengthen_no_wait_and_come_to_an_end(void **state)
{
    struct breaker breaker = open_by_queries();
    (void)state;
    for (uint64_t query = 3; query <= BREAKER_QUERIES_MAX; query++) {
        assert_int_equal(breaker_ask(&breaker, query, NOW_MS + 1000), BREAKER_PROBE);
        assert_false(
            breaker_note(&breaker, BREAKER_PROBE, query, BREAKER_QUERY_FAILURE, NOW_MS + 2000));
        assert_int_equal(breaker_ask(&breaker, query, NOW_MS + 2000), BREAKER_REFUSED);
    }
    assert_int_equal(breaker.failures, BREAKER_FAILURES + BREAKER_QUERIES_MAX - 2);
    /* Too many have failed: a window more or less says nothing any more. */
    assert_int_equal(breaker_ask(&breaker, 99, NOW_MS + 2000), BREAKER_REFUSED);
    (void)probe_after(&breaker, NOW_MS + 2000, BREAKER_WAIT_MS - 2000);
    assert_false(
        breaker_note(&breaker, BREAKER_PROBE, QUERY, BREAKER_QUERY_FAILURE, NOW_MS + 10000));
    (void)probe_after(&breaker, NOW_MS + 10000, 2 * BREAKER_WAIT_MS);
}

static void an_early_probe_that_cannot_be_blamed_is_one_like_another(void **state)
{
    struct breaker breaker = open_by_queries();
    (void)state;
    assert_int_equal(breaker_ask(&breaker, QUERY, NOW_MS), BREAKER_PROBE);
    assert_false(breaker_note(&breaker, BREAKER_PROBE, QUERY, BREAKER_FAILURE, NOW_MS));
    assert_int_equal(breaker_ask(&breaker, 99, NOW_MS), BREAKER_REFUSED);
    (void)probe_after(&breaker, NOW_MS, 2 * BREAKER_WAIT_MS);
}

static void an_early_probe_without_verdict_leaves_the_wait_as_it_was(void **state)
{
    struct breaker breaker = open_by_queries();
    (void)state;
    assert_int_equal(breaker_ask(&breaker, QUERY, NOW_MS), BREAKER_PROBE);
    assert_false(breaker_note(&breaker, BREAKER_PROBE, QUERY, BREAKER_NO_VERDICT, NOW_MS + 1));
    assert_int_equal(breaker_probe_in_ms(&breaker, NOW_MS + 1), BREAKER_WAIT_MS - 1);
    assert_int_equal(breaker_ask(&breaker, 1, NOW_MS + 1), BREAKER_REFUSED);
    assert_int_equal(breaker_ask(&breaker, QUERY, NOW_MS + 1), BREAKER_PROBE);
}

static void nobody_goes_early_where_no_query_is_to_blame(void **state)
{
    struct breaker breaker = open_breaker();
    (void)state;
    assert_int_equal(breaker_ask(&breaker, QUERY + 1, NOW_MS), BREAKER_REFUSED);
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
        cmocka_unit_test(one_query_that_fails_opens_it_never_another_beside_it_does),
        cmocka_unit_test(few_failures_do_not_open_it_however_many_queries_they_are_of),
        cmocka_unit_test(of_one_query_only_failures_without_blame_add_up_to_opening),
        cmocka_unit_test(a_success_clears_all_queries_of_suspicion),
        cmocka_unit_test(a_query_that_has_not_failed_goes_before_its_time_alone),
        cmocka_unit_test(early_probes_lengthen_no_wait_and_come_to_an_end),
        cmocka_unit_test(an_early_probe_that_cannot_be_blamed_is_one_like_another),
        cmocka_unit_test(an_early_probe_without_verdict_leaves_the_wait_as_it_was),
        cmocka_unit_test(nobody_goes_early_where_no_query_is_to_blame),
    };
    return cmocka_run_group_tests_name("breaker", tests, NULL, NULL);
}
