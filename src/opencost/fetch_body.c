/* SPDX-License-Identifier: Apache-2.0 */
/*
 * No lock: the loop thread collects chunks in `loop`; when no job runs it moves them to `job` and
 * starts one, and from then until the job's end `job` belongs to the job thread. So each job takes
 * all that came during the one before, and a slow decoder takes bigger bites.
 */
#include "fetch_body.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "opencost/decode.h"

enum { CHUNK_BYTES = 64 * 1024 - 64 };

struct chunk {
    struct chunk *next;
    size_t length;
    char bytes[CHUNK_BYTES];
};

struct fetch_body {
    const struct scheduler *scheduler;
    void (*turned)(void *context);
    void *context;
    /* Relaxed: they only make a job shorter or longer. */
    atomic_bool is_abandoned;
    atomic_bool is_leisurely;

    struct {
        struct chunk *first, *last;
        size_t bytes;
        bool is_complete;
        bool is_busy;
        bool is_over;
        struct cost_set *set;
        struct error error;
    } loop;

    struct {
        struct loop_job job;
        struct allocation_decoder *decoder;
        struct chunk *first;
        bool is_last;
        bool has_failed;
        struct cost_set *set;
        struct error error;
    } job;
};

static void free_chunks(struct chunk *chunk)
{
    while (chunk != NULL) {
        struct chunk *next = chunk->next;
        free(chunk);
        chunk = next;
    }
}

/* On a job thread. */
static void rest_if_leisurely(struct fetch_body *body)
{
    if (atomic_load_explicit(&body->is_leisurely, memory_order_relaxed))
        scheduler_job_rest(body->scheduler);
}

/* On a job thread. */
static void decode(struct loop_job *job)
{
    struct fetch_body *body = CONTAINER_OF(job, struct fetch_body, job.job);
    while (body->job.first != NULL && !body->job.has_failed &&
           !atomic_load_explicit(&body->is_abandoned, memory_order_relaxed)) {
        struct chunk *chunk = body->job.first;
        body->job.has_failed = !allocation_decoder_feed(body->job.decoder, chunk->bytes,
                                                        chunk->length, &body->job.error);
        body->job.first = chunk->next;
        free(chunk);
        rest_if_leisurely(body);
    }
    if (body->job.first == NULL && body->job.is_last && !body->job.has_failed) {
        body->job.set = allocation_decoder_finish(body->job.decoder, &body->job.error);
        body->job.has_failed = body->job.set == NULL;
    }
}

static void fail(struct fetch_body *body, const struct error *error)
{
    body->loop.error = *error;
    body->loop.is_over = true;
}

static void start_job(struct fetch_body *body)
{
    bool has_work = body->loop.first != NULL || body->loop.is_complete;
    if (body->loop.is_busy || body->loop.is_over || !has_work)
        return;
    body->job.first = body->loop.first;
    body->job.is_last = body->loop.is_complete;
    body->loop.first = body->loop.last = NULL;
    body->loop.bytes = 0;
    body->loop.is_busy = scheduler_job(body->scheduler, &body->job.job);
    if (!body->loop.is_busy) {
        struct error error;
        error_no_memory(&error);
        fail(body, &error);
    }
}

static void on_job_done(struct loop_job *job, bool cancelled)
{
    struct fetch_body *body = CONTAINER_OF(job, struct fetch_body, job.job);
    body->loop.is_busy = false;
    if (cancelled)
        error_set(&body->job.error, ERR_SHUTDOWN, "shutting down");
    if (cancelled || body->job.has_failed) {
        fail(body, &body->job.error);
    } else if (body->job.is_last) {
        body->loop.set = body->job.set;
        body->loop.is_over = true;
        body->job.set = NULL;
    } else if (!atomic_load_explicit(&body->is_abandoned, memory_order_relaxed)) {
        start_job(body);
    }
    body->turned(body->context);
}

struct fetch_body *fetch_body_create(const struct scheduler *scheduler, bool include_idle,
                                     void (*turned)(void *context), void *context)
{
    struct fetch_body *body = calloc(1, sizeof(*body));
    if (body == NULL)
        return NULL;
    body->scheduler = scheduler;
    body->turned = turned;
    body->context = context;
    body->job.job = (struct loop_job){.work = decode, .done = on_job_done};
    body->job.decoder = allocation_decoder_create(include_idle);
    if (body->job.decoder == NULL) {
        free(body);
        return NULL;
    }
    return body;
}

void fetch_body_set_leisurely(struct fetch_body *body, bool is_leisurely)
{
    atomic_store_explicit(&body->is_leisurely, is_leisurely, memory_order_relaxed);
}

void fetch_body_destroy(struct fetch_body *body)
{
    if (body == NULL)
        return;
    assert(!body->loop.is_busy);
    free_chunks(body->loop.first);
    free_chunks(body->job.first);
    allocation_decoder_destroy(body->job.decoder);
    cost_set_destroy(body->loop.set);
    cost_set_destroy(body->job.set);
    free(body);
}

/* A chunk with room, or NULL. */
static struct chunk *tail(struct fetch_body *body)
{
    struct chunk *last = body->loop.last;
    if (last != NULL && last->length < CHUNK_BYTES)
        return last;
    struct chunk *chunk = malloc(sizeof(*chunk));
    if (chunk == NULL)
        return NULL;
    chunk->next = NULL;
    chunk->length = 0;
    if (last != NULL)
        last->next = chunk;
    else
        body->loop.first = chunk;
    body->loop.last = chunk;
    return chunk;
}

bool fetch_body_append(struct fetch_body *body, const void *bytes, size_t length)
{
    const char *rest = bytes;
    while (length > 0 && !body->loop.is_over) {
        struct chunk *chunk = tail(body);
        if (chunk == NULL) {
            struct error error;
            error_no_memory(&error);
            fail(body, &error);
            return false;
        }
        size_t room = CHUNK_BYTES - chunk->length;
        size_t part = length < room ? length : room;
        memcpy(chunk->bytes + chunk->length, rest, part);
        chunk->length += part;
        body->loop.bytes += part;
        rest += part;
        length -= part;
    }
    start_job(body);
    return !body->loop.is_over;
}

void fetch_body_complete(struct fetch_body *body)
{
    body->loop.is_complete = true;
    start_job(body);
}

void fetch_body_abandon(struct fetch_body *body)
{
    atomic_store_explicit(&body->is_abandoned, true, memory_order_relaxed);
}

size_t fetch_body_queued_bytes(const struct fetch_body *body)
{
    return body->loop.bytes;
}

bool fetch_body_is_busy(const struct fetch_body *body)
{
    return body->loop.is_busy;
}

bool fetch_body_is_over(const struct fetch_body *body)
{
    return body->loop.is_over;
}

struct cost_set *fetch_body_take(struct fetch_body *body, struct error *reterr)
{
    assert(body->loop.is_over);
    struct cost_set *set = body->loop.set;
    body->loop.set = NULL;
    if (set == NULL && reterr != NULL)
        *reterr = body->loop.error;
    return set;
}
