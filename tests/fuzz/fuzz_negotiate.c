/* SPDX-License-Identifier: Apache-2.0 */
/* Accept, Accept-Encoding, If-None-Match, X-Request-ID and traceparent of any content: an answer,
 * and where the grammar leaves no choice, the right one. */
#include <stdbool.h>

#include "base/strbuf.h"
#include "base/trace.h"
#include "framing.h"
#include "fuzz.h"
#include "http/negotiate.h"

static const char etag[] = "\"0123456789abcdef-gz\"";

/* The first member decides, whatever follows it. */
static void check_first_member(const char *rest)
{
    struct strbuf list;
    strbuf_init(&list, SIZE_MAX);
    strbuf_append_format(&list, "W/%s,%s", etag, rest);
    FUZZ_CHECK(http_etag_matches(strbuf_text(&list), etag));
    strbuf_finish(&list);
}

/* A match needs the tag itself in the list, or an asterisk alone. */
static void check_match(const char *value)
{
    if (http_etag_matches(value, etag))
        FUZZ_CHECK(strstr(value, etag) != NULL || strchr(value, '*') != NULL);
}

/* Gzip is sent only to who names it or everything, and to nobody who says `q=0` to both alone. */
static void check_accepts(const char *value)
{
    if (http_accepts_gzip(value))
        FUZZ_CHECK(strcasestr(value, "gzip") != NULL || strchr(value, '*') != NULL);
}

/* A type is preferred only by who names it. */
static void check_prefers(const char *value)
{
    if (http_prefers_type(value, "application/problem+json", "application/json"))
        FUZZ_CHECK(strcasestr(value, "application/problem+json") != NULL);
}

static void check_request_id(const char *value)
{
    size_t length = framing_request_id_length(value);
    FUZZ_CHECK(length <= REQUEST_ID_MAX && length <= strlen(value));
    for (size_t i = 0; i < length; i++)
        FUZZ_CHECK(value[i] > ' ' && value[i] < 0x7f && value[i] != '"' && value[i] != '\\');
}

/* A trace that is read has ids which can be passed on, and is read the same again. */
static void check_trace(const char *value)
{
    static const char hex[] = "0123456789abcdef";
    struct trace_span span;
    struct trace_span again;
    if (!trace_parse(value, &span))
        return;
    FUZZ_CHECK(strspn(span.trace_id, hex) == TRACE_ID_LENGTH &&
               span.trace_id[TRACE_ID_LENGTH] == 0);
    FUZZ_CHECK(strspn(span.span_id, hex) == SPAN_ID_LENGTH && span.span_id[SPAN_ID_LENGTH] == 0);
    struct trace_context *trace = trace_context_create(&span, text_of(value));
    FUZZ_CHECK(trace != NULL && trace_parse(trace->traceparent, &again));
    FUZZ_CHECK(strcmp(again.trace_id, span.trace_id) == 0 && again.is_sampled == span.is_sampled);
    trace_context_release(trace);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *value = fuzz_copy(data, size, 1);
    check_accepts(value);
    check_match(value);
    check_prefers(value);
    check_first_member(value);
    check_request_id(value);
    check_trace(value);
    free(value);
    return 0;
}
