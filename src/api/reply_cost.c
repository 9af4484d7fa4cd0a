/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A cost query's way through the HTTP side: answered at once from the cache, or
 *
 *     parked -> (loop thread: cost_request_done) -> resumed -> answered
 *
 * The parked state hangs on the exchange and lives as long as it does; the service lets go of it
 * when it calls `done`, which is before the exchange is resumed.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "call.h"

enum {
    TRACESTATE_LIMIT_BYTES = 16 * 1024, /* more than a request's head can hold */
    SHARED_ORIGINS_MAX = 0xFFFF,        /* as many as a tag can tell apart */
};

struct cost_reply {
    struct cost_request request;
    struct call call;
    struct http_peer peer;
    struct cost_answer answer;
};

/* An answer at one point in time, so that all its headers agree. */
struct aged_answer {
    const struct call *call;
    const struct cost_answer *answer;
    int64_t age_s;
    int64_t ttl_s;
};

static void add_cache_status(const struct aged_answer *aged, struct http_headers *headers)
{
    switch (aged->answer->source) {
    case COST_SOURCE_MISS:
        http_headers_add(headers, "Cache-Status", "kubecent; fwd=uri-miss; stored");
        http_headers_add(headers, "X-Cache", "MISS");
        return;
    case COST_SOURCE_COLLAPSED:
        http_headers_add(headers, "Cache-Status", "kubecent; fwd=uri-miss; collapsed");
        http_headers_add(headers, "X-Cache", "MISS");
        return;
    case COST_SOURCE_SHARED:
        http_headers_add_format(headers, "Cache-Status",
                                "kubecent; hit; ttl=%" PRId64 "; detail=shared",
                                aged->ttl_s - aged->age_s);
        http_headers_add(headers, "X-Cache", "HIT");
        return;
    case COST_SOURCE_STALE:
        http_headers_add_format(
            headers, "Cache-Status", "kubecent; hit; ttl=%" PRId64 "%s", aged->ttl_s - aged->age_s,
            aged->answer->origin_unavailable ? "; detail=origin-unavailable" : "");
        http_headers_add(headers, "X-Cache", "STALE");
        return;
    default:
        http_headers_add_format(headers, "Cache-Status", "kubecent; hit; ttl=%" PRId64,
                                aged->ttl_s - aged->age_s);
        http_headers_add(headers, "X-Cache", "HIT");
        return;
    }
}

/* RFC 5861: caches between us and the client may do as we do. */
static void add_cache_control(const struct aged_answer *aged, struct http_headers *headers)
{
    const struct api_options *options = &aged->call->api->options;
    char revalidate[48] = "";
    char error[48] = "";
    if (options->stale_while_revalidate_s > 0)
        (void)snprintf(revalidate, sizeof(revalidate), ", stale-while-revalidate=%" PRId64,
                       options->stale_while_revalidate_s);
    if (options->stale_if_error_s > 0)
        (void)snprintf(error, sizeof(error), ", stale-if-error=%" PRId64,
                       options->stale_if_error_s);
    /* The whole TTL: a client subtracts Age itself. */
    http_headers_add_format(headers, "Cache-Control", "%smax-age=%" PRId64 "%s%s",
                            aged->call->is_guarded ? "private, " : "", aged->ttl_s, revalidate,
                            error);
}

static void add_headers(void *context, struct http_headers *headers)
{
    const struct aged_answer *aged = context;
    call_add_common_headers(aged->call, VARIES_BY_ENCODING, headers);
    add_cache_control(aged, headers);
    http_headers_add_format(headers, "Age", "%" PRId64, aged->age_s);
    add_cache_status(aged, headers);
}

static const char *source_name(enum cost_source source)
{
    static const char *const names[] = {
        [COST_SOURCE_HIT] = "hit",
        [COST_SOURCE_MISS] = "miss",
        [COST_SOURCE_COLLAPSED] = "collapsed",
        [COST_SOURCE_STALE] = "stale",
        [COST_SOURCE_SHARED] = "shared",
    };
    return names[source];
}

/* Answers with equal tags carry equal headers: same second, same source, same CORS headers, and
 * nothing of the request's own. 0 where there is something of its own: an id, or an origin that is
 * not in our list. */
static uint64_t share_tag(const struct aged_answer *aged)
{
    const struct call *call = aged->call;
    enum cors_grant cors = call->cors;
    size_t origin = call->cors_origin;
    bool names_own_origin = cors == CORS_ECHO && (origin == 0 || origin > SHARED_ORIGINS_MAX);
    if (names_own_origin || call->request->has_client_request_id)
        return 0;
    return ((uint64_t)origin << 48) | ((uint64_t)aged->age_s << 8) |
           ((uint64_t)aged->answer->origin_unavailable << 7) |
           (uint64_t)((unsigned)aged->answer->source << 4) | ((uint64_t)cors << 1) | 1U;
}

/* Takes the content. */
static void reply_answer(const struct call *call, const struct cost_answer *answer, int64_t now_ms)
{
    if (answer->content == NULL) {
        call_reply_error(call, &answer->error);
        return;
    }
    int64_t age_ms = now_ms - answer->fetched_ms;
    struct aged_answer aged = {
        .call = call,
        .answer = answer,
        .age_s = age_ms > 0 ? age_ms / 1000 : 0,
        .ttl_s = answer->ttl_ms / 1000,
    };
    http_exchange_note_cache(call->exchange, source_name(answer->source));
    http_reply_content(call->exchange, answer->content, share_tag(&aged), add_headers, &aged);
    http_content_release(answer->content);
}

/* Loop thread. */
static void cost_request_done(struct cost_request *request, const struct cost_answer *answer)
{
    struct cost_reply *reply = CONTAINER_OF(request, struct cost_reply, request);
    reply->answer = *answer;
    waiting_leave(reply->call.api->waiting, &reply->peer);
    http_exchange_resume(reply->call.exchange);
}

static void resumed(void *context, struct http_exchange *exchange)
{
    struct cost_reply *reply = context;
    (void)exchange;
    reply_answer(&reply->call, &reply->answer, time_monotonic_ms(reply->call.api->options.time));
    reply->answer.content = NULL;
}

/* Upkeep's thread. */
static void client_left(void *context)
{
    struct cost_reply *reply = context;
    cost_service_give_up(reply->call.api->options.service, &reply->request);
}

/* A client may leave while parked: an answer then comes all the same, but nobody takes it. */
static void cost_reply_destroy(void *state)
{
    struct cost_reply *reply = state;
    http_content_release(reply->answer.content);
    free(reply);
}

/* Held by the caller; NULL where the client sent no trace, and where there is no memory for it: the
 * answer matters more. */
static struct trace_context *trace_of(const struct call *call)
{
    if (call->request->trace == NULL)
        return NULL;
    struct strbuf state CLEANUP(strbuf_finish);
    strbuf_init(&state, TRACESTATE_LIMIT_BYTES);
    http_exchange_append_headers(call->exchange, "tracestate", &state);
    struct text sent = {strbuf_text(&state), strbuf_failed(&state) ? 0 : state.length};
    return trace_context_create(call->request->trace, sent);
}

static bool order(const struct call *call, const struct cost_query *query, struct cost_reply *reply)
{
    struct trace_context *trace = trace_of(call);
    bool is_taken = cost_service_request(call->api->options.service, query, trace, &reply->request,
                                         &reply->answer.error);
    trace_context_release(trace);
    return is_taken;
}

static void park(const struct call *call, const struct cost_query *query, struct cost_reply *reply)
{
    reply->call = *call;
    reply->request.done = cost_request_done;
    http_exchange_set_state(call->exchange, reply, cost_reply_destroy);
    http_exchange_on_left(call->exchange, client_left);
    http_exchange_park(call->exchange, resumed, reply);
    if (order(call, query, reply))
        return;
    waiting_leave(call->api->waiting, &reply->peer);
    http_exchange_resume(call->exchange);
}

static void wait_for_answer(const struct call *call, const struct cost_query *query)
{
    struct error error;
    struct cost_reply *reply = calloc(1, sizeof(*reply));
    if (reply == NULL) {
        (void)error_no_memory(&error);
        call_reply_error(call, &error);
        return;
    }
    reply->peer = http_exchange_peer(call->exchange);
    if (waiting_enter(call->api->waiting, &reply->peer)) {
        park(call, query, reply);
        return;
    }
    free(reply);
    call_reply_too_many(call);
}

void call_reply_cost(const struct call *call, const struct cost_query *query)
{
    struct cost_answer answer UNCLEARED;
    int64_t now_ms = call->request->complete_ms;
    if (cost_service_lookup(call->api->options.service, query, now_ms, &answer))
        reply_answer(call, &answer, now_ms);
    else
        wait_for_answer(call, query);
}
