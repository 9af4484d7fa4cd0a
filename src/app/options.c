/* SPDX-License-Identifier: Apache-2.0 */
#include "options.h"

#include <getopt.h>
#include <stdio.h>

enum {
    OPTION_ENV_FILE = 256,
    OPTION_CHECK_CONFIG,
    OPTION_PRINT_CONFIG,
    OPTION_HEALTHCHECK,
    OPTION_DEMO
};

static const struct option long_options[] = {
    {"help", no_argument, NULL, 'h'},
    {"version", no_argument, NULL, 'V'},
    {"env-file", required_argument, NULL, OPTION_ENV_FILE},
    {"check-config", no_argument, NULL, OPTION_CHECK_CONFIG},
    {"print-config", no_argument, NULL, OPTION_PRINT_CONFIG},
    {"healthcheck", no_argument, NULL, OPTION_HEALTHCHECK},
    {"demo", no_argument, NULL, OPTION_DEMO},
    {NULL, 0, NULL, 0},
};

bool app_options_read(int argc, char **argv, struct app_options *ret_options)
{
    struct app_options options = {.mode = APP_SERVE};
    int choice = 0;
    while ((choice = getopt_long(argc, argv, "hV", long_options, NULL)) != -1) {
        switch (choice) {
        case 'h':
            options.mode = APP_HELP;
            break;
        case 'V':
            options.mode = APP_VERSION;
            break;
        case OPTION_ENV_FILE:
            options.env_file = optarg;
            break;
        case OPTION_CHECK_CONFIG:
            options.mode = APP_CHECK_CONFIG;
            break;
        case OPTION_PRINT_CONFIG:
            options.mode = APP_PRINT_CONFIG;
            break;
        case OPTION_HEALTHCHECK:
            options.mode = APP_HEALTHCHECK;
            break;
        case OPTION_DEMO:
            options.demo = true;
            break;
        default: /* getopt_long has said what is wrong */
            (void)fprintf(stderr, "Try '%s --help'.\n", argv[0]);
            return false;
        }
    }
    if (optind < argc) {
        (void)fprintf(stderr, "%s: unexpected argument '%s'\nTry '%s --help'.\n", argv[0],
                      argv[optind], argv[0]);
        return false;
    }
    *ret_options = options;
    return true;
}
