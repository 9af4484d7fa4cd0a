/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The running service: all rooms, created bottom-up, destroyed top-down, signals in between.
 *
 * Threads: main.
 */
#ifndef APP_APP_H
#define APP_APP_H

#include <stdbool.h>

#include "base/attrs.h"
#include "base/error.h"
#include "config/config.h"

/* Serves until SIGTERM or SIGINT, then stops in order: unready -> delay -> no new connections ->
 * requests in flight answered -> OpenCost's transfers aborted -> threads joined. A second signal
 * exits at once. False, with *reterr, when the service could not start. SIGHUP has the log's level
 * read anew. `env_file` is where the settings came from (see config_load()). `demo`: use the
 * embedded sample OpenCost. */
bool app_run(const struct config *config, const char *env_file, bool demo,
             struct error *reterr) NODISCARD;

#endif
