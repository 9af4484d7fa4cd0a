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
    BREAKER_WAIT_MS = 10 * 1000,
    BREAKER_WAIT_MAX_MS = 60 * 1000,
};

enum breaker_state { BREAKER_CLOSED, BREAKER_OPEN, BREAKER_PROBING };

/* Zero-initialised it is closed. Read the fields freely, change them through the functions. */
struct breaker {
    enum breaker_state state;
    int failures;         /* in a row, probes included */
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
    BREAKER_FAILURE,
    BREAKER_NO_VERDICT, /* says nothing about whom we ask: after a probe, another one may go */
};

enum breaker_permit breaker_ask(struct breaker *breaker, int64_t now_ms) NODISCARD;

/* How what was permitted ended. True when that closed or opened the circuit; a probe's failure does
 * not open it again, it was open all along. */
bool breaker_note(struct breaker *breaker, enum breaker_permit permit, enum breaker_outcome outcome,
                  int64_t now_ms) NODISCARD;

/* Until a probe may go; 0 when one may, or is under way. */
int64_t breaker_probe_in_ms(const struct breaker *breaker, int64_t now_ms) NODISCARD;

/* Whom we ask has been seen: while open, the next probe need not wait. */
void breaker_probe_now(struct breaker *breaker, int64_t now_ms);

#endif
