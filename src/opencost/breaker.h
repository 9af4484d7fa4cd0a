/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A circuit breaker: when too much has failed in a row, nobody asks for a while, and then one at a
 * time does, as a probe.
 *
 *     CLOSED --failures in a row--> OPEN --the wait is over, somebody asks--> PROBING
 *       ^                            ^                                          |
 *       |                            +------- the probe failed: twice the wait -+
 *       +------ success of the probe, or of anything begun before --------------+
 *
 * A failure that may be the query's own doing says little of whom we ask: OpenCost may be well and
 * that window too much for it. So a row of such failures opens the circuit only when they are of at
 * least two different queries; and while nothing worse is known, a query that has not failed yet
 * may be a probe before the wait is over. What OpenCost cannot do thus keeps nobody from what it
 * can, unless many different queries have failed without a single success.
 *
 * Pure: it reads no clock, sets no timer and logs nothing; callers say what time it is (monotonic
 * milliseconds).
 *
 * Threads: one at a time.
 */
#ifndef OPENCOST_BREAKER_H
#define OPENCOST_BREAKER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attrs.h"

enum {
    BREAKER_FAILURES = 5, /* in a row open it */
    BREAKER_QUERIES = 2,  /* as many of them different, if queries may be to blame */
    BREAKER_QUERIES_MAX =
        8, /* remembered; when so many have failed, no further one goes before its time */
    BREAKER_WAIT_MS = 10 * 1000,
    BREAKER_WAIT_MAX_MS = 60 * 1000,
};

enum breaker_state { BREAKER_CLOSED, BREAKER_OPEN, BREAKER_PROBING };

/* Zero-initialised it is closed. Read the fields freely, change them through the functions. */
struct breaker {
    enum breaker_state state;
    int failures;                          /* in a row, probes included */
    int blameless;                         /* those of them that were no query's doing */
    uint64_t queries[BREAKER_QUERIES_MAX]; /* the different ones that failed in this row */
    int query_count;
    bool probe_is_early;  /* the present probe goes before its time */
    int64_t wait_ms;      /* before the present probe, or the next; while not closed */
    int64_t probe_due_ms; /* while open: from when on a probe may go */
};

enum breaker_permit {
    BREAKER_PASS,
    BREAKER_PROBE,   /* go, as the only one; must end in breaker_note() */
    BREAKER_REFUSED, /* do not go */
};

enum breaker_outcome {
    BREAKER_SUCCESS,
    BREAKER_FAILURE,       /* whatever was asked */
    BREAKER_QUERY_FAILURE, /* perhaps because of what was asked */
    BREAKER_NO_VERDICT,    /* says nothing about whom we ask: after a probe, another one may go */
};

/* `query` identifies what is to be asked. */
enum breaker_permit breaker_ask(struct breaker *breaker, uint64_t query, int64_t now_ms) NODISCARD;

/* How the query that was permitted ended. True when that closed or opened the circuit; a probe's
 * failure does not open it again, it was open all along. */
bool breaker_note(struct breaker *breaker, enum breaker_permit permit, uint64_t query,
                  enum breaker_outcome outcome, int64_t now_ms) NODISCARD;

/* Until a probe may go; 0 when one may, or is under way. */
int64_t breaker_probe_in_ms(const struct breaker *breaker, int64_t now_ms) NODISCARD;

/* Whom we ask has been seen: while open, the next probe need not wait. */
void breaker_probe_now(struct breaker *breaker, int64_t now_ms);

#endif
