/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A body between the transfer that brings it and the decoder that reads it: a queue on the loop's
 * side, one job at a time on the other.
 *
 * Threads: the loop thread only; the job inside is the body's own affair.
 */
#ifndef OPENCOST_FETCH_BODY_H
#define OPENCOST_FETCH_BODY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attrs.h"
#include "base/error.h"
#include "base/scheduler.h"
#include "cost/cost_set.h"

struct fetch_body;

/* `turned` is called at the end of every job: queued bytes have become fewer, or the body is over,
 * or idle after it was abandoned. It may destroy the body. NULL only when out of memory. */
struct fetch_body *fetch_body_create(const struct scheduler *scheduler, bool include_idle,
                                     void (*turned)(void *context), void *context) NODISCARD;

/* Whether its jobs rest between the pieces that they read. They do not at first. */
void fetch_body_set_leisurely(struct fetch_body *body, bool is_leisurely);

/* Must not be busy. Accepts NULL. */
void fetch_body_destroy(struct fetch_body *body);

/* Copies the bytes. False: the body is over (out of memory). */
bool fetch_body_append(struct fetch_body *body, const void *bytes, size_t length) NODISCARD;

/* All bytes are there. */
void fetch_body_complete(struct fetch_body *body);

/* The result is of no interest any more; a running job ends as soon as it can. */
void fetch_body_abandon(struct fetch_body *body);

/* Bytes that no job has taken yet. */
size_t fetch_body_queued_bytes(const struct fetch_body *body) NODISCARD;

/* A job is under way, and `turned` will be called. */
bool fetch_body_is_busy(const struct fetch_body *body) NODISCARD;

/* There is a result, which may be an error before all bytes have come. */
bool fetch_body_is_over(const struct fetch_body *body) NODISCARD;

/* The result, once it is over: the set (handed over) or NULL and *reterr. */
struct cost_set *fetch_body_take(struct fetch_body *body, struct error *reterr) NODISCARD;

#endif
