/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two things may be under way in a try, the transfer and a decode job. Whatever happens to either
 * ends in look(), which sees what is left and moves the fetch on.
 */
#include "fetch.h"

#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "client_url.h"

/* Back-pressure: a body that runs so far ahead of its decoder is made to wait until the next job
 * takes what is queued. With what the job holds, twice this is in memory at most. In the background
 * the loop's thread, too, is not to work for long at once. */
enum { LEAD_BYTES = 4 * 1024 * 1024, LEISURELY_LEAD_BYTES = 256 * 1024 };

static void look(struct opencost_fetch *fetch);

static void destroy(struct opencost_fetch *fetch)
{
    if (fetch == NULL)
        return;
    loop_timer_destroy(fetch->client->scheduler, fetch->timer);
    trace_context_release(fetch->trace);
    free(fetch->window);
    free(fetch->url);
    free(fetch);
}

bool fetch_is_under_way(const struct opencost_fetch *fetch)
{
    return fetch->state != FETCH_QUEUED && fetch->state != FETCH_REFUSED;
}

/* The slot is free and the circuit knows before `done` runs, as that may fetch again; the queue
 * moves after it, so that a new fetch takes its place behind the older ones either way. */
static void end(struct opencost_fetch *fetch, struct cost_set *set, const struct error *error)
{
    struct opencost_client *client = fetch->client;
    enum breaker_permit permit = fetch->permit;
    uint64_t query = fetch->query;
    opencost_fetched_fn *done = fetch->done;
    void *context = fetch->context;
    if (fetch_is_under_way(fetch))
        client->in_flight--;
    fetch->state = FETCH_DONE;
    DL_DELETE2(client->first_fetch, fetch, previous, next);
    destroy(fetch);
    client_note_circuit(client, permit, query, error);
    done(context, set, error);
    client_begin_queued(client);
}

static size_t lead_of(const struct opencost_fetch *fetch)
{
    return fetch->is_in_background ? LEISURELY_LEAD_BYTES : LEAD_BYTES;
}

/* Callbacks of the transfer. */

static bool on_body(void *context, const void *bytes, size_t length)
{
    struct opencost_fetch *fetch = context;
    if (!fetch_body_append(fetch->try.body, bytes, length))
        return false; /* on_transfer_done() follows */
    if (!fetch->try.is_paused && fetch_body_queued_bytes(fetch->try.body) > lead_of(fetch)) {
        fetch->try.is_paused = true;
        fetch->client->engine->pause(fetch->try.transfer);
    }
    return true;
}

static void on_rejected_body(void *context, const void *bytes, size_t length)
{
    struct opencost_fetch *fetch = context;
    excerpt_of(bytes, length, fetch->try.excerpt);
}

static void on_transfer_done(void *context, const struct transfer_outcome *outcome)
{
    struct opencost_fetch *fetch = context;
    fetch->try.transfer = NULL;
    fetch->try.outcome = *outcome;
    if (outcome->error.code == ERR_NONE && outcome->http_status == 200)
        fetch_body_complete(fetch->try.body);
    else
        fetch_body_abandon(fetch->try.body);
    look(fetch);
}

static void on_body_turned(void *context)
{
    look(context);
}

/* The try's beginning. */

static bool start_try(struct opencost_fetch *fetch, struct error *reterr)
{
    struct opencost_client *client = fetch->client;
    fetch->try.body =
        fetch_body_create(client->scheduler, fetch->include_idle, on_body_turned, fetch);
    if (fetch->try.body == NULL)
        return error_no_memory(reterr);
    fetch_body_set_leisurely(fetch->try.body, fetch->is_in_background);
    struct transfer_request request = client_request(client, fetch->url, client->timeout_ms);
    request.trace = fetch->trace;
    request.context = fetch;
    request.body = on_body;
    request.rejected_body = on_rejected_body;
    request.done = on_transfer_done;
    fetch->try.transfer = client->engine->start(client->engine->self, &request, reterr);
    if (fetch->try.transfer == NULL)
        return false;
    metric_add(client->metrics.of[DATASET_ALLOCATION].requests, 1);
    if (fetch->try.number > 1)
        metric_add(client->metrics.of[DATASET_ALLOCATION].retries, 1);
    return true;
}

static void try_again(struct opencost_fetch *fetch)
{
    struct opencost_client *client = fetch->client;
    int number = fetch->try.number + 1;
    memset(&fetch->try, 0, sizeof(fetch->try));
    fetch->try.number = number;
    fetch->try.begun_ms = scheduler_now_ms(client->scheduler);
    fetch->state = FETCH_TRYING;
    if (!start_try(fetch, &fetch->try.outcome.error)) {
        /* Told from the timer: whoever made us begin is not to be called back from inside. */
        fetch->try.has_not_started = true;
        fetch->state = FETCH_WAITING;
        loop_timer_start(client->scheduler, fetch->timer, 0);
    }
}

/* The try's end. */

/* What the try has brought, once neither a transfer nor a job is under way: a set, or *reterr. */
static struct cost_set *result_of_try(struct opencost_fetch *fetch, struct error *reterr)
{
    const struct transfer_outcome *outcome = &fetch->try.outcome;
    struct fetch_body *body = fetch->try.body;
    *reterr = (struct error){0};
    if (fetch->is_stopped) {
        error_set(reterr, ERR_SHUTDOWN, "shutting down");
        return NULL;
    }
    /* The body's own failure goes first: it is why the transfer was cut short. */
    if (body != NULL && fetch_body_is_over(body))
        return fetch_body_take(body, reterr);
    if (outcome->error.code == ERR_NONE) {
        (void)!status_verdict(outcome->http_status, fetch->try.excerpt, reterr);
    } else {
        *reterr = outcome->error;
        if (outcome->error.code == ERR_UPSTREAM_REFUSED)
            reterr->http_status = outcome->http_status;
    }
    return NULL;
}

static void try_failed(struct opencost_fetch *fetch, const struct error *error)
{
    struct opencost_client *client = fetch->client;
    if (error->code == ERR_SHUTDOWN) {
        end(fetch, NULL, error);
        return;
    }
    fetch_log_failed_try(fetch, error);
    int tries = fetch->permit == BREAKER_PROBE ? 1 : client->retry.tries;
    if (is_worth_retrying(error) && fetch->try.number < tries) {
        fetch->state = FETCH_WAITING;
        loop_timer_start(client->scheduler, fetch->timer,
                         retry_wait_ms(&client->retry, fetch->try.number, error,
                                       fetch->try.outcome.retry_after_ms));
        return;
    }
    fetch_log_failure(fetch, error);
    end(fetch, NULL, error);
}

static void end_try(struct opencost_fetch *fetch)
{
    struct opencost_client *client = fetch->client;
    struct error error;
    struct cost_set *set = result_of_try(fetch, &error);
    fetch_body_destroy(fetch->try.body);
    fetch->try.body = NULL;
    if (error.code != ERR_SHUTDOWN)
        client_metrics_count_try(&client->metrics, DATASET_ALLOCATION,
                                 scheduler_now_ms(client->scheduler) - fetch->try.begun_ms,
                                 time_wall_s(client->time), set == NULL ? &error : NULL);
    if (set == NULL) {
        try_failed(fetch, &error);
        return;
    }
    client_metrics_count_defects(&client->metrics, cost_set_defects(set));
    fetch_log_success(fetch, set);
    end(fetch, set, NULL);
}

static void look(struct opencost_fetch *fetch)
{
    const struct transfer_engine *engine = fetch->client->engine;
    struct fetch_body *body = fetch->try.body;
    if (fetch->try.transfer != NULL && fetch_body_is_over(body)) {
        engine->cancel(fetch->try.transfer); /* the body is rubbish: no use in the rest of it */
        fetch->try.transfer = NULL;
    }
    if (fetch->try.transfer != NULL) {
        if (fetch->try.is_paused) {
            fetch->try.is_paused = false;
            engine->resume(fetch->try.transfer);
        }
        return;
    }
    if (body != NULL && fetch_body_is_busy(body))
        fetch->state = FETCH_DECODING;
    else
        end_try(fetch);
}

static void on_timer(void *context)
{
    struct opencost_fetch *fetch = context;
    if (fetch->state == FETCH_REFUSED) {
        struct error error = fetch->try.outcome.error;
        end(fetch, NULL, &error);
        return;
    }
    if (!fetch->try.has_not_started) {
        try_again(fetch);
        return;
    }
    fetch->try.has_not_started = false;
    end_try(fetch);
}

/* The fetch's beginning, and its stop. */

struct opencost_fetch *fetch_create(struct opencost_client *client,
                                    const struct opencost_query *query, opencost_fetched_fn *done,
                                    void *context, struct error *reterr)
{
    struct opencost_fetch *fetch = calloc(1, sizeof(*fetch));
    if (fetch == NULL) {
        error_no_memory(reterr);
        return NULL;
    }
    fetch->client = client;
    fetch->include_idle = query->include_idle;
    fetch->is_urgent = query->is_urgent;
    fetch->is_in_background = query->is_in_background;
    fetch->done = done;
    fetch->context = context;
    fetch->window = strdup(query->window);
    fetch->url = client_url_allocation(client->base_url, query->window, query->include_idle);
    fetch->timer = loop_timer_create(client->scheduler, on_timer, fetch);
    if (fetch->window == NULL || fetch->url == NULL || fetch->timer == NULL) {
        destroy(fetch);
        error_no_memory(reterr);
        return NULL;
    }
    DL_APPEND2(client->first_fetch, fetch, previous, next);
    return fetch;
}

void fetch_begin(struct opencost_fetch *fetch)
{
    fetch->client->in_flight++;
    fetch->begun_ms = scheduler_now_ms(fetch->client->scheduler);
    fetch_log_request(fetch);
    try_again(fetch);
}

bool opencost_fetch_has_begun(const struct opencost_fetch *fetch)
{
    return fetch->state != FETCH_QUEUED;
}

void opencost_fetch_hurry(struct opencost_fetch *fetch)
{
    fetch->is_urgent = true;
}

void fetch_leave_background(struct opencost_fetch *fetch)
{
    fetch->is_in_background = false;
    if (fetch->try.body != NULL)
        fetch_body_set_leisurely(fetch->try.body, false);
}

void opencost_fetch_leave_background(struct opencost_fetch *fetch)
{
    fetch_leave_background(fetch);
    client_begin_queued(fetch->client); /* those that it waits for leave it as well */
}

/* A probe that is withdrawn leaves the next its turn. */
bool opencost_fetch_withdraw(struct opencost_fetch *fetch)
{
    static const struct error unwanted = {.code = ERR_DEADLINE};
    if (opencost_fetch_has_begun(fetch) || fetch->is_stopped)
        return false;
    fetch_log_withdrawal(fetch);
    DL_DELETE2(fetch->client->first_fetch, fetch, previous, next);
    client_note_circuit(fetch->client, fetch->permit, fetch->query, &unwanted);
    destroy(fetch);
    return true;
}

void fetch_refuse(struct opencost_fetch *fetch, const struct error *error)
{
    fetch->state = FETCH_REFUSED;
    fetch->try.outcome.error = *error;
    loop_timer_start(fetch->client->scheduler, fetch->timer, 0);
}

void fetch_stop(struct opencost_fetch *fetch)
{
    fetch->is_stopped = true;
    loop_timer_stop(fetch->client->scheduler, fetch->timer);
    if (fetch->try.transfer != NULL) {
        fetch->client->engine->cancel(fetch->try.transfer);
        fetch->try.transfer = NULL;
    }
    if (fetch->try.body != NULL)
        fetch_body_abandon(fetch->try.body);
    look(fetch);
}
