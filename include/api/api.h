/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a URL means: the routes of the service, their parameters, CORS, errors, probes, metrics, the
 * OpenAPI document.
 *
 * The api is what http/server.h calls for every request (api_handle), when an exchange is over
 * (api_observe), and for the headers of answers the server makes itself (api_add_error_headers).
 *
 * Threads: the HTTP threads, all at once, except api_create(), api_destroy(), api_set_stopping()
 * and api_upkeep() (main).
 */
#ifndef API_API_H
#define API_API_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attrs.h"
#include "base/error.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/time_source.h"
#include "http/exchange.h"
#include "http/server.h"
#include "service/cost_service.h"
#include "service/origin_health.h"
#include "service/refresher.h"

struct api;

struct api_options {
    struct cost_service *service; /* borrowed, as all below */
    struct origin_health *health;
    const struct refresher *refresher;
    const struct time_source *time;
    struct log *log;
    struct metrics *metrics;
    const char *const *cors_origins; /* "*" or origins, compared byte for byte; copied */
    size_t cors_origin_count;
    const char *auth_token_file;      /* of tokens, one of which must be sent; NULL: none need be */
    bool metrics_auth;                /* /metrics needs one too */
    bool enable_docs;                 /* /api/openapi.json and /api/docs */
    bool access_log;                  /* a line a request */
    unsigned max_waiting_per_peer;    /* requests of one client waiting at once, 0: no limit */
    int64_t stale_while_revalidate_s; /* announced in Cache-Control, 0: not */
    int64_t stale_if_error_s;         /* likewise */
    const char *version;              /* of the service; static */

    /* How long ago the loop thread showed that it turns; any thread. */
    int64_t (*loop_age_ms)(void *context);
    void *loop_context;
};

struct api *api_create(const struct api_options *options, struct error *reterr) NODISCARD;

/* Accepts NULL. */
void api_destroy(struct api *api);

/* From now on /readyz says 503. */
void api_set_stopping(struct api *api);

/* To be called about once a second: reads the tokens again if they have changed. */
void api_upkeep(struct api *api);

/* The callbacks for struct http_server_options; `context` is the api. */
void api_handle(void *context, struct http_exchange *exchange);
void api_observe(void *context, const struct http_summary *summary);
void api_add_error_headers(void *context, struct http_exchange *exchange,
                           struct http_headers *headers);

#endif
