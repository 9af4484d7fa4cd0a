/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "cost/report.h"
#include "sample.h"

static struct allocation pod(const char *name, const char *total, const char *idle)
{
    struct allocation allocation = sample_cpu(name, total);
    sample_set(&allocation, FIGURE_IDLE_COST, idle);
    return allocation;
}

static struct cost_set *finish(struct cost_set_builder *builder)
{
    struct cost_set *set = cost_set_builder_finish(builder);
    assert_non_null(set);
    return set;
}

/* The report, in a buffer that the caller finishes. */
static struct strbuf report_of(const struct cost_set *set, int limit)
{
    struct strbuf out;
    strbuf_init(&out, (size_t)1 << 20);
    report_recommendations(set, limit, &out);
    assert_false(strbuf_failed(&out));
    return out;
}

/* Asserts what is recommended, as the values of "resource" in order, with commas between. */
static void assert_resources(const struct cost_set *set, int limit, const char *expected)
{
    static const char key[] = "\"resource\":\"";
    struct strbuf out = report_of(set, limit);
    char resources[1024] = "";
    size_t length = 0;
    for (const char *cursor = strstr(strbuf_text(&out), key); cursor;
         cursor = strstr(cursor, key)) {
        cursor += sizeof(key) - 1;
        length += (size_t)snprintf(resources + length, sizeof(resources) - length, "%s%.*s",
                                   length > 0 ? "," : "", (int)strcspn(cursor, "\""), cursor);
    }
    strbuf_finish(&out);
    assert_string_equal(resources, expected);
}

static void a_wasteful_pod_is_recommended(void **state)
{
    struct cost_set *set = sample_set_of(pod("default/nginx-abc123", "50", "20"));
    struct strbuf out = report_of(set, 10);
    (void)state;
    assert_string_equal(
        strbuf_text(&out),
        "{\"recommendations\":[{\"id\":\"rec-001\",\"type\":\"reduce-idle\","
        "\"namespace\":\"default\",\"resource\":\"nginx-abc123\",\"current_cost\":50.0,"
        "\"estimated_savings\":10.0,\"priority\":\"medium\","
        "\"description\":\"Pod nginx-abc123 has 20.00 in idle costs\","
        "\"action\":\"Review resource requests and right-size to actual usage\"}],"
        "\"total_potential_savings\":10.0,\"savings_percentage\":20.0,"
        "\"cluster_total_cost\":50.0}");
    strbuf_finish(&out);
    cost_set_destroy(set);
}

static void only_more_than_a_fifth_of_idle_is_worth_a_word(void **state)
{
    static const struct {
        const char *name, *total, *idle;
        bool is_recommended;
    } cases[] = {
        {"shop/web", "10", "2", false}, /* exactly a fifth */
        {"shop/web", "10", "2.000000001", true},
        {"shop/web", "0", "0.000000001", true},
        {"shop/web", "-5", "0", false}, /* more than a fifth of it, but nothing to save */
        {"shop/web", "-5", "0.1", true},
        {"shop/web", "10", "-9", false},
        {"shop/shop-unmounted-pvcs", "10", "9", false},
        {"__unmounted__/__unmounted__", "10", "9", false},
        {"__unallocated__/web", "10", "9", false},
        {"__idle__", "10", "9", false},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct cost_set *set = sample_set_of(pod(cases[i].name, cases[i].total, cases[i].idle));
        assert_resources(set, 10, cases[i].is_recommended ? "web" : "");
        cost_set_destroy(set);
    }
}

static void all_pods_are_judged_and_the_largest_savings_come_first(void **state)
{
    struct cost_set_builder *builder = cost_set_builder_create(false);
    (void)state;
    assert_non_null(builder);
    sample_add(builder, pod("b/x", "10", "5"));
    sample_add(builder, pod("b/small", "10", "4"));
    sample_add(builder, pod("a/z", "10", "5"));
    sample_add(builder, pod("b/Y", "10", "5")); /* bytewise: capitals first */
    sample_add(builder, pod("b/x1", "10", "5"));
    sample_add(builder, pod("b/none", "10", "0"));
    sample_add(builder, pod("c/large", "100", "90"));
    struct cost_set *set = finish(builder);
    assert_resources(set, 10, "large,z,Y,x,x1,small");
    assert_resources(set, 50, "large,z,Y,x,x1,small");
    assert_resources(set, 3, "large,z,Y");
    assert_resources(set, 1, "large");

    struct strbuf out = report_of(set, 2); /* the sums are those of the rows shown */
    assert_non_null(strstr(strbuf_text(&out), "\"id\":\"rec-001\""));
    assert_non_null(strstr(strbuf_text(&out), "\"id\":\"rec-002\""));
    assert_non_null(strstr(strbuf_text(&out), "],\"total_potential_savings\":47.5,"
                                              "\"savings_percentage\":29.6875,"
                                              "\"cluster_total_cost\":160.0}"));
    strbuf_finish(&out);
    cost_set_destroy(set);
}

static void the_best_fifty_of_many_are_kept_in_order(void **state)
{
    enum { PODS = 5000, SHOWN = 50 };
    struct cost_set_builder *builder = cost_set_builder_create(false);
    char name[64];
    (void)state;
    assert_non_null(builder);
    for (int i = 0; i < PODS; i++) {
        snprintf(name, sizeof(name), "shop/pod-%d", i);
        struct allocation allocation = pod(name, "0", "0");
        /* Every figure once, in no order: 1237 and 5000 have no common divisor. */
        allocation.value[FIGURE_IDLE_COST] = (i * 1237 % PODS + 1) * DECIMAL_ONE;
        sample_add(builder, allocation);
    }
    struct cost_set *set = finish(builder);
    struct strbuf out = report_of(set, SHOWN);
    const char *cursor = strbuf_text(&out);
    for (int i = 0; i < SHOWN; i++) {
        char expected[64];
        snprintf(expected, sizeof(expected), "\"estimated_savings\":%d.%d,", (PODS - i) / 2,
                 (PODS - i) % 2 * 5);
        cursor = strstr(cursor, expected);
        assert_non_null(cursor);
    }
    assert_non_null(strstr(cursor, "],\"total_potential_savings\":124387.5,"));
    strbuf_finish(&out);
    cost_set_destroy(set);
}

static void savings_above_ten_have_high_priority(void **state)
{
    static const struct {
        const char *idle;
        const char *expected;
    } cases[] = {
        {"20", "\"estimated_savings\":10.0,\"priority\":\"medium\""},
        {"20.000000002", "\"estimated_savings\":10.000000001,\"priority\":\"high\""},
        {"20.000000001", "\"estimated_savings\":10.0,\"priority\":\"medium\""}, /* half-even */
        {"0.000000003", "\"estimated_savings\":0.000000002,\"priority\":\"medium\""},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct cost_set *set = sample_set_of(pod("shop/web", "0", cases[i].idle));
        struct strbuf out = report_of(set, 10);
        assert_non_null(strstr(strbuf_text(&out), cases[i].expected));
        strbuf_finish(&out);
        cost_set_destroy(set);
    }
}

static void a_cluster_that_costs_nothing_has_no_percentage(void **state)
{
    static const char *const totals[] = {"0", "-1"};
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(totals); i++) {
        struct cost_set *set = sample_set_of(pod("shop/web", totals[i], "3"));
        struct strbuf out = report_of(set, 10);
        assert_non_null(strstr(strbuf_text(&out), ",\"savings_percentage\":0.0,"));
        strbuf_finish(&out);
        cost_set_destroy(set);
    }
}

static void odd_names_are_escaped_in_the_sentence_too(void **state)
{
    struct cost_set *set = sample_set_of(pod("shop/a\"b\xFF", "1", "1"));
    struct strbuf out = report_of(set, 10);
    (void)state;
    assert_non_null(strstr(strbuf_text(&out), "\"resource\":\"a\\\"b\xEF\xBF\xBD\""));
    assert_non_null(strstr(strbuf_text(&out),
                           "\"description\":\"Pod a\\\"b\xEF\xBF\xBD has 1.00 in idle costs\""));
    strbuf_finish(&out);
    cost_set_destroy(set);
}

static void nothing_to_save_is_an_empty_list(void **state)
{
    struct cost_set *set = sample_set_of(sample_cpu("shop/web", "5"));
    struct strbuf out = report_of(set, 10);
    (void)state;
    assert_string_equal(strbuf_text(&out),
                        "{\"recommendations\":[],\"total_potential_savings\":0.0,"
                        "\"savings_percentage\":0.0,\"cluster_total_cost\":5.0}");
    strbuf_finish(&out);
    cost_set_destroy(set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_wasteful_pod_is_recommended),
        cmocka_unit_test(only_more_than_a_fifth_of_idle_is_worth_a_word),
        cmocka_unit_test(all_pods_are_judged_and_the_largest_savings_come_first),
        cmocka_unit_test(the_best_fifty_of_many_are_kept_in_order),
        cmocka_unit_test(savings_above_ten_have_high_priority),
        cmocka_unit_test(a_cluster_that_costs_nothing_has_no_percentage),
        cmocka_unit_test(odd_names_are_escaped_in_the_sentence_too),
        cmocka_unit_test(nothing_to_save_is_an_empty_list),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
