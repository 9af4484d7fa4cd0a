/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two tables by key: the flights under way, each with its waiters in the order of joining, and the
 * keys at rest.
 *
 * The analyzer takes what uthash's macros remove from a table for being reachable still; NOLINT
 * marks those places.
 *
 * Releasing runs callbacks that may join, leave or end anything. So a flight leaves the table
 * before its first waiter is released, and waiters are taken from its list one at a time: whoever
 * leaves meanwhile leaves that list.
 */
#include "flight/flight.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define HASH_NONFATAL_OOM      1
#define uthash_nonfatal_oom(e) ((void)(e))
#include <uthash.h>
#include <utlist.h>

struct flight {
    UT_hash_handle hh;
    struct flight_waiter *waiters; /* first joined first */
    struct flight_work *work;      /* NULL: not known, or over */
    bool is_kept;                  /* somebody left who counts on it */
    int64_t begun_ms;
    char key[];
};

struct rest {
    UT_hash_handle hh;
    int64_t until_ms;
    struct error error;
    char key[];
};

struct flight_table {
    int64_t rest_ms;
    struct flight *flights;
    struct rest *rests;
};

struct flight_table *flight_table_create(int64_t rest_ms)
{
    struct flight_table *table = calloc(1, sizeof(*table));
    if (table != NULL)
        table->rest_ms = rest_ms;
    return table;
}

static void rest_remove(struct flight_table *table, struct rest *rest)
{
    HASH_DEL(table->rests, rest); /* NOLINT(clang-analyzer-unix.Malloc) */
    free(rest);
}

void flight_table_destroy(struct flight_table *table)
{
    if (table == NULL)
        return;
    struct rest *rest = NULL;
    struct rest *next_rest = NULL;
    HASH_ITER(hh, table->rests, rest, next_rest)
    {
        rest_remove(table, rest);
    }
    struct flight *flight = NULL;
    struct flight *next_flight = NULL;
    HASH_ITER(hh, table->flights, flight, next_flight)
    {
        HASH_DEL(table->flights, flight); /* NOLINT(clang-analyzer-unix.Malloc) */
        free(flight);
    }
    free(table);
}

/* True, with the error the key failed with, while it rests. */
static bool is_resting(struct flight_table *table, const char *key, int64_t now_ms,
                       struct error *reterr)
{
    struct rest *rest = NULL;
    HASH_FIND_STR(table->rests, key, rest);
    if (rest == NULL)
        return false;
    if (now_ms >= rest->until_ms) {
        rest_remove(table, rest);
        return false;
    }
    if (reterr != NULL)
        *reterr = rest->error;
    return true;
}

static struct flight *flight_open(struct flight_table *table, const char *key)
{
    size_t length = strlen(key);
    struct flight *flight = calloc(1, sizeof(*flight) + length + 1);
    if (flight == NULL)
        return NULL;
    memcpy(flight->key, key, length + 1);
    HASH_ADD_STR(table->flights, key, flight);
    if (flight->hh.tbl == NULL) {
        free(flight);
        return NULL;
    }
    return flight;
}

enum flight_role flight_join(struct flight_table *table, const char *key,
                             struct flight_waiter *waiter, int64_t now_ms, struct error *reterr)
{
    enum flight_role role = FLIGHT_FOLLOW;
    struct flight *flight = NULL;
    HASH_FIND_STR(table->flights, key, flight);
    if (flight == NULL) {
        if (is_resting(table, key, now_ms, reterr))
            return FLIGHT_RESTING;
        flight = flight_open(table, key);
        if (flight == NULL) {
            (void)error_no_memory(reterr);
            return FLIGHT_NO_MEMORY;
        }
        flight->begun_ms = now_ms;
        role = FLIGHT_LEAD;
    }
    waiter->flight = flight;
    DL_APPEND2(flight->waiters, waiter, previous, next);
    return role;
}

static struct flight *find(const struct flight_table *table, const char *key)
{
    struct flight *flight = NULL;
    HASH_FIND_STR(table->flights, key, flight);
    return flight;
}

void flight_set_work(struct flight_table *table, const char *key, struct flight_work *work)
{
    struct flight *flight = find(table, key);
    if (flight != NULL)
        flight->work = work;
}

struct flight_work *flight_work_of(const struct flight_waiter *waiter)
{
    return waiter->flight->work;
}

/* Returns the flight it was in, or NULL. */
static struct flight *take_out(struct flight_waiter *waiter)
{
    struct flight *flight = waiter->flight;
    if (flight != NULL)
        DL_DELETE2(flight->waiters, waiter, previous, next);
    waiter->flight = NULL;
    return flight;
}

void flight_leave(struct flight_waiter *waiter)
{
    struct flight *flight = take_out(waiter);
    if (flight != NULL)
        flight->is_kept = true;
}

/* `unwanted` comes last: the flight may be gone behind it. */
void flight_give_up(struct flight_waiter *waiter)
{
    struct flight *flight = take_out(waiter);
    if (flight != NULL && flight->waiters == NULL && !flight->is_kept && flight->work != NULL)
        flight->work->unwanted(flight->work);
}

/* Takes the flight, which is in no table any more. Its work is over, or its leader's to cancel. */
static void release_all(struct flight *flight, void *result, const struct error *error)
{
    flight->work = NULL;
    while (flight->waiters != NULL) {
        struct flight_waiter *waiter = flight->waiters;
        (void)take_out(waiter);
        waiter->released(waiter, result, error);
    }
    free(flight);
}

/* Keys may be any number of strangers' windows, all asked within one rest: those beyond this do not
 * rest. */
enum { RESTS_MAX = 1024 };

/* Without memory or room the key simply does not rest. */
static void rest_add(struct flight_table *table, const char *key, const struct error *error,
                     int64_t now_ms)
{
    if (HASH_COUNT(table->rests) >= RESTS_MAX)
        flight_forget_rested(table, now_ms);
    if (HASH_COUNT(table->rests) >= RESTS_MAX) /* NOLINT(clang-analyzer-unix.Malloc) */
        return;
    size_t length = strlen(key);
    struct rest *rest = calloc(1, sizeof(*rest) + length + 1);
    if (rest == NULL)
        return;
    memcpy(rest->key, key, length + 1);
    rest->until_ms = now_ms + table->rest_ms;
    rest->error = *error;
    HASH_ADD_STR(table->rests, key, rest);
    if (rest->hh.tbl == NULL)
        free(rest);
}

void flight_end(struct flight_table *table, const char *key, void *result,
                const struct error *error, int64_t now_ms)
{
    struct flight *flight = find(table, key);
    if (flight == NULL)
        return;
    HASH_DEL(table->flights, flight);
    if (error != NULL && table->rest_ms > 0)
        rest_add(table, flight->key, error, now_ms);
    release_all(flight, result, error);
}

void flight_drop(struct flight_table *table, const char *key)
{
    struct flight *flight = find(table, key);
    assert(flight != NULL && flight->waiters == NULL);
    HASH_DEL(table->flights, flight); /* NOLINT(clang-analyzer-unix.Malloc) */
    free(flight);
}

void flight_abort_all(struct flight_table *table, const struct error *error)
{
    while (table->flights != NULL) {
        struct flight *flight = table->flights;
        HASH_DEL(table->flights, flight); /* NOLINT(clang-analyzer-unix.Malloc) */
        release_all(flight, NULL, error);
    }
}

int64_t flight_begun_ms(const struct flight_waiter *waiter)
{
    return waiter->flight->begun_ms;
}

bool flight_is_open(const struct flight_table *table, const char *key)
{
    return find(table, key) != NULL;
}

size_t flight_count(const struct flight_table *table)
{
    return HASH_COUNT(table->flights);
}

void flight_forget_rested(struct flight_table *table, int64_t now_ms)
{
    struct rest *rest = NULL;
    struct rest *next = NULL;
    HASH_ITER(hh, table->rests, rest, next)
    {
        if (now_ms >= rest->until_ms)
            rest_remove(table, rest);
    }
}
