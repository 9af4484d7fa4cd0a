/* SPDX-License-Identifier: Apache-2.0 */
/* What the client says of its work, and that it never says a secret; the token it sends. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "client_support.h"

static void expect_line(const char *log, const char *start)
{
    if (strstr(log, start) == NULL)
        fail_msg("no line with %s in\n%s", start, log);
}

static size_t count(const char *log, const char *word)
{
    size_t found = 0;
    for (const char *at = strstr(log, word); at != NULL; at = strstr(at + 1, word))
        found++;
    return found;
}

static void a_success_is_logged_with_its_window_and_its_pods(void **state)
{
    (void)state;
    struct client_world *world = client_world_create(NULL);
    struct fetched fetched = {0};
    must_fetch(world, "7d", &fetched);
    fake_loop_advance(world->loop, 250);
    scripted_answer(&world->engine, 0, 200, GOOD_BODY);
    fake_loop_run(world->loop);
    char *log = client_world_log(world);
    expect_line(log, "{\"aggregate\": \"namespace,pod\", \"window\": \"7d\", "
                     "\"event\": \"opencost.allocation_request\", \"level\": \"info\"");
    expect_line(log, "{\"aggregate\": \"namespace,pod\", \"item_count\": 1, \"window\": \"7d\", "
                     "\"duration_ms\": 250, \"defects\": ");
    expect_line(log, "\"event\": \"opencost.allocation_success\", \"level\": \"info\"");
    free(log);
    client_world_destroy(world);
}

static void defects_are_logged_once_and_counted_by_reason(void **state)
{
    (void)state;
    struct client_world *world = client_world_create(NULL);
    struct fetched fetched = {0};
    must_fetch(world, "7d", &fetched);
    scripted_answer(&world->engine, 0, 200,
                    "{\"code\":200,\"data\":[null,{\"a\":\"None\",\"x\":{\"name\":\"x\"},"
                    "\"__idle__\":{\"name\":\"__idle__\"}}]}");
    fake_loop_run(world->loop);
    char *log = client_world_log(world);
    assert_int_equal(count(log, "\"event\": \"opencost.allocation_defects\""), 1);
    expect_line(log, "\"rows_skipped\": 1, \"idle_dropped\": 1, \"entries_ignored\": ");
    assert_true(
        client_world_counts(world, "kubecent_rows_rejected_total{reason=\"no_namespace\"} 1\n"));
    assert_true(
        client_world_counts(world, "kubecent_rows_rejected_total{reason=\"idle_unasked\"} 1\n"));
    free(log);
    client_world_destroy(world);
}

static void each_failed_try_has_a_line_and_the_end_has_one_more(void **state)
{
    (void)state;
    struct client_world *world = client_world_create(NULL);
    struct fetched fetched = {0};
    must_fetch(world, "7d", &fetched);
    scripted_answer(&world->engine, 0, 500,
                    "{\"code\":500,\"data\":null,\"message\":\"Error: query\tto\nhttp://prom:9090 "
                    "timed out\"}");
    fake_loop_advance(world->loop, 1000);
    scripted_fail(&world->engine, 0, ERR_UPSTREAM_CONNECT, 0);
    fake_loop_advance(world->loop, 2000);
    scripted_answer(&world->engine, 0, 502, NULL);
    fake_loop_run(world->loop);

    char *log = client_world_log(world);
    static const char url[] = "\"url\": \"http://***@opencost:9003/model/allocation/compute"
                              "?window=7d&aggregate=namespace,pod&accumulate=true\"";
    char line[512];
    snprintf(line, sizeof line,
             "{\"status_code\": 500, %s, \"error\": \"OpenCost answered 500: Error: query to "
             "http://prom:9090 timed out",
             url);
    expect_line(log, line);
    snprintf(line, sizeof line,
             "{%s, \"error\": \"scripted: upstream_connect\", \"attempt\": 2, "
             "\"event\": \"opencost.request_error\", \"level\": \"warning\"",
             url);
    expect_line(log, line);
    expect_line(log, "{\"aggregate\": \"namespace,pod\", \"error\": \"OpenCost answered 502\"");
    assert_int_equal(count(log, "opencost.http_error"), 2);
    assert_int_equal(count(log, "opencost.request_error"), 1);
    assert_int_equal(count(log, "opencost.allocation_error"), 1);
    assert_int_equal(count(log, "secret"), 0);
    free(log);
    client_world_destroy(world);
}

static void long_texts_of_opencost_are_cut(void **state)
{
    (void)state;
    struct client_world *world = client_world_create(NULL);
    struct fetched fetched = {0};
    char text[2048];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    must_fetch(world, "7d", &fetched);
    scripted_answer(&world->engine, 0, 400, text);
    fake_loop_run(world->loop);
    assert_in_range(strlen(fetched.error.text), 100, sizeof fetched.error.text - 1);
    client_world_destroy(world);
}

static void a_stop_is_no_error(void **state)
{
    (void)state;
    struct client_world *world = client_world_create(NULL);
    struct fetched fetched = {0};
    must_fetch(world, "7d", &fetched);
    opencost_client_stop(world->client);
    char *log = client_world_log(world);
    assert_int_equal(count(log, "error"), 0);
    free(log);
    assert_false(client_world_counts(world, "reason=\"other\"} 1\n"));
    client_world_destroy(world);
}

/* The token. */

struct token_step {
    const char *content; /* NULL: the file is removed */
    const char *token;   /* sent then; "(none)": no header */
};

static const struct token_step token_steps[] = {
    {"first\n", "first"},
    {"second", "second"},
    {"third\r\n\n", "third"},
    {NULL, "third"},                  /* unreadable: the last one is kept */
    {"evil\r\nX-Header: 1", "third"}, /* would write a header */
    {"", "third"},
    {"fourth\n", "fourth"},
};

static void replace_file(const char *path, const char *content)
{
    char temporary[128];
    snprintf(temporary, sizeof temporary, "%s.new", path);
    if (content == NULL) {
        assert_int_equal(unlink(path), 0);
        return;
    }
    FILE *file = fopen(temporary, "w");
    assert_non_null(file);
    assert_true(fputs(content, file) >= 0);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(rename(temporary, path), 0);
}

static void the_token_is_read_again_when_its_file_changes(void **state)
{
    (void)state;
    char folder[] = "/tmp/kubecent-token-XXXXXX";
    assert_non_null(mkdtemp(folder));
    char path[64];
    snprintf(path, sizeof path, "%s/token", folder);
    struct client_world *world = client_world_create(path);
    struct fetched fetched = {0};

    must_fetch(world, "7d", &fetched); /* no file yet */
    assert_string_equal(world->engine.last_token, "(none)");
    scripted_answer(&world->engine, 0, 400, NULL);
    for (size_t i = 0; i < ARRAY_LENGTH(token_steps); i++) {
        replace_file(path, token_steps[i].content);
        for (int again = 0; again < 2; again++) {
            must_fetch(world, "7d", &fetched);
            assert_string_equal(world->engine.last_token, token_steps[i].token);
            scripted_answer(&world->engine, 0, 400, NULL);
        }
    }
    char *log = client_world_log(world);
    assert_int_equal(count(log, "opencost.token_unreadable"), 4); /* one a fault */
    assert_int_equal(count(log, "first") + count(log, "third"), 0);
    free(log);
    client_world_destroy(world);
    unlink(path);
    rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_success_is_logged_with_its_window_and_its_pods),
        cmocka_unit_test(defects_are_logged_once_and_counted_by_reason),
        cmocka_unit_test(each_failed_try_has_a_line_and_the_end_has_one_more),
        cmocka_unit_test(long_texts_of_opencost_are_cut),
        cmocka_unit_test(a_stop_is_no_error),
        cmocka_unit_test(the_token_is_read_again_when_its_file_changes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
