/* SPDX-License-Identifier: Apache-2.0 */
/* Creation may stop anywhere: destruction goes over whatever is there. */
#include "rooms.h"

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
    /* Every idle connection keeps it, and libmicrohttpd clears one and a half times as much for
     * every request: most of what a hit costs beyond the bare library. Enough for 8 KB of headers
     * with a target of 4 KB, and for one cookie of 8 KB, which the library copies; of small ones,
     * which take 64 bytes each besides, about 60 fit. The head of the answer is made in what they
     * leave, and padding (X-Padding) takes up to 264 bytes of it. */
    CONNECTION_MEMORY_BYTES = 17 * 1024 + 272,
};

static bool create_ground(struct rooms *rooms, struct error *reterr)
{
    const struct config *config = rooms->config;
    const struct log_options log_options = {
        .level = config->debug ? LOG_LEVEL_DEBUG : log_level_from_name(config->log_level),
        .format = config->log_console ? LOG_FORMAT_CONSOLE : LOG_FORMAT_JSON,
        .fd = STDOUT_FILENO,
        .time = rooms->time,
    };
    rooms->log = log_create(&log_options, reterr);
    if (rooms->log == NULL)
        return false;
    rooms->metrics = metrics_create();
    if (rooms->metrics == NULL)
        return error_no_memory(reterr);
    const struct metric_label build[] = {
        {"version", version_number()}, {"revision", version_revision()}, {NULL, NULL}};
    metric_set(metrics_gauge(rooms->metrics, "kubecent_build_info",
                             "1, labelled with what is running.", build),
               1);
    metrics_add_process(rooms->metrics);
    rooms->log_dropped =
        metrics_counter(rooms->metrics, "kubecent_log_lines_dropped_total",
                        "Lines of the log that were lost because nobody read them in time.", NULL);
    return true;
}

static bool create_origin(struct rooms *rooms, bool demo, struct error *reterr)
{
    const struct config *config = rooms->config;
    const char *url = config->opencost_url;
    if (demo) {
        rooms->demo = demo_opencost_start(rooms->time, reterr);
        if (rooms->demo == NULL)
            return false;
        url = demo_opencost_url(rooms->demo);
    }
    rooms->curl_ready = curl_loop_global_init(reterr);
    rooms->worker = rooms->curl_ready ? worker_create(rooms->time, reterr) : NULL;
    if (rooms->worker == NULL)
        return false;
    const struct curl_transfer_options transfer_options = {
        .loop = worker_loop(rooms->worker),
        .ca_file = config->opencost_ca_file[0] == '\0' ? NULL : config->opencost_ca_file,
        .user_agent = "kubecent-backend",
        .without_proxy = demo,
    };
    rooms->transfers = curl_transfers_create(&transfer_options, reterr);
    if (rooms->transfers == NULL)
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
        .scheduler = worker_scheduler(rooms->worker),
        .engine = curl_transfers_engine(rooms->transfers),
        .time = rooms->time,
        .log = rooms->log,
        .metrics = rooms->metrics,
    };
    rooms->client = opencost_client_create(&client_options, reterr);
    return rooms->client != NULL;
}

static const char *or_null(const char *text)
{
    return text[0] == '\0' ? NULL : text;
}

static bool create_tier(struct rooms *rooms)
{
    const struct config *config = rooms->config;
    const struct redis_url *url = &config->redis;
    if (config->redis_url[0] == '\0')
        return true;
    struct redis_endpoint *endpoints = calloc(url->host_count + 1, sizeof(*endpoints));
    rooms->streams =
        curl_streams_create(worker_loop(rooms->worker), or_null(config->redis_ca_file));
    if (endpoints == NULL || rooms->streams == NULL) {
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
        .engine = curl_streams_engine(rooms->streams),
        .scheduler = worker_scheduler(rooms->worker),
        .time = rooms->time,
        .log = rooms->log,
        .metrics = rooms->metrics,
    };
    rooms->tier = redis_tier_create(&options);
    free(endpoints);
    return rooms->tier != NULL;
}

static bool create_namespace_costs(struct rooms *rooms, const struct window *windows, size_t count)
{
    if (!rooms->config->metrics_namespace_cost)
        return true;
    const struct namespace_costs_options options = {
        .windows = windows,
        .window_count = count,
        .cache = rooms->cache,
        .time = rooms->time,
        .metrics = rooms->metrics,
    };
    rooms->namespace_costs = namespace_costs_create(&options);
    return rooms->namespace_costs != NULL;
}

/* What concerns the windows that are kept warm. */
static bool create_refresher(struct rooms *rooms)
{
    const struct config *config = rooms->config;
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
        .service = rooms->service,
        .scheduler = worker_scheduler(rooms->worker),
        .time = rooms->time,
        .log = rooms->log,
        .metrics = rooms->metrics,
    };
    rooms->refresher = refresher_create(&options);
    bool complete = rooms->refresher != NULL && create_namespace_costs(rooms, windows, valid);
    free(windows);
    return complete;
}

static void dataset_stored(void *context)
{
    snapshot_note_change(context);
}

static bool create_snapshot(struct rooms *rooms)
{
    const struct config *config = rooms->config;
    if (config->cache_snapshot_file[0] == '\0')
        return true;
    const struct snapshot_options options = {
        .path = config->cache_snapshot_file,
        .origin = rooms->demo == NULL ? config->opencost_url : "demo",
        .cache = rooms->cache,
        .scheduler = worker_scheduler(rooms->worker),
        .time = rooms->time,
        .log = rooms->log,
        .metrics = rooms->metrics,
    };
    rooms->snapshot = snapshot_create(&options);
    if (rooms->snapshot == NULL)
        return false;
    cost_service_on_stored(rooms->service, dataset_stored, rooms->snapshot);
    return true;
}

static void origin_recovered(void *context)
{
    refresher_origin_recovered(context);
}

static bool create_service(struct rooms *rooms, struct error *reterr)
{
    const struct config *config = rooms->config;
    if (!create_tier(rooms))
        return error_no_memory(reterr);
    const struct scheduler *scheduler = worker_scheduler(rooms->worker);
    const struct cache_options cache_options = {
        .max_bytes = (size_t)config->cache_max_mb << 20,
        .stale_ms = config->cache_stale_if_error_s * 1000,
        .revalidate_ms = config->cache_stale_while_revalidate_s * 1000,
        .hash_seed = (uint64_t)time_monotonic_ns(rooms->time) ^ (uint64_t)(uintptr_t)rooms,
    };
    rooms->cache = cache_create(&cache_options);
    const struct origin_health_options health_options = {
        .interval_ms = HEALTH_INTERVAL_MS,
        .check_timeout_ms = HEALTH_TIMEOUT_MS,
        .client = rooms->client,
        .scheduler = scheduler,
        .log = rooms->log,
        .metrics = rooms->metrics,
    };
    rooms->health = origin_health_create(&health_options);
    const struct cost_service_options service_options = {
        .ttl_ms = config->cache_ttl_s * 1000,
        .stale_if_error_ms = config->cache_stale_if_error_s * 1000,
        .request_deadline_ms = opencost_client_longest_fetch_ms(rooms->client) + DEADLINE_MARGIN_MS,
        .max_waiting = (unsigned)config->http_max_waiting,
        .cache = rooms->cache,
        .client = rooms->client,
        .origin = rooms->demo == NULL ? config->opencost_url_shown : "demo",
        .health = rooms->health,
        .tier = rooms->tier != NULL ? redis_tier_door(rooms->tier) : NULL,
        .scheduler = scheduler,
        .time = rooms->time,
        .log = rooms->log,
        .metrics = rooms->metrics,
    };
    rooms->service = rooms->cache == NULL || rooms->health == NULL
                         ? NULL
                         : cost_service_create(&service_options);
    if (rooms->service == NULL || !create_refresher(rooms) || !create_snapshot(rooms))
        return error_no_memory(reterr);
    origin_health_on_recovery(rooms->health, origin_recovered, rooms->refresher);
    return true;
}

static int64_t loop_age_ms(void *context)
{
    return worker_heartbeat_age_ms(context);
}

static void update_metrics(void *context)
{
    struct rooms *rooms = context;
    if (rooms->server != NULL)
        metric_set(rooms->in_flight, http_server_in_flight(rooms->server));
    metric_set(rooms->log_dropped, (int64_t)log_dropped(rooms->log));
}

static bool create_api(struct rooms *rooms, struct error *reterr)
{
    const struct config *config = rooms->config;
    const struct api_options api_options = {
        .service = rooms->service,
        .health = rooms->health,
        .refresher = rooms->refresher,
        .time = rooms->time,
        .log = rooms->log,
        .metrics = rooms->metrics,
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
        .loop_context = rooms->worker,
    };
    rooms->api = api_create(&api_options, reterr);
    return rooms->api != NULL;
}

static unsigned connection_limit(const struct rooms *rooms)
{
    unsigned wanted = (unsigned)rooms->config->http_max_connections;
    unsigned possible = descriptors_for_connections(wanted);
    if (possible < wanted)
        log_warning(rooms->log, LOG_EVENT("http.too_few_descriptors"),
                    LOG_INT("max_connections", possible), LOG_INT("wanted", wanted));
    return possible;
}

static bool create_server(struct rooms *rooms, struct error *reterr)
{
    const struct config *config = rooms->config;
    rooms->in_flight = metrics_gauge(rooms->metrics, "kubecent_http_requests_in_flight",
                                     "Requests begun and not over, waiting ones included.", NULL);
    const struct http_server_options server_options = {
        .host = config->host,
        .port = (uint16_t)config->port,
        .threads = config->http_threads > 0 ? (unsigned)config->http_threads : usable_cpus(),
        .connection_limit = connection_limit(rooms),
        .connection_limit_per_address = (unsigned)config->http_max_connections_per_address,
        .idle_timeout_s = (unsigned)config->http_idle_timeout_s,
        .request_timeout_s = (unsigned)config->http_request_timeout_s,
        .connection_memory = CONNECTION_MEMORY_BYTES,
        .tls_cert_file = config->tls_cert_file[0] == '\0' ? NULL : config->tls_cert_file,
        .tls_key_file = config->tls_key_file,
        .time = rooms->time,
        .log = rooms->log,
        .handle = api_handle,
        .observe = api_observe,
        .add_error_headers = api_add_error_headers,
        .context = rooms->api,
    };
    rooms->server = http_server_start(&server_options, reterr);
    return rooms->server != NULL;
}

static void begin_refreshing(void *context)
{
    struct rooms *rooms = context;
    refresher_start(rooms->refresher);
}

/* Loop thread. What is restored need not be fetched, so the warm-up waits for it. */
static void start_on_loop(struct loop_task *task)
{
    struct rooms *rooms = CONTAINER_OF(task, struct rooms, start_task);
    origin_health_start(rooms->health);
    if (rooms->tier != NULL)
        redis_tier_start(rooms->tier);
    if (rooms->snapshot != NULL)
        snapshot_restore(rooms->snapshot, begin_refreshing, rooms);
    else
        refresher_start(rooms->refresher);
}

/* Loop thread: the last thing that begins there. */
static void stop_on_loop(void *context)
{
    struct rooms *rooms = context;
    if (rooms->snapshot != NULL)
        snapshot_stop(rooms->snapshot);
    refresher_stop(rooms->refresher);
    origin_health_stop(rooms->health);
    cost_service_stop(rooms->service);
    opencost_client_stop(rooms->client);
    if (rooms->tier != NULL)
        redis_tier_stop(rooms->tier);
    curl_transfers_destroy(rooms->transfers);
    rooms->transfers = NULL;
}

bool rooms_start(struct rooms *rooms, bool demo, struct error *reterr)
{
    if (!create_ground(rooms, reterr))
        return false;
    log_info(rooms->log, LOG_EVENT("application.startup"), LOG_STR("version", version_number()));
    if (!create_origin(rooms, demo, reterr) || !create_service(rooms, reterr) ||
        !create_api(rooms, reterr) || !create_server(rooms, reterr))
        return false;
    metrics_on_render(rooms->metrics, update_metrics, rooms);
    rooms->start_task.run = start_on_loop;
    return scheduler_post(worker_scheduler(rooms->worker), &rooms->start_task) &&
           worker_start(rooms->worker, reterr);
}

/* Where there is a server, all others are there, and somebody may be waiting: also for a loop that
 * could not be started. */
void rooms_stop_loop(struct rooms *rooms)
{
    if (rooms->server != NULL)
        worker_stop(rooms->worker, stop_on_loop, rooms);
}

void rooms_destroy(struct rooms *rooms)
{
    rooms_stop_loop(rooms);
    http_server_stop(rooms->server);
    rooms->server = NULL;
    api_destroy(rooms->api);
    snapshot_destroy(rooms->snapshot);
    refresher_destroy(rooms->refresher);
    namespace_costs_destroy(rooms->namespace_costs);
    cost_service_destroy(rooms->service);
    origin_health_destroy(rooms->health);
    cache_destroy(rooms->cache);
    redis_tier_destroy(rooms->tier);
    curl_streams_destroy(rooms->streams);
    opencost_client_destroy(rooms->client);
    curl_transfers_destroy(rooms->transfers);
    worker_destroy(rooms->worker);
    if (rooms->curl_ready)
        curl_loop_global_finish();
    demo_opencost_stop(rooms->demo);
    metrics_destroy(rooms->metrics);
    log_destroy(rooms->log);
}
