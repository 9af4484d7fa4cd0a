/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sys/stat.h>

#include "base/text.h"
#include "config_fixture.h"
#include "support/alloc_fault.h"

static struct variable nothing[] = {{NULL, NULL}};
static struct variable quiet[] = {{"LOG_LEVEL", "ERROR"}, {NULL, NULL}};

struct level_case {
    const char *content;
    struct variable *variables;
    const char *level; /* NULL: a fault */
    const char *fault;
};

static const struct level_case cases[] = {
    {"", nothing, "INFO", NULL},
    {"LOG_LEVEL=warn\n", nothing, "WARN", NULL},
    {"LOG_LEVEL=ERROR\nLOG_LEVEL=Debug # for now\n", nothing, "DEBUG", NULL},
    {"LOG_LEVEL=ERROR\nLOG_LEVEL\n", nothing, "INFO", NULL},
    {"LOG_LEVEL=ERROR\nDEBUG=yes\n", nothing, "DEBUG", NULL},
    {"DEBUG=no\nLOG_LEVEL=critical\n", nothing, "CRITICAL", NULL},
    /* the environment wins */
    {"LOG_LEVEL=DEBUG\n", quiet, "ERROR", NULL},
    {"DEBUG=1\n", quiet, "DEBUG", NULL},
    /* nothing else is looked at */
    {"PORT=none\nUNKNOWN=1\n=x\nLOG_LEVEL='ERROR'\nK=\"unterminated\n", nothing, "ERROR", NULL},
    /* faults */
    {"LOG_LEVEL=chatty\n", nothing, NULL,
     "LOG_LEVEL: expected DEBUG, INFO, WARNING, ERROR or CRITICAL, got \"chatty\""},
    {"LOG_LEVEL=\n", nothing, NULL,
     "LOG_LEVEL: expected DEBUG, INFO, WARNING, ERROR or CRITICAL, got \"\""},
    {"DEBUG=2\nLOG_LEVEL=INFO\n", nothing, NULL, "DEBUG: expected "},
    {"LOG_LEVEL=\"IN\nFO\"\n", nothing, NULL, "got \"IN\\nFO\""},
};

static void the_level_is_read_again_as_at_the_start(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        const struct level_case *c = &cases[i];
        struct env_file_path path = fixture_file(c->content, strlen(c->content));
        char level[CONFIG_LEVEL_BYTES] = "untouched";
        struct error error = {0};
        bool ok = config_read_level(path.text, fixture_getenv, c->variables, level, &error);
        if (ok != (c->level != NULL))
            fail_msg("%s: %s", c->content, ok ? level : error.text);
        assert_string_equal(level, ok ? c->level : "untouched");
        if (!ok && strstr(error.text, c->fault) == NULL)
            fail_msg("%s: %s", c->content, error.text);
        fixture_remove(&path);
    }
}

static void what_is_no_file_or_none_any_more_is_not_waited_for(void **state)
{
    struct env_file_path path = fixture_file("", 0);
    char level[CONFIG_LEVEL_BYTES] = "untouched";
    struct error error;
    (void)state;
    fixture_remove(&path);
    assert_false(config_read_level(path.text, fixture_getenv, nothing, level, &error));
    assert_non_null(strstr(error.text, "cannot be read: No such file"));
    assert_int_equal(mkfifo(path.text, 0600), 0);
    assert_false(config_read_level(path.text, fixture_getenv, nothing, level, &error));
    assert_non_null(strstr(error.text, "cannot be read again: no regular file"));
    fixture_remove(&path);
    assert_false(config_read_level("/", fixture_getenv, nothing, level, &error));
    assert_string_equal(level, "untouched");
}

/* And a level longer than any is refused before it is copied. */
static void a_file_too_long_to_be_one_is_a_fault(void **state)
{
    enum { BYTES = 2 << 20 };
    char *content = malloc(BYTES);
    char level[CONFIG_LEVEL_BYTES] = "untouched";
    struct error error;
    (void)state;
    assert_non_null(content);
    memset(content, 'D', BYTES);
    memcpy(content, "LOG_LEVEL=", strlen("LOG_LEVEL="));
    for (size_t length = BYTES; length > 32; length /= 4) {
        struct env_file_path path = fixture_file(content, length);
        assert_false(config_read_level(path.text, fixture_getenv, nothing, level, &error));
        fixture_remove(&path);
    }
    assert_string_equal(level, "untouched");
    free(content);
}

static void it_survives_any_failing_allocation(void **state)
{
    static const char *const contents[] = {"LOG_LEVEL=error\nDEBUG=0\n", "LOG_LEVEL=chatty\n"};
    bool hit = true;
    (void)state;
    if (!alloc_fault_supported())
        skip();
    for (size_t i = 0; i < ARRAY_LENGTH(contents); i++) {
        struct env_file_path path = fixture_file(contents[i], strlen(contents[i]));
        for (long nth = 1; nth == 1 || hit; nth++) {
            char level[CONFIG_LEVEL_BYTES] = "untouched";
            struct error error;
            alloc_fault_arm(nth);
            bool ok = config_read_level(path.text, fixture_getenv, nothing, level, &error);
            hit = alloc_fault_hit();
            alloc_fault_disarm();
            assert_string_equal(level, ok ? "ERROR" : "untouched");
            assert_true(ok || error.text[0] != '\0');
            assert_true(hit || ok == (i == 0));
        }
        fixture_remove(&path);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_level_is_read_again_as_at_the_start),
        cmocka_unit_test(what_is_no_file_or_none_any_more_is_not_waited_for),
        cmocka_unit_test(a_file_too_long_to_be_one_is_a_fault),
        cmocka_unit_test(it_survives_any_failing_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
