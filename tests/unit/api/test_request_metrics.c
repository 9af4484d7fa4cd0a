/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h needs those above */
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "request_metrics.h"
#include "routes.h"

enum { TEXT_LIMIT = 1 << 20 };

static const char *route_of_pods(void)
{
    const struct route *route = routes_find(TEXT("/api/v1/cost/pods"));
    assert_non_null(route);
    return route->path;
}

static void count(struct request_metrics *request_metrics, const char *method, const char *route,
                  int status)
{
    const struct http_summary summary = {
        .method = method, .path = "/", .route = route, .status = status, .duration_ns = 1000};
    request_metrics_count(request_metrics, &summary);
}

/* The value of a sample, -1 if there is none. */
static int value_of(struct metrics *metrics, const char *labels)
{
    char sample[256];
    struct strbuf out;
    int value = -1;
    (void)snprintf(sample, sizeof(sample), "\nkubecent_http_requests_total{%s} ", labels);
    strbuf_init(&out, TEXT_LIMIT);
    metrics_render(metrics, &out);
    const char *found = strstr(strbuf_text(&out), sample);
    if (found != NULL)
        value = (int)strtol(found + strlen(sample), NULL, 10);
    strbuf_finish(&out);
    return value;
}

static void what_alerts_look_for_is_there_before_the_first_request(void **state)
{
    (void)state;
    struct metrics *metrics = metrics_create();
    struct request_metrics *request_metrics = request_metrics_create(metrics);
    static const char *const codes[] = {"200", "500", "503"};
    size_t routes = 0;
    const struct route *all = routes_all(&routes);
    for (size_t i = 0; i < routes; i++) {
        for (size_t k = 0; k < ARRAY_LENGTH(codes); k++) {
            char labels[192];
            (void)snprintf(labels, sizeof(labels), "method=\"GET\",route=\"%s\",code=\"%s\"",
                           all[i].path, codes[k]);
            assert_int_equal(value_of(metrics, labels), 0);
        }
    }
    request_metrics_destroy(request_metrics);
    metrics_destroy(metrics);
}

static void requests_are_counted_by_method_route_and_status(void **state)
{
    static const struct {
        const char *method;
        int status;
        const char *labels;
    } cases[] = {
        {"GET", 200, "method=\"GET\",route=\"/api/v1/cost/pods\",code=\"200\""},
        {"HEAD", 304, "method=\"HEAD\",route=\"/api/v1/cost/pods\",code=\"304\""},
        {"OPTIONS", 204, "method=\"OPTIONS\",route=\"/api/v1/cost/pods\",code=\"204\""},
        {"BREW", 405, "method=\"other\",route=\"/api/v1/cost/pods\",code=\"405\""},
        {"GET", 0, "method=\"GET\",route=\"/api/v1/cost/pods\",code=\"0\""},
    };
    (void)state;
    struct metrics *metrics = metrics_create();
    struct request_metrics *request_metrics = request_metrics_create(metrics);
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        count(request_metrics, cases[i].method, route_of_pods(), cases[i].status);
        count(request_metrics, cases[i].method, route_of_pods(), cases[i].status);
        assert_int_equal(value_of(metrics, cases[i].labels), 2);
    }
    count(request_metrics, "GET", NULL, 404);
    assert_int_equal(value_of(metrics, "method=\"GET\",route=\"unmatched\",code=\"404\""), 1);
    request_metrics_destroy(request_metrics);
    metrics_destroy(metrics);
}

static void a_status_that_nobody_thought_of_takes_no_other_status_name(void **state)
{
    (void)state;
    struct metrics *metrics = metrics_create();
    struct request_metrics *request_metrics = request_metrics_create(metrics);
    count(request_metrics, "GET", route_of_pods(), 418);
    count(request_metrics, "GET", route_of_pods(), 599);
    assert_int_equal(value_of(metrics, "method=\"GET\",route=\"/api/v1/cost/pods\",code=\"other\""),
                     2);
    assert_int_equal(value_of(metrics, "method=\"GET\",route=\"/api/v1/cost/pods\",code=\"418\""),
                     -1);
    request_metrics_destroy(request_metrics);
    metrics_destroy(metrics);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_alerts_look_for_is_there_before_the_first_request),
        cmocka_unit_test(requests_are_counted_by_method_route_and_status),
        cmocka_unit_test(a_status_that_nobody_thought_of_takes_no_other_status_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
