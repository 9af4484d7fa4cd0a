/* SPDX-License-Identifier: Apache-2.0 */
/* The one place that names the settings. Order and groups are those of --help and .env.example. */
#include "base/civil_time.h"
#include "config/config.h"

/* What a row says of its field, by type. */
#define BOOLEAN(member)                                                                            \
    .type = SETTING_BOOLEAN, .kind = "boolean", .field_offset = offsetof(struct config, member)
#define INTEGER(member, min_, max_)                                                                \
    .type = SETTING_INTEGER, .kind = "integer", .field_offset = offsetof(struct config, member),   \
    .min = (min_), .max = (max_)
#define OTHER(type_, kind_, member)                                                                \
    .type = (type_), .kind = (kind_), .field_offset = offsetof(struct config, member)

enum {
    SECONDS_PER_30_DAYS = 30 * SECONDS_PER_DAY,
    MEGABYTES_PER_TERABYTE = 1024 * 1024,
};

static const char server[] = "Server";
static const char opencost[] = "OpenCost";
static const char cache[] = "Cache";
static const char redis[] = "Redis";
static const char logging[] = "Logging";
static const char metrics[] = "Metrics";

static const struct setting_info settings[] = {
    {
        .name = "ENVIRONMENT",
        .group = server,
        OTHER(SETTING_TEXT, "text", environment),
        .default_value = "development",
        .help = "A name for this installation, for the log.",
    },
    {
        .name = "DEBUG",
        .group = server,
        BOOLEAN(debug),
        .default_value = "false",
        .help = "True sets the log level to DEBUG, whatever LOG_LEVEL says.",
    },
    {
        .name = "HOST",
        .group = server,
        OTHER(SETTING_HOST, "address", host),
        .default_value = "0.0.0.0",
        .help = "Address or name to listen on, IPv4 or IPv6 (:: is both).",
    },
    {
        .name = "PORT",
        .group = server,
        INTEGER(port, 1, 65535),
        .default_value = "8000",
        .help = "TCP port to listen on.",
    },
    {
        .name = "HTTP_THREADS",
        .group = server,
        INTEGER(http_threads, 0, 256),
        .default_value = "0",
        .help = "Threads that answer requests; 0 means as many as CPUs may be used, the "
                "container's CPU limit included.",
    },
    {
        .name = "HTTP_MAX_CONNECTIONS",
        .group = server,
        INTEGER(http_max_connections, 1, 1000000),
        .default_value = "4096",
        .help = "Connections open at once; more wait to be accepted.",
    },
    {
        .name = "HTTP_MAX_CONNECTIONS_PER_ADDRESS",
        .group = server,
        INTEGER(http_max_connections_per_address, 0, 1000000),
        .default_value = "512",
        .help = "Connections open at once from one address, such as a proxy's; more are closed. 0 "
                "means no limit.",
    },
    {
        .name = "HTTP_MAX_WAITING",
        .group = server,
        INTEGER(http_max_waiting, 1, 1000000),
        .default_value = "1024",
        .help = "Requests that may wait for OpenCost at once; more are answered 503.",
    },
    {
        .name = "HTTP_MAX_WAITING_PER_ADDRESS",
        .group = server,
        INTEGER(http_max_waiting_per_address, 0, 1000000),
        .default_value = "128",
        .help = "Requests from one IPv4 address or IPv6 /64 network that may wait for OpenCost at "
                "once; more are answered 429. 0 means no limit.",
    },
    {
        .name = "HTTP_IDLE_TIMEOUT",
        .group = server,
        INTEGER(http_idle_timeout_s, 1, 3600),
        .default_value = "75",
        .help = "Seconds after which an idle connection is closed.",
    },
    {
        .name = "HTTP_REQUEST_TIMEOUT",
        .group = server,
        INTEGER(http_request_timeout_s, 1, 3600),
        .default_value = "30",
        .help = "Seconds in which a request must have come in whole; slower ones are cut off.",
    },
    {
        .name = "SHUTDOWN_DELAY",
        .group = server,
        INTEGER(shutdown_delay_s, 0, 300),
        .default_value = "0",
        .help = "Seconds to go on serving after SIGTERM, until the load balancer has noticed.",
    },
    {
        .name = "SHUTDOWN_TIMEOUT",
        .group = server,
        INTEGER(shutdown_timeout_s, 1, 300),
        .default_value = "15",
        .help = "Seconds that requests in flight get to be answered, after the delay.",
    },
    {
        .name = "CORS_ORIGINS",
        .group = server,
        OTHER(SETTING_ORIGINS, "list", cors_origins),
        .default_value = "[\"*\"]",
        .help = "Origins that browsers may call from: a JSON array, a comma-separated list, or * "
                "for all.",
    },
    {
        .name = "ENABLE_SWAGGER",
        .group = server,
        BOOLEAN(enable_swagger),
        .default_value = "true",
        .help = "Serve /api/docs and /api/openapi.json.",
    },
    {
        .name = "TLS_CERT_FILE",
        .group = server,
        OTHER(SETTING_FILE, "file", tls_cert_file),
        .default_value = "",
        .help = "File with the server's certificate and those that lead to its authority, in PEM; "
                "read again when it changes. Empty means plain HTTP.",
    },
    {
        .name = "TLS_KEY_FILE",
        .group = server,
        OTHER(SETTING_FILE, "file", tls_key_file),
        .default_value = "",
        .help = "File with the certificate's private key, in PEM; read again when it changes.",
    },
    {
        .name = "AUTH_TOKEN_FILE",
        .group = server,
        OTHER(SETTING_FILE, "file", auth_token_file),
        .default_value = "",
        .help =
            "File of bearer tokens, one a line, of which clients must send one; read again when "
            "it changes. Empty means that everyone may ask.",
    },
    {
        .name = "METRICS_AUTH",
        .group = server,
        BOOLEAN(metrics_auth),
        .default_value = "false",
        .help = "Where there are tokens: /metrics needs one too.",
    },
    {
        .name = "OPENCOST_URL",
        .group = opencost,
        OTHER(SETTING_URL, "URL", opencost_url),
        .default_value = "http://opencost:9003",
        .help = "Where OpenCost answers, http or https, a path prefix included; demo starts a "
                "sample cluster inside this process.",
    },
    {
        .name = "OPENCOST_TIMEOUT",
        .group = opencost,
        INTEGER(opencost_timeout_s, 1, 3600),
        .default_value = "30",
        .help = "Seconds that one try may take.",
    },
    {
        .name = "OPENCOST_RETRY_WAIT_MS",
        .group = opencost,
        INTEGER(opencost_retry_wait_ms, 0, 60000),
        .default_value = "1000",
        .help = "Milliseconds to wait after the first failed try; later waits double, up to ten "
                "seconds.",
    },
    {
        .name = "OPENCOST_MAX_BODY_MB",
        .group = opencost,
        INTEGER(opencost_max_body_mb, 1, 65536),
        .default_value = "1024",
        .help = "Largest answer of OpenCost that is read, in MiB.",
    },
    {
        .name = "OPENCOST_CA_FILE",
        .group = opencost,
        OTHER(SETTING_FILE, "file", opencost_ca_file),
        .default_value = "",
        .help = "File of CA certificates for https; empty means the system's.",
    },
    {
        .name = "OPENCOST_TOKEN_FILE",
        .group = opencost,
        OTHER(SETTING_FILE, "file", opencost_token_file),
        .default_value = "",
        .help = "File with a bearer token for OpenCost, read again when it changes; empty means "
                "none.",
    },
    {
        .name = "CACHE_TTL",
        .group = cache,
        INTEGER(cache_ttl_s, 1, SECONDS_PER_DAY),
        .default_value = "300",
        .help = "Seconds that an answer is served as fresh.",
    },
    {
        .name = "CACHE_MAX_MB",
        .group = cache,
        INTEGER(cache_max_mb, 1, MEGABYTES_PER_TERABYTE),
        .default_value = "256",
        .help = "Size of the cache in MiB; what was not used for longest leaves first.",
    },
    {
        .name = "CACHE_STALE_WHILE_REVALIDATE",
        .group = cache,
        INTEGER(cache_stale_while_revalidate_s, 0, SECONDS_PER_30_DAYS),
        .default_value = "0",
        .help = "Seconds past CACHE_TTL that an answer is served at once, marked as stale, and "
                "refetched in the background.",
    },
    {
        .name = "CACHE_STALE_IF_ERROR",
        .group = cache,
        INTEGER(cache_stale_if_error_s, 0, SECONDS_PER_30_DAYS),
        .default_value = "0",
        .help = "Seconds past CACHE_TTL that an answer may still be served, marked as stale, while "
                "OpenCost fails or hangs.",
    },
    {
        .name = "REFRESH_INTERVAL",
        .group = cache,
        INTEGER(refresh_interval_s, 1, SECONDS_PER_DAY),
        .default_value = "240",
        .help = "Seconds between refreshes of REFRESH_WINDOWS; 80 % of CACHE_TTL when that is "
                "shorter.",
    },
    {
        .name = "REFRESH_WINDOWS",
        .group = cache,
        OTHER(SETTING_WINDOWS, "list", refresh_windows),
        .default_value = "7d,30d",
        .help = "Windows kept warm, separated by commas; empty means none.",
    },
    {
        .name = "CLEANUP_INTERVAL",
        .group = cache,
        INTEGER(cleanup_interval_s, 1, SECONDS_PER_DAY),
        .default_value = "300",
        .help = "Seconds between removals of expired answers.",
    },
    {
        .name = "CACHE_SNAPSHOT_FILE",
        .group = cache,
        OTHER(SETTING_OUTPUT_FILE, "file", cache_snapshot_file),
        .default_value = "",
        .help = "File that the cache is kept in from one start to the next; its directory must be "
                "writable. Empty means that every start begins without data.",
    },
    {
        .name = "REDIS_URL",
        .group = redis,
        OTHER(SETTING_REDIS_URL, "URL", redis_url),
        .default_value = "",
        .help =
            "Redis or Valkey that replicas share a cache in: redis://[user:password@]host:port/db, "
            "rediss:// for TLS, unix:///path, redis+sentinel://host:port,host:port/master/db. "
            "Empty means none.",
    },
    {
        .name = "REDIS_CA_FILE",
        .group = redis,
        OTHER(SETTING_FILE, "file", redis_ca_file),
        .default_value = "",
        .help = "File of CA certificates for rediss; empty means the system's.",
    },
    {
        .name = "REDIS_PASSWORD_FILE",
        .group = redis,
        OTHER(SETTING_FILE, "file", redis_password_file),
        .default_value = "",
        .help = "File with the password, instead of one in REDIS_URL; read again when it changes.",
    },
    {
        .name = "REDIS_PREFIX",
        .group = redis,
        OTHER(SETTING_TEXT, "text", redis_prefix),
        .default_value = "kubecent:",
        .help = "What the names of all keys begin with; the same for all replicas that share.",
    },
    {
        .name = "REDIS_TIMEOUT_MS",
        .group = redis,
        INTEGER(redis_timeout_ms, 10, 10000),
        .default_value = "200",
        .help = "Milliseconds that Redis may keep us waiting for an answer's beginning, or within "
                "it, before we do without.",
    },
    {
        .name = "LOG_LEVEL",
        .group = logging,
        OTHER(SETTING_LOG_LEVEL, "level", log_level),
        .default_value = "INFO",
        .help = "DEBUG, INFO, WARNING, ERROR or CRITICAL.",
    },
    {
        .name = "LOG_FORMAT",
        .group = logging,
        OTHER(SETTING_LOG_FORMAT, "format", log_console),
        .default_value = "json",
        .help = "json, or console for people.",
    },
    {
        .name = "ACCESS_LOG",
        .group = logging,
        BOOLEAN(access_log),
        .default_value = "true",
        .help = "Log one line per request.",
    },
    {
        .name = "METRICS_NAMESPACE_COST",
        .group = metrics,
        BOOLEAN(metrics_namespace_cost),
        .default_value = "false",
        .help = "Show costs at /metrics too: of REFRESH_WINDOWS, for the 200 namespaces that cost "
                "most in each.",
    },
};

const struct setting_info *config_settings(size_t *ret_count)
{
    *ret_count = ARRAY_LENGTH(settings);
    return settings;
}
