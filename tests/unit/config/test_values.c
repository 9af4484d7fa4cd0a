/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <inttypes.h>
#include <sys/stat.h>

#include "base/text.h"
#include "config_fixture.h"

/* The line that config_print() shows for a variable when it is set so; new text of the caller's.
 * NULL when the value is refused. */
static char *printed(const char *name, const char *value)
{
    char start[64];
    struct config_report report;
    struct strbuf out CLEANUP(strbuf_finish) = {0};
    struct config *config = fixture_load_one(name, value, &report);
    char *line = NULL;
    assert_int_equal(config == NULL, report.errors.count > 0);
    config_report_finish(&report);
    if (config == NULL)
        return NULL;
    strbuf_init(&out, 100000);
    strbuf_append_char(&out, '\n');
    config_print(config, &out);
    config_destroy(config);
    (void)snprintf(start, sizeof(start), "\n%s=", name);
    const char *found = strstr(strbuf_text(&out), start);
    assert_non_null(found);
    found += strlen(start);
    line = strndup(found, strcspn(found, "\n"));
    assert_non_null(line);
    return line;
}

struct value_case {
    const char *name;
    const char *value;
    const char *printed; /* NULL: refused */
};

static void expect_values(const struct value_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char *line = printed(cases[i].name, cases[i].value);
        bool same = line != NULL && cases[i].printed != NULL
                        ? strcmp(line, cases[i].printed) == 0
                        : line == NULL && cases[i].printed == NULL;
        if (!same)
            fail_msg("%s=%s: %s", cases[i].name, cases[i].value, line != NULL ? line : "refused");
        free(line);
    }
}

#define EXPECT(cases) expect_values(cases, ARRAY_LENGTH(cases))

static void booleans_follow_pydantic_and_empty_is_no_default(void **state)
{
    static const struct value_case cases[] = {
        {"DEBUG", "1", "true"},
        {"DEBUG", "Yes", "true"},
        {"DEBUG", "off", "false"},
        {"ACCESS_LOG", "n", "false"},
        {"DEBUG", "", NULL},
        {"DEBUG", " true", NULL},
        {"DEBUG", "2", NULL},
        {"ACCESS_LOG", "", NULL},
        {"ENABLE_SWAGGER", "maybe", NULL},
        {"ENABLE_SWAGGER", "0", "false"},
    };
    (void)state;
    EXPECT(cases);
}

static void integers_follow_pydantic_and_empty_is_no_default(void **state)
{
    static const struct value_case cases[] = {
        {"PORT", "80", "80"},    {"PORT", " 80 ", "80"},   {"PORT", "8_000", "8000"},
        {"PORT", "80.0", "80"},  {"PORT", "+80", "80"},    {"PORT", "", NULL},
        {"PORT", "80.5", NULL},  {"PORT", "0x50", NULL},   {"PORT", "1e1", NULL},
        {"PORT", "abc", NULL},   {"PORT", "80 80", NULL},  {"PORT", "99999999999999999999", NULL},
        {"CACHE_TTL", "", NULL}, {"CACHE_TTL", " ", NULL},
    };
    (void)state;
    EXPECT(cases);
}

static void every_integer_takes_its_bounds_and_nothing_beyond(void **state)
{
    size_t count;
    const struct setting_info *settings = config_settings(&count);
    (void)state;
    for (size_t i = 0; i < count; i++) {
        char value[32];
        if (settings[i].type != SETTING_INTEGER)
            continue;
        for (int64_t beyond = 0; beyond <= 1; beyond++) {
            (void)snprintf(value, sizeof(value), "%" PRId64, settings[i].min - beyond);
            const struct value_case low = {settings[i].name, value, beyond ? NULL : value};
            expect_values(&low, 1);
            (void)snprintf(value, sizeof(value), "%" PRId64, settings[i].max + beyond);
            const struct value_case high = {settings[i].name, value, beyond ? NULL : value};
            /* The longest interval alone would be shortened to fit the default TTL. */
            if (strcmp(settings[i].name, "REFRESH_INTERVAL") != 0 || beyond)
                expect_values(&high, 1);
        }
    }
}

static void origins_are_a_json_array_or_a_comma_list_or_a_star(void **state)
{
    static const struct value_case cases[] = {
        {"CORS_ORIGINS", "[\"*\"]", "[\"*\"]"},
        {"CORS_ORIGINS", "*", "[\"*\"]"},
        {"CORS_ORIGINS", "[]", "[]"},
        {"CORS_ORIGINS", " [ \"https://a\" , \"https://b:8443\" ] ",
         "[\"https://a\",\"https://b:8443\"]"},
        {"CORS_ORIGINS", "https://a, http://b", "[\"https://a\",\"http://b\"]"},
        {"CORS_ORIGINS", "http://localhost:3000", "[\"http://localhost:3000\"]"},
        {"CORS_ORIGINS", "http://[::1]:3000", "[\"http://[::1]:3000\"]"},
        {"CORS_ORIGINS", "chrome-extension://abcdef", "[\"chrome-extension://abcdef\"]"},
        {"CORS_ORIGINS", "", NULL},
        {"CORS_ORIGINS", ",", NULL},
        {"CORS_ORIGINS", "https://a,", NULL},
        {"CORS_ORIGINS", "https://a/", NULL},
        {"CORS_ORIGINS", "https://a/path", NULL},
        {"CORS_ORIGINS", "https://user@a", NULL},
        {"CORS_ORIGINS", "https://a?x", NULL},
        {"CORS_ORIGINS", "https://", NULL},
        {"CORS_ORIGINS", "https://a:", NULL},
        {"CORS_ORIGINS", "https://a:0", NULL},
        {"CORS_ORIGINS", "https://a:65536", NULL},
        {"CORS_ORIGINS", "://a", NULL},
        {"CORS_ORIGINS", "1ttp://a", NULL},
        {"CORS_ORIGINS", "a.example", NULL},
        {"CORS_ORIGINS", "https://a b", NULL},
        {"CORS_ORIGINS", "http://[::1", NULL},
        {"CORS_ORIGINS", "http://[]", NULL},
        {"CORS_ORIGINS", "http://[::1]x", NULL},
        {"CORS_ORIGINS", "null", NULL},
        {"CORS_ORIGINS", "[\"https://a\"", NULL},
        {"CORS_ORIGINS", "[1]", NULL},
        {"CORS_ORIGINS", "[[\"*\"]]", NULL},
        {"CORS_ORIGINS", "[\"\"]", NULL},
        {"CORS_ORIGINS", "{\"a\": 1}", NULL},
        {"CORS_ORIGINS", "[\"https://a\\u0000\"]", NULL},
    };
    (void)state;
    EXPECT(cases);
}

static void the_url_of_opencost_has_a_host_and_neither_query_nor_fragment(void **state)
{
    static const struct value_case cases[] = {
        {"OPENCOST_URL", "demo", "demo"},
        {"OPENCOST_URL", "http://opencost:9003", "http://opencost:9003"},
        {"OPENCOST_URL", "HTTPS://Opencost.Example", "HTTPS://Opencost.Example"},
        {"OPENCOST_URL", "http://ui:9090/model", "http://ui:9090/model"},
        {"OPENCOST_URL", "http://ui:9090/model/", "http://ui:9090/model"},
        {"OPENCOST_URL", "http://h//", "http://h"},
        {"OPENCOST_URL", "http://[fd00::1]:9003", "http://[fd00::1]:9003"},
        {"OPENCOST_URL", "http://u:secret@h:1/p", "http://***@h:1/p"},
        {"OPENCOST_URL", "http://opencost_a.ns.svc", "http://opencost_a.ns.svc"},
        {"OPENCOST_URL", "", NULL},
        {"OPENCOST_URL", "Demo", NULL},
        {"OPENCOST_URL", "opencost:9003", NULL},
        {"OPENCOST_URL", "http:/h", NULL},
        {"OPENCOST_URL", "http://", NULL},
        {"OPENCOST_URL", "http:///path", NULL},
        {"OPENCOST_URL", "http://:9003", NULL},
        {"OPENCOST_URL", "http://u:p@", NULL},
        {"OPENCOST_URL", "http://h:port", NULL},
        {"OPENCOST_URL", "http://h:99999", NULL},
        {"OPENCOST_URL", "http://h?x=1", NULL},
        {"OPENCOST_URL", "http://h/#f", NULL},
        {"OPENCOST_URL", "http://h/a b", NULL},
        {"OPENCOST_URL", "http://h/\n", NULL},
        {"OPENCOST_URL", "http://h/\xC3\xBC", NULL},
        {"OPENCOST_URL", "http://h h", NULL},
        {"OPENCOST_URL", "ftp://h", NULL},
        {"OPENCOST_URL", "file:///etc/passwd", NULL},
        {"OPENCOST_URL", "gopher://h", NULL},
        {"OPENCOST_URL", " http://h", NULL},
    };
    (void)state;
    EXPECT(cases);
}

static void windows_are_separated_by_commas_and_each_is_valid(void **state)
{
    static const struct value_case cases[] = {
        {"REFRESH_WINDOWS", "7d", "7d"},
        {"REFRESH_WINDOWS", "7d, 30d ,lastmonth", "7d,30d,lastmonth"},
        {"REFRESH_WINDOWS", "", ""},
        {"REFRESH_WINDOWS", "  ", ""},
        {"REFRESH_WINDOWS", ",", NULL},
        {"REFRESH_WINDOWS", "7d,", NULL},
        {"REFRESH_WINDOWS", "7d,,30d", NULL},
        {"REFRESH_WINDOWS", "7x", NULL},
        {"REFRESH_WINDOWS", "0d", NULL},
        {"REFRESH_WINDOWS", "7d 30d", NULL},
        {"REFRESH_WINDOWS", "2026-01-01T00:00:00Z,2026-01-02T00:00:00Z", NULL},
    };
    (void)state;
    EXPECT(cases);
}

static void texts_may_be_empty_where_that_means_something(void **state)
{
    static const struct value_case cases[] = {
        {"ENVIRONMENT", "", ""},
        {"ENVIRONMENT", "my lab", "\"my lab\""},
        {"ENVIRONMENT", "a\"b c\\\n", "\"a\\\"b c\\\\\\n\""},
        {"HOST", "", NULL},
        {"HOST", "::", "::"},
        {"HOST", "127.0.0.1", "127.0.0.1"},
        {"HOST", "a b", NULL},
        {"HOST", "http://h", NULL},
        {"OPENCOST_CA_FILE", "", ""},
        {"OPENCOST_TOKEN_FILE", "", ""},
        {"LOG_FORMAT", "console", "console"},
        {"LOG_FORMAT", "JSON", "json"},
        {"LOG_FORMAT", "", NULL},
        {"LOG_FORMAT", "xml", NULL},
        {"LOG_LEVEL", "warning", "warning"},
        {"LOG_LEVEL", "ERROR", "ERROR"},
        {"LOG_LEVEL", "chatty", "INFO"},
        {"LOG_LEVEL", "", "INFO"},
    };
    (void)state;
    EXPECT(cases);
}

static void files_must_be_readable_when_named(void **state)
{
    struct env_file_path path = fixture_file("token", 5);
    char pipe[128];
    (void)snprintf(pipe, sizeof(pipe), "%s.pipe", path.text);
    const struct value_case cases[] = {
        {"OPENCOST_TOKEN_FILE", path.text, path.text},
        {"OPENCOST_CA_FILE", path.text, path.text},
        {"OPENCOST_CA_FILE", "/nonexistent/ca.pem", NULL},
        {"OPENCOST_TOKEN_FILE", "/tmp", NULL},
        {"OPENCOST_CA_FILE", pipe, NULL}, /* it would be waited for, and has one reading in it */
        {"OPENCOST_TOKEN_FILE", "/dev/null", NULL},
    };
    (void)state;
    assert_int_equal(mkfifo(pipe, 0600), 0);
    EXPECT(cases);
    assert_int_equal(unlink(pipe), 0);
    fixture_remove(&path);
}

static void output_files_need_only_their_directory(void **state)
{
    struct env_file_path path = fixture_file("old", 3);
    char beside[128];
    char beneath[128];
    (void)snprintf(beside, sizeof(beside), "%s.absent", path.text);
    (void)snprintf(beneath, sizeof(beneath), "%s/snapshot", path.text);
    const struct value_case cases[] = {
        {"CACHE_SNAPSHOT_FILE", "", ""},
        {"CACHE_SNAPSHOT_FILE", path.text, path.text},
        {"CACHE_SNAPSHOT_FILE", beside, beside},
        {"CACHE_SNAPSHOT_FILE", "/tmp/../tmp/kubecent-absent", "/tmp/../tmp/kubecent-absent"},
        {"CACHE_SNAPSHOT_FILE", "kubecent-absent", "kubecent-absent"},
        {"CACHE_SNAPSHOT_FILE", beneath, NULL}, /* its directory is a file */
        {"CACHE_SNAPSHOT_FILE", "/nonexistent/snapshot", NULL},
        {"CACHE_SNAPSHOT_FILE", "/tmp", NULL},
        {"CACHE_SNAPSHOT_FILE", "/tmp/", NULL},
        {"CACHE_SNAPSHOT_FILE", "..", NULL},
        {"CACHE_SNAPSHOT_FILE", "/dev/null", NULL},
    };
    (void)state;
    EXPECT(cases);
    fixture_remove(&path);
}

static void output_files_are_refused_where_nothing_can_be_written(void **state)
{
    char directory[] = "/tmp/kubecent-test-XXXXXX";
    char inside[64];
    (void)state;
    if (geteuid() == 0)
        skip(); /* nothing is closed to root */
    assert_non_null(mkdtemp(directory));
    assert_int_equal(chmod(directory, 0500), 0);
    (void)snprintf(inside, sizeof(inside), "%s/snapshot", directory);
    const struct value_case cases[] = {{"CACHE_SNAPSHOT_FILE", inside, NULL}};
    EXPECT(cases);
    assert_int_equal(rmdir(directory), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(booleans_follow_pydantic_and_empty_is_no_default),
        cmocka_unit_test(integers_follow_pydantic_and_empty_is_no_default),
        cmocka_unit_test(every_integer_takes_its_bounds_and_nothing_beyond),
        cmocka_unit_test(origins_are_a_json_array_or_a_comma_list_or_a_star),
        cmocka_unit_test(the_url_of_opencost_has_a_host_and_neither_query_nor_fragment),
        cmocka_unit_test(windows_are_separated_by_commas_and_each_is_valid),
        cmocka_unit_test(texts_may_be_empty_where_that_means_something),
        cmocka_unit_test(files_must_be_readable_when_named),
        cmocka_unit_test(output_files_need_only_their_directory),
        cmocka_unit_test(output_files_are_refused_where_nothing_can_be_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
