/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The settings: from the environment, then from a .env file (which loses to the environment), then
 * defaults.
 *
 * One table (config_table.c) names every setting with its type, bounds, default, group and help
 * text. Reading, checking, --help, --print-config and the documentation's tables are all made from
 * it or checked against it.
 *
 * Reading is all or nothing: every fault is reported, each with the variable, its value (secrets
 * masked) and what was expected. A fault without any text means that memory ran out.
 *
 * What is read is what will be used: DEBUG=true has become log level DEBUG, a refresh interval that
 * CACHE_TTL undercuts has been shortened, a slash at the end of OPENCOST_URL is gone.
 *
 * Threads: a finished config is never changed and may be read from any thread.
 */
#ifndef CONFIG_CONFIG_H
#define CONFIG_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attrs.h"
#include "base/error.h"
#include "base/strbuf.h"
#include "config/redis_url.h"

struct string_list {
    char **items;
    size_t count;
};

/* Field names follow the variables; units at the end. Strings are never NULL ("" when unset) and
 * owned by the config. */
struct config {
    /* server */
    bool debug;                      /* DEBUG */
    char *environment;               /* ENVIRONMENT */
    char *host;                      /* HOST */
    int64_t port;                    /* PORT */
    int64_t http_threads;            /* HTTP_THREADS, 0: as many as CPUs may be used */
    int64_t http_max_connections;    /* HTTP_MAX_CONNECTIONS */
    int64_t http_max_waiting;        /* HTTP_MAX_WAITING: requests parked for OpenCost at once */
    int64_t http_idle_timeout_s;     /* HTTP_IDLE_TIMEOUT */
    int64_t http_request_timeout_s;  /* HTTP_REQUEST_TIMEOUT */
    int64_t shutdown_timeout_s;      /* SHUTDOWN_TIMEOUT: for answering what is in flight */
    int64_t shutdown_delay_s;        /* SHUTDOWN_DELAY */
    struct string_list cors_origins; /* CORS_ORIGINS */
    bool enable_swagger;             /* ENABLE_SWAGGER */
    char *tls_cert_file;             /* TLS_CERT_FILE */
    char *tls_key_file;              /* TLS_KEY_FILE, given if and only if that is */
    char *auth_token_file;           /* AUTH_TOKEN_FILE */
    bool metrics_auth;               /* METRICS_AUTH */

    /* of one client; 0: no limit */
    int64_t http_max_connections_per_address; /* HTTP_MAX_CONNECTIONS_PER_ADDRESS */
    int64_t http_max_waiting_per_address;     /* HTTP_MAX_WAITING_PER_ADDRESS */

    /* OpenCost */
    char *opencost_url;             /* OPENCOST_URL; "demo" means the embedded sample */
    char *opencost_url_shown;       /* the same without user and password: for the log */
    int64_t opencost_timeout_s;     /* OPENCOST_TIMEOUT */
    int64_t opencost_retry_wait_ms; /* OPENCOST_RETRY_WAIT_MS: the first wait; later ones double */
    int64_t opencost_max_body_mb;   /* OPENCOST_MAX_BODY_MB */
    char *opencost_ca_file;         /* OPENCOST_CA_FILE */
    char *opencost_token_file;      /* OPENCOST_TOKEN_FILE */

    /* cache */
    int64_t cache_ttl_s;                    /* CACHE_TTL */
    int64_t cache_max_mb;                   /* CACHE_MAX_MB */
    int64_t cache_stale_while_revalidate_s; /* CACHE_STALE_WHILE_REVALIDATE */
    int64_t cache_stale_if_error_s;         /* CACHE_STALE_IF_ERROR */
    int64_t refresh_interval_s;             /* REFRESH_INTERVAL */
    struct string_list refresh_windows; /* REFRESH_WINDOWS, comma separated, each a valid window */
    int64_t cleanup_interval_s;         /* CLEANUP_INTERVAL */
    char *cache_snapshot_file;          /* CACHE_SNAPSHOT_FILE */

    /* Redis */
    char *redis_url;           /* REDIS_URL */
    char *redis_url_shown;     /* the same without user and password: for the log */
    struct redis_url redis;    /* the same taken apart; zero when it is empty */
    char *redis_ca_file;       /* REDIS_CA_FILE */
    char *redis_password_file; /* REDIS_PASSWORD_FILE, never beside a password in the URL */
    char *redis_prefix;        /* REDIS_PREFIX */
    int64_t redis_timeout_ms;  /* REDIS_TIMEOUT_MS */

    /* logging */
    char *log_level;  /* LOG_LEVEL */
    bool log_console; /* LOG_FORMAT=console */
    bool access_log;  /* ACCESS_LOG */

    /* metrics */
    bool metrics_namespace_cost; /* METRICS_NAMESPACE_COST */
};

/* Faults and warnings, one line of text each. */
struct config_report {
    struct string_list errors;
    struct string_list warnings;
};

/* Looks a variable up in the environment; NULL when it is not set. The tests pass their own. */
typedef const char *config_getenv_fn(void *context, const char *name);

/* getenv(), for `config_load`. */
const char *config_getenv_process(void *context, const char *name);

/* Reads all settings. `env_file` is a path that must be readable, or NULL for `.env` in the working
 * directory, which may be absent. NULL when anything was wrong; `report` (never NULL; initialised
 * here) says what. Needs config_report_finish() in either case. */
struct config *config_load(const char *env_file, config_getenv_fn *getenv_fn, void *context,
                           struct config_report *report) NODISCARD;

enum { CONFIG_LEVEL_BYTES = 16 };

/* Reads LOG_LEVEL and DEBUG once more, as config_load() did; the environment wins still. *ret_level
 * is a level's name in capitals. False with *reterr, one line, when a value cannot be used (an
 * unknown level is a fault here, there is one in force to stay with), or the file cannot be read,
 * or not a second time. */
bool config_read_level(const char *env_file, config_getenv_fn *getenv_fn, void *context,
                       char ret_level[CONFIG_LEVEL_BYTES], struct error *reterr) NODISCARD;

/* Accepts NULL. */
void config_destroy(struct config *config);

void config_report_finish(struct config_report *report);

/* NAME=value lines in the order of the table, secrets masked, as a .env file could hold them; for
 * --print-config. */
void config_print(const struct config *config, struct strbuf *out);

/* The settings as --help shows them: grouped, each with default and meaning. */
void config_help(struct strbuf *out);

enum setting_type {
    SETTING_BOOLEAN,
    SETTING_INTEGER,
    SETTING_TEXT, /* anything, also nothing */
    SETTING_HOST,
    SETTING_URL,
    SETTING_REDIS_URL,
    SETTING_FILE,        /* a readable file, or nothing */
    SETTING_OUTPUT_FILE, /* a file that may be absent, in a writable directory, or nothing */
    SETTING_ORIGINS,
    SETTING_WINDOWS,
    SETTING_LOG_LEVEL,
    SETTING_LOG_FORMAT,
};

/* The table, for documentation checks and completion. */
struct setting_info {
    const char *name;
    const char *group;
    const char *kind;          /* "boolean", "integer", "text", "list", "file", ... */
    const char *default_value; /* as it would be written in the environment */
    const char *help;
    enum setting_type type;
    int64_t min; /* bounds of an integer, both included */
    int64_t max;
    size_t field_offset; /* of the field in struct config */
};
const struct setting_info *config_settings(size_t *ret_count) NODISCARD;

#endif
