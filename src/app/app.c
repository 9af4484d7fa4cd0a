/* SPDX-License-Identifier: Apache-2.0 */
/* From the start to the last signal: who lives in the house is in rooms.c. */
#include "app.h"

#include <stdio.h>
#include <string.h>

#include "api/api.h"
#include "base/log.h"
#include "demo/demo.h"
#include "descriptors.h"
#include "http/server.h"
#include "level.h"
#include "rooms.h"
#include "service/snapshot.h"
#include "signals.h"
#include "working_set.h"

enum {
    DRAIN_AFTER_ABORT_MS = 2 * 1000,
    UPKEEP_INTERVAL_MS = 1000,
};

/* For the person at the terminal; standard output belongs to the log. */
static void greet(const struct rooms *rooms)
{
    const char *host = rooms->config->host;
    const char *shown =
        strcmp(host, "0.0.0.0") == 0 || strcmp(host, "::") == 0 ? "localhost" : host;
    unsigned port = http_server_port(rooms->server);
    char address[300];
    (void)snprintf(address, sizeof(address), strchr(shown, ':') == NULL ? "%s:%u" : "[%s]:%u",
                   shown, port);
    (void)fprintf(stderr,
                  "\nServing DEMO data from an embedded sample OpenCost (set OPENCOST_URL for a "
                  "real one). Try:\n\n"
                  "  curl 'http://%s/api/v1/health'\n"
                  "  curl 'http://%s/api/v1/cost/namespaces?window=7d&idle=true'\n"
                  "  curl 'http://%s/api/v1/cost/pods?namespace=shop&window=24h'\n"
                  "  curl 'http://%s/api/v1/cost/monthly?months=6'\n"
                  "  curl 'http://%s/api/v1/savings/recommendations?limit=5'\n\n",
                  address, address, address, address, address);
}

static void log_initialized(const struct rooms *rooms)
{
    log_info(
        rooms->log, LOG_EVENT("application.initialized"), LOG_BOOL("debug", rooms->config->debug),
        LOG_STR("opencost_url", rooms->demo == NULL ? rooms->config->opencost_url_shown
                                                    : demo_opencost_url(rooms->demo)),
        LOG_BOOL("demo", rooms->demo != NULL), LOG_STR("environment", rooms->config->environment),
        LOG_STR("host", rooms->config->host), LOG_INT("port", http_server_port(rooms->server)));
    if (rooms->demo != NULL) {
        log_warning(rooms->log, LOG_EVENT("demo.serving_sample_data"));
        greet(rooms);
    }
}

/* What has to be done now and then is done here: it may touch files, and nobody waits for main. */
static void upkeep(const struct rooms *rooms)
{
    http_server_upkeep(rooms->server);
    api_upkeep(rooms->api);
}

static void serve_until_stopped(const struct rooms *rooms, struct level *level)
{
    enum signals_event event;
    while ((event = signals_wait(UPKEEP_INTERVAL_MS)) != SIGNALS_STOP) {
        if (event == SIGNALS_REREAD)
            level_reread(level);
        upkeep(rooms);
    }
}

/* Nothing but the probe tells it from service as usual. */
static void serve_for(const struct rooms *rooms, int64_t left_ms)
{
    for (; left_ms > 0; left_ms -= UPKEEP_INTERVAL_MS) {
        signals_pause_ms(left_ms < UPKEEP_INTERVAL_MS ? left_ms : UPKEEP_INTERVAL_MS);
        upkeep(rooms);
    }
}

/* Upkeep goes on, so that nobody waits for clients that have left, or drip. */
static bool drain(const struct rooms *rooms)
{
    int64_t left_ms = rooms->config->shutdown_timeout_s * 1000;
    int64_t limit_ms = left_ms < UPKEEP_INTERVAL_MS ? left_ms : UPKEEP_INTERVAL_MS;
    bool drained = http_server_drain(rooms->server, limit_ms);
    while (!drained && left_ms > limit_ms) {
        left_ms -= limit_ms;
        upkeep(rooms);
        drained = http_server_drain(rooms->server, limit_ms);
    }
    return drained;
}

/* The order is that of pod termination in Kubernetes: while endpoints are still being removed,
 * requests keep coming. */
static void stop_gracefully(struct rooms *rooms)
{
    const struct config *config = rooms->config;
    api_set_stopping(rooms->api);
    log_info(rooms->log, LOG_EVENT("application.shutdown"));
    signals_exit_on_next();
    serve_for(rooms, config->shutdown_delay_s * 1000);
    http_server_quiesce(rooms->server);
    bool drained = drain(rooms);
    rooms_stop_loop(rooms);
    if (rooms->snapshot != NULL)
        snapshot_write_last(rooms->snapshot);
    if (!drained)
        (void)http_server_drain(rooms->server, DRAIN_AFTER_ABORT_MS);
}

bool app_run(const struct config *config, const char *env_file, bool demo, struct error *reterr)
{
    struct rooms rooms = {.config = config, .time = &time_source_system};
    descriptors_raise_limit();
    signals_block();
    bool started = rooms_start(&rooms, demo || strcmp(config->opencost_url, "demo") == 0, reterr);
    if (started) {
        struct level level;
        level_init(&level, rooms.log, env_file, config->log_level);
        log_initialized(&rooms);
        working_set_trim();
        serve_until_stopped(&rooms, &level);
        stop_gracefully(&rooms);
    }
    rooms_destroy(&rooms);
    return started;
}
