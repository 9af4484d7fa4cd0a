/* SPDX-License-Identifier: Apache-2.0 */
#include "support/scripted_origin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TRANSFERS_MAX = 512 };

struct transfer {
    struct transfer_request request;
    char *url;
    bool open;
};

struct scripted_origin {
    struct transfer_engine engine;
    struct transfer transfers[TRANSFERS_MAX];
    size_t count;
};

static void require(bool condition, const char *what)
{
    if (condition)
        return;
    (void)fprintf(stderr, "scripted origin: %s\n", what);
    abort();
}

static struct transfer *start(void *self, const struct transfer_request *request,
                              struct error *reterr)
{
    struct scripted_origin *origin = self;
    require(origin->count < TRANSFERS_MAX, "too many transfers");
    char *url = strdup(request->url);
    if (url == NULL) {
        (void)error_no_memory(reterr);
        return NULL;
    }
    struct transfer *transfer = &origin->transfers[origin->count++];
    *transfer = (struct transfer){.request = *request, .url = url, .open = true};
    return transfer;
}

static void ignore(struct transfer *transfer)
{
    (void)transfer;
}

static void cancel(struct transfer *transfer)
{
    transfer->open = false;
}

struct scripted_origin *scripted_origin_create(void)
{
    struct scripted_origin *origin = calloc(1, sizeof(*origin));
    require(origin != NULL, "out of memory");
    origin->engine = (struct transfer_engine){
        .self = origin, .start = start, .pause = ignore, .resume = ignore, .cancel = cancel};
    return origin;
}

void scripted_origin_destroy(struct scripted_origin *origin)
{
    for (size_t i = 0; i < origin->count; i++)
        free(origin->transfers[i].url);
    free(origin);
}

const struct transfer_engine *scripted_origin_engine(struct scripted_origin *origin)
{
    return &origin->engine;
}

size_t scripted_origin_asked(const struct scripted_origin *origin)
{
    return origin->count;
}

static const struct transfer *transfer_at(const struct scripted_origin *origin, size_t number)
{
    require(number < origin->count, "no such transfer");
    return &origin->transfers[number];
}

const char *scripted_origin_url(const struct scripted_origin *origin, size_t number)
{
    return transfer_at(origin, number)->url;
}

bool scripted_origin_is_open(const struct scripted_origin *origin, size_t number)
{
    return transfer_at(origin, number)->open;
}

static struct transfer_request close_transfer(struct scripted_origin *origin, size_t number)
{
    require(transfer_at(origin, number)->open, "the transfer has ended already");
    origin->transfers[number].open = false;
    return origin->transfers[number].request;
}

void scripted_origin_answer(struct scripted_origin *origin, size_t number, int status,
                            const char *body)
{
    const struct transfer_request request = close_transfer(origin, number);
    const struct transfer_outcome outcome = {.http_status = status, .retry_after_ms = -1};
    if (status == 200)
        (void)request.body(request.context, body, strlen(body));
    else if (request.rejected_body != NULL)
        request.rejected_body(request.context, body, strlen(body));
    request.done(request.context, &outcome);
}

void scripted_origin_fail(struct scripted_origin *origin, size_t number, enum error_code code)
{
    const struct transfer_request request = close_transfer(origin, number);
    struct transfer_outcome outcome = {.retry_after_ms = -1};
    (void)error_set(&outcome.error, code, "scripted failure");
    request.done(request.context, &outcome);
}
