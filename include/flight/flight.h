/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Single flight: at most one piece of work per key under way, however many wait for it.
 *
 * The first to join a key leads: it starts the work and says flight_end() when it is done, well or
 * badly. The others follow. Everyone who joined gets the same outcome, the leader's waiter first,
 * in the order of joining.
 *
 * A waiter is in one of two states, and passes from one to the other exactly once:
 *
 *     waiting -> released
 *
 * by the first of flight_end() of its key, flight_leave(), flight_give_up() and flight_abort_all().
 * A leader that leaves does not cancel the work: followers may be waiting, and the result is worth
 * keeping. Only when the last one gives up, and none has left who counts on the work all the same,
 * is whoever does it told that it is not wanted.
 *
 * A key whose work failed rests for `rest_ms`: until then joining it is refused with the error it
 * failed with, so that a broken origin is asked at its own pace and not at the clients'.
 *
 * The table is passive: no thread, no clock, no allocation of waiters (they are embedded in the
 * caller's own structs).
 *
 * Threads: the loop thread only. (Misses reach it through its inbox; hits never come here. One
 * thread means no lock, and a release that can race with nothing.)
 */
#ifndef FLIGHT_FLIGHT_H
#define FLIGHT_FLIGHT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attrs.h"
#include "base/error.h"

struct flight_table;

/* Zero-initialise; the table owns the fields while the waiter waits. */
struct flight_waiter {
    struct flight_waiter *next, *previous;
    struct flight *flight; /* NULL when not waiting */

    /* Called once, when released by flight_end() or flight_abort_all(); not by flight_leave().
     * `result` is borrowed for the call (NULL on failure), `error` is NULL on success. May join
     * again, also the same key. */
    void (*released)(struct flight_waiter *waiter, void *result, const struct error *error);
};

/* The work of a flight, embedded in what does it. */
struct flight_work {
    /* Nobody waits for it any more. May end the flight, with flight_drop(), or go on. */
    void (*unwanted)(struct flight_work *work);
};

enum flight_role {
    FLIGHT_LEAD,      /* joined; the caller must start the work */
    FLIGHT_FOLLOW,    /* joined; someone else's work will release the waiter */
    FLIGHT_RESTING,   /* not joined: the last work failed a moment ago; *reterr has its error */
    FLIGHT_NO_MEMORY, /* not joined; *reterr says so */
};

struct flight_table *flight_table_create(int64_t rest_ms) NODISCARD;

/* Accepts NULL. Nobody may be waiting any more: call flight_abort_all() first. */
void flight_table_destroy(struct flight_table *table);

/* `now_ms` is monotonic. `released` must be set. Never calls `released` itself. */
enum flight_role flight_join(struct flight_table *table, const char *key,
                             struct flight_waiter *waiter, int64_t now_ms,
                             struct error *reterr) NODISCARD;

/* Makes known who does the work, for flight_work_of() and `unwanted`, until the flight ends. */
void flight_set_work(struct flight_table *table, const char *key, struct flight_work *work);

/* Of what the waiter waits for; NULL when it was not made known. */
struct flight_work *flight_work_of(const struct flight_waiter *waiter) NODISCARD;

/* The waiter does not wait any more, but the work is to go on. Accepts one that does not wait. */
void flight_leave(struct flight_waiter *waiter);

/* The waiter has no use for the work any more. Accepts one that does not wait. May call
 * `unwanted`. */
void flight_give_up(struct flight_waiter *waiter);

/* Ends the work of `key` and releases all who joined before this call; `result` (borrowed) or
 * `error`, one of them NULL. An error makes the key rest. A key without a flight is accepted (its
 * flight was aborted). */
void flight_end(struct flight_table *table, const char *key, void *result,
                const struct error *error, int64_t now_ms);

/* Ends a flight that nobody waits in: its work was given up. */
void flight_drop(struct flight_table *table, const char *key);

/* Releases everybody with `error`; the keys do not rest. The leaders cancel the work itself. */
void flight_abort_all(struct flight_table *table, const struct error *error);

/* When the work began that the waiter waits for: when its leader joined. */
int64_t flight_begun_ms(const struct flight_waiter *waiter) NODISCARD;

/* True while work for the key is under way. */
bool flight_is_open(const struct flight_table *table, const char *key) NODISCARD;

/* Keys with work under way, resting keys not counted. */
size_t flight_count(const struct flight_table *table) NODISCARD;

/* Forgets keys whose rest is over. Call now and then: a rested key nobody asks for again would stay
 * otherwise. */
void flight_forget_rested(struct flight_table *table, int64_t now_ms);

#endif
