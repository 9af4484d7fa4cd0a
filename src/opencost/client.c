/* SPDX-License-Identifier: Apache-2.0 */
#include "opencost/client.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "client_internal.h"
#include "fetch.h"

struct opencost_client *opencost_client_create(const struct opencost_options *options,
                                               struct error *reterr)
{
    struct opencost_client *client = calloc(1, sizeof(*client));
    if (client == NULL) {
        error_no_memory(reterr);
        return NULL;
    }
    client->scheduler = options->scheduler;
    client->engine = options->engine;
    client->time = options->time != NULL ? options->time : &time_source_system;
    client->log = options->log;
    client->timeout_ms = options->timeout_ms;
    client->connect_timeout_ms = options->connect_timeout_ms;
    client->max_body_bytes = options->max_body_bytes;
    client->max_in_flight = options->max_in_flight;
    client->retry = (struct retry_policy){.tries = options->tries,
                                          .wait_ms = options->retry_wait_ms,
                                          .wait_max_ms = options->retry_wait_max_ms};
    client_metrics_init(&client->metrics, options->metrics);
    client->base_url = strdup(options->base_url);
    if (options->token_file != NULL)
        client->token = client_token_create(options->token_file, options->log);
    if (client->base_url == NULL || (options->token_file != NULL && client->token == NULL)) {
        opencost_client_destroy(client);
        error_no_memory(reterr);
        return NULL;
    }
    return client;
}

void opencost_client_destroy(struct opencost_client *client)
{
    if (client == NULL)
        return;
    assert(client->first_fetch == NULL && client->first_check == NULL);
    client_token_destroy(client->token);
    free(client->base_url);
    free(client);
}

static struct opencost_fetch *first_not_stopped(const struct opencost_client *client)
{
    struct opencost_fetch *fetch = client->first_fetch;
    while (fetch != NULL && fetch->is_stopped)
        fetch = fetch->next;
    return fetch;
}

void opencost_client_stop(struct opencost_client *client)
{
    client->is_stopping = true;
    client_stop_checks(client);
    /* Asked anew each time: the callbacks of one may have ended others. */
    for (struct opencost_fetch *fetch = first_not_stopped(client); fetch != NULL;
         fetch = first_not_stopped(client))
        fetch_stop(fetch);
}

static struct opencost_fetch *first_queued(const struct opencost_client *client, bool is_urgent)
{
    struct opencost_fetch *fetch = client->first_fetch;
    while (fetch != NULL && (fetch->state != FETCH_QUEUED || fetch->is_urgent != is_urgent))
        fetch = fetch->next;
    return fetch;
}

static bool is_urgent_one_under_way(const struct opencost_client *client)
{
    const struct opencost_fetch *fetch = client->first_fetch;
    while (fetch != NULL && !(fetch->is_urgent && fetch_is_under_way(fetch)))
        fetch = fetch->next;
    return fetch != NULL;
}

/* Whose turn it is; NULL when nobody waits. */
static struct opencost_fetch *next_queued(const struct opencost_client *client)
{
    struct opencost_fetch *urgent = first_queued(client, true);
    struct opencost_fetch *other = first_queued(client, false);
    if (urgent == NULL || (other != NULL && is_urgent_one_under_way(client)))
        return other;
    return urgent;
}

static bool client_waits_for_slot(const struct opencost_client *client)
{
    const struct opencost_fetch *fetch = client->first_fetch;
    while (fetch != NULL && (fetch->state != FETCH_QUEUED || fetch->is_in_background))
        fetch = fetch->next;
    return fetch != NULL;
}

static void bring_all_to_foreground(struct opencost_client *client)
{
    for (struct opencost_fetch *fetch = client->first_fetch; fetch != NULL; fetch = fetch->next) {
        if (fetch_is_under_way(fetch))
            fetch_leave_background(fetch);
    }
}

void client_begin_queued(struct opencost_client *client)
{
    while (!client->is_stopping && client->in_flight < client->max_in_flight) {
        struct opencost_fetch *fetch = next_queued(client);
        if (fetch == NULL)
            return;
        fetch_begin(fetch);
    }
    if (client_waits_for_slot(client))
        bring_all_to_foreground(client);
}

struct transfer_request client_request(struct opencost_client *client, const char *url,
                                       int64_t timeout_ms)
{
    return (struct transfer_request){
        .url = url,
        .bearer_token = client_token_text(client->token),
        .timeout_ms = timeout_ms,
        .connect_timeout_ms =
            client->connect_timeout_ms < timeout_ms ? client->connect_timeout_ms : timeout_ms,
        .max_body_bytes = client->max_body_bytes,
    };
}

struct opencost_fetch *opencost_client_fetch(struct opencost_client *client,
                                             const struct opencost_query *query,
                                             opencost_fetched_fn *done, void *context,
                                             struct error *reterr)
{
    if (client->is_stopping) {
        error_set(reterr, ERR_SHUTDOWN, "shutting down");
        return NULL;
    }
    uint64_t id = client_query_of(query->window, query->include_idle);
    enum breaker_permit permit = client_ask_circuit(client, id, reterr);
    if (permit == BREAKER_REFUSED)
        return NULL;
    struct opencost_fetch *fetch = fetch_create(client, query, done, context, reterr);
    if (fetch == NULL) {
        struct error no_memory;
        error_no_memory(&no_memory);
        client_note_circuit(client, permit, id, &no_memory);
        return NULL;
    }
    fetch->permit = permit;
    fetch->query = id;
    fetch->trace = trace_context_hold(query->trace);
    client_begin_queued(client);
    return fetch;
}

int64_t opencost_client_longest_fetch_ms(const struct opencost_client *client)
{
    /* Any wait may be the longest: OpenCost names it. */
    return client->retry.tries * client->timeout_ms +
           (client->retry.tries - 1) * client->retry.wait_max_ms;
}
