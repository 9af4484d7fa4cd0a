/* SPDX-License-Identifier: Apache-2.0 */
/*
 * W3C Trace Context: which trace a request belongs to, as `traceparent` and `tracestate` say, and
 * as they are passed on.
 *
 * Threads: any; a trace context is immutable and counted.
 */
#ifndef BASE_TRACE_H
#define BASE_TRACE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attrs.h"
#include "base/shared.h"
#include "base/text.h"

enum { TRACE_ID_LENGTH = 32, SPAN_ID_LENGTH = 16, TRACEPARENT_LENGTH = 55 };

/* One span of a trace: our work on one request. */
struct trace_span {
    char trace_id[TRACE_ID_LENGTH + 1]; /* empty: no trace */
    char span_id[SPAN_ID_LENGTH + 1];
    bool is_sampled;
};

/* The span that a `traceparent` is of, the caller's. False for an invalid one, which counts as
 * none. Of versions to come the fields of today's are read. */
bool trace_parse(const char *traceparent, struct trace_span *ret_parent) NODISCARD;

/* Gives the span an id of its own, made of any 64 bits. */
void trace_name_span(struct trace_span *span, uint64_t bits);

/* What goes to those we ask for the request's sake. */
struct trace_context {
    struct shared shared;
    struct trace_span span;                   /* ours, the parent of theirs */
    char traceparent[TRACEPARENT_LENGTH + 1]; /* version 00 */
    char tracestate[];                        /* as it came; empty: none */
};

/* A `tracestate` that cannot be sent on is dropped. NULL only when out of memory. */
struct trace_context *trace_context_create(const struct trace_span *span,
                                           struct text tracestate) NODISCARD;

/* Both accept NULL. */
struct trace_context *trace_context_hold(struct trace_context *trace);
void trace_context_release(struct trace_context *trace);

#endif
