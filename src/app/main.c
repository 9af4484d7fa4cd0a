/* SPDX-License-Identifier: Apache-2.0 */
/* Exit statuses: 0 stopped as asked, 1 could not start or is not alive, 2 wrong settings or command
 * line. */
#include <stdio.h>
#include <stdlib.h>

#include "app.h"
#include "healthcheck.h"
#include "options.h"
#include "signals.h"
#include "version.h"

enum { EXIT_USAGE = 2, TEXT_LIMIT_BYTES = 1 << 20 };

static const char usage[] =
    "Usage: kubecent-backend [OPTION]...\n"
    "A cost API beside OpenCost: cached, dependable, in plain rows.\n"
    "\n"
    "  --demo            use an embedded sample OpenCost instead of a real one\n"
    "  --env-file FILE   read settings from FILE (default: .env, if it is there)\n"
    "  --check-config    say what is wrong with the settings, and exit\n"
    "  --print-config    show the settings in force, secrets masked, and exit\n"
    "  --healthcheck     ask the service on this host whether it is alive\n"
    "  -h, --help        show this help, and exit\n"
    "  -V, --version     show the versions of the service and its libraries, and exit\n"
    "\n"
    "Settings come from the environment, then from the file:\n"
    "\n";

/* Prints what `write` writes. */
static int print(void (*write)(struct strbuf *out))
{
    struct strbuf out;
    strbuf_init(&out, TEXT_LIMIT_BYTES);
    write(&out);
    bool ok = !strbuf_failed(&out) && fputs(strbuf_text(&out), stdout) >= 0 && fflush(stdout) == 0;
    strbuf_finish(&out);
    return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}

static void write_help(struct strbuf *out)
{
    strbuf_append_text(out, usage);
    config_help(out);
}

static int print_config(const struct config *config)
{
    struct strbuf out;
    strbuf_init(&out, TEXT_LIMIT_BYTES);
    config_print(config, &out);
    (void)fputs(strbuf_text(&out), stdout);
    strbuf_finish(&out);
    return EXIT_SUCCESS;
}

static void print_report(const struct config_report *report)
{
    for (size_t i = 0; i < report->warnings.count; i++)
        (void)fprintf(stderr, "warning: %s\n", report->warnings.items[i]);
    for (size_t i = 0; i < report->errors.count; i++)
        (void)fprintf(stderr, "error: %s\n", report->errors.items[i]);
}

static int run(const struct config *config, const struct app_options *options)
{
    struct error error = {0};
    bool ok = true;
    switch (options->mode) {
    case APP_CHECK_CONFIG:
        (void)puts("The settings are valid.");
        break;
    case APP_PRINT_CONFIG:
        return print_config(config);
    case APP_HEALTHCHECK:
        ok = healthcheck_run(config, &error);
        break;
    default:
        ok = app_run(config, options->env_file, options->demo, &error);
        break;
    }
    if (!ok)
        (void)fprintf(stderr, "kubecent-backend: %s\n", error.text);
    return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char **argv)
{
    struct app_options options;
    if (!app_options_read(argc, argv, &options))
        return EXIT_USAGE;
    if (options.mode == APP_HELP)
        return print(write_help);
    if (options.mode == APP_VERSION)
        return print(version_write);
    if (options.mode == APP_SERVE)
        signals_begin();

    struct config_report report;
    struct config *config = config_load(options.env_file, config_getenv_process, NULL, &report);
    print_report(&report);
    if (config == NULL && report.errors.count == 0)
        (void)fputs("error: out of memory, or a value of more than 1 MiB in the environment file\n",
                    stderr);
    config_report_finish(&report);
    if (config == NULL)
        return EXIT_USAGE;
    int status = run(config, &options);
    config_destroy(config);
    return status;
}
