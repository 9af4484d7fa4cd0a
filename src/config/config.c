/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For each setting of the table: the environment's value, else the one of the .env file, else the
 * default. All of them are read before anything is decided, so that one start shows every fault.
 */
#include "config/config.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "config_url.h"
#include "config_values.h"
#include "env_file.h"
#include "string_list.h"

enum { MESSAGE_LIMIT = 8192, INTERVAL_PERCENT_OF_TTL = 80, MASKS_LENGTH = 8 };

const char *config_getenv_process(void *context, const char *name)
{
    (void)context;
    return getenv(name);
}

static size_t setting_count(void)
{
    size_t count;
    const struct setting_info *settings = config_settings(&count);
    (void)settings;
    return count;
}

static bool add_error(struct config_report *report, const struct setting_info *setting,
                      const char *value)
{
    struct strbuf line CLEANUP(strbuf_finish);
    strbuf_init(&line, MESSAGE_LIMIT);
    config_value_append_unexpected(setting, value, &line);
    return !strbuf_failed(&line) &&
           string_list_add(&report->errors, strbuf_text(&line), line.length);
}

static bool add_level_warning(struct config_report *report, const struct setting_info *setting,
                              const char *value)
{
    struct strbuf line CLEANUP(strbuf_finish);
    strbuf_init(&line, MESSAGE_LIMIT);
    strbuf_append_format(&line, "%s: unknown level ", setting->name);
    config_value_append_quoted(setting, value, &line);
    strbuf_append_text(&line, ", using INFO");
    return !strbuf_failed(&line) &&
           string_list_add(&report->warnings, strbuf_text(&line), line.length);
}

/* False when out of memory; an unexpected value only goes to the report. */
static bool read_setting(struct config *config, const struct setting_info *setting,
                         const char *value, struct config_report *report)
{
    switch (config_value_read(setting, value, config)) {
    case VALUE_OK:
        break;
    case VALUE_UNEXPECTED:
        return add_error(report, setting, value);
    case VALUE_NO_MEMORY:
        return false;
    }
    if (setting->type == SETTING_LOG_LEVEL && !config_is_log_level(value))
        return add_level_warning(report, setting, value);
    return true;
}

static bool read_settings(struct config *config, config_getenv_fn *getenv_fn, void *context,
                          char **file_values, struct config_report *report)
{
    size_t count;
    const struct setting_info *settings = config_settings(&count);
    for (size_t i = 0; i < count; i++) {
        const char *value = getenv_fn(context, settings[i].name);
        if (value == NULL)
            value = file_values[i];
        if (value == NULL)
            value = settings[i].default_value;
        if (!read_setting(config, &settings[i], value, report))
            return false;
    }
    return true;
}

/* Settings that make no sense alone, or together. Values that are NULL are at fault already. False
 * when out of memory. */
static bool check_tls_pair(const struct config *config, struct config_report *report)
{
    const char *cert = config->tls_cert_file;
    const char *key = config->tls_key_file;
    if (cert == NULL || key == NULL)
        return true;
    if ((cert[0] == '\0') == (key[0] == '\0'))
        return true;
    return string_list_add_format(&report->errors, "%s: expected together with %s",
                                  cert[0] == '\0' ? "TLS_CERT_FILE" : "TLS_KEY_FILE",
                                  cert[0] == '\0' ? "TLS_KEY_FILE" : "TLS_CERT_FILE");
}

static bool check_redis_pair(const struct config *config, struct config_report *report)
{
    const char *file = config->redis_password_file;
    if (file == NULL || file[0] == '\0' || config->redis.password == NULL)
        return true;
    return string_list_add_format(&report->errors,
                                  "REDIS_PASSWORD_FILE: expected without a password in REDIS_URL");
}

static bool take_redis_url_apart(struct config *config)
{
    const char *url = config->redis_url;
    if (url == NULL || url[0] == '\0')
        return true;
    return redis_url_parse(text_of(url), &config->redis) == REDIS_URL_OK;
}

static char *masked(const char *url)
{
    struct strbuf shown CLEANUP(strbuf_finish);
    strbuf_init(&shown, strlen(url) + MASKS_LENGTH);
    config_url_append_masked(text_of(url), &shown);
    return url[0] == '\0' ? strdup("") : strbuf_take(&shown, NULL);
}

static bool mask_urls(struct config *config)
{
    assert(config->opencost_url != NULL && config->redis_url != NULL);
    config->opencost_url_shown = masked(config->opencost_url);
    config->redis_url_shown = masked(config->redis_url);
    return config->opencost_url_shown != NULL && config->redis_url_shown != NULL;
}

/* Where one setting bends another. False when out of memory. */
static bool settle(struct config *config, struct config_report *report)
{
    if (!mask_urls(config))
        return false;
    if (config->debug) {
        char *level = strdup("DEBUG");
        if (level == NULL)
            return false;
        free(config->log_level);
        config->log_level = level;
    }
    if (config->cache_ttl_s >= config->refresh_interval_s)
        return true;
    int64_t interval_s = config->cache_ttl_s * INTERVAL_PERCENT_OF_TTL / 100;
    int64_t asked_s = config->refresh_interval_s;
    config->refresh_interval_s = interval_s > 0 ? interval_s : 1;
    return string_list_add_format(
        &report->warnings, "REFRESH_INTERVAL: %lld is longer than CACHE_TTL %lld, using %lld",
        (long long)asked_s, (long long)config->cache_ttl_s, (long long)config->refresh_interval_s);
}

static void free_values(char **values)
{
    size_t count = setting_count();
    for (size_t i = 0; values != NULL && i < count; i++)
        free(values[i]);
    free(values);
}

struct config *config_load(const char *env_file, config_getenv_fn *getenv_fn, void *context,
                           struct config_report *report)
{
    struct config *config = calloc(1, sizeof(*config));
    char **file_values = calloc(setting_count(), sizeof(*file_values));
    *report = (struct config_report){0};
    bool ok = config != NULL && file_values != NULL &&
              env_file_read(env_file, getenv_fn, context, file_values, report) &&
              read_settings(config, getenv_fn, context, file_values, report) &&
              take_redis_url_apart(config) && check_tls_pair(config, report) &&
              check_redis_pair(config, report) && report->errors.count == 0 &&
              settle(config, report);
    free_values(file_values);
    if (!ok) {
        config_destroy(config);
        return NULL;
    }
    return config;
}

void config_destroy(struct config *config)
{
    size_t count;
    const struct setting_info *settings = config_settings(&count);
    if (config == NULL)
        return;
    for (size_t i = 0; i < count; i++)
        config_value_finish(&settings[i], config);
    free(config->opencost_url_shown);
    free(config->redis_url_shown);
    redis_url_finish(&config->redis);
    free(config);
}

void config_report_finish(struct config_report *report)
{
    string_list_finish(&report->errors);
    string_list_finish(&report->warnings);
}

void config_print(const struct config *config, struct strbuf *out)
{
    size_t count;
    const struct setting_info *settings = config_settings(&count);
    for (size_t i = 0; i < count; i++) {
        strbuf_append_text(out, settings[i].name);
        strbuf_append_char(out, '=');
        config_value_append(&settings[i], config, out);
        strbuf_append_char(out, '\n');
    }
}
