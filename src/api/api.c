/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a request to its handler: preflight, token, route, method, parameters, in this order. What a
 * handler gets is valid.
 */
#include <stdio.h>
#include <stdlib.h>

#include "call.h"
#include "docs.h"
#include "openapi.h"

static const char allowed_methods[] = "GET, HEAD, OPTIONS";

enum {
    FAULTS_LIMIT_BYTES = 255 * 1024,
    /* What a target may have at least. Answers have what the request leaves of the connection's
     * memory, and this is in both. */
    LOCATION_LIMIT_BYTES = 4 * 1024,
};

static bool create_docs(struct api *api)
{
    const struct api_options *options = &api->options;
    const struct openapi_guard guard = {
        .needs_token = options->auth_token_file != NULL,
        .metrics_auth = options->metrics_auth,
    };
    if (!options->enable_docs)
        return true;
    api->openapi = openapi_document(options->version, &guard);
    api->docs = docs_create();
    return api->openapi != NULL && api->docs != NULL;
}

static bool fill(struct api *api, struct error *reterr)
{
    const struct api_options *options = &api->options;
    api->request_metrics = request_metrics_create(options->metrics);
    api->waiting = waiting_create(options->max_waiting_per_peer);
    if (api->request_metrics == NULL || api->waiting == NULL ||
        !cors_policy_init(&api->cors, options->cors_origins, options->cors_origin_count) ||
        !create_docs(api))
        return error_no_memory(reterr);
    if (options->auth_token_file == NULL)
        return true;
    api->auth = auth_create(options->auth_token_file, options->log, reterr);
    return api->auth != NULL;
}

struct api *api_create(const struct api_options *options, struct error *reterr)
{
    struct api *api = calloc(1, sizeof(*api));
    if (api == NULL) {
        (void)error_no_memory(reterr);
        return NULL;
    }
    api->options = *options;
    atomic_init(&api->stopping, false);
    if (!fill(api, reterr)) {
        api_destroy(api);
        return NULL;
    }
    return api;
}

void api_destroy(struct api *api)
{
    if (api == NULL)
        return;
    http_content_release(api->openapi);
    docs_destroy(api->docs);
    cors_policy_finish(&api->cors);
    request_metrics_destroy(api->request_metrics);
    waiting_destroy(api->waiting);
    auth_destroy(api->auth);
    free(api);
}

void api_set_stopping(struct api *api)
{
    atomic_store_explicit(&api->stopping, true, memory_order_relaxed);
}

void api_upkeep(struct api *api)
{
    if (api->auth != NULL)
        auth_upkeep(api->auth);
}

/* Its parameters are left to params_read(). */
static void call_begin(struct call *call, struct api *api, struct http_exchange *exchange)
{
    call->api = api;
    call->exchange = exchange;
    call->request = http_exchange_request(exchange);
    call->route = NULL;
    call->cors = cors_judge(&api->cors, exchange, &call->cors_origin);
    call->is_guarded = false;
}

static bool is_reading(const char *method)
{
    return strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0;
}

/* 204 for OPTIONS, 405 for what no route does. */
static void reply_other_method(const struct call *call)
{
    if (strcmp(call->request->method, "OPTIONS") == 0)
        call_reply(call, 204, NULL, TEXT(""), "Allow", allowed_methods);
    else
        call_reply_failure(call, &(struct failure){.status = 405,
                                                   .detail = "Method Not Allowed",
                                                   .headers = {{"Allow", allowed_methods}}});
}

/* 307 to the same path without its last slash, if the query is not too long for that. The route's
 * own path goes into Location, never the client's. */
static void reply_other_slash(const struct call *call, const struct route *route)
{
    struct text query = call->request->query;
    struct strbuf location;
    strbuf_init(&location, LOCATION_LIMIT_BYTES);
    strbuf_append_text(&location, route->path);
    if (query.length > 0)
        strbuf_append_char(&location, '?');
    strbuf_append(&location, query.data, query.length);
    if (strbuf_failed(&location))
        call_reply_detail(call, 404, "Not Found");
    else
        call_reply(call, 307, NULL, TEXT(""), "Location", strbuf_text(&location));
    strbuf_finish(&location);
}

/* The documentation's routes exist when it is on, those of its files when they were built in. */
static bool exists(const struct api *api, const struct route *route)
{
    if (route == NULL || route->group != ROUTE_GROUP_DOCS)
        return route != NULL;
    return api->docs != NULL && (route->get != get_docs_file || docs_has_files(api->docs));
}

static void reply_unknown_path(const struct call *call)
{
    const struct route *route = routes_find_other_slash(call->request->path);
    if (exists(call->api, route))
        reply_other_slash(call, route);
    else
        call_reply_detail(call, 404, "Not Found");
}

static void reply_faults(const struct call *call, const struct strbuf *faults)
{
    if (strbuf_failed(faults)) { /* half a list is no JSON, for the log neither */
        call_reply_detail(call, 500, "Internal Server Error");
        return;
    }
    log_warning(call->api->options.log, LOG_EVENT("validation_error"),
                LOG_JSON("errors", strbuf_text(faults)));
    call_reply_failure(call, &(struct failure){.status = 422,
                                               .detail = "Parameters are invalid",
                                               .faults = {strbuf_text(faults), faults->length}});
}

static void run_route(struct call *call)
{
    struct strbuf faults;
    strbuf_init(&faults, FAULTS_LIMIT_BYTES);
    if (params_read(call->request, call->route->params, call->route->param_count, call->params,
                    &faults))
        call->route->get(call);
    else
        reply_faults(call, &faults);
    strbuf_finish(&faults);
}

static bool is_guarded(const struct api *api, const struct route *route)
{
    return api->auth != NULL &&
           (route == NULL || route_needs_token(route, api->options.metrics_auth));
}

static enum auth_verdict judge(const struct call *call)
{
    char user[AUTH_USER_MAX];
    if (!call->is_guarded)
        return AUTH_GRANTED;
    enum auth_verdict verdict =
        auth_judge(call->api->auth, http_exchange_header(call->exchange, "Authorization"), user);
    if (verdict == AUTH_GRANTED)
        http_exchange_note_user(call->exchange, user);
    return verdict;
}

void api_handle(void *context, struct http_exchange *exchange)
{
    struct api *api = context;
    struct call call UNCLEARED;
    call_begin(&call, api, exchange);
    call.route = routes_find(call.request->path);
    if (!exists(api, call.route))
        call.route = NULL;
    else
        http_exchange_note_route(exchange, call.route->path);
    call.is_guarded = is_guarded(api, call.route);

    enum auth_verdict verdict;
    if (call.cors != CORS_NOT_ASKED && cors_is_preflight(exchange)) {
        struct http_headers headers = {.count = 0};
        cors_reply_preflight(&api->cors, exchange, &headers);
    } else if ((verdict = judge(&call)) != AUTH_GRANTED) {
        call_reply_unauthorized(&call, verdict);
    } else if (call.route == NULL) {
        reply_unknown_path(&call);
    } else if (!is_reading(call.request->method)) {
        reply_other_method(&call);
    } else {
        run_route(&call);
    }
}

void api_add_error_headers(void *context, struct http_exchange *exchange,
                           struct http_headers *headers)
{
    struct call call UNCLEARED;
    call_begin(&call, context, exchange);
    call_add_common_headers(&call, 0, headers);
}

static bool is_machine_route(const char *path)
{
    size_t count = 0;
    const struct route *routes = routes_all(&count);
    for (size_t i = 0; i < count; i++) {
        if (routes[i].path == path)
            return routes[i].group == ROUTE_GROUP_MACHINE;
    }
    return false;
}

/* One line a request. Probes and scrapes come every few seconds and matter only when debugging. */
static void log_request(struct log *log, const struct http_summary *summary)
{
    enum log_level level = is_machine_route(summary->route) ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO;
    LOG_AT(log, level, LOG_STR("method", summary->method), LOG_STR("path", summary->path),
           LOG_INT("status", summary->status),
           LOG_HUNDREDTHS("duration_ms", summary->duration_ns / 10000),
           LOG_STR("user", summary->user), LOG_STR("route", summary->route),
           LOG_INT("bytes", summary->bytes), LOG_STR("cache", summary->cache_status),
           LOG_STR("request_id", summary->request_id), LOG_EVENT("http.request"),
           LOG_STR_OR_END("trace_id", summary->trace_id), LOG_STR("span_id", summary->span_id));
}

void api_observe(void *context, const struct http_summary *summary)
{
    const struct api *api = context;
    request_metrics_count(api->request_metrics, summary);
    if (api->options.access_log)
        log_request(api->options.log, summary);
}
