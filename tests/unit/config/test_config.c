/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/text.h"
#include "config_fixture.h"
#include "support/alloc_fault.h"

static struct variable nothing[] = {{NULL, NULL}};

static void expect_list(const struct string_list *list, const char *const *items, size_t count)
{
    assert_int_equal(list->count, count);
    for (size_t i = 0; i < count; i++)
        assert_string_equal(list->items[i], items[i]);
}

static void an_empty_environment_gives_the_defaults(void **state)
{
    struct config_report report;
    struct config *config = fixture_load(nothing, &report);
    (void)state;
    assert_non_null(config);
    assert_int_equal(report.errors.count + report.warnings.count, 0);
    assert_false(config->debug);
    assert_string_equal(config->environment, "development");
    assert_string_equal(config->host, "0.0.0.0");
    assert_int_equal(config->port, 8000);
    assert_int_equal(config->http_threads, 0);
    assert_int_equal(config->http_max_connections, 4096);
    assert_int_equal(config->http_max_waiting, 1024);
    assert_int_equal(config->http_idle_timeout_s, 75);
    assert_int_equal(config->shutdown_delay_s, 0);
    assert_int_equal(config->shutdown_timeout_s, 15);
    expect_list(&config->cors_origins, (const char *const[]){"*"}, 1);
    assert_true(config->enable_swagger);
    assert_string_equal(config->opencost_url, "http://opencost:9003");
    assert_string_equal(config->opencost_url_shown, "http://opencost:9003");
    assert_int_equal(config->opencost_timeout_s, 30);
    assert_int_equal(config->opencost_retry_wait_ms, 1000);
    assert_int_equal(config->opencost_max_body_mb, 1024);
    assert_string_equal(config->opencost_ca_file, "");
    assert_string_equal(config->opencost_token_file, "");
    assert_int_equal(config->cache_ttl_s, 300);
    assert_int_equal(config->cache_max_mb, 256);
    assert_int_equal(config->cache_stale_if_error_s, 0);
    assert_int_equal(config->refresh_interval_s, 240);
    expect_list(&config->refresh_windows, (const char *const[]){"7d", "30d"}, 2);
    assert_int_equal(config->cleanup_interval_s, 300);
    assert_string_equal(config->log_level, "INFO");
    assert_false(config->log_console);
    assert_true(config->access_log);
    config_destroy(config);
    config_report_finish(&report);
}

static void the_environment_wins_over_the_file_and_the_file_over_defaults(void **state)
{
    static const char content[] = "PORT=1111\nCACHE_TTL=600\nCACHE_TTL=900\nHOST=::1\nHOST\n"
                                  "OPENCOST_URL=http://h:${PORT}/${PREFIX}\n";
    struct variable variables[] = {{"PORT", "2222"}, {"PREFIX", "model"}, {NULL, NULL}};
    struct env_file_path path = fixture_file(content, sizeof(content) - 1);
    struct config_report report;
    (void)state;
    struct config *config = config_load(path.text, fixture_getenv, variables, &report);
    assert_non_null(config);
    assert_int_equal(report.warnings.count, 0);
    assert_int_equal(config->port, 2222);
    assert_int_equal(config->cache_ttl_s, 900);
    assert_string_equal(config->host, "0.0.0.0"); /* a bare name unsets what came before */
    assert_string_equal(config->opencost_url, "http://h:1111/model");
    assert_int_equal(config->cleanup_interval_s, 300);
    config_destroy(config);
    config_report_finish(&report);
    fixture_remove(&path);
}

static void an_empty_variable_hides_the_files_value(void **state)
{
    static const char content[] = "ENVIRONMENT=lab\n";
    struct variable variables[] = {{"ENVIRONMENT", ""}, {NULL, NULL}};
    struct env_file_path path = fixture_file(content, sizeof(content) - 1);
    struct config_report report;
    (void)state;
    struct config *config = config_load(path.text, fixture_getenv, variables, &report);
    assert_non_null(config);
    assert_string_equal(config->environment, "");
    config_destroy(config);
    config_report_finish(&report);
    fixture_remove(&path);
}

static void all_faults_are_reported_at_once_with_name_value_and_expectation(void **state)
{
    struct variable variables[] = {
        {"PORT", "abc"},    {"DEBUG", ""},         {"CORS_ORIGINS", "https://a/"},
        {"CACHE_TTL", "0"}, {"LOG_FORMAT", "x\n"}, {NULL, NULL},
    };
    const char *const expected[] = {
        "DEBUG: expected a boolean (true or false, 1 or 0, yes or no, on or off), got \"\"",
        "PORT: expected an integer from 1 to 65535, got \"abc\"",
        ("CORS_ORIGINS: expected \"*\" or a list of origins such as https://a.example:8443, "
         "without "
         "a path, as a JSON array or separated by commas, got \"https://a/\""),
        "CACHE_TTL: expected an integer from 1 to 86400, got \"0\"",
        "LOG_FORMAT: expected json or console, got \"x\\n\"",
    };
    struct config_report report;
    (void)state;
    assert_null(fixture_load(variables, &report));
    expect_list(&report.errors, expected, ARRAY_LENGTH(expected));
    config_report_finish(&report);
}

static void every_type_of_setting_says_what_it_expects(void **state)
{
    static const char *const bad[][3] = {
        {"HOST", "", "HOST: expected an address or a host name, got \"\""},
        {"OPENCOST_URL", "nowhere",
         "OPENCOST_URL: expected \"demo\" or an http or https URL with a host, without query and "
         "fragment, got \"nowhere\""},
        {"REDIS_URL", "redis://u:hunter2@h:0",
         "REDIS_URL: expected redis://[user:password@]host[:port][/db], rediss:// likewise, "
         "unix:///path[?db=N] or redis+sentinel://[user:password@]host[:port],.../master[/db], got "
         "\"redis://***@h:0\""},
        {"OPENCOST_CA_FILE", "/nonexistent",
         "OPENCOST_CA_FILE: expected the path of a readable file, got \"/nonexistent\""},
        {"CACHE_SNAPSHOT_FILE", "/nonexistent/snapshot",
         "CACHE_SNAPSHOT_FILE: expected the path of a file, there or not, in a writable directory, "
         "got \"/nonexistent/snapshot\""},
        {"REFRESH_WINDOWS", "7x",
         "REFRESH_WINDOWS: expected windows such as 7d or lastmonth, separated by commas, got "
         "\"7x\""},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(bad); i++) {
        struct config_report report;
        assert_null(fixture_load_one(bad[i][0], bad[i][1], &report));
        expect_list(&report.errors, &bad[i][2], 1);
        config_report_finish(&report);
    }
}

static void messages_hold_no_secrets_and_are_not_endless(void **state)
{
    static const char *const urls[] = {
        "http://user:hunter2@h?x=1", "http://user:hun?ter2@h",      "user:hunter2@h",
        "http://h/?token=hunter2",   "http://h/#access=hunter2",    "ftp://hunter2:hunter2@h/",
        "http://u:p@hunter2@h/a b",  "http://u:hunter2#@h/a b?c=d",
    };
    char long_value[5001];
    struct config_report report;
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(urls); i++) {
        assert_null(fixture_load_one("OPENCOST_URL", urls[i], &report));
        assert_int_equal(report.errors.count, 1);
        if (strstr(report.errors.items[0], "hunter2") != NULL ||
            strstr(report.errors.items[0], "ter2") != NULL)
            fail_msg("%s", report.errors.items[0]);
        config_report_finish(&report);
    }
    memset(long_value, 'x', sizeof(long_value) - 1);
    long_value[sizeof(long_value) - 1] = '\0';
    assert_null(fixture_load_one("PORT", long_value, &report));
    assert_true(strlen(report.errors.items[0]) < 300);
    assert_non_null(strstr(report.errors.items[0], "xxx\"..."));
    config_report_finish(&report);
}

static void debug_means_the_debug_level(void **state)
{
    struct variable variables[] = {{"DEBUG", "true"}, {"LOG_LEVEL", "ERROR"}, {NULL, NULL}};
    struct config_report report;
    struct config *config = fixture_load(variables, &report);
    (void)state;
    assert_non_null(config);
    assert_true(config->debug);
    assert_string_equal(config->log_level, "DEBUG");
    config_destroy(config);
    config_report_finish(&report);
}

static void an_unknown_log_level_means_info_and_a_warning(void **state)
{
    struct config_report report;
    struct config *config = fixture_load_one("LOG_LEVEL", "chatty\x1b", &report);
    (void)state;
    assert_non_null(config);
    assert_string_equal(config->log_level, "INFO");
    expect_list(&report.warnings,
                (const char *const[]){"LOG_LEVEL: unknown level \"chatty\\u001b\", using INFO"}, 1);
    config_destroy(config);
    config_report_finish(&report);
}

static void a_short_ttl_shortens_the_refresh_interval(void **state)
{
    static const struct {
        const char *ttl;
        const char *interval;
        int64_t expected_s;
        bool warns;
    } cases[] = {
        {"300", "240", 240, false},       {"240", "240", 240, false}, {"239", "240", 191, true},
        {"60", "240", 48, true},          {"1", "240", 1, true},      {"2", "3", 1, true},
        {"86400", "86400", 86400, false},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct variable variables[] = {
            {"CACHE_TTL", cases[i].ttl}, {"REFRESH_INTERVAL", cases[i].interval}, {NULL, NULL}};
        struct config_report report;
        struct config *config = fixture_load(variables, &report);
        assert_non_null(config);
        assert_int_equal(config->refresh_interval_s, cases[i].expected_s);
        assert_int_equal(fixture_has_line(&report.warnings, "REFRESH_INTERVAL: "), cases[i].warns);
        config_destroy(config);
        config_report_finish(&report);
    }
}

static void unknown_names_and_bad_lines_of_the_file_only_warn(void **state)
{
    static const char content[] = "PROT=1\n=x\nPORT=81\nport=82\nHOST='open\n";
    struct env_file_path path = fixture_file(content, sizeof(content) - 1);
    struct config_report report;
    (void)state;
    struct config *config = config_load(path.text, fixture_getenv, nothing, &report);
    assert_non_null(config);
    assert_int_equal(config->port, 81);
    assert_int_equal(report.warnings.count, 4);
    assert_true(fixture_has_line(&report.warnings, ": unknown setting PROT, ignoring"));
    assert_true(fixture_has_line(&report.warnings, ": unknown setting port, ignoring"));
    assert_true(fixture_has_line(&report.warnings, ":2: "));
    assert_true(fixture_has_line(&report.warnings, ":5: unterminated quote, line skipped"));
    config_destroy(config);
    config_report_finish(&report);
    fixture_remove(&path);
}

static void a_file_that_was_asked_for_must_be_there(void **state)
{
    static const char *const paths[] = {"/nonexistent/.env", "/tmp"};
    struct variable variables[] = {{"PORT", "x"}, {NULL, NULL}};
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(paths); i++) {
        struct config_report report;
        assert_null(config_load(paths[i], fixture_getenv, variables, &report));
        /* The other faults are reported all the same. */
        assert_int_equal(report.errors.count, 2);
        assert_true(fixture_has_line(&report.errors, paths[i]));
        assert_true(fixture_has_line(&report.errors, "PORT: "));
        config_report_finish(&report);
    }
}

static void an_unreasonably_long_file_is_refused(void **state)
{
    enum { TOO_LONG = 1024 * 1024 + 1 };
    char *content = calloc(1, TOO_LONG);
    (void)state;
    assert_non_null(content);
    memset(content, '#', TOO_LONG);
    struct env_file_path path = fixture_file(content, TOO_LONG);
    struct config_report report;
    assert_null(config_load(path.text, fixture_getenv, nothing, &report));
    assert_true(fixture_has_line(&report.errors, "cannot be read: File too large"));
    config_report_finish(&report);
    fixture_remove(&path);
    free(content);
}

/* Runs config_load(NULL, ...) in a new folder, where `content`, unless NULL, is .env. */
static struct config *load_in_folder(const char *content, struct config_report *report)
{
    char folder[] = "/tmp/kubecent-test-XXXXXX";
    char *before = getcwd(NULL, 0);
    assert_non_null(before);
    assert_non_null(mkdtemp(folder));
    assert_int_equal(chdir(folder), 0);
    if (content != NULL) {
        FILE *file = fopen(".env", "w");
        assert_non_null(file);
        fputs(content, file);
        fclose(file);
    }
    struct config *config = config_load(NULL, fixture_getenv, nothing, report);
    if (content != NULL)
        unlink(".env");
    assert_int_equal(chdir(before), 0);
    assert_int_equal(rmdir(folder), 0);
    free(before);
    return config;
}

static void the_file_of_the_working_directory_may_be_absent(void **state)
{
    struct config_report report;
    (void)state;
    struct config *config = load_in_folder(NULL, &report);
    assert_non_null(config);
    assert_int_equal(report.warnings.count, 0);
    config_destroy(config);
    config_report_finish(&report);
    config = load_in_folder("PORT=81\n", &report);
    assert_non_null(config);
    assert_int_equal(config->port, 81);
    config_destroy(config);
    config_report_finish(&report);
}

/* Prints, reads what was printed, prints again. */
static void what_is_printed_can_be_read_back(void **state)
{
    struct variable variables[] = {
        {"ENVIRONMENT", "lab #1 \"two\"\\\n\ttab's"},
        {"CORS_ORIGINS", "https://a,https://b"},
        {"REFRESH_WINDOWS", ""},
        {"LOG_FORMAT", "console"},
        {"DEBUG", "1"},
        {"CACHE_TTL", "60"},
        {"OPENCOST_URL", "demo"},
        {NULL, NULL},
    };
    struct config_report report;
    struct strbuf first CLEANUP(strbuf_finish);
    struct strbuf second CLEANUP(strbuf_finish);
    (void)state;
    strbuf_init(&first, 100000);
    strbuf_init(&second, 100000);
    struct config *config = fixture_load(variables, &report);
    assert_non_null(config);
    config_print(config, &first);
    config_destroy(config);
    config_report_finish(&report);
    struct env_file_path path = fixture_file(strbuf_text(&first), first.length);
    config = config_load(path.text, fixture_getenv, nothing, &report);
    assert_non_null(config);
    assert_int_equal(report.warnings.count, 0);
    assert_string_equal(config->environment, variables[0].value);
    config_print(config, &second);
    assert_string_equal(strbuf_text(&first), strbuf_text(&second));
    config_destroy(config);
    config_report_finish(&report);
    fixture_remove(&path);
}

static void printing_masks_credentials_but_the_client_gets_them(void **state)
{
    struct config_report report;
    struct strbuf out CLEANUP(strbuf_finish);
    struct config *config =
        fixture_load_one("OPENCOST_URL", "https://user:hunter2@h:9003/model", &report);
    (void)state;
    assert_non_null(config);
    assert_string_equal(config->opencost_url, "https://user:hunter2@h:9003/model");
    assert_string_equal(config->opencost_url_shown, "https://***@h:9003/model");
    strbuf_init(&out, 100000);
    config_print(config, &out);
    assert_null(strstr(strbuf_text(&out), "hunter2"));
    assert_non_null(strstr(strbuf_text(&out), "OPENCOST_URL=https://***@h:9003/model\n"));
    config_destroy(config);
    config_report_finish(&report);
}

static void redis_has_one_password_which_is_not_shown(void **state)
{
    struct env_file_path path = fixture_file("hunter3", 7);
    struct variable variables[] = {
        {"REDIS_URL", "redis+sentinel://user:hunter2@a:1,b:2/main/3"}, {NULL, NULL}, {NULL, NULL}};
    struct config_report report;
    struct strbuf out CLEANUP(strbuf_finish);
    (void)state;
    struct config *config = fixture_load(variables, &report);
    assert_non_null(config);
    assert_string_equal(config->redis.password, "hunter2");
    assert_string_equal(config->redis.master, "main");
    assert_string_equal(config->redis_url_shown, "redis+sentinel://***@a:1,b:2/main/3");
    strbuf_init(&out, 100000);
    config_print(config, &out);
    assert_null(strstr(strbuf_text(&out), "hunter2"));
    config_destroy(config);
    config_report_finish(&report);

    variables[1] = (struct variable){"REDIS_PASSWORD_FILE", path.text};
    assert_null(fixture_load(variables, &report));
    assert_true(fixture_has_line(&report.errors,
                                 "REDIS_PASSWORD_FILE: expected without a password in REDIS_URL"));
    config_report_finish(&report);
    fixture_remove(&path);
}

static void without_its_url_there_is_no_redis(void **state)
{
    struct config_report report;
    (void)state;
    struct config *config = fixture_load(nothing, &report);
    assert_non_null(config);
    assert_string_equal(config->redis_url, "");
    assert_string_equal(config->redis_url_shown, "");
    assert_string_equal(config->redis_prefix, "kubecent:");
    assert_int_equal(config->redis_timeout_ms, 200);
    assert_int_equal(config->redis.host_count, 0);
    config_destroy(config);
    config_report_finish(&report);
}

static void the_table_is_complete_and_its_defaults_are_valid(void **state)
{
    size_t count;
    const struct setting_info *settings = config_settings(&count);
    (void)state;
    assert_true(count >= 27);
    for (size_t i = 0; i < count; i++) {
        struct config_report report;
        assert_true(settings[i].help[0] != '\0' && settings[i].kind[0] != '\0');
        struct config *config =
            fixture_load_one(settings[i].name, settings[i].default_value, &report);
        assert_non_null(config);
        config_destroy(config);
        config_report_finish(&report);
        for (size_t j = 0; j < i; j++) {
            assert_string_not_equal(settings[i].name, settings[j].name);
            assert_int_not_equal(settings[i].field_offset, settings[j].field_offset);
        }
    }
}

static void help_names_every_setting_within_80_columns(void **state)
{
    size_t count;
    const struct setting_info *settings = config_settings(&count);
    struct strbuf out CLEANUP(strbuf_finish);
    char *place = NULL;
    (void)state;
    strbuf_init(&out, 100000);
    config_help(&out);
    assert_false(strbuf_failed(&out));
    for (size_t i = 0; i < count; i++) {
        char start[64];
        (void)snprintf(start, sizeof(start), "\n  %s  ", settings[i].name);
        assert_non_null(strstr(strbuf_text(&out), start));
        (void)snprintf(start, sizeof(start), "%s:\n", settings[i].group);
        assert_non_null(strstr(strbuf_text(&out), start));
    }
    for (char *line = strtok_r(out.data, "\n", &place); line != NULL;
         line = strtok_r(NULL, "\n", &place))
        assert_true(strlen(line) <= 80);
}

/* The whole of a file, its comment lines joined to one line each; new. */
static char *read_example(void)
{
    char line[512];
    struct strbuf text;
    bool in_comment = false;
    FILE *file = fopen(KUBECENT_ENV_EXAMPLE, "r");
    assert_non_null(file);
    strbuf_init(&text, 100000);
    strbuf_append_char(&text, '\n');
    while (fgets(line, sizeof(line), file) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        bool is_comment = line[0] == '#';
        if (in_comment)
            strbuf_append_char(&text, is_comment ? ' ' : '\n');
        strbuf_append_text(&text, is_comment && in_comment ? line + 2 : line);
        if (!is_comment)
            strbuf_append_char(&text, '\n');
        in_comment = is_comment;
    }
    fclose(file);
    char *bytes = strbuf_take(&text, NULL);
    assert_non_null(bytes);
    return bytes;
}

static void the_example_file_has_every_setting_with_help_and_default(void **state)
{
    size_t count;
    const struct setting_info *settings = config_settings(&count);
    char *text = read_example();
    size_t lines_with_values = 0;
    (void)state;
    for (size_t i = 0; i < count; i++) {
        char block[512];
        (void)snprintf(block, sizeof(block), "\n# %s\n%s=%s\n", settings[i].help, settings[i].name,
                       settings[i].default_value);
        if (strstr(text, block) == NULL)
            fail_msg("not in the example:%s", block);
    }
    for (const char *p = strchr(text, '\n'); p != NULL; p = strchr(p + 1, '\n'))
        lines_with_values += p[1] >= 'A' && p[1] <= 'Z' ? 1 : 0;
    assert_int_equal(lines_with_values, count);
    free(text);
}

static void the_example_file_is_read_without_complaint_as_the_defaults(void **state)
{
    struct config_report report;
    struct strbuf defaults CLEANUP(strbuf_finish);
    struct strbuf example CLEANUP(strbuf_finish);
    (void)state;
    strbuf_init(&defaults, 100000);
    strbuf_init(&example, 100000);
    struct config *config = fixture_load(nothing, &report);
    assert_non_null(config);
    config_print(config, &defaults);
    config_destroy(config);
    config_report_finish(&report);
    config = config_load(KUBECENT_ENV_EXAMPLE, fixture_getenv, nothing, &report);
    assert_non_null(config);
    assert_int_equal(report.warnings.count, 0);
    config_print(config, &example);
    config_destroy(config);
    config_report_finish(&report);
    assert_string_equal(strbuf_text(&example), strbuf_text(&defaults));
}

static void the_process_environment_is_getenv(void **state)
{
    (void)state;
    assert_int_equal(setenv("KUBECENT_TEST_VARIABLE", "x", 1), 0);
    assert_string_equal(config_getenv_process(NULL, "KUBECENT_TEST_VARIABLE"), "x");
    unsetenv("KUBECENT_TEST_VARIABLE");
    assert_null(config_getenv_process(NULL, "KUBECENT_TEST_VARIABLE"));
}

/* With everything that allocates: a file, lists, a warning, and in the second round an error. */
static void loading_survives_any_failing_allocation(void **state)
{
    static const char content[] = "UNKNOWN=1\nCACHE_TTL=60\nCORS_ORIGINS=[\"https://a\",\"*\"]\n"
                                  "=x\nDEBUG=true\nLOG_LEVEL=chatty\n";
    struct env_file_path path = fixture_file(content, sizeof(content) - 1);
    (void)state;
    if (!alloc_fault_supported()) {
        fixture_remove(&path);
        skip();
    }
    for (int round = 0; round < 2; round++) {
        struct variable variables[] = {{"PORT", round == 0 ? "80" : "x"}, {NULL, NULL}};
        long nth = 0;
        bool hit = true;
        while (hit) {
            struct config_report report;
            alloc_fault_arm(++nth);
            struct config *config = config_load(path.text, fixture_getenv, variables, &report);
            hit = alloc_fault_hit();
            alloc_fault_disarm();
            /* Nothing half-read gets out: a config is a whole one. */
            if (config != NULL) {
                assert_int_equal(config->port, 80);
                assert_string_equal(config->log_level, "DEBUG");
                assert_int_equal(config->cors_origins.count, 2);
                assert_int_equal(report.warnings.count, 4);
            }
            if (!hit)
                assert_int_equal(config != NULL, round == 0);
            config_destroy(config);
            config_report_finish(&report);
        }
        assert_true(nth > 50);
    }
    fixture_remove(&path);
}

static void nothing_may_be_destroyed(void **state)
{
    struct config_report report = {0};
    (void)state;
    config_destroy(NULL);
    config_report_finish(&report);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_environment_gives_the_defaults),
        cmocka_unit_test(the_environment_wins_over_the_file_and_the_file_over_defaults),
        cmocka_unit_test(an_empty_variable_hides_the_files_value),
        cmocka_unit_test(all_faults_are_reported_at_once_with_name_value_and_expectation),
        cmocka_unit_test(every_type_of_setting_says_what_it_expects),
        cmocka_unit_test(messages_hold_no_secrets_and_are_not_endless),
        cmocka_unit_test(debug_means_the_debug_level),
        cmocka_unit_test(an_unknown_log_level_means_info_and_a_warning),
        cmocka_unit_test(a_short_ttl_shortens_the_refresh_interval),
        cmocka_unit_test(unknown_names_and_bad_lines_of_the_file_only_warn),
        cmocka_unit_test(a_file_that_was_asked_for_must_be_there),
        cmocka_unit_test(an_unreasonably_long_file_is_refused),
        cmocka_unit_test(the_file_of_the_working_directory_may_be_absent),
        cmocka_unit_test(what_is_printed_can_be_read_back),
        cmocka_unit_test(printing_masks_credentials_but_the_client_gets_them),
        cmocka_unit_test(redis_has_one_password_which_is_not_shown),
        cmocka_unit_test(without_its_url_there_is_no_redis),
        cmocka_unit_test(the_table_is_complete_and_its_defaults_are_valid),
        cmocka_unit_test(help_names_every_setting_within_80_columns),
        cmocka_unit_test(the_example_file_has_every_setting_with_help_and_default),
        cmocka_unit_test(the_example_file_is_read_without_complaint_as_the_defaults),
        cmocka_unit_test(the_process_environment_is_getenv),
        cmocka_unit_test(loading_survives_any_failing_allocation),
        cmocka_unit_test(nothing_may_be_destroyed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
