/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "flight/flight.h"

enum { REST_MS = 1000, WAITERS = 5 };

struct witness {
    struct flight_waiter waiter;
    int released; /* how often */
    int order;    /* when, among all */
    void *result;
    struct error error;
    void (*then)(struct witness *witness); /* called when released */
    struct flight_table *table;
};

static int release_order;

static void released(struct flight_waiter *waiter, void *result, const struct error *error)
{
    struct witness *witness = CONTAINER_OF(waiter, struct witness, waiter);
    witness->released++;
    witness->order = ++release_order;
    witness->result = result;
    if (error != NULL)
        witness->error = *error;
    if (witness->then != NULL)
        witness->then(witness);
}

static int setup(void **state)
{
    release_order = 0;
    *state = flight_table_create(REST_MS);
    return *state == NULL;
}

static int teardown(void **state)
{
    flight_table_destroy(*state);
    return 0;
}

static enum flight_role join(struct flight_table *table, const char *key, struct witness *witness,
                             int64_t now_ms, struct error *reterr)
{
    witness->waiter.released = released;
    witness->table = table;
    return flight_join(table, key, &witness->waiter, now_ms, reterr);
}

static struct error failure(void)
{
    struct error error;
    (void)error_set(&error, ERR_UPSTREAM_TIMEOUT, "too slow");
    return error;
}

static void first_leads_the_others_follow_and_all_get_the_same_in_order(void **state)
{
    struct witness witnesses[WAITERS] = {0};
    int result = 0;
    for (int i = 0; i < WAITERS; i++)
        assert_int_equal(join(*state, "k", &witnesses[i], 0, NULL),
                         i == 0 ? FLIGHT_LEAD : FLIGHT_FOLLOW);
    assert_true(flight_is_open(*state, "k"));
    flight_end(*state, "k", &result, NULL, 0);
    for (int i = 0; i < WAITERS; i++) {
        assert_int_equal(witnesses[i].released, 1);
        assert_int_equal(witnesses[i].order, i + 1);
        assert_ptr_equal(witnesses[i].result, &result);
    }
    assert_false(flight_is_open(*state, "k"));
}

static void work_is_as_old_as_its_leader_s_joining(void **state)
{
    struct witness leader = {0};
    struct witness follower = {0};
    assert_int_equal(join(*state, "k", &leader, 100, NULL), FLIGHT_LEAD);
    assert_int_equal(join(*state, "k", &follower, 250, NULL), FLIGHT_FOLLOW);
    assert_int_equal(flight_begun_ms(&leader.waiter), 100);
    assert_int_equal(flight_begun_ms(&follower.waiter), 100);
    flight_end(*state, "k", NULL, NULL, 300);
    assert_int_equal(join(*state, "k", &leader, 400, NULL), FLIGHT_LEAD);
    assert_int_equal(flight_begun_ms(&leader.waiter), 400);
    flight_leave(&leader.waiter);
}

static void keys_fly_apart(void **state)
{
    struct witness a = {0};
    struct witness b = {0};
    assert_int_equal(join(*state, "a", &a, 0, NULL), FLIGHT_LEAD);
    assert_int_equal(join(*state, "b", &b, 0, NULL), FLIGHT_LEAD);
    assert_int_equal(flight_count(*state), 2);
    flight_end(*state, "a", *state, NULL, 0);
    assert_int_equal(a.released, 1);
    assert_int_equal(b.released, 0);
    flight_end(*state, "b", *state, NULL, 0);
}

static void success_leaves_the_key_free_at_once(void **state)
{
    struct witness first = {0};
    struct witness second = {0};
    assert_int_equal(join(*state, "k", &first, 0, NULL), FLIGHT_LEAD);
    flight_end(*state, "k", *state, NULL, 0);
    assert_int_equal(join(*state, "k", &second, 0, NULL), FLIGHT_LEAD);
    flight_end(*state, "k", *state, NULL, 0);
}

static void failed_key_rests_with_its_error(void **state)
{
    struct witness first = {0};
    struct witness second = {0};
    struct error error = failure();
    struct error remembered = {0};
    assert_int_equal(join(*state, "k", &first, 0, NULL), FLIGHT_LEAD);
    flight_end(*state, "k", NULL, &error, 5000);
    assert_int_equal(first.error.code, ERR_UPSTREAM_TIMEOUT);
    assert_int_equal(join(*state, "k", &second, 5000 + REST_MS - 1, &remembered), FLIGHT_RESTING);
    assert_int_equal(remembered.code, ERR_UPSTREAM_TIMEOUT);
    assert_string_equal(remembered.text, "too slow");
    assert_int_equal(second.released, 0);
    assert_int_equal(join(*state, "k", &second, 5000 + REST_MS, &remembered), FLIGHT_LEAD);
    flight_end(*state, "k", *state, NULL, 7000);
}

static void who_leaves_is_not_released_and_does_not_cancel_the_rest(void **state)
{
    struct witness leader = {0};
    struct witness follower = {0};
    assert_int_equal(join(*state, "k", &leader, 0, NULL), FLIGHT_LEAD);
    assert_int_equal(join(*state, "k", &follower, 0, NULL), FLIGHT_FOLLOW);
    flight_leave(&leader.waiter);
    flight_leave(&leader.waiter);
    assert_true(flight_is_open(*state, "k"));
    flight_end(*state, "k", *state, NULL, 0);
    assert_int_equal(leader.released, 0);
    assert_int_equal(follower.released, 1);
}

static void rejoin(struct witness *witness)
{
    struct error error;
    witness->then = NULL;
    assert_int_equal(flight_join(witness->table, "k", &witness->waiter, 0, &error), FLIGHT_LEAD);
}

static void released_waiter_may_join_the_same_key_again(void **state)
{
    struct witness first = {.then = rejoin};
    struct witness second = {0};
    assert_int_equal(join(*state, "k", &first, 0, NULL), FLIGHT_LEAD);
    assert_int_equal(join(*state, "k", &second, 0, NULL), FLIGHT_FOLLOW);
    flight_end(*state, "k", *state, NULL, 0);
    assert_int_equal(first.released, 1);
    assert_int_equal(second.released, 1);
    assert_true(flight_is_open(*state, "k"));
    flight_end(*state, "k", *state, NULL, 0);
    assert_int_equal(first.released, 2);
    assert_int_equal(second.released, 1);
}

static struct witness *deserter;

static void make_other_leave(struct witness *witness)
{
    (void)witness;
    flight_leave(&deserter->waiter);
}

static void waiter_may_make_another_leave_while_all_are_released(void **state)
{
    struct witness first = {.then = make_other_leave};
    struct witness second = {0};
    struct witness third = {0};
    deserter = &second;
    assert_int_equal(join(*state, "k", &first, 0, NULL), FLIGHT_LEAD);
    assert_int_equal(join(*state, "k", &second, 0, NULL), FLIGHT_FOLLOW);
    assert_int_equal(join(*state, "k", &third, 0, NULL), FLIGHT_FOLLOW);
    flight_end(*state, "k", *state, NULL, 0);
    assert_int_equal(second.released, 0);
    assert_int_equal(third.released, 1);
}

static void abort_releases_everybody_and_lets_no_key_rest(void **state)
{
    struct witness a = {0};
    struct witness b = {0};
    struct witness again = {0};
    struct error error = failure();
    assert_int_equal(join(*state, "a", &a, 0, NULL), FLIGHT_LEAD);
    assert_int_equal(join(*state, "b", &b, 0, NULL), FLIGHT_LEAD);
    flight_abort_all(*state, &error);
    assert_int_equal(a.released, 1);
    assert_int_equal(b.released, 1);
    assert_int_equal(flight_count(*state), 0);
    flight_end(*state, "a", NULL, &error, 0); /* the work of an aborted flight ends late */
    assert_int_equal(a.released, 1);
    assert_int_equal(join(*state, "a", &again, 0, NULL), FLIGHT_LEAD);
    flight_end(*state, "a", *state, NULL, 0);
}

static void rested_keys_are_forgotten(void **state)
{
    struct witness first = {0};
    struct error error = failure();
    assert_int_equal(join(*state, "k", &first, 0, NULL), FLIGHT_LEAD);
    flight_end(*state, "k", NULL, &error, 0);
    flight_forget_rested(*state, REST_MS - 1);
    assert_int_equal(join(*state, "k", &first, 0, &error), FLIGHT_RESTING);
    flight_forget_rested(*state, REST_MS);
    assert_int_equal(join(*state, "k", &first, 0, &error), FLIGHT_LEAD);
    flight_end(*state, "k", *state, NULL, 0);
}

static void keys_at_rest_are_bounded_however_many_fail(void **state)
{
    struct error error = failure();
    struct witness witness = {0};
    char key[32];
    int resting = 0;
    for (int i = 0; i < 5000; i++) {
        (void)snprintf(key, sizeof(key), "key %d", i);
        assert_int_equal(join(*state, key, &witness, 0, NULL), FLIGHT_LEAD);
        flight_end(*state, key, NULL, &error, 0);
    }
    for (int i = 0; i < 5000; i++) {
        (void)snprintf(key, sizeof(key), "key %d", i);
        if (join(*state, key, &witness, 0, NULL) == FLIGHT_RESTING)
            resting++;
        else
            flight_leave(&witness.waiter);
    }
    assert_in_range(resting, 1000, 1100);
}

/* A flight's work that counts how often it is told that nobody wants it, and may drop the
 * flight. */
struct worker {
    struct flight_work work;
    struct flight_table *table;
    const char *drops; /* a key, or NULL */
    int unwanted;
};

static void unwanted(struct flight_work *work)
{
    struct worker *worker = CONTAINER_OF(work, struct worker, work);
    worker->unwanted++;
    if (worker->drops != NULL)
        flight_drop(worker->table, worker->drops);
}

static void begin(struct flight_table *table, struct worker *worker, struct witness *witnesses,
                  int count)
{
    worker->work.unwanted = unwanted;
    worker->table = table;
    for (int i = 0; i < count; i++)
        (void)join(table, "k", &witnesses[i], 0, NULL);
    flight_set_work(table, "k", &worker->work);
    assert_ptr_equal(flight_work_of(&witnesses[0].waiter), &worker->work);
}

static void work_is_unwanted_when_the_last_gives_up(void **state)
{
    struct witness witnesses[3] = {0};
    struct worker worker = {.drops = "k"};
    begin(*state, &worker, witnesses, 3);
    flight_give_up(&witnesses[1].waiter);
    flight_give_up(&witnesses[0].waiter);
    flight_give_up(&witnesses[0].waiter);
    assert_int_equal(worker.unwanted, 0);
    flight_give_up(&witnesses[2].waiter);
    assert_int_equal(worker.unwanted, 1);
    for (int i = 0; i < 3; i++)
        assert_int_equal(witnesses[i].released, 0);
    /* The key is free, and does not rest. */
    assert_int_equal(flight_count(*state), 0);
    assert_int_equal(join(*state, "k", &witnesses[0], 0, NULL), FLIGHT_LEAD);
    assert_null(flight_work_of(&witnesses[0].waiter));
    flight_give_up(&witnesses[0].waiter);
    assert_int_equal(worker.unwanted, 1);
}

static void work_may_go_on_and_others_may_join_it(void **state)
{
    struct witness witnesses[2] = {0};
    struct worker worker = {0};
    int result = 0;
    begin(*state, &worker, witnesses, 1);
    flight_give_up(&witnesses[0].waiter);
    assert_int_equal(worker.unwanted, 1);
    assert_int_equal(join(*state, "k", &witnesses[1], 0, NULL), FLIGHT_FOLLOW);
    flight_end(*state, "k", &result, NULL, 0);
    assert_ptr_equal(witnesses[1].result, &result);
}

static void who_leaves_without_giving_up_keeps_it_wanted(void **state)
{
    struct witness witnesses[2] = {0};
    struct worker worker = {.drops = "k"};
    begin(*state, &worker, witnesses, 2);
    flight_leave(&witnesses[0].waiter);
    flight_give_up(&witnesses[1].waiter);
    assert_int_equal(worker.unwanted, 0);
    assert_true(flight_is_open(*state, "k"));
    flight_end(*state, "k", NULL, NULL, 0);
}

static void give_up_second(struct witness *witness)
{
    flight_give_up(&(witness + 1)->waiter);
}

static void work_that_has_ended_is_told_nothing(void **state)
{
    struct witness witnesses[2] = {{.then = give_up_second}};
    struct worker worker = {.drops = "k"};
    begin(*state, &worker, witnesses, 2);
    flight_end(*state, "k", NULL, NULL, 0);
    assert_int_equal(witnesses[0].released, 1);
    assert_int_equal(witnesses[1].released, 0);
    assert_int_equal(worker.unwanted, 0);

    struct error error = failure();
    begin(*state, &worker, witnesses, 2);
    flight_abort_all(*state, &error);
    assert_int_equal(worker.unwanted, 0);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(first_leads_the_others_follow_and_all_get_the_same_in_order),
        CASE(work_is_as_old_as_its_leader_s_joining),
        CASE(keys_fly_apart),
        CASE(success_leaves_the_key_free_at_once),
        CASE(failed_key_rests_with_its_error),
        CASE(who_leaves_is_not_released_and_does_not_cancel_the_rest),
        CASE(released_waiter_may_join_the_same_key_again),
        CASE(waiter_may_make_another_leave_while_all_are_released),
        CASE(abort_releases_everybody_and_lets_no_key_rest),
        CASE(rested_keys_are_forgotten),
        CASE(work_is_unwanted_when_the_last_gives_up),
        CASE(work_may_go_on_and_others_may_join_it),
        CASE(who_leaves_without_giving_up_keeps_it_wanted),
        CASE(work_that_has_ended_is_told_nothing),
        CASE(keys_at_rest_are_bounded_however_many_fail),
    };
    return cmocka_run_group_tests_name("flight", tests, NULL, NULL);
}
