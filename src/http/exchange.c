/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The life of an exchange, in the calls libmicrohttpd makes:
 *
 *     IDLE --target read--> NAMED --first call--> READING --last call--> HANDLING
 *                             |                                         |  ^  |
 *                             |                             park called |  |  | http_reply*
 *                             |                                         v  |  |
 *                             |                   handler called again  PARKED |
 *                             +--malformed, too large--> ANSWERED <-----------+
 *
 * and from any of them back to IDLE when libmicrohttpd says that the request is completed:
 * answered, or the connection broke. That notification always comes, once, on the connection's
 * thread.
 *
 * - The first handler call has the headers only. Answering there makes 0.9.75 close the connection,
 *   which is right for what we refuse and wrong for everything else.
 * - In between come calls with pieces of the body; libmicrohttpd takes no answer during those.
 * - PARKED is suspended. libmicrohttpd does not call us then, not even when the client leaves.
 * http_exchange_resume() makes libmicrohttpd call the handler again, which then finds PARKED and
 * runs `resumed`. A resume that overtakes the end of the handling call is fine: it takes effect in
 * the thread's next round. In that call `resumed` may park again.
 */
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cork.h"
#include "exchange_state.h"
#include "peer.h"
#include "server_state.h"

struct http_exchange *exchange_create(struct http_server *server, struct MHD_Connection *connection)
{
    struct http_exchange *exchange = calloc(1, sizeof(*exchange));

    if (exchange == NULL)
        return NULL;
    exchange->server = server;
    exchange->connection = connection;
    if (server->tls != NULL)
        exchange->credentials = tls_begin(server->tls, connection);
    arrival_open(&server->arrivals, &exchange->arrival,
                 MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd,
                 time_monotonic_ms(server->options.time));
    return exchange;
}

static void forget_request(struct http_exchange *exchange)
{
    if (exchange->destroy_state != NULL)
        exchange->destroy_state(exchange->state);
    exchange->state = NULL;
    exchange->destroy_state = NULL;
    exchange->left = NULL;
    target_finish(&exchange->target);
    exchange->phase = EXCHANGE_IDLE;
}

void exchange_destroy(struct http_exchange *exchange)
{
    if (exchange == NULL)
        return;
    arrival_close(&exchange->server->arrivals, &exchange->arrival);
    if (exchange->phase != EXCHANGE_IDLE)
        forget_request(exchange);
    tls_credentials_release(exchange->credentials); /* its session is gone by now */
    free(exchange);
}

/* Called as soon as the request line was read; `sent` points into libmicrohttpd's buffer.
 *
 * The target ends at the first NUL, whatever the client sent behind it, so the place where the
 * version must begin is kept: if it begins later, there was a NUL in the target.
 *
 * Once it is copied, the query is cut off in the buffer: libmicrohttpd would otherwise take it
 * apart too, in the connection's memory, and when many parameters exhaust that it sends no answer
 * at all. A version that does not look at the buffer again loses nothing by it. */
void exchange_name(struct http_exchange *exchange, char *sent)
{
    size_t length = strlen(sent);
    char *query = memchr(sent, '?', length);

    exchange->phase = EXCHANGE_NAMED;
    exchange->failed = !target_capture(&exchange->target, sent, length);
    exchange->version_expected_at = sent + length + 1;
    if (query != NULL)
        query[1] = '\0';
}

/* splitmix64: a counter in, well-spread bits out. Request ids must differ, not be secret. */
static uint64_t mix(uint64_t value)
{
    value = (value ^ (value >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    value = (value ^ (value >> 27)) * UINT64_C(0x94D049BB133111EB);
    return value ^ (value >> 31);
}

static uint64_t make_up_bits(struct http_server *server)
{
    return mix(server->request_id_seed +
               atomic_fetch_add_explicit(&server->request_ids, 1, memory_order_relaxed) *
                   UINT64_C(0x9E3779B97F4A7C15));
}

static void choose_request_id(struct http_exchange *exchange)
{
    static const char digits[] = "0123456789abcdef";
    const char *sent = exchange->head.request_id;
    size_t length = sent == NULL ? 0 : framing_request_id_length(sent);
    uint64_t made_up;

    exchange->request.has_client_request_id = length > 0;
    if (length > 0) {
        memcpy(exchange->request_id, sent, length);
        exchange->request_id[length] = '\0';
        return;
    }
    made_up = make_up_bits(exchange->server);
    for (int i = 0; i < 16; i++)
        exchange->request_id[i] = digits[(made_up >> (60 - 4 * i)) & 0xF];
    exchange->request_id[16] = '\0';
}

/* An invalid traceparent counts as none. */
static void join_trace(struct http_exchange *exchange)
{
    if (exchange->head.traceparent == NULL ||
        !trace_parse(exchange->head.traceparent, &exchange->trace))
        return;
    trace_name_span(&exchange->trace, make_up_bits(exchange->server));
    exchange->request.trace = &exchange->trace;
}

/* Returns 0 for a request to go on with, else the status to refuse it with. */
static int examine(struct http_exchange *exchange, const char *method, const char *version)
{
    bool is_clear = framing_examine(exchange->connection, method, version, &exchange->head);

    choose_request_id(exchange);
    join_trace(exchange);
    if (!is_clear || version != exchange->version_expected_at)
        return MHD_HTTP_BAD_REQUEST;
    switch (target_decode(&exchange->target, method, &exchange->request)) {
    case TARGET_OK:
        break;
    case TARGET_MALFORMED:
        return MHD_HTTP_BAD_REQUEST;
    case TARGET_NO_MEMORY:
        return MHD_HTTP_INTERNAL_SERVER_ERROR;
    }
    return exchange->head.body_bytes > EXCHANGE_MAX_BODY_BYTES ? MHD_HTTP_CONTENT_TOO_LARGE : 0;
}

static void note_time(struct http_exchange *exchange)
{
    exchange->complete_ns = time_monotonic_ns(exchange->server->options.time);
    exchange->request.complete_ms = exchange->complete_ns / 1000000;
}

enum MHD_Result exchange_begin(struct http_exchange *exchange, const char *method,
                               const char *version)
{
    int refusal;

    exchange->closing = false;
    exchange->status = 0;
    exchange->bytes = 0;
    exchange->body_bytes = 0;
    exchange->route = NULL;
    exchange->cache_status = NULL;
    exchange->user[0] = '\0';
    exchange->request = (struct http_request){.method = method, .request_id = exchange->request_id};
    exchange->request_id[0] = '\0';
    note_time(exchange);
    server_exchange_begun(exchange->server);
    exchange->phase = EXCHANGE_READING;
    if (exchange->failed)
        return MHD_NO;
    refusal = examine(exchange, method, version);
    if (refusal == 0)
        return MHD_YES;
    if (!arrival_complete(&exchange->arrival))
        return MHD_NO;
    reply_error(exchange, refusal);
    return exchange->failed ? MHD_NO : MHD_YES;
}

enum MHD_Result exchange_drop_body(struct http_exchange *exchange, size_t bytes)
{
    exchange->body_bytes += bytes;
    if (exchange->body_bytes <= EXCHANGE_MAX_BODY_BYTES)
        return MHD_YES;
    if (exchange->phase == EXCHANGE_READING)
        reply_error_past_library(exchange, MHD_HTTP_CONTENT_TOO_LARGE);
    return MHD_NO;
}

enum MHD_Result exchange_proceed(struct http_exchange *exchange)
{
    const struct http_server_options *options = &exchange->server->options;
    enum exchange_phase phase = exchange->phase;

    if (phase != EXCHANGE_READING && phase != EXCHANGE_PARKED)
        return MHD_YES;
    if (phase == EXCHANGE_READING && !arrival_complete(&exchange->arrival))
        return MHD_NO;
    if (phase == EXCHANGE_READING &&
        exchange->body_bytes > 0) /* else there was nothing to wait for */
        note_time(exchange);
    exchange->phase = EXCHANGE_HANDLING;
    if (phase == EXCHANGE_READING)
        options->handle(options->context, exchange);
    else
        exchange->resumed(exchange->resumed_context, exchange);
    if (exchange->phase == EXCHANGE_HANDLING) {
        log_error(options->log, LOG_EVENT("http.unanswered"), LOG_STR("route", exchange->route));
        reply_error(exchange, MHD_HTTP_INTERNAL_SERVER_ERROR);
    }
    return exchange->failed ? MHD_NO : MHD_YES;
}

static void report(struct http_exchange *exchange, bool completed)
{
    enum { SUMMARY_PATH_MAX = 1024 };
    const struct http_server_options *options = &exchange->server->options;
    const struct trace_span *trace = exchange->request.trace;
    char path[SUMMARY_PATH_MAX + 1] UNCLEARED;
    struct http_summary summary = {
        .method = exchange->request.method,
        .path = exchange->target.path,
        .route = exchange->route,
        .cache_status = exchange->cache_status,
        .request_id = exchange->request_id,
        .user = exchange->user[0] == '\0' ? NULL : exchange->user,
        .trace_id = trace == NULL ? NULL : trace->trace_id,
        .span_id = trace == NULL ? NULL : trace->span_id,
        .status = exchange->status,
        .completed = completed,
        .bytes = exchange->bytes,
        .duration_ns = time_monotonic_ns(options->time) - exchange->complete_ns,
    };

    if (exchange->target.length > SUMMARY_PATH_MAX) {
        snprintf(path, sizeof(path), "%s", exchange->target.path);
        summary.path = path;
    }
    options->observe(options->context, &summary);
}

void exchange_end(struct http_exchange *exchange, bool completed)
{
    bool was_begun = exchange->phase > EXCHANGE_NAMED;

    /* The client waits for it, and for nothing that follows here. */
    if (exchange->corked)
        uncork_socket(exchange->arrival.fd);
    exchange->corked = false;
    if (was_begun && exchange->server->options.observe != NULL)
        report(exchange, completed);
    forget_request(exchange);
    arrival_next(&exchange->arrival);
    if (was_begun)
        server_exchange_over(exchange->server);
}

const struct http_request *http_exchange_request(const struct http_exchange *exchange)
{
    return &exchange->request;
}

const char *http_exchange_header(const struct http_exchange *exchange, const char *name)
{
    return MHD_lookup_connection_value(exchange->connection, MHD_HEADER_KIND, name);
}

struct header_list {
    const char *name;
    struct strbuf *values;
};

static enum MHD_Result append_if_named(void *context, enum MHD_ValueKind kind, const char *name,
                                       const char *value)
{
    const struct header_list *list = context;

    (void)kind;
    if (value == NULL || strcasecmp(name, list->name) != 0)
        return MHD_YES;
    if (list->values->length > 0)
        strbuf_append_char(list->values, ',');
    strbuf_append_text(list->values, value);
    return MHD_YES;
}

void http_exchange_append_headers(const struct http_exchange *exchange, const char *name,
                                  struct strbuf *list)
{
    struct header_list named = {.name = name, .values = list};

    MHD_get_connection_values(exchange->connection, MHD_HEADER_KIND, append_if_named, &named);
}

struct http_peer http_exchange_peer(const struct http_exchange *exchange)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(exchange->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);

    return peer_of(info->client_addr);
}

const struct http_param *http_request_param(const struct http_request *request, const char *name)
{
    struct text wanted = text_of(name);

    for (size_t i = request->param_count; i > 0; i--) {
        if (text_equals(request->params[i - 1].name, wanted))
            return &request->params[i - 1];
    }
    return NULL;
}

void http_exchange_set_state(struct http_exchange *exchange, void *state,
                             void (*destroy)(void *state))
{
    assert(exchange->state == NULL && exchange->destroy_state == NULL);
    exchange->state = state;
    exchange->destroy_state = destroy;
}

void http_exchange_note_route(struct http_exchange *exchange, const char *route)
{
    exchange->route = route;
}

void http_exchange_note_cache(struct http_exchange *exchange, const char *cache_status)
{
    exchange->cache_status = cache_status;
}

void http_exchange_note_user(struct http_exchange *exchange, const char *user)
{
    snprintf(exchange->user, sizeof(exchange->user), "%s", user);
}

void http_exchange_on_left(struct http_exchange *exchange, void (*left)(void *context))
{
    exchange->left = left;
}

void http_exchange_park(struct http_exchange *exchange,
                        void (*resumed)(void *context, struct http_exchange *exchange),
                        void *context)
{
    assert(exchange->phase == EXCHANGE_HANDLING);
    exchange->resumed = resumed;
    exchange->resumed_context = context;
    exchange->phase = EXCHANGE_PARKED;
    atomic_store_explicit(&exchange->resumable, true, memory_order_relaxed);
    if (exchange->left != NULL)
        arrival_watch(&exchange->server->arrivals, &exchange->arrival, exchange->left, context);
    MHD_suspend_connection(exchange->connection);
}

void http_exchange_resume(struct http_exchange *exchange)
{
    /* Relaxed is enough: whoever resumes learned of the exchange after it was parked, and
     * libmicrohttpd's own lock hands everything over to the HTTP thread. */
    bool was_parked = atomic_exchange_explicit(&exchange->resumable, false, memory_order_relaxed);

    assert(was_parked);
    (void)was_parked;
    if (exchange->left != NULL)
        arrival_unwatch(&exchange->server->arrivals, &exchange->arrival);
    MHD_resume_connection(exchange->connection);
}
