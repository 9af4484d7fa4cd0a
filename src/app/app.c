/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every room is created with what it needs and nothing else; this file alone sees the settings.
 * Creation goes bottom-up and may stop anywhere: destruction goes top-down over whatever is there.
 */
#include "app.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "api/api.h"
#include "base/log.h"
#include "base/metrics.h"
#include "cache/cache.h"
#include "cpus.h"
#include "demo/demo.h"
#include "descriptors.h"
#include "http/server.h"
#include "level.h"
#include "net/curl_loop.h"
#include "opencost/client.h"
#include "opencost/curl_transfer.h"
#include "redis/curl_stream.h"
#include "redis/redis_tier.h"
#include "service/cost_service.h"
#include "service/namespace_costs.h"
#include "service/origin_health.h"
#include "service/refresher.h"
#include "service/snapshot.h"
#include "signals.h"
#include "version.h"
#include "worker/worker.h"

enum {
    CONNECT_TIMEOUT_MS = 5 * 1000,
    TRIES = 3,
    RETRY_WAIT_MAX_MS = 10 * 1000,
    ORIGIN_QUERIES_IN_FLIGHT = 2,
    HEALTH_INTERVAL_MS = 10 * 1000,
    HEALTH_TIMEOUT_MS = 5 * 1000,
    DEADLINE_MARGIN_MS =
        5 * 1000, /* beyond the longest fetch, for waiting in OpenCost's queue and rendering */
    DRAIN_AFTER_ABORT_MS = 2 * 1000,
    UPKEEP_INTERVAL_MS = 1000,
    /* Every idle connection keeps it, and it is cleared for every request. Enough for 8 KB of
     * headers with a target of 4 KB; cookies count twice, and 64 bytes each, so about 60 of them
     * fit. */
    CONNECTION_MEMORY_BYTES = 18 * 1024,
};

struct app {
    const struct config *config;
    const struct time_source *time;
    struct log *log;
    struct level level;
    struct metrics *metrics;
    struct demo_opencost *demo;
    bool curl_ready;
    struct worker *worker;
    bool worker_started;
    struct curl_transfers *transfers;
    struct opencost_client *client;
    struct curl_streams *streams; /* NULL, as the tier, unless replicas share a cache */
    struct redis_tier *tier;
    struct cache *cache;
    struct origin_health *health;
    struct cost_service *service;
    struct refresher *refresher;
    struct namespace_costs *namespace_costs; /* NULL unless costs are to be metrics */
    struct snapshot *snapshot;               /* NULL unless the cache is to survive restarts */
    struct api *api;
    struct http_server *server;
    struct loop_task start_task;
    struct metric *in_flight;
    struct metric *log_dropped;
};

static bool create_ground(struct app *app, struct error *reterr)
{
    const struct config *config = app->config;
    const struct log_options log_options = {
        .level = config->debug ? LOG_LEVEL_DEBUG : log_level_from_name(config->log_level),
        .format = config->log_console ? LOG_FORMAT_CONSOLE : LOG_FORMAT_JSON,
        .fd = STDOUT_FILENO,
        .time = app->time,
    };
    app->log = log_create(&log_options, reterr);
    if (app->log == NULL)
        return false;
    app->metrics = metrics_create();
    if (app->metrics == NULL)
        return error_no_memory(reterr);
    const struct metric_label build[] = {
        {"version", version_number()}, {"revision", version_revision()}, {NULL, NULL}};
    metric_set(metrics_gauge(app->metrics, "kubecent_build_info",
                             "1, labelled with what is running.", build),
               1);
    metrics_add_process(app->metrics);
    app->log_dropped =
        metrics_counter(app->metrics, "kubecent_log_lines_dropped_total",
                        "Lines of the log that were lost because nobody read them in time.", NULL);
    return true;
}

static bool create_origin(struct app *app, bool demo, struct error *reterr)
{
    const struct config *config = app->config;
    const char *url = config->opencost_url;
    if (demo) {
        app->demo = demo_opencost_start(app->time, reterr);
        if (app->demo == NULL)
            return false;
        url = demo_opencost_url(app->demo);
    }
    app->curl_ready = curl_loop_global_init(reterr);
    app->worker = app->curl_ready ? worker_create(app->time, reterr) : NULL;
    if (app->worker == NULL)
        return false;
    const struct curl_transfer_options transfer_options = {
        .loop = worker_loop(app->worker),
        .ca_file = config->opencost_ca_file[0] == '\0' ? NULL : config->opencost_ca_file,
        .user_agent = "kubecent-backend",
        .without_proxy = demo,
    };
    app->transfers = curl_transfers_create(&transfer_options, reterr);
    if (app->transfers == NULL)
        return false;
    const struct opencost_options client_options = {
        .base_url = url,
        .token_file = config->opencost_token_file[0] == '\0' ? NULL : config->opencost_token_file,
        .timeout_ms = config->opencost_timeout_s * 1000,
        .connect_timeout_ms = CONNECT_TIMEOUT_MS,
        .tries = TRIES,
        .retry_wait_ms = config->opencost_retry_wait_ms,
        .retry_wait_max_ms = RETRY_WAIT_MAX_MS,
        .max_in_flight = ORIGIN_QUERIES_IN_FLIGHT,
        .max_body_bytes = (uint64_t)config->opencost_max_body_mb << 20,
        .scheduler = worker_scheduler(app->worker),
        .engine = curl_transfers_engine(app->transfers),
        .time = app->time,
        .log = app->log,
        .metrics = app->metrics,
    };
    app->client = opencost_client_create(&client_options, reterr);
    return app->client != NULL;
}

static const char *or_null(const char *text)
{
    return text[0] == '\0' ? NULL : text;
}

static bool create_tier(struct app *app)
{
    const struct config *config = app->config;
    const struct redis_url *url = &config->redis;
    if (config->redis_url[0] == '\0')
        return true;
    struct redis_endpoint *endpoints = calloc(url->host_count + 1, sizeof(*endpoints));
    app->streams = curl_streams_create(worker_loop(app->worker), or_null(config->redis_ca_file));
    if (endpoints == NULL || app->streams == NULL) {
        free(endpoints);
        return false;
    }
    for (size_t i = 0; i < url->host_count; i++)
        endpoints[i] = (struct redis_endpoint){url->hosts[i].name, url->hosts[i].port};
    const struct redis_tier_options options = {
        .unix_path = url->unix_path,
        .endpoints = endpoints,
        .endpoint_count = url->host_count,
        .master = url->master,
        .tls = url->tls,
        .user = url->user,
        .password = url->password,
        .password_file = or_null(config->redis_password_file),
        .database = url->database,
        .prefix = config->redis_prefix,
        .timeout_ms = config->redis_timeout_ms,
        .shown = config->redis_url_shown,
        .engine = curl_streams_engine(app->streams),
        .scheduler = worker_scheduler(app->worker),
        .time = app->time,
        .log = app->log,
        .metrics = app->metrics,
    };
    app->tier = redis_tier_create(&options);
    free(endpoints);
    return app->tier != NULL;
}

static bool create_namespace_costs(struct app *app, const struct window *windows, size_t count)
{
    if (!app->config->metrics_namespace_cost)
        return true;
    const struct namespace_costs_options options = {
        .windows = windows,
        .window_count = count,
        .cache = app->cache,
        .time = app->time,
        .metrics = app->metrics,
    };
    app->namespace_costs = namespace_costs_create(&options);
    return app->namespace_costs != NULL;
}

/* What concerns the windows that are kept warm. */
static bool create_refresher(struct app *app)
{
    const struct config *config = app->config;
    size_t count = config->refresh_windows.count;
    struct window *windows = calloc(count + 1, sizeof(*windows));
    if (windows == NULL)
        return false;
    size_t valid = 0;
    for (size_t i = 0; i < count; i++)
        valid += window_parse(text_of(config->refresh_windows.items[i]), &windows[valid]);
    const struct refresher_options options = {
        .windows = windows,
        .window_count = valid,
        .interval_ms = config->refresh_interval_s * 1000,
        .ttl_ms = config->cache_ttl_s * 1000,
        .cleanup_interval_ms = config->cleanup_interval_s * 1000,
        .service = app->service,
        .scheduler = worker_scheduler(app->worker),
        .time = app->time,
        .log = app->log,
        .metrics = app->metrics,
    };
    app->refresher = refresher_create(&options);
    bool complete = app->refresher != NULL && create_namespace_costs(app, windows, valid);
    free(windows);
    return complete;
}

static void dataset_stored(void *context)
{
    snapshot_note_change(context);
}

static bool create_snapshot(struct app *app)
{
    const struct config *config = app->config;
    if (config->cache_snapshot_file[0] == '\0')
        return true;
    const struct snapshot_options options = {
        .path = config->cache_snapshot_file,
        .origin = app->demo == NULL ? config->opencost_url : "demo",
        .cache = app->cache,
        .scheduler = worker_scheduler(app->worker),
        .time = app->time,
        .log = app->log,
        .metrics = app->metrics,
    };
    app->snapshot = snapshot_create(&options);
    if (app->snapshot == NULL)
        return false;
    cost_service_on_stored(app->service, dataset_stored, app->snapshot);
    return true;
}

static void origin_recovered(void *context)
{
    refresher_origin_recovered(context);
}

static bool create_service(struct app *app, struct error *reterr)
{
    const struct config *config = app->config;
    if (!create_tier(app))
        return error_no_memory(reterr);
    const struct scheduler *scheduler = worker_scheduler(app->worker);
    const struct cache_options cache_options = {
        .max_bytes = (size_t)config->cache_max_mb << 20,
        .stale_ms = config->cache_stale_if_error_s * 1000,
        .revalidate_ms = config->cache_stale_while_revalidate_s * 1000,
        .hash_seed = (uint64_t)time_monotonic_ns(app->time) ^ (uint64_t)(uintptr_t)app,
    };
    app->cache = cache_create(&cache_options);
    const struct origin_health_options health_options = {
        .interval_ms = HEALTH_INTERVAL_MS,
        .check_timeout_ms = HEALTH_TIMEOUT_MS,
        .client = app->client,
        .scheduler = scheduler,
        .log = app->log,
        .metrics = app->metrics,
    };
    app->health = origin_health_create(&health_options);
    const struct cost_service_options service_options = {
        .ttl_ms = config->cache_ttl_s * 1000,
        .stale_if_error_ms = config->cache_stale_if_error_s * 1000,
        .request_deadline_ms = opencost_client_longest_fetch_ms(app->client) + DEADLINE_MARGIN_MS,
        .max_waiting = (unsigned)config->http_max_waiting,
        .cache = app->cache,
        .client = app->client,
        .origin = app->demo == NULL ? config->opencost_url_shown : "demo",
        .health = app->health,
        .tier = app->tier != NULL ? redis_tier_door(app->tier) : NULL,
        .scheduler = scheduler,
        .time = app->time,
        .log = app->log,
        .metrics = app->metrics,
    };
    app->service =
        app->cache == NULL || app->health == NULL ? NULL : cost_service_create(&service_options);
    if (app->service == NULL || !create_refresher(app) || !create_snapshot(app))
        return error_no_memory(reterr);
    origin_health_on_recovery(app->health, origin_recovered, app->refresher);
    return true;
}

static int64_t loop_age_ms(void *context)
{
    return worker_heartbeat_age_ms(context);
}

static void update_metrics(void *context)
{
    struct app *app = context;
    if (app->server != NULL)
        metric_set(app->in_flight, http_server_in_flight(app->server));
    metric_set(app->log_dropped, (int64_t)log_dropped(app->log));
}

static bool create_api(struct app *app, struct error *reterr)
{
    const struct config *config = app->config;
    const struct api_options api_options = {
        .service = app->service,
        .health = app->health,
        .refresher = app->refresher,
        .time = app->time,
        .log = app->log,
        .metrics = app->metrics,
        .cors_origins = (const char *const *)config->cors_origins.items,
        .cors_origin_count = config->cors_origins.count,
        .auth_token_file = config->auth_token_file[0] == '\0' ? NULL : config->auth_token_file,
        .metrics_auth = config->metrics_auth,
        .enable_docs = config->enable_swagger,
        .access_log = config->access_log,
        .max_waiting_per_peer = (unsigned)config->http_max_waiting_per_address,
        .stale_while_revalidate_s = config->cache_stale_while_revalidate_s,
        .stale_if_error_s = config->cache_stale_if_error_s,
        .version = version_number(),
        .loop_age_ms = loop_age_ms,
        .loop_context = app->worker,
    };
    app->api = api_create(&api_options, reterr);
    return app->api != NULL;
}

static unsigned connection_limit(const struct app *app)
{
    unsigned wanted = (unsigned)app->config->http_max_connections;
    unsigned possible = descriptors_for_connections(wanted);
    if (possible < wanted)
        log_warning(app->log, LOG_EVENT("http.too_few_descriptors"),
                    LOG_INT("max_connections", possible), LOG_INT("wanted", wanted));
    return possible;
}

static bool create_server(struct app *app, struct error *reterr)
{
    const struct config *config = app->config;
    app->in_flight = metrics_gauge(app->metrics, "kubecent_http_requests_in_flight",
                                   "Requests begun and not over, waiting ones included.", NULL);
    const struct http_server_options server_options = {
        .host = config->host,
        .port = (uint16_t)config->port,
        .threads = config->http_threads > 0 ? (unsigned)config->http_threads : usable_cpus(),
        .connection_limit = connection_limit(app),
        .connection_limit_per_address = (unsigned)config->http_max_connections_per_address,
        .idle_timeout_s = (unsigned)config->http_idle_timeout_s,
        .request_timeout_s = (unsigned)config->http_request_timeout_s,
        .connection_memory = CONNECTION_MEMORY_BYTES,
        .tls_cert_file = config->tls_cert_file[0] == '\0' ? NULL : config->tls_cert_file,
        .tls_key_file = config->tls_key_file,
        .time = app->time,
        .log = app->log,
        .handle = api_handle,
        .observe = api_observe,
        .add_error_headers = api_add_error_headers,
        .context = app->api,
    };
    app->server = http_server_start(&server_options, reterr);
    return app->server != NULL;
}

static void begin_refreshing(void *context)
{
    struct app *app = context;
    refresher_start(app->refresher);
}

/* Loop thread. What is restored need not be fetched, so the warm-up waits for it. */
static void start_on_loop(struct loop_task *task)
{
    struct app *app = CONTAINER_OF(task, struct app, start_task);
    origin_health_start(app->health);
    if (app->tier != NULL)
        redis_tier_start(app->tier);
    if (app->snapshot != NULL)
        snapshot_restore(app->snapshot, begin_refreshing, app);
    else
        refresher_start(app->refresher);
}

/* Loop thread: the last thing that begins there. */
static void stop_on_loop(void *context)
{
    struct app *app = context;
    if (app->snapshot != NULL)
        snapshot_stop(app->snapshot);
    refresher_stop(app->refresher);
    origin_health_stop(app->health);
    cost_service_stop(app->service);
    opencost_client_stop(app->client);
    if (app->tier != NULL)
        redis_tier_stop(app->tier);
    curl_transfers_destroy(app->transfers);
    app->transfers = NULL;
}

static bool start(struct app *app, bool demo, struct error *reterr)
{
    if (!create_ground(app, reterr))
        return false;
    log_info(app->log, LOG_EVENT("application.startup"), LOG_STR("version", version_number()));
    if (!create_origin(app, demo, reterr) || !create_service(app, reterr) ||
        !create_api(app, reterr) || !create_server(app, reterr))
        return false;
    metrics_on_render(app->metrics, update_metrics, app);
    app->start_task.run = start_on_loop;
    if (!scheduler_post(worker_scheduler(app->worker), &app->start_task) ||
        !worker_start(app->worker, reterr))
        return false;
    app->worker_started = true;
    return true;
}

/* Accepts an app that is only half there. */
static void destroy(struct app *app)
{
    if (app->worker_started)
        worker_stop(app->worker, stop_on_loop, app);
    http_server_stop(app->server);
    app->server = NULL;
    api_destroy(app->api);
    snapshot_destroy(app->snapshot);
    refresher_destroy(app->refresher);
    namespace_costs_destroy(app->namespace_costs);
    cost_service_destroy(app->service);
    origin_health_destroy(app->health);
    cache_destroy(app->cache);
    redis_tier_destroy(app->tier);
    curl_streams_destroy(app->streams);
    opencost_client_destroy(app->client);
    curl_transfers_destroy(app->transfers);
    worker_destroy(app->worker);
    if (app->curl_ready)
        curl_loop_global_finish();
    demo_opencost_stop(app->demo);
    metrics_destroy(app->metrics);
    log_destroy(app->log);
}

/* For the person at the terminal; standard output belongs to the log. */
static void greet(const struct app *app)
{
    const char *host = app->config->host;
    const char *shown =
        strcmp(host, "0.0.0.0") == 0 || strcmp(host, "::") == 0 ? "localhost" : host;
    unsigned port = http_server_port(app->server);
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

static void log_initialized(const struct app *app)
{
    log_info(app->log, LOG_EVENT("application.initialized"), LOG_BOOL("debug", app->config->debug),
             LOG_STR("opencost_url", app->demo == NULL ? app->config->opencost_url_shown
                                                       : demo_opencost_url(app->demo)),
             LOG_BOOL("demo", app->demo != NULL), LOG_STR("environment", app->config->environment),
             LOG_STR("host", app->config->host), LOG_INT("port", http_server_port(app->server)));
    if (app->demo != NULL) {
        log_warning(app->log, LOG_EVENT("demo.serving_sample_data"));
        greet(app);
    }
}

/* What has to be done now and then is done here: it may touch files, and nobody waits for main. */
static void serve_until_stopped(struct app *app)
{
    enum signals_event event;
    while ((event = signals_wait(UPKEEP_INTERVAL_MS)) != SIGNALS_STOP) {
        if (event == SIGNALS_REREAD)
            level_reread(&app->level);
        http_server_upkeep(app->server);
        api_upkeep(app->api);
    }
}

/* The order is that of pod termination in Kubernetes: while endpoints are still being removed,
 * requests keep coming. */
static void stop_gracefully(struct app *app)
{
    api_set_stopping(app->api);
    log_info(app->log, LOG_EVENT("application.shutdown"));
    signals_exit_on_next();
    signals_pause_ms(app->config->shutdown_delay_s * 1000);
    http_server_quiesce(app->server);
    bool drained = http_server_drain(app->server, app->config->shutdown_timeout_s * 1000);
    worker_stop(app->worker, stop_on_loop, app);
    app->worker_started = false;
    if (app->snapshot != NULL)
        snapshot_write_last(app->snapshot);
    if (!drained)
        (void)http_server_drain(app->server, DRAIN_AFTER_ABORT_MS);
}

bool app_run(const struct config *config, const char *env_file, bool demo, struct error *reterr)
{
    struct app app = {.config = config, .time = &time_source_system};
    descriptors_raise_limit();
    signals_block();
    bool started = start(&app, demo || strcmp(config->opencost_url, "demo") == 0, reterr);
    if (started) {
        level_init(&app.level, app.log, env_file, config->log_level);
        log_initialized(&app);
        serve_until_stopped(&app);
        stop_gracefully(&app);
    }
    destroy(&app);
    return started;
}
