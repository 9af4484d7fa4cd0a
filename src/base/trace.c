/* SPDX-License-Identifier: Apache-2.0 */
/* https://www.w3.org/TR/trace-context-1/, sections 3.2 and 3.3. */
#include "base/trace.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* version "-" trace-id "-" parent-id "-" trace-flags */
enum { TRACE_ID_AT = 3, PARENT_ID_AT = 36, FLAGS_AT = 53, FLAGS_LENGTH = 2 };

#define HEX_DIGITS "0123456789abcdef"

static bool is_hex(const char *text, size_t length)
{
    return strspn(text, HEX_DIGITS) >= length;
}

/* An id of the length, lower case, and not all zeros. */
static bool is_id(const char *text, size_t length)
{
    return is_hex(text, length) && strspn(text, "0") < length;
}

static unsigned hex_value(char digit)
{
    return (unsigned)(strchr(HEX_DIGITS, digit) - HEX_DIGITS);
}

/* Blanks may stand behind a header's value. */
static size_t length_of(const char *value)
{
    size_t length = strlen(value);
    while (length > 0 && (value[length - 1] == ' ' || value[length - 1] == '\t'))
        length--;
    return length;
}

bool trace_parse(const char *traceparent, struct trace_span *ret_parent)
{
    size_t length = length_of(traceparent);
    if (length < TRACEPARENT_LENGTH || !is_hex(traceparent, 2) ||
        strncmp(traceparent, "ff", 2) == 0)
        return false;
    bool is_version_00 = strncmp(traceparent, "00", 2) == 0;
    if (length > TRACEPARENT_LENGTH && (is_version_00 || traceparent[TRACEPARENT_LENGTH] != '-'))
        return false;
    if (traceparent[TRACE_ID_AT - 1] != '-' || traceparent[PARENT_ID_AT - 1] != '-' ||
        traceparent[FLAGS_AT - 1] != '-' || !is_id(traceparent + TRACE_ID_AT, TRACE_ID_LENGTH) ||
        !is_id(traceparent + PARENT_ID_AT, SPAN_ID_LENGTH) ||
        !is_hex(traceparent + FLAGS_AT, FLAGS_LENGTH))
        return false;
    *ret_parent = (struct trace_span){0};
    memcpy(ret_parent->trace_id, traceparent + TRACE_ID_AT, TRACE_ID_LENGTH);
    memcpy(ret_parent->span_id, traceparent + PARENT_ID_AT, SPAN_ID_LENGTH);
    ret_parent->is_sampled = (hex_value(traceparent[FLAGS_AT + 1]) & 1) != 0;
    return true;
}

void trace_name_span(struct trace_span *span, uint64_t bits)
{
    bits += bits == 0; /* all zeros is no id */
    for (int i = 0; i < SPAN_ID_LENGTH; i++)
        span->span_id[i] = HEX_DIGITS[(bits >> (60 - 4 * i)) & 0xF];
    span->span_id[SPAN_ID_LENGTH] = '\0';
}

static void trace_context_destroy(struct shared *shared)
{
    free(CONTAINER_OF(shared, struct trace_context, shared));
}

static bool can_be_sent(struct text value)
{
    for (size_t i = 0; i < value.length; i++) {
        if ((value.data[i] < ' ' && value.data[i] != '\t') || value.data[i] > '~')
            return false;
    }
    return true;
}

struct trace_context *trace_context_create(const struct trace_span *span, struct text tracestate)
{
    if (!can_be_sent(tracestate))
        tracestate = TEXT("");
    struct trace_context *trace = calloc(1, sizeof(*trace) + tracestate.length + 1);
    if (trace == NULL)
        return NULL;
    shared_init(&trace->shared, trace_context_destroy);
    trace->span = *span;
    (void)snprintf(trace->traceparent, sizeof(trace->traceparent), "00-%s-%s-%s", span->trace_id,
                   span->span_id, span->is_sampled ? "01" : "00");
    memcpy(trace->tracestate, tracestate.data, tracestate.length);
    return trace;
}

struct trace_context *trace_context_hold(struct trace_context *trace)
{
    if (trace != NULL)
        (void)shared_hold(&trace->shared);
    return trace;
}

void trace_context_release(struct trace_context *trace)
{
    if (trace != NULL)
        shared_release(&trace->shared);
}
