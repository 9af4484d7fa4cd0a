/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Asks OpenCost: one fetch is one query with its tries, its waits and its decoding.
 *
 * A try that fails in a way that may pass (connection and transport faults, timeouts, 408, 429,
 * 5xx, bodies that do not parse) is repeated: up to `tries` tries in all, with waits of 1, 2, 4 ...
 * times `retry_wait_ms`, at most `retry_wait_max_ms`, none after the last. A 429 or 503 with
 * Retry-After waits that long instead, up to the same maximum. Other 4xx are not retried. At most
 * `max_in_flight` allocation queries are under way at once; further ones queue in the order they
 * came (health checks do not queue). Urgent ones, which keep the cache warm, need not wait for the
 * others: the next slot is theirs, unless one of them has a slot already. So no number of other
 * queries holds them up, and they do not take all slots from the others.
 *
 * After five fetches in a row that failed, each after all its tries, the circuit is open: fetches,
 * the queued ones included, fail at once with ERR_UPSTREAM_UNAVAILABLE. Ten seconds later one at a
 * time goes through, as a probe with a single try; while probes fail, the waits between them double
 * up to a minute. Any success closes the circuit. That OpenCost cannot be reached, TLS, 401, 404
 * and redirects count whatever was asked. A time-out, a 5xx or a broken body may be one window's
 * doing: such failures open it only if they are of two queries at least, and while there is nothing
 * worse, up to eight different queries may be tried as probes, one at a time, before the wait is
 * over. A 400 and an answer too large for us do not count.
 *
 * Bodies are decoded on job threads while they arrive; a transfer that runs ahead of the decoder is
 * paused. A fetch in the background, which no client waits for, is read at leisure: its jobs rest,
 * and its transfer may not run far ahead, so that answers do not wait for a CPU behind it. While a
 * client's fetch is queued, all are read as fast as can be.
 *
 * Logs: opencost.allocation_request, opencost.allocation_withdrawn, opencost.allocation_success,
 * opencost.allocation_error, opencost.http_error, opencost.request_error,
 * opencost.allocation_defects, opencost.circuit_opened, opencost.circuit_closed,
 * opencost.token_unreadable. Metrics: the kubecent_opencost_ families,
 * kubecent_rows_rejected_total.
 *
 * Threads: the loop thread only, except opencost_client_create() and _destroy() (before the loop
 * starts, after it ended).
 */
#ifndef OPENCOST_CLIENT_H
#define OPENCOST_CLIENT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attrs.h"
#include "base/error.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/scheduler.h"
#include "base/time_source.h"
#include "cost/cost_set.h"
#include "opencost/transfer.h"

struct opencost_client;
struct opencost_fetch;

struct opencost_options {
    const char
        *base_url; /* http or https, may carry a path prefix; a trailing slash is dropped; copied */
    const char *token_file; /* bearer token, re-read when the file changes; NULL: none; copied */
    int64_t timeout_ms;     /* of one try */
    int64_t connect_timeout_ms;
    int tries;
    int64_t retry_wait_ms;
    int64_t retry_wait_max_ms;
    int max_in_flight;
    uint64_t max_body_bytes;
    const struct scheduler *scheduler;    /* borrowed */
    const struct transfer_engine *engine; /* borrowed */
    const struct time_source *time;       /* borrowed; NULL: the system's */
    struct log *log;                      /* borrowed */
    struct metrics *metrics;              /* borrowed; may be NULL */
};

struct opencost_client *opencost_client_create(const struct opencost_options *options,
                                               struct error *reterr) NODISCARD;

/* No fetch may be under way: call opencost_client_stop() while the loop still runs. Accepts NULL.
 */
void opencost_client_destroy(struct opencost_client *client);

/* Cancels all fetches and checks: each `done` is called once, with ERR_SHUTDOWN, before this
 * returns or, where a decode job is running, when that job ends. New ones are refused likewise. */
void opencost_client_stop(struct opencost_client *client);

/* `set` (the callee's to destroy) or `error`, one of them NULL. Never called from
 * inside opencost_client_fetch(). */
typedef void opencost_fetched_fn(void *context, struct cost_set *set, const struct error *error);

struct opencost_query {
    const char *window; /* canonical; copied */
    bool include_idle;
    bool is_urgent;
    bool is_in_background;
    struct trace_context *trace; /* passed on and logged; held as long as needed; NULL: none */
};

/* GET
 * {base}/allocation/compute?window=W&aggregate=namespace,pod&accumulate=true[&includeIdle=true].
 * The result is valid until `done` is called. NULL (and *reterr) when out of memory or stopped, or
 * while the circuit is open; `done` then never runs. */
struct opencost_fetch *opencost_client_fetch(struct opencost_client *client,
                                             const struct opencost_query *query,
                                             opencost_fetched_fn *done, void *context,
                                             struct error *reterr) NODISCARD;

/* It does not wait in the queue any more. */
bool opencost_fetch_has_begun(const struct opencost_fetch *fetch) NODISCARD;

/* The fetch has become urgent. */
void opencost_fetch_hurry(struct opencost_fetch *fetch);

/* A client has come to wait for it: from now on it is read as fast as can be. */
void opencost_fetch_leave_background(struct opencost_fetch *fetch);

/* Takes a fetch that has not begun out of the queue: it is gone, and `done` never runs. False when
 * it has begun; then it goes on. */
bool opencost_fetch_withdraw(struct opencost_fetch *fetch) NODISCARD;

/* GET {base}/healthz, one try, no retry, at most `timeout_ms`. `error` is NULL when it answered
 * 200. An error with code ERR_UPSTREAM_STATUS or ERR_UPSTREAM_REFUSED means that something answers
 * there, if not with 200. */
typedef void opencost_checked_fn(void *context, const struct error *error);
bool opencost_client_check(struct opencost_client *client, int64_t timeout_ms,
                           opencost_checked_fn *done, void *context,
                           struct error *reterr) NODISCARD;

/* A health check found OpenCost back after it was out of reach: the next probe may go at once. */
void opencost_client_origin_seen(struct opencost_client *client);

/* The longest a fetch can take once it has begun: all tries and all waits, in ms. */
int64_t opencost_client_longest_fetch_ms(const struct opencost_client *client) NODISCARD;

#endif
