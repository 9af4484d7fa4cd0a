/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The command line.
 *
 * Threads: main, before any other.
 */
#ifndef APP_OPTIONS_H
#define APP_OPTIONS_H

#include <stdbool.h>

#include "base/attrs.h"

enum app_mode {
    APP_SERVE,
    APP_HELP,
    APP_VERSION,
    APP_CHECK_CONFIG,
    APP_PRINT_CONFIG,
    APP_HEALTHCHECK,
};

struct app_options {
    enum app_mode mode;
    const char *env_file; /* borrowed from argv; NULL: .env, if there is one */
    bool demo;
};

/* False, with a line on standard error, when the command line makes no sense. */
bool app_options_read(int argc, char **argv, struct app_options *ret_options) NODISCARD;

#endif
