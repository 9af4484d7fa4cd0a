/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One fetch: its tries, its waits and its decoding.
 *
 * Threads: the loop thread only.
 */
#ifndef OPENCOST_FETCH_H
#define OPENCOST_FETCH_H

#include <stdbool.h>
#include <stdint.h>

#include "client_internal.h"
#include "fetch_body.h"

/*
 * The states, and what is under way in each:
 *
 *     QUEUED    waits for a slot                                       nothing
 *     REFUSED   the circuit opened before its turn came                 the timer
 *     TRYING    the answer is arriving and being decoded               transfer, perhaps a job
 *     DECODING  the transfer has ended, or was cancelled               a job
 *     WAITING   the try has failed; a pause before the next, or        the timer
 *               none before the end when the try could not even start
 *     DONE      `done` is being called
 *
 *     QUEUED --slot--> TRYING --transfer over--> DECODING --job over--> DONE
 *                       ^  |                        |
 *                       |  |(nothing to decode)     |(failed, worth another try)
 *                       |  +------> WAITING <-------+
 *                       +------timer---'
 *
 *     QUEUED --circuit opens--> REFUSED --timer--> DONE
 *     QUEUED --withdrawn--> gone, without `done`
 *
 * A stop leads from QUEUED, REFUSED, TRYING and WAITING to DONE at once if no job runs, else by
 * DECODING, whose end it waits for. A fetch keeps its slot from TRYING to DONE, also while it
 * waits: a broken OpenCost is asked at its own pace.
 */
enum fetch_state {
    FETCH_QUEUED,
    FETCH_REFUSED,
    FETCH_TRYING,
    FETCH_DECODING,
    FETCH_WAITING,
    FETCH_DONE
};

struct opencost_fetch {
    struct opencost_client *client;
    struct opencost_fetch *next, *previous;
    enum fetch_state state;
    char *window;
    char *url;
    bool include_idle;
    bool is_urgent;
    bool is_in_background;
    struct trace_context *trace; /* held; NULL: none */
    opencost_fetched_fn *done;
    void *context;
    struct loop_timer *timer;
    int64_t begun_ms;
    enum breaker_permit permit; /* a probe has one try */
    uint64_t query;             /* see client_query_of() */
    bool is_stopped;

    struct {
        int number; /* from 1 */
        int64_t begun_ms;
        struct transfer *transfer; /* NULL when over */
        struct fetch_body *body;
        bool is_paused;
        bool has_not_started; /* and `outcome` says why */
        struct transfer_outcome outcome;
        char excerpt[EXCERPT_MAX]; /* of an answer that is not 200 */
    } try;
};

/* A queued fetch, on the client's list. NULL only when out of memory. */
struct opencost_fetch *fetch_create(struct opencost_client *client,
                                    const struct opencost_query *query, opencost_fetched_fn *done,
                                    void *context, struct error *reterr) NODISCARD;

/* It has a slot. */
bool fetch_is_under_way(const struct opencost_fetch *fetch) NODISCARD;

/* Takes a slot and makes the first try. Calls nobody back. */
void fetch_begin(struct opencost_fetch *fetch);

/* The fetch alone. */
void fetch_leave_background(struct opencost_fetch *fetch);

/* Ends a queued fetch with `error`, soon: calls nobody back. */
void fetch_refuse(struct opencost_fetch *fetch, const struct error *error);

/* Ends it with ERR_SHUTDOWN, now or when its job ends. */
void fetch_stop(struct opencost_fetch *fetch);

/* The log lines; each says one thing that the contract names. */
void fetch_log_request(const struct opencost_fetch *fetch);
void fetch_log_withdrawal(const struct opencost_fetch *fetch);
void fetch_log_failed_try(const struct opencost_fetch *fetch, const struct error *error);
void fetch_log_success(const struct opencost_fetch *fetch, const struct cost_set *set);
void fetch_log_failure(const struct opencost_fetch *fetch, const struct error *error);

#endif
