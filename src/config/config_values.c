/* SPDX-License-Identifier: Apache-2.0 */
/* A pair of functions for each type of field: one reads it, one writes it. */
#include "config_values.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/json_text.h"
#include "base/parse.h"
#include "base/text.h"
#include "config_url.h"
#include "cost/window.h"
#include "string_list.h"

enum { SHOWN_VALUE_MAX = 120, SHOWN_VALUE_LIMIT = 64 * 1024 };

static void *field_of(const struct setting_info *setting, struct config *config)
{
    return (char *)config + setting->field_offset;
}

static const void *const_field_of(const struct setting_info *setting, const struct config *config)
{
    return (const char *)config + setting->field_offset;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static struct text trimmed(struct text text)
{
    while (text.length > 0 && is_blank(text.data[0])) {
        text.data++;
        text.length--;
    }
    while (text.length > 0 && is_blank(text.data[text.length - 1]))
        text.length--;
    return text;
}

static enum value_result copy_text(struct text text, char **field)
{
    *field = strndup(text.data, text.length);
    return *field != NULL ? VALUE_OK : VALUE_NO_MEMORY;
}

static enum value_result read_boolean(const char *text, bool *field)
{
    return parse_boolean(text, strlen(text), field) ? VALUE_OK : VALUE_UNEXPECTED;
}

static enum value_result read_integer(const struct setting_info *setting, const char *text,
                                      int64_t *field)
{
    int64_t value;
    if (parse_integer(text, strlen(text), &value) != PARSE_OK || value < setting->min ||
        value > setting->max)
        return VALUE_UNEXPECTED;
    *field = value;
    return VALUE_OK;
}

static enum value_result read_host(const char *text, char **field)
{
    if (*text == '\0' || strpbrk(text, " \t\r\n/") != NULL)
        return VALUE_UNEXPECTED;
    return copy_text(text_of(text), field);
}

/* A slash at the end is dropped: paths are appended with their own. */
static enum value_result read_url(const char *text, char **field)
{
    struct text url = text_of(text);
    if (!text_equals(url, TEXT("demo")) && !config_url_is_valid(url))
        return VALUE_UNEXPECTED;
    while (url.data[url.length - 1] == '/')
        url.length--;
    return copy_text(url, field);
}

static enum value_result read_redis_url(const char *text, char **field)
{
    struct redis_url url;
    if (*text != '\0') {
        enum redis_url_result result = redis_url_parse(text_of(text), &url);
        if (result != REDIS_URL_OK)
            return result == REDIS_URL_INVALID ? VALUE_UNEXPECTED : VALUE_NO_MEMORY;
        redis_url_finish(&url);
    }
    return copy_text(text_of(text), field);
}

/* Opened rather than asked about, since only that tells for sure. A pipe would be waited for by
 * libraries that read it, and such files are read again. */
static bool is_readable_file(const char *path)
{
    struct stat status;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return false;
    bool is_readable = fstat(fd, &status) == 0 && S_ISREG(status.st_mode);
    close(fd);
    return is_readable;
}

static enum value_result read_file(const char *text, char **field)
{
    if (*text != '\0' && !is_readable_file(text))
        return VALUE_UNEXPECTED;
    return copy_text(text_of(text), field);
}

/* A file to be made has nothing to be opened: its directory is asked. */
static bool is_writable_file(const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash != NULL ? slash + 1 : path;
    struct stat status;
    if (*name == '\0' || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return false;
    if (stat(path, &status) == 0 ? !S_ISREG(status.st_mode) : errno != ENOENT)
        return false;
    char directory[PATH_MAX] = ".";
    size_t length = (size_t)(name - path);
    if (length >= sizeof(directory))
        return false;
    if (length > 0)
        *(char *)mempcpy(directory, path, length) = '\0';
    return stat(directory, &status) == 0 && S_ISDIR(status.st_mode) &&
           access(directory, W_OK | X_OK) == 0;
}

static enum value_result read_output_file(const char *text, char **field)
{
    if (*text != '\0' && !is_writable_file(text))
        return VALUE_UNEXPECTED;
    return copy_text(text_of(text), field);
}

static enum value_result read_log_level(const char *text, char **field)
{
    /* The service we port takes any name and means INFO; config_load() warns. */
    return copy_text(text_of(config_is_log_level(text) ? text : "INFO"), field);
}

static enum value_result read_log_format(const char *text, bool *field)
{
    *field = strcasecmp(text, "console") == 0;
    return *field || strcasecmp(text, "json") == 0 ? VALUE_OK : VALUE_UNEXPECTED;
}

static bool is_window(struct text text)
{
    struct window window;
    return window_parse(text, &window);
}

static enum value_result add_item(struct text item, bool (*is_valid)(struct text item),
                                  struct string_list *list)
{
    if (!is_valid(item))
        return VALUE_UNEXPECTED;
    return string_list_add(list, item.data, item.length) ? VALUE_OK : VALUE_NO_MEMORY;
}

/* `a, b,c`: at least one item, none empty. */
static enum value_result read_comma_list(const char *text, bool (*is_valid)(struct text item),
                                         struct string_list *list)
{
    enum value_result result = VALUE_OK;
    const char *item = text;
    while (result == VALUE_OK && item != NULL) {
        const char *comma = strchr(item, ',');
        size_t length = comma != NULL ? (size_t)(comma - item) : strlen(item);
        result = add_item(trimmed((struct text){item, length}), is_valid, list);
        item = comma != NULL ? comma + 1 : NULL;
    }
    return result;
}

/* jansson leaves the error untouched, here: zero, when it cannot even begin. */
static bool is_out_of_memory(const json_error_t *error)
{
    enum json_error_code code = json_error_code(error);
    return code == json_error_out_of_memory || code == json_error_unknown;
}

static enum value_result read_json_list(const char *text, bool (*is_valid)(struct text item),
                                        struct string_list *list)
{
    json_error_t error = {.line = 0};
    json_t *array = json_loads(text, 0, &error);
    enum value_result result = VALUE_OK;
    if (array == NULL)
        return is_out_of_memory(&error) ? VALUE_NO_MEMORY : VALUE_UNEXPECTED;
    if (!json_is_array(array))
        result = VALUE_UNEXPECTED;
    for (size_t i = 0; result == VALUE_OK && i < json_array_size(array); i++) {
        const json_t *item = json_array_get(array, i);
        if (json_is_string(item))
            result = add_item((struct text){json_string_value(item), json_string_length(item)},
                              is_valid, list);
        else
            result = VALUE_UNEXPECTED;
    }
    json_decref(array);
    return result;
}

static enum value_result read_origins(const char *text, struct string_list *list)
{
    struct text shown = trimmed(text_of(text));
    if (shown.length > 0 && shown.data[0] == '[')
        return read_json_list(text, config_origin_is_valid, list);
    return read_comma_list(text, config_origin_is_valid, list);
}

static enum value_result read_windows(const char *text, struct string_list *list)
{
    if (trimmed(text_of(text)).length == 0)
        return VALUE_OK;
    return read_comma_list(text, is_window, list);
}

static enum value_result read_field(const struct setting_info *setting, const char *text,
                                    void *field)
{
    switch (setting->type) {
    case SETTING_BOOLEAN:
        return read_boolean(text, field);
    case SETTING_INTEGER:
        return read_integer(setting, text, field);
    case SETTING_TEXT:
        return copy_text(text_of(text), field);
    case SETTING_HOST:
        return read_host(text, field);
    case SETTING_URL:
        return read_url(text, field);
    case SETTING_REDIS_URL:
        return read_redis_url(text, field);
    case SETTING_FILE:
        return read_file(text, field);
    case SETTING_OUTPUT_FILE:
        return read_output_file(text, field);
    case SETTING_ORIGINS:
        return read_origins(text, field);
    case SETTING_WINDOWS:
        return read_windows(text, field);
    case SETTING_LOG_LEVEL:
        return read_log_level(text, field);
    case SETTING_LOG_FORMAT:
        return read_log_format(text, field);
    }
    return VALUE_UNEXPECTED;
}

enum value_result config_value_read(const struct setting_info *setting, const char *text,
                                    struct config *config)
{
    enum value_result result = read_field(setting, text, field_of(setting, config));
    if (result != VALUE_OK)
        config_value_finish(setting, config);
    return result;
}

static void append_expected(const struct setting_info *setting, struct strbuf *out)
{
    static const char *const expected[] = {
        [SETTING_BOOLEAN] = "a boolean (true or false, 1 or 0, yes or no, on or off)",
        [SETTING_TEXT] = "a text",
        [SETTING_HOST] = "an address or a host name",
        [SETTING_URL] = "\"demo\" or an http or https URL with a host, without query and fragment",
        [SETTING_REDIS_URL] =
            ("redis://[user:password@]host[:port][/db], rediss:// likewise, unix:///path[?db=N] or "
             "redis+sentinel://[user:password@]host[:port],.../master[/db]"),
        [SETTING_FILE] = "the path of a readable file",
        [SETTING_OUTPUT_FILE] = "the path of a file, there or not, in a writable directory",
        [SETTING_ORIGINS] = ("\"*\" or a list of origins such as https://a.example:8443, without a "
                             "path, as a JSON array or separated by commas"),
        [SETTING_WINDOWS] = "windows such as 7d or lastmonth, separated by commas",
        [SETTING_LOG_LEVEL] = "DEBUG, INFO, WARNING, ERROR or CRITICAL",
        [SETTING_LOG_FORMAT] = "json or console",
    };
    if (setting->type == SETTING_INTEGER)
        strbuf_append_format(out, "an integer from %lld to %lld", (long long)setting->min,
                             (long long)setting->max);
    else
        strbuf_append_text(out, expected[setting->type]);
}

void config_value_append_quoted(const struct setting_info *setting, const char *text,
                                struct strbuf *out)
{
    struct strbuf shown CLEANUP(strbuf_finish);
    strbuf_init(&shown, SHOWN_VALUE_LIMIT);
    if (setting->type == SETTING_URL || setting->type == SETTING_REDIS_URL)
        config_url_append_masked(text_of(text), &shown);
    else
        strbuf_append(&shown, text, strnlen(text, SHOWN_VALUE_MAX + 1));
    bool is_long = shown.length > SHOWN_VALUE_MAX;
    json_append_string(out, strbuf_text(&shown), is_long ? SHOWN_VALUE_MAX : shown.length);
    if (is_long)
        strbuf_append_text(out, "...");
}

void config_value_append_unexpected(const struct setting_info *setting, const char *text,
                                    struct strbuf *out)
{
    strbuf_append_format(out, "%s: expected ", setting->name);
    append_expected(setting, out);
    strbuf_append_text(out, ", got ");
    config_value_append_quoted(setting, text, out);
}

/* Bare where the .env grammar allows it, else in double quotes. */
static void append_env_text(const char *text, struct strbuf *out)
{
    static const char needs_escape[] = "\\\"\n\r";
    size_t length = strlen(text);
    bool is_bare = text[0] != '"' && text[0] != '\'' && strpbrk(text, " \t\v\f\n\r") == NULL;
    if (is_bare) {
        strbuf_append(out, text, length);
        return;
    }
    strbuf_append_char(out, '"');
    for (; *text != '\0'; text++) {
        if (strchr(needs_escape, *text) != NULL)
            strbuf_append_char(out, '\\');
        if (*text == '\n')
            strbuf_append_char(out, 'n');
        else if (*text == '\r')
            strbuf_append_char(out, 'r');
        else
            strbuf_append_char(out, *text);
    }
    strbuf_append_char(out, '"');
}

static void append_comma_list(const struct string_list *list, struct strbuf *out)
{
    for (size_t i = 0; i < list->count; i++) {
        if (i > 0)
            strbuf_append_char(out, ',');
        strbuf_append_text(out, list->items[i]);
    }
}

static void append_json_list(const struct string_list *list, struct strbuf *out)
{
    strbuf_append_char(out, '[');
    for (size_t i = 0; i < list->count; i++) {
        if (i > 0)
            strbuf_append_char(out, ',');
        json_append_string(out, list->items[i], strlen(list->items[i]));
    }
    strbuf_append_char(out, ']');
}

void config_value_append(const struct setting_info *setting, const struct config *config,
                         struct strbuf *out)
{
    const void *field = const_field_of(setting, config);
    switch (setting->type) {
    case SETTING_BOOLEAN:
        strbuf_append_text(out, *(const bool *)field ? "true" : "false");
        break;
    case SETTING_INTEGER:
        strbuf_append_int(out, *(const int64_t *)field);
        break;
    case SETTING_TEXT:
    case SETTING_HOST:
    case SETTING_FILE:
    case SETTING_OUTPUT_FILE:
    case SETTING_LOG_LEVEL:
        append_env_text(*(char *const *)field, out);
        break;
    case SETTING_URL:
    case SETTING_REDIS_URL:
        config_url_append_masked(text_of(*(char *const *)field), out);
        break;
    case SETTING_ORIGINS:
        append_json_list(field, out);
        break;
    case SETTING_WINDOWS:
        append_comma_list(field, out);
        break;
    case SETTING_LOG_FORMAT:
        strbuf_append_text(out, *(const bool *)field ? "console" : "json");
        break;
    }
}

void config_value_finish(const struct setting_info *setting, struct config *config)
{
    void *field = field_of(setting, config);
    switch (setting->type) {
    case SETTING_BOOLEAN:
    case SETTING_LOG_FORMAT:
        *(bool *)field = false;
        break;
    case SETTING_INTEGER:
        *(int64_t *)field = 0;
        break;
    case SETTING_TEXT:
    case SETTING_HOST:
    case SETTING_URL:
    case SETTING_REDIS_URL:
    case SETTING_FILE:
    case SETTING_OUTPUT_FILE:
    case SETTING_LOG_LEVEL:
        free(*(char **)field);
        *(char **)field = NULL;
        break;
    case SETTING_ORIGINS:
    case SETTING_WINDOWS:
        string_list_finish(field);
        break;
    }
}

bool config_is_log_level(const char *name)
{
    static const char *const names[] = {"debug", "info",     "warning", "warn",
                                        "error", "critical", "fatal"};
    for (size_t i = 0; i < ARRAY_LENGTH(names); i++) {
        if (strcasecmp(name, names[i]) == 0)
            return true;
    }
    return false;
}
