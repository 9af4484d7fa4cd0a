/* SPDX-License-Identifier: Apache-2.0 */
/* What may change while the service runs: how much it logs. */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/parse.h"
#include "config/config.h"
#include "config_values.h"
#include "env_file.h"

enum { ERROR_TEXT_BYTES = 128, MESSAGE_LIMIT = 8192 };

/* A pipe was read to its end at the start, and opening it again would wait for a writer who is not
 * to come. */
static bool can_be_read_again(const char *path, bool was_asked_for, bool *ret_exists,
                              struct error *reterr)
{
    struct stat status;
    char memory[ERROR_TEXT_BYTES];
    *ret_exists = stat(path, &status) == 0;
    if (!*ret_exists && errno == ENOENT && !was_asked_for)
        return true;
    if (!*ret_exists)
        return error_set(reterr, ERR_IO, "%s: cannot be read: %s", path,
                         strerror_r(errno, memory, sizeof(memory)));
    return S_ISREG(status.st_mode) ||
           error_set(reterr, ERR_INVALID, "%s: cannot be read again: no regular file", path);
}

/* Fills values[] by the table's order. */
static bool read_file(const char *env_file, config_getenv_fn *getenv_fn, void *context,
                      char **values, struct error *reterr)
{
    const char *path = env_file != NULL ? env_file : ".env";
    struct config_report report = {0};
    bool exists;
    if (!can_be_read_again(path, env_file != NULL, &exists, reterr))
        return false;
    /* With its path the file is one that was asked for: that it cannot be read is no mere warning.
     * What else is odd in it was said at the start, or will be at the next. */
    bool ok = !exists || env_file_read(path, getenv_fn, context, values, &report);
    if (!ok)
        (void)error_no_memory(reterr);
    else if (report.errors.count > 0)
        ok = error_set(reterr, ERR_IO, "%s", report.errors.items[0]);
    config_report_finish(&report);
    return ok;
}

static bool not_expected(const struct setting_info *setting, const char *value,
                         struct error *reterr)
{
    struct strbuf text CLEANUP(strbuf_finish);
    strbuf_init(&text, MESSAGE_LIMIT);
    config_value_append_unexpected(setting, value, &text);
    return strbuf_failed(&text) ? error_no_memory(reterr)
                                : error_set(reterr, ERR_INVALID, "%s", strbuf_text(&text));
}

/* *is_debug once DEBUG has said so, which comes first in the table. */
static bool take(const struct setting_info *setting, const char *value, bool *is_debug,
                 char level[CONFIG_LEVEL_BYTES], struct error *reterr)
{
    if (strcmp(setting->name, "DEBUG") == 0)
        return parse_boolean(value, strlen(value), is_debug) ||
               not_expected(setting, value, reterr);
    if (setting->type != SETTING_LOG_LEVEL)
        return true;
    if (!config_is_log_level(value))
        return not_expected(setting, value, reterr);
    size_t i = 0;
    for (; value[i] != '\0'; i++)
        level[i] = (char)toupper((unsigned char)value[i]);
    level[i] = '\0';
    return true;
}

bool config_read_level(const char *env_file, config_getenv_fn *getenv_fn, void *context,
                       char ret_level[CONFIG_LEVEL_BYTES], struct error *reterr)
{
    size_t count;
    const struct setting_info *settings = config_settings(&count);
    char level[CONFIG_LEVEL_BYTES] = "";
    bool is_debug = false;
    char **values = calloc(count, sizeof(*values));
    if (values == NULL)
        return error_no_memory(reterr);
    bool ok = read_file(env_file, getenv_fn, context, values, reterr);
    for (size_t i = 0; i < count; i++) {
        const char *value = getenv_fn(context, settings[i].name);
        if (value == NULL)
            value = values[i] != NULL ? values[i] : settings[i].default_value;
        ok = ok && take(&settings[i], value, &is_debug, level, reterr);
        free(values[i]);
    }
    free(values);
    if (ok)
        memcpy(ret_level, is_debug ? "DEBUG" : level, is_debug ? sizeof("DEBUG") : sizeof(level));
    return ok;
}
