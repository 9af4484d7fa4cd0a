/* SPDX-License-Identifier: Apache-2.0 */
#include "breaker.h"

enum breaker_permit breaker_ask(struct breaker *breaker, int64_t now_ms)
{
    if (breaker->state == BREAKER_CLOSED)
        return BREAKER_PASS;
    if (breaker->state == BREAKER_PROBING || now_ms < breaker->probe_due_ms)
        return BREAKER_REFUSED;
    breaker->state = BREAKER_PROBING;
    return BREAKER_PROBE;
}

static void open_for(struct breaker *breaker, int64_t wait_ms, int64_t now_ms)
{
    breaker->state = BREAKER_OPEN;
    breaker->wait_ms = wait_ms < BREAKER_WAIT_MAX_MS ? wait_ms : BREAKER_WAIT_MAX_MS;
    breaker->probe_due_ms = now_ms + breaker->wait_ms;
}

static bool note_failure(struct breaker *breaker, bool is_probe, int64_t now_ms)
{
    breaker->failures++;
    if (is_probe) {
        open_for(breaker, 2 * breaker->wait_ms, now_ms);
        return false;
    }
    /* What was begun before it opened may fail later: no news. */
    if (breaker->state != BREAKER_CLOSED || breaker->failures < BREAKER_FAILURES)
        return false;
    open_for(breaker, BREAKER_WAIT_MS, now_ms);
    return true;
}

bool breaker_note(struct breaker *breaker, enum breaker_permit permit, enum breaker_outcome outcome,
                  int64_t now_ms)
{
    bool is_probe = permit == BREAKER_PROBE && breaker->state == BREAKER_PROBING;
    bool was_closed = breaker->state == BREAKER_CLOSED;
    switch (outcome) {
    case BREAKER_SUCCESS:
        *breaker = (struct breaker){0};
        return !was_closed;
    case BREAKER_FAILURE:
        return note_failure(breaker, is_probe, now_ms);
    default:
        if (is_probe) {
            breaker->state = BREAKER_OPEN;
            breaker->probe_due_ms = now_ms;
        }
        return false;
    }
}

int64_t breaker_probe_in_ms(const struct breaker *breaker, int64_t now_ms)
{
    if (breaker->state != BREAKER_OPEN || now_ms >= breaker->probe_due_ms)
        return 0;
    return breaker->probe_due_ms - now_ms;
}

void breaker_probe_now(struct breaker *breaker, int64_t now_ms)
{
    if (breaker->state == BREAKER_OPEN && now_ms < breaker->probe_due_ms)
        breaker->probe_due_ms = now_ms;
}
