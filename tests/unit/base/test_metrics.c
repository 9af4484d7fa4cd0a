/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/metrics.h"
#include "support/alloc_fault.h"

enum { EXPOSITION_LIMIT = 1024 * 1024 };

static const double bounds[] = {0.005, 0.1, 1, 2.5, 300};

/* New text of the caller's. */
static char *render(struct metrics *metrics)
{
    struct strbuf out;
    strbuf_init(&out, EXPOSITION_LIMIT);
    strbuf_append_text(&out, "");
    metrics_render(metrics, &out);
    char *text = strbuf_take(&out, NULL);
    assert_non_null(text);
    return text;
}

static void expect_exposition(struct metrics *metrics, const char *expected)
{
    char *text = render(metrics);
    assert_string_equal(text, expected);
    free(text);
}

static void series_are_shown_from_registration_on(void **state)
{
    struct metrics *metrics = metrics_create();
    (void)state;
    expect_exposition(metrics, "");
    metrics_counter(metrics, "requests_total", "All requests.", NULL);
    metrics_gauge(metrics, "up", "Is it up?", (const struct metric_label[]){{NULL, NULL}});
    expect_exposition(metrics, "# HELP requests_total All requests.\n"
                               "# TYPE requests_total counter\n"
                               "requests_total 0\n"
                               "# HELP up Is it up?\n"
                               "# TYPE up gauge\n"
                               "up 0\n");
    metrics_destroy(metrics);
}

static void families_stay_unbroken_in_order_of_registration(void **state)
{
    struct metrics *metrics = metrics_create();
    const struct metric_label get[] = {{"method", "GET"}, {"code", "200"}, {NULL, NULL}};
    const struct metric_label head[] = {{"method", "HEAD"}, {"code", "200"}, {NULL, NULL}};
    (void)state;
    metric_add(metrics_counter(metrics, "b_total", "B", get), 1);
    metric_set(metrics_gauge(metrics, "a", "A", NULL), -7);
    metric_add(metrics_counter(metrics, "b_total", "ignored", head), 2);
    expect_exposition(metrics, "# HELP b_total B\n"
                               "# TYPE b_total counter\n"
                               "b_total{method=\"GET\",code=\"200\"} 1\n"
                               "b_total{method=\"HEAD\",code=\"200\"} 2\n"
                               "# HELP a A\n"
                               "# TYPE a gauge\n"
                               "a -7\n");
    metrics_destroy(metrics);
}

static void the_same_name_and_labels_are_the_same_series(void **state)
{
    struct metrics *metrics = metrics_create();
    const struct metric_label one[] = {{"dataset", "costs"}, {NULL, NULL}};
    const struct metric_label two[] = {{"dataset", "costs"}, {NULL, NULL}};
    const struct metric_label other[] = {{"dataset", "months"}, {NULL, NULL}};
    (void)state;
    struct metric *metric = metrics_counter(metrics, "c_total", "C", one);
    assert_ptr_equal(metrics_counter(metrics, "c_total", "C", two), metric);
    assert_ptr_not_equal(metrics_counter(metrics, "c_total", "C", other), metric);
    assert_ptr_not_equal(metrics_counter(metrics, "c_total", "C", NULL), metric);
    struct metric_histogram *histogram =
        metrics_histogram(metrics, "h_seconds", "H", one, bounds, ARRAY_LENGTH(bounds));
    assert_ptr_equal(
        metrics_histogram(metrics, "h_seconds", "H", two, bounds, ARRAY_LENGTH(bounds)), histogram);
    assert_ptr_not_equal(
        metrics_histogram(metrics, "h_seconds", "H", other, bounds, ARRAY_LENGTH(bounds)),
        histogram);
    metrics_destroy(metrics);
}

static void help_and_labels_are_escaped(void **state)
{
    struct metrics *metrics = metrics_create();
    const struct metric_label labels[] = {{"v", "a\\b\"c\nd"}, {NULL, NULL}};
    (void)state;
    metrics_gauge(metrics, "g", "say \"hi\"\\\n", labels);
    expect_exposition(metrics, "# HELP g say \"hi\"\\\\\\n\n"
                               "# TYPE g gauge\n"
                               "g{v=\"a\\\\b\\\"c\\nd\"} 0\n");
    metrics_destroy(metrics);
}

static void buckets_are_cumulative_and_end_in_the_count(void **state)
{
    struct metrics *metrics = metrics_create();
    const struct metric_label labels[] = {{"route", "/x"}, {NULL, NULL}};
    struct metric_histogram *histogram =
        metrics_histogram(metrics, "h_seconds", "H", labels, bounds, ARRAY_LENGTH(bounds));
    (void)state;
    metric_observe_ns(histogram, 0);
    metric_observe_ns(histogram, 5000000); /* on a bound: inside it */
    metric_observe_ns(histogram, 5000001);
    metric_observe_ns(histogram, INT64_C(2500000000));
    metric_observe_ns(histogram, INT64_C(300000000001));
    expect_exposition(metrics, "# HELP h_seconds H\n"
                               "# TYPE h_seconds histogram\n"
                               "h_seconds_bucket{route=\"/x\",le=\"0.005\"} 2\n"
                               "h_seconds_bucket{route=\"/x\",le=\"0.1\"} 3\n"
                               "h_seconds_bucket{route=\"/x\",le=\"1\"} 3\n"
                               "h_seconds_bucket{route=\"/x\",le=\"2.5\"} 4\n"
                               "h_seconds_bucket{route=\"/x\",le=\"300\"} 4\n"
                               "h_seconds_bucket{route=\"/x\",le=\"+Inf\"} 5\n"
                               "h_seconds_sum{route=\"/x\"} 302.510000002\n"
                               "h_seconds_count{route=\"/x\"} 5\n");
    metrics_destroy(metrics);
}

static void sums_are_whole_seconds_or_plain_decimals(void **state)
{
    static const struct {
        int64_t nanoseconds;
        const char *line;
    } cases[] = {
        {0, "\nh_sum 0\n"},
        {1, "\nh_sum 0.000000001\n"},
        {100000000, "\nh_sum 0.1\n"},
        {2000000000, "\nh_sum 2\n"},
        {-1500000000, "\nh_sum -1.5\n"},
        {INT64_MAX, "\nh_sum 9223372036.854775807\n"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct metrics *metrics = metrics_create();
        metric_observe_ns(metrics_histogram(metrics, "h", "H", NULL, bounds, 1),
                          cases[i].nanoseconds);
        char *text = render(metrics);
        assert_non_null(strstr(text, cases[i].line));
        assert_non_null(strstr(text, "\nh_bucket{le=\"+Inf\"} 1\n"));
        free(text);
        metrics_destroy(metrics);
    }
}

static void updates_of_no_series_do_nothing(void **state)
{
    (void)state;
    metric_add(NULL, 1);
    metric_set(NULL, 1);
    metric_observe_ns(NULL, 1);
    assert_int_equal(metric_value(NULL), 0);
    metrics_destroy(NULL);
}

struct updated {
    struct metrics *metrics;
    struct metric *gauge;
    int calls;
};

static void update_gauge(void *context)
{
    struct updated *updated = context;
    updated->calls++;
    metric_set(updated->gauge, updated->calls);
    /* Registering from here must not deadlock. */
    metrics_gauge(updated->metrics, "late", "", NULL);
}

static void gauges_are_updated_before_each_rendering(void **state)
{
    struct updated updated = {.metrics = metrics_create()};
    (void)state;
    updated.gauge = metrics_gauge(updated.metrics, "g", "G", NULL);
    metrics_on_render(updated.metrics, update_gauge, &updated);
    free(render(updated.metrics));
    char *text = render(updated.metrics);
    assert_non_null(strstr(text, "\ng 2\n"));
    assert_non_null(strstr(text, "\nlate 0\n"));
    free(text);
    metrics_destroy(updated.metrics);
}

/* The value behind `\n<name> ` in an exposition. */
static double sample(const char *text, const char *name)
{
    char start[100];
    (void)snprintf(start, sizeof(start), "\n%s ", name);
    const char *line = strstr(text, start);
    if (line == NULL)
        fail_msg("no sample %s", name);
    return line != NULL ? strtod(line + strlen(start), NULL) : 0;
}

static void append_prices(void *context, struct strbuf *out)
{
    const struct metric_label labels[] = {{"of", "a\"b"}, {"in", "USD"}, {NULL, NULL}};
    const char *price = context;
    metrics_append_sample(out, "price", labels, price);
    metrics_append_sample(out, "price", NULL, "0.1");
}

static void samples_of_a_text_family_are_its_owners(void **state)
{
    char price[] = "1.5";
    (void)state;
    struct metrics *metrics = metrics_create();
    assert_true(metrics_add_text(metrics, "price", "P", append_prices, price));
    metrics_gauge(metrics, "after", "A", NULL);
    expect_exposition(metrics, "# HELP price P\n"
                               "# TYPE price gauge\n"
                               "price{of=\"a\\\"b\",in=\"USD\"} 1.5\n"
                               "price 0.1\n"
                               "# HELP after A\n"
                               "# TYPE after gauge\n"
                               "after 0\n");
    price[2] = '7';
    char *text = render(metrics);
    assert_non_null(strstr(text, "in=\"USD\"} 1.7\n"));
    free(text);
    metrics_destroy(metrics);
}

static void the_process_family_is_read_from_proc(void **state)
{
    struct metrics *metrics = metrics_create();
    (void)state;
    metrics_add_process(metrics);
    char *text = render(metrics);
    double now = (double)time(NULL);
    assert_true(sample(text, "process_cpu_seconds_total") >= 0);
    assert_true(sample(text, "process_resident_memory_bytes") > 100000);
    assert_true(sample(text, "process_virtual_memory_bytes") >
                sample(text, "process_resident_memory_bytes"));
    assert_true(sample(text, "process_open_fds") >= 3);
    assert_true(sample(text, "process_max_fds") >= sample(text, "process_open_fds"));
    assert_true(sample(text, "process_start_time_seconds") > now - 3600);
    assert_true(sample(text, "process_start_time_seconds") < now + 2);
    assert_non_null(strstr(text, "# TYPE process_cpu_seconds_total counter\n"));
    free(text);
    metrics_destroy(metrics);
}

enum { THREADS = 4, ROUNDS = 20000 };

struct shared_series {
    struct metrics *metrics;
    struct metric *counter;
    struct metric_histogram *histogram;
};

static void *update_series(void *argument)
{
    const struct shared_series *series = argument;
    for (int i = 0; i < ROUNDS; i++) {
        metric_add(series->counter, 1);
        metric_observe_ns(series->histogram, i * INT64_C(100000));
        if (i % 5000 == 0)
            free(render(series->metrics));
    }
    return NULL;
}

static void updates_from_many_threads_are_all_counted(void **state)
{
    struct shared_series series = {.metrics = metrics_create()};
    pthread_t threads[THREADS];
    (void)state;
    series.counter = metrics_counter(series.metrics, "c_total", "C", NULL);
    series.histogram =
        metrics_histogram(series.metrics, "h", "H", NULL, bounds, ARRAY_LENGTH(bounds));
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, update_series, &series), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(metric_value(series.counter), THREADS * ROUNDS);
    char *text = render(series.metrics);
    assert_true(sample(text, "h_count") == THREADS * ROUNDS);
    free(text);
    metrics_destroy(series.metrics);
}

static void append_nothing(void *context, struct strbuf *out)
{
    (void)context, (void)out;
}

static void registering_survives_any_failing_allocation(void **state)
{
    const struct metric_label labels[] = {{"v", "1"}, {NULL, NULL}};
    (void)state;
    if (!alloc_fault_supported())
        skip();
    for (long nth = 1;; nth++) {
        alloc_fault_arm(nth);
        struct metrics *metrics = metrics_create();
        struct metric *gauge = NULL;
        struct metric_histogram *histogram = NULL;
        bool text = false;
        if (metrics != NULL) {
            gauge = metrics_gauge(metrics, "g", "G", labels);
            histogram = metrics_histogram(metrics, "h", "H", labels, bounds, 2);
            text = metrics_add_text(metrics, "t", "T", append_nothing, NULL);
        }
        bool hit = alloc_fault_hit();
        alloc_fault_disarm();
        if (metrics != NULL)
            free(render(metrics));
        metrics_destroy(metrics);
        /* Shrinking the labels' text may fail without harm. */
        if (!hit) {
            assert_non_null(gauge);
            assert_non_null(histogram);
            assert_true(text);
            break;
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(series_are_shown_from_registration_on),
        cmocka_unit_test(families_stay_unbroken_in_order_of_registration),
        cmocka_unit_test(the_same_name_and_labels_are_the_same_series),
        cmocka_unit_test(help_and_labels_are_escaped),
        cmocka_unit_test(buckets_are_cumulative_and_end_in_the_count),
        cmocka_unit_test(sums_are_whole_seconds_or_plain_decimals),
        cmocka_unit_test(updates_of_no_series_do_nothing),
        cmocka_unit_test(gauges_are_updated_before_each_rendering),
        cmocka_unit_test(samples_of_a_text_family_are_its_owners),
        cmocka_unit_test(the_process_family_is_read_from_proc),
        cmocka_unit_test(updates_from_many_threads_are_all_counted),
        cmocka_unit_test(registering_survives_any_failing_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
