/* SPDX-License-Identifier: Apache-2.0 */
#include "breaker.h"

static bool has_failed(const struct breaker *breaker, uint64_t query)
{
    for (int i = 0; i < breaker->query_count; i++)
        if (breaker->queries[i] == query)
            return true;
    return false;
}

static bool may_go_early(const struct breaker *breaker, uint64_t query)
{
    return breaker->blameless == 0 && breaker->query_count < BREAKER_QUERIES_MAX &&
           !has_failed(breaker, query);
}

enum breaker_permit breaker_ask(struct breaker *breaker, uint64_t query, int64_t now_ms)
{
    if (breaker->state == BREAKER_CLOSED)
        return BREAKER_PASS;
    if (breaker->state == BREAKER_PROBING)
        return BREAKER_REFUSED;
    breaker->probe_is_early = now_ms < breaker->probe_due_ms;
    if (breaker->probe_is_early && !may_go_early(breaker, query))
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

static void count(struct breaker *breaker, uint64_t query, bool is_blameless)
{
    breaker->failures++;
    breaker->blameless += is_blameless;
    if (breaker->query_count < BREAKER_QUERIES_MAX && !has_failed(breaker, query))
        breaker->queries[breaker->query_count++] = query;
}

static bool is_enough(const struct breaker *breaker)
{
    return breaker->blameless >= BREAKER_FAILURES ||
           (breaker->failures >= BREAKER_FAILURES && breaker->query_count >= BREAKER_QUERIES);
}

static bool note_failure(struct breaker *breaker, bool is_probe, bool is_blameless, int64_t now_ms)
{
    if (is_probe && breaker->probe_is_early && !is_blameless) {
        breaker->state = BREAKER_OPEN; /* one suspect more; the wait goes on as it was */
        return false;
    }
    if (is_probe) {
        open_for(breaker, 2 * breaker->wait_ms, now_ms);
        return false;
    }
    /* What was begun before it opened may fail later: no news. */
    if (breaker->state != BREAKER_CLOSED || !is_enough(breaker))
        return false;
    open_for(breaker, BREAKER_WAIT_MS, now_ms);
    return true;
}

static void note_nothing(struct breaker *breaker, int64_t now_ms)
{
    breaker->state = BREAKER_OPEN;
    if (!breaker->probe_is_early)
        breaker->probe_due_ms = now_ms;
}

bool breaker_note(struct breaker *breaker, enum breaker_permit permit, uint64_t query,
                  enum breaker_outcome outcome, int64_t now_ms)
{
    bool is_probe = permit == BREAKER_PROBE && breaker->state == BREAKER_PROBING;
    bool was_closed = breaker->state == BREAKER_CLOSED;
    bool is_blameless = outcome == BREAKER_FAILURE;
    switch (outcome) {
    case BREAKER_SUCCESS:
        *breaker = (struct breaker){0};
        return !was_closed;
    case BREAKER_FAILURE:
    case BREAKER_QUERY_FAILURE:
        count(breaker, query, is_blameless);
        return note_failure(breaker, is_probe, is_blameless, now_ms);
    default:
        if (is_probe)
            note_nothing(breaker, now_ms);
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
