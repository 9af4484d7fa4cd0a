/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the client, its fetches and its checks share.
 *
 * Threads: the loop thread only.
 */
#ifndef OPENCOST_CLIENT_INTERNAL_H
#define OPENCOST_CLIENT_INTERNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "breaker.h"
#include "client_metrics.h"
#include "client_token.h"
#include "fetch_verdict.h"
#include "opencost/client.h"

struct opencost_check;

struct opencost_client {
    const struct scheduler *scheduler;
    const struct transfer_engine *engine;
    const struct time_source *time;
    struct log *log;
    struct client_metrics metrics;
    struct client_token *token; /* NULL: none */
    char *base_url;
    int64_t timeout_ms, connect_timeout_ms;
    uint64_t max_body_bytes;
    struct retry_policy retry;
    int max_in_flight;

    struct opencost_fetch *first_fetch; /* all that are not done, oldest first */
    int in_flight;                      /* those of them that are not queued */
    struct opencost_check *first_check;
    struct {
        struct breaker breaker;
        int64_t opened_ms;
        char last_failure[sizeof(((struct error *)0)->text)];
    } circuit;
    bool is_stopping;
};

/* Begins queued fetches while there are slots. While a client's has none, all go on without rest. */
void client_begin_queued(struct opencost_client *client);

/* A request to `url` with what is common to all; the caller adds its callbacks. The token is
 * borrowed until the next call. */
struct transfer_request client_request(struct opencost_client *client, const char *url,
                                       int64_t timeout_ms) NODISCARD;

/* What the circuit knows a query by. */
uint64_t client_query_of(const char *window, bool include_idle) NODISCARD;

/* Whether a fetch may begin, and as what; when it is refused, *reterr says why and until when. */
enum breaker_permit client_ask_circuit(struct opencost_client *client, uint64_t query,
                                       struct error *reterr) NODISCARD;

/* How a fetch ended that was permitted; `error` is NULL when it succeeded. */
void client_note_circuit(struct opencost_client *client, enum breaker_permit permit, uint64_t query,
                         const struct error *error);

/* The checks' part of opencost_client_stop(). */
void client_stop_checks(struct opencost_client *client);

#endif
