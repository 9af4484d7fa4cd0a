/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How much is logged, and SIGHUP, which has it read anew.
 *
 * Logs, whatever the level: log.level_changed, log.level_kept.
 *
 * Threads: main.
 */
#ifndef APP_LEVEL_H
#define APP_LEVEL_H

#include "base/log.h"
#include "config/config.h"

struct level {
    struct log *log;      /* borrowed, as is the path */
    const char *env_file; /* NULL: .env, if there is one */
    char name[CONFIG_LEVEL_BYTES];
};

/* `name` is the level the log has. */
void level_init(struct level *level, struct log *log, const char *env_file, const char *name);

/* Reads LOG_LEVEL and DEBUG again. What cannot be used leaves the level as it is. */
void level_reread(struct level *level);

#endif
