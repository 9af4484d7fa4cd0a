/* SPDX-License-Identifier: Apache-2.0 */
/* Every allocation of the flight table fails once: whoever was told that it has joined is released
 * once, whoever was not is not, and the table goes on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "flight/flight.h"
#include "support/alloc_fault.h"

enum { REST_MS = 1000, WAITERS = 40 };

struct witness {
    struct flight_waiter waiter;
    enum flight_role role;
    int released;
};

static void released(struct flight_waiter *waiter, void *result, const struct error *error)
{
    (void)result, (void)error;
    CONTAINER_OF(waiter, struct witness, waiter)->released++;
}

/* Twenty keys, so that the hash table grows, with two waiters each. */
static void join_all(struct flight_table *table, struct witness witnesses[WAITERS], int64_t now_ms)
{
    char key[] = "key a";
    for (int i = 0; i < WAITERS; i++) {
        struct error error = {0};
        key[sizeof(key) - 2] = (char)('a' + i / 2);
        witnesses[i] = (struct witness){.waiter.released = released};
        witnesses[i].role = flight_join(table, key, &witnesses[i].waiter, now_ms, &error);
        if (witnesses[i].role == FLIGHT_NO_MEMORY)
            assert_int_equal(error.code, ERR_NO_MEMORY);
    }
}

static bool has_joined(const struct witness *witness)
{
    return witness->role == FLIGHT_LEAD || witness->role == FLIGHT_FOLLOW;
}

static void end_all(struct flight_table *table, const struct error *error, int64_t now_ms)
{
    char key[] = "key a";
    for (int i = 0; i < WAITERS / 2; i++) {
        key[sizeof(key) - 2] = (char)('a' + i);
        flight_end(table, key, NULL, error, now_ms);
    }
}

static void check_released(const struct witness witnesses[WAITERS])
{
    for (int i = 0; i < WAITERS; i++)
        assert_int_equal(witnesses[i].released, has_joined(&witnesses[i]) ? 1 : 0);
}

/* True when the allocation that was to fail was asked for. */
static bool fly(long nth)
{
    struct witness witnesses[WAITERS];
    struct error failure;
    (void)error_set(&failure, ERR_UPSTREAM_TIMEOUT, "too slow");
    alloc_fault_arm(nth);
    struct flight_table *table = flight_table_create(REST_MS);
    if (table == NULL) {
        alloc_fault_disarm();
        return true;
    }
    join_all(table, witnesses, 0);
    end_all(table, &failure, 0); /* their keys rest, as far as there is memory for it */
    check_released(witnesses);
    join_all(table, witnesses, 1);
    end_all(table, NULL, 1);
    check_released(witnesses);
    bool hit = alloc_fault_hit();
    alloc_fault_disarm();

    flight_forget_rested(table, REST_MS);
    join_all(table, witnesses, REST_MS);
    for (int i = 0; i < WAITERS; i++)
        assert_int_equal(witnesses[i].role, i % 2 == 0 ? FLIGHT_LEAD : FLIGHT_FOLLOW);
    flight_abort_all(table, &failure);
    check_released(witnesses);
    assert_int_equal(flight_count(table), 0);
    flight_table_destroy(table);
    return hit;
}

static void it_survives_any_failing_allocation(void **state)
{
    (void)state;
    if (!alloc_fault_supported())
        skip();
    long nth = 1;
    while (fly(nth))
        nth++;
    assert_true(nth > 2 * WAITERS / 2); /* a flight and a rest for each key at least */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_survives_any_failing_allocation),
    };
    return cmocka_run_group_tests_name("flight memory", tests, NULL, NULL);
}
