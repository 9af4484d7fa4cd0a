/* SPDX-License-Identifier: Apache-2.0 */
/* The client's circuit breaker: what counts for it, what is said of it, what it does to others. */
#include <string.h>
#include <xxhash.h>

#include "client_internal.h"
#include "fetch.h"

enum { MS_PER_S = 1000 };

/* An OpenCost that is well but short of memory fails long windows by time-outs, 5xx and broken
 * bodies while it answers short ones (opencost/opencost#1693): those may be the one query's fault.
 * That it refuses a query for what it is (400), or that the answer is too large for us, tells
 * nothing of whether it is well. */
static enum breaker_outcome outcome_of(const struct error *error)
{
    if (error == NULL)
        return BREAKER_SUCCESS;
    switch (error->code) {
    case ERR_UPSTREAM_CONNECT:
    case ERR_UPSTREAM_TLS:
    case ERR_UPSTREAM_REFUSED:
        return BREAKER_FAILURE;
    case ERR_UPSTREAM_TIMEOUT:
    case ERR_UPSTREAM_STATUS:
    case ERR_UPSTREAM_BODY:
        return BREAKER_QUERY_FAILURE;
    default:
        return BREAKER_NO_VERDICT;
    }
}

static void explain(const struct opencost_client *client, int64_t now_ms, struct error *reterr)
{
    const struct breaker *breaker = &client->circuit.breaker;
    int64_t probe_in_s = (breaker_probe_in_ms(breaker, now_ms) + MS_PER_S - 1) / MS_PER_S;
    if (breaker->state == BREAKER_PROBING)
        error_set(reterr, ERR_UPSTREAM_UNAVAILABLE,
                  "not asked: %d fetches in a row have failed, a probe is under way; the last: %s",
                  breaker->failures, client->circuit.last_failure);
    else
        error_set(reterr, ERR_UPSTREAM_UNAVAILABLE,
                  "not asked: %d fetches in a row have failed, the next probe comes in %lld s; the "
                  "last: %s",
                  breaker->failures, (long long)probe_in_s, client->circuit.last_failure);
}

uint64_t client_query_of(const char *window, bool include_idle)
{
    return XXH3_64bits_withSeed(window, strlen(window), include_idle);
}

enum breaker_permit client_ask_circuit(struct opencost_client *client, uint64_t query,
                                       struct error *reterr)
{
    int64_t now_ms = scheduler_now_ms(client->scheduler);
    enum breaker_permit permit = breaker_ask(&client->circuit.breaker, query, now_ms);
    if (permit == BREAKER_REFUSED)
        explain(client, now_ms, reterr);
    return permit;
}

static void opened(struct opencost_client *client, int64_t now_ms)
{
    struct error error;
    client->circuit.opened_ms = now_ms;
    metric_set(client->metrics.circuit_open, 1);
    log_warning(client->log, LOG_EVENT("opencost.circuit_opened"),
                LOG_INT("failures", client->circuit.breaker.failures),
                LOG_INT("probe_in_seconds", client->circuit.breaker.wait_ms / MS_PER_S),
                LOG_STR("error", client->circuit.last_failure));
    explain(client, now_ms, &error);
    for (struct opencost_fetch *fetch = client->first_fetch; fetch != NULL; fetch = fetch->next) {
        if (fetch->state == FETCH_QUEUED)
            fetch_refuse(fetch, &error);
    }
}

static void closed(struct opencost_client *client, int64_t now_ms)
{
    metric_set(client->metrics.circuit_open, 0);
    log_info(client->log, LOG_EVENT("opencost.circuit_closed"),
             LOG_INT("open_seconds", (now_ms - client->circuit.opened_ms) / MS_PER_S));
}

void client_note_circuit(struct opencost_client *client, enum breaker_permit permit, uint64_t query,
                         const struct error *error)
{
    struct breaker *breaker = &client->circuit.breaker;
    int64_t now_ms = scheduler_now_ms(client->scheduler);
    enum breaker_outcome outcome = outcome_of(error);
    if (outcome == BREAKER_FAILURE || outcome == BREAKER_QUERY_FAILURE)
        memcpy(client->circuit.last_failure, error->text, sizeof(client->circuit.last_failure));
    if (!breaker_note(breaker, permit, query, outcome, now_ms))
        return;
    if (breaker->state == BREAKER_OPEN)
        opened(client, now_ms);
    else
        closed(client, now_ms);
}

void opencost_client_origin_seen(struct opencost_client *client)
{
    breaker_probe_now(&client->circuit.breaker, scheduler_now_ms(client->scheduler));
}
