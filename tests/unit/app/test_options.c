/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h needs those above */
#include <cmocka.h>
#include <getopt.h>
#include <stdlib.h>

#include "base/attrs.h"
#include "options.h"

enum { ARGUMENTS_MAX = 5 };

/* getopt_long() moves the arguments about, so it gets a copy, and begins anew. */
static bool read_line(const char *const *arguments, struct app_options *ret_options)
{
    char *argv[ARGUMENTS_MAX + 2] = {(char *)"kubecent-backend"};
    int argc = 1;
    for (; *arguments != NULL; arguments++)
        argv[argc++] = (char *)*arguments;
    optind = 0;
    opterr = 0;
    return app_options_read(argc, argv, ret_options);
}

static void each_option_is_understood(void **state)
{
    static const struct {
        const char *arguments[ARGUMENTS_MAX];
        enum app_mode mode;
        const char *env_file;
        bool demo;
    } cases[] = {
        {{NULL}, APP_SERVE, NULL, false},
        {{"--demo", NULL}, APP_SERVE, NULL, true},
        {{"--help", NULL}, APP_HELP, NULL, false},
        {{"-h", NULL}, APP_HELP, NULL, false},
        {{"--version", NULL}, APP_VERSION, NULL, false},
        {{"-V", NULL}, APP_VERSION, NULL, false},
        {{"--check-config", NULL}, APP_CHECK_CONFIG, NULL, false},
        {{"--print-config", NULL}, APP_PRINT_CONFIG, NULL, false},
        {{"--healthcheck", NULL}, APP_HEALTHCHECK, NULL, false},
        {{"--env-file", "a", NULL}, APP_SERVE, "a", false},
        {{"--env-file=", NULL}, APP_SERVE, "", false},
        {{"--env-file=a", "--demo", "--env-file=b", NULL}, APP_SERVE, "b", true},
        {{"--check-config", "--env-file", "--demo", NULL}, APP_CHECK_CONFIG, "--demo", false},
        {{"--help", "--version", NULL}, APP_VERSION, NULL, false}, /* the last says what to do */
        {{"--demo", "--", NULL}, APP_SERVE, NULL, true},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct app_options options;
        assert_true(read_line(cases[i].arguments, &options));
        assert_int_equal(options.mode, cases[i].mode);
        assert_int_equal(options.demo, cases[i].demo);
        assert_int_equal(options.env_file != NULL, cases[i].env_file != NULL);
        if (options.env_file != NULL)
            assert_string_equal(options.env_file, cases[i].env_file);
    }
}

static void what_makes_no_sense_is_refused(void **state)
{
    static const char *const cases[][ARGUMENTS_MAX] = {
        {"--nonsense", NULL},
        {"-x", NULL},
        {"--env-file", NULL},
        {"serve", NULL},
        {"--demo", "now", NULL},
        {"--demo=yes", NULL},
        {"", NULL},
        {"--", "--help", NULL},
        {"-", NULL},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct app_options options;
        assert_false(read_line(cases[i], &options));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_option_is_understood),
        cmocka_unit_test(what_makes_no_sense_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
