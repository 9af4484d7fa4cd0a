/* SPDX-License-Identifier: Apache-2.0 */
#include "level.h"

#include <ctype.h>
#include <string.h>

/* Who sends SIGHUP waits for an answer, also from a log that is quiet otherwise. */
#define SAY(log_, level_, ...)                                                                     \
    log_write((log_), (level_), __FILE_NAME__, __LINE__, __func__,                                 \
              (const struct log_field[]){__VA_ARGS__, {.kind = LOG_FIELD_END}})

void level_init(struct level *level, struct log *log, const char *env_file, const char *name)
{
    *level = (struct level){.log = log, .env_file = env_file};
    for (size_t i = 0; i + 1 < sizeof(level->name) && name[i] != '\0'; i++)
        level->name[i] = (char)toupper((unsigned char)name[i]);
}

void level_reread(struct level *level)
{
    char name[CONFIG_LEVEL_BYTES];
    struct error error;
    if (!config_read_level(level->env_file, config_getenv_process, NULL, name, &error)) {
        SAY(level->log, LOG_LEVEL_WARNING, LOG_EVENT("log.level_kept"),
            LOG_STR("log_level", level->name), LOG_STR("error", error.text));
        return;
    }
    if (log_level_from_name(name) == log_level_from_name(level->name)) {
        SAY(level->log, LOG_LEVEL_INFO, LOG_EVENT("log.level_kept"),
            LOG_STR("log_level", level->name));
        return;
    }
    SAY(level->log, LOG_LEVEL_INFO, LOG_EVENT("log.level_changed"), LOG_STR("from", level->name),
        LOG_STR("to", name));
    log_set_level(level->log, log_level_from_name(name));
    memcpy(level->name, name, sizeof(name));
}
