/* SPDX-License-Identifier: Apache-2.0 */
#include "scripted_engine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct transfer {
    struct scripted_engine *owner;
    struct transfer_request request;
    bool is_paused;
};

static struct transfer *start(void *self, const struct transfer_request *request,
                              struct error *reterr)
{
    struct scripted_engine *engine = self;
    snprintf(engine->last_url, sizeof engine->last_url, "%s", request->url);
    snprintf(engine->last_token, sizeof engine->last_token, "%s",
             request->bearer_token != NULL ? request->bearer_token : "(none)");
    engine->last_request = *request;
    struct transfer *transfer = engine->refuses ? NULL : calloc(1, sizeof *transfer);
    if (transfer == NULL || engine->live_count == SCRIPTED_LIVE_MAX) {
        free(transfer);
        error_no_memory(reterr);
        return NULL;
    }
    transfer->owner = engine;
    transfer->request = *request;
    engine->live[engine->live_count++] = transfer;
    engine->started++;
    return transfer;
}

static void pause_reading(struct transfer *transfer)
{
    transfer->is_paused = true;
    transfer->owner->paused++;
}

static void resume_reading(struct transfer *transfer)
{
    transfer->is_paused = false;
    transfer->owner->resumed++;
}

static void forget(struct transfer *transfer)
{
    struct scripted_engine *engine = transfer->owner;
    size_t index = 0;
    while (engine->live[index] != transfer)
        index++;
    engine->live_count--;
    for (; index < engine->live_count; index++)
        engine->live[index] = engine->live[index + 1];
}

static void cancel(struct transfer *transfer)
{
    transfer->owner->cancelled++;
    forget(transfer);
    free(transfer);
}

void scripted_engine_init(struct scripted_engine *engine)
{
    *engine = (struct scripted_engine){.engine = {.self = engine,
                                                  .start = start,
                                                  .pause = pause_reading,
                                                  .resume = resume_reading,
                                                  .cancel = cancel}};
}

bool scripted_is_paused(const struct scripted_engine *engine, size_t index)
{
    return engine->live[index]->is_paused;
}

bool scripted_body(struct scripted_engine *engine, size_t index, const void *bytes, size_t length)
{
    const struct transfer_request *request = &engine->live[index]->request;
    return request->body(request->context, bytes, length);
}

static void end(struct scripted_engine *engine, size_t index,
                const struct transfer_outcome *outcome)
{
    struct transfer *transfer = engine->live[index];
    struct transfer_request request = transfer->request;
    forget(transfer);
    free(transfer);
    request.done(request.context, outcome);
}

void scripted_answer(struct scripted_engine *engine, size_t index, int status, const char *body)
{
    struct transfer_outcome outcome = {.http_status = status, .retry_after_ms = -1};
    const struct transfer_request *request = &engine->live[index]->request;
    if (body != NULL && status == 200 && !request->body(request->context, body, strlen(body)))
        error_set(&outcome.error, ERR_UPSTREAM_BODY, "refused by the receiver");
    if (body != NULL && status != 200 && request->rejected_body != NULL)
        request->rejected_body(request->context, body, strlen(body));
    end(engine, index, &outcome);
}

void scripted_retry_after(struct scripted_engine *engine, size_t index, int status,
                          int64_t retry_after_ms)
{
    struct transfer_outcome outcome = {.http_status = status, .retry_after_ms = retry_after_ms};
    end(engine, index, &outcome);
}

void scripted_fail(struct scripted_engine *engine, size_t index, enum error_code code,
                   int http_status)
{
    struct transfer_outcome outcome = {.http_status = http_status, .retry_after_ms = -1};
    error_set(&outcome.error, code, "scripted: %s", error_code_name(code));
    end(engine, index, &outcome);
}
