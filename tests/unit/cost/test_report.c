/* SPDX-License-Identifier: Apache-2.0 */
/* The listings and the monthly view, byte by byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "base/civil_time.h"
#include "cost/report.h"
#include "sample.h"

enum { OUT_LIMIT = 1 << 20 };

static void assert_text(struct strbuf *out, const char *expected)
{
    assert_false(strbuf_failed(out));
    assert_string_equal(strbuf_text(out), expected);
    strbuf_finish(out);
}

static void assert_namespaces(const struct cost_set *set, bool detail, const char *expected)
{
    struct strbuf out;
    strbuf_init(&out, OUT_LIMIT);
    report_namespaces(set, TEXT("7d"), detail, &out);
    assert_text(&out, expected);
}

static void assert_pods(const struct cost_set *set, const char *filter, bool detail,
                        const char *expected)
{
    struct text name = filter ? text_of(filter) : TEXT("");
    struct strbuf out;
    strbuf_init(&out, OUT_LIMIT);
    report_pods(set, TEXT("7d"), filter ? &name : NULL, detail, &out);
    assert_text(&out, expected);
}

static struct cost_set *finish(struct cost_set_builder *builder)
{
    struct cost_set *set = cost_set_builder_finish(builder);
    assert_non_null(set);
    return set;
}

static struct cost_set_builder *new_builder(void)
{
    struct cost_set_builder *builder = cost_set_builder_create(true);
    assert_non_null(builder);
    return builder;
}

static struct cost_set *empty_set(void)
{
    return finish(new_builder());
}

/* The example of the API's documentation, with some of everything in the first pod. */
static struct cost_set *example_set(void)
{
    struct cost_set_builder *builder = new_builder();
    struct allocation pod = sample_allocation("default/nginx-abc123");
    sample_set(&pod, FIGURE_TOTAL_COST, "45.67");
    sample_set(&pod, FIGURE_CPU_COST, "20");
    sample_set(&pod, FIGURE_RAM_COST, "15");
    sample_set(&pod, FIGURE_PV_COST, "3.04");
    sample_set(&pod, FIGURE_NETWORK_COST, "1.5");
    sample_set(&pod, FIGURE_GPU_COST, "2.25");
    sample_set(&pod, FIGURE_LOAD_BALANCER_COST, "3.125");
    sample_set(&pod, FIGURE_SHARED_COST, "0.25");
    sample_set(&pod, FIGURE_EXTERNAL_COST, "0.505");
    sample_set(&pod, FIGURE_IDLE_COST, "3.45");
    sample_set(&pod, FIGURE_CPU_EFFICIENCY, "0.5");
    sample_set(&pod, FIGURE_RAM_EFFICIENCY, "0.25");
    sample_set(&pod, FIGURE_TOTAL_EFFICIENCY, "0.39286");
    sample_add(builder, pod);
    sample_add(builder, sample_cpu("__idle__", "-186.57"));
    return finish(builder);
}

static void namespaces_are_listed_with_the_plain_keys(void **state)
{
    struct cost_set *set = example_set();
    (void)state;
    assert_namespaces(
        set, false,
        "{\"namespaces\":["
        "{\"name\":\"default\",\"total_cost\":45.67,\"cpu_cost\":20.0,\"memory_cost\":15.0,"
        "\"storage_cost\":3.04,\"idle_cost\":3.45,\"pod_count\":1},"
        "{\"name\":\"__idle__\",\"total_cost\":-186.57,\"cpu_cost\":-186.57,\"memory_cost\":0.0,"
        "\"storage_cost\":0.0,\"idle_cost\":-186.57,\"pod_count\":0}],"
        "\"total\":-140.9,\"window\":\"7d\",\"item_count\":2}");
    cost_set_destroy(set);
}

#define DETAILS_OF_EXAMPLE                                                                         \
    ",\"network_cost\":1.5,\"gpu_cost\":2.25,\"load_balancer_cost\":3.125,\"shared_cost\":0.25,"   \
    "\"external_cost\":0.505"
#define EFFICIENCIES_OF_EXAMPLE                                                                    \
    ",\"cpu_efficiency\":0.5,\"memory_efficiency\":0.25,\"total_efficiency\":0.39286"
#define DETAILS_OF_IDLE                                                                            \
    ",\"network_cost\":0.0,\"gpu_cost\":0.0,\"load_balancer_cost\":0.0,\"shared_cost\":0.0,"       \
    "\"external_cost\":0.0"
#define EFFICIENCIES_OF_IDLE                                                                       \
    ",\"cpu_efficiency\":0.0,\"memory_efficiency\":0.0,\"total_efficiency\":0.0"

static void detail_adds_the_other_parts_and_the_efficiencies(void **state)
{
    struct cost_set *set = example_set();
    (void)state;
    assert_namespaces(
        set, true,
        "{\"namespaces\":["
        "{\"name\":\"default\",\"total_cost\":45.67,\"cpu_cost\":20.0,\"memory_cost\":15.0,"
        "\"storage_cost\":3.04,\"idle_cost\":3.45,\"pod_count\":1" DETAILS_OF_EXAMPLE
            EFFICIENCIES_OF_EXAMPLE "},"
        "{\"name\":\"__idle__\",\"total_cost\":-186.57,\"cpu_cost\":-186.57,\"memory_cost\":0.0,"
        "\"storage_cost\":0.0,\"idle_cost\":-186.57,\"pod_count\":0" DETAILS_OF_IDLE
            EFFICIENCIES_OF_IDLE "}],"
        "\"total\":-140.9,\"window\":\"7d\",\"item_count\":2}");
    assert_pods(set, NULL, true,
                "{\"pods\":["
                "{\"namespace\":\"default\",\"name\":\"nginx-abc123\",\"total_cost\":45.67,"
                "\"cpu_cost\":20.0,\"memory_cost\":15.0,\"storage_cost\":3.04" DETAILS_OF_EXAMPLE
                ",\"idle_cost\":3.45" EFFICIENCIES_OF_EXAMPLE "},"
                "{\"namespace\":\"__idle__\",\"name\":\"__idle__\",\"total_cost\":-186.57,"
                "\"cpu_cost\":-186.57,\"memory_cost\":0.0,\"storage_cost\":0.0" DETAILS_OF_IDLE
                ",\"idle_cost\":-186.57" EFFICIENCIES_OF_IDLE "}],"
                "\"total\":-140.9,\"window\":\"7d\",\"item_count\":2}");
    cost_set_destroy(set);
}

static void pods_are_listed_of_all_namespaces_or_of_one(void **state)
{
    struct cost_set_builder *builder = new_builder();
    (void)state;
    sample_add(builder, sample_cpu("b/1", "0.1"));
    sample_add(builder, sample_cpu("a/1", "7"));
    sample_add(builder, sample_cpu("b/2", "0.2"));
    struct cost_set *set = finish(builder);
#define B1                                                                                         \
    "{\"namespace\":\"b\",\"name\":\"1\",\"total_cost\":0.1,\"cpu_cost\":0.1,\"memory_cost\":0.0," \
    "\"storage_cost\":0.0}"
#define A1                                                                                         \
    "{\"namespace\":\"a\",\"name\":\"1\",\"total_cost\":7.0,\"cpu_cost\":7.0,\"memory_cost\":0.0," \
    "\"storage_cost\":0.0}"
#define B2                                                                                         \
    "{\"namespace\":\"b\",\"name\":\"2\",\"total_cost\":0.2,\"cpu_cost\":0.2,\"memory_cost\":0.0," \
    "\"storage_cost\":0.0}"
    assert_pods(set, NULL, false,
                "{\"pods\":[" B1 "," A1 "," B2
                "],\"total\":7.3,\"window\":\"7d\",\"item_count\":3}");
    assert_pods(set, "b", false,
                "{\"pods\":[" B1 "," B2 "],\"total\":0.3,\"window\":\"7d\",\"item_count\":2,"
                "\"namespace\":\"b\"}");
    assert_pods(set, "c", false,
                "{\"pods\":[],\"total\":0.0,\"window\":\"7d\",\"item_count\":0,"
                "\"namespace\":\"c\"}");
    cost_set_destroy(set);
}

static void nothing_is_an_empty_list_and_no_money(void **state)
{
    struct cost_set *set = empty_set();
    (void)state;
    assert_namespaces(set, true,
                      "{\"namespaces\":[],\"total\":0.0,\"window\":\"7d\",\"item_count\":0}");
    assert_pods(set, NULL, true, "{\"pods\":[],\"total\":0.0,\"window\":\"7d\",\"item_count\":0}");
    cost_set_destroy(set);
}

static void names_and_echoes_are_escaped(void **state)
{
    struct cost_set *set = sample_set_of(sample_cpu("a\"b/c\\\n\xC3\xA9", "1"));
    struct text filter = TEXT("a\"b");
    struct strbuf out;
    (void)state;
    strbuf_init(&out, OUT_LIMIT);
    report_pods(set, TEXT("\t"), &filter, false, &out);
    assert_text(&out, "{\"pods\":[{\"namespace\":\"a\\\"b\",\"name\":\"c\\\\\\n\xC3\xA9\","
                      "\"total_cost\":1.0,\"cpu_cost\":1.0,\"memory_cost\":0.0,"
                      "\"storage_cost\":0.0}],\"total\":1.0,\"window\":\"\\t\",\"item_count\":1,"
                      "\"namespace\":\"a\\\"b\"}");
    cost_set_destroy(set);
}

static void a_report_beyond_the_limit_fails_its_buffer(void **state)
{
    struct cost_set *set = example_set();
    (void)state;
    for (size_t limit = 0; limit < 600; limit += 50) {
        struct strbuf out;
        strbuf_init(&out, limit);
        report_pods(set, TEXT("7d"), NULL, true, &out);
        assert_true(strbuf_failed(&out));
        strbuf_finish(&out);
    }
    cost_set_destroy(set);
}

/* The exact number behind the last `"total":` of a report. */
static decimal total_in(const struct strbuf *out)
{
    static const char key[] = "],\"total\":";
    const char *total = strstr(strbuf_text(out), key);
    decimal value = 0;
    assert_non_null(total);
    total += sizeof(key) - 1;
    assert_int_equal(decimal_parse(total, strcspn(total, ","), &value), DECIMAL_OK);
    return value;
}

/* The sum of the numbers behind each `"total_cost":` of a report. */
static decimal sum_of_rows_in(const struct strbuf *out)
{
    static const char key[] = "\"total_cost\":";
    decimal sum = 0;
    for (const char *cursor = strstr(strbuf_text(out), key); cursor; cursor = strstr(cursor, key)) {
        decimal value = 0;
        cursor += sizeof(key) - 1;
        assert_int_equal(decimal_parse(cursor, strcspn(cursor, ","), &value), DECIMAL_OK);
        sum += value;
    }
    return sum;
}

/* A fixed generator: a failure is the same on every run. */
static uint64_t next_random(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

static void printed_rows_add_up_to_the_printed_totals_of_both_listings(void **state)
{
    uint64_t seed = 20261123;
    (void)state;
    for (int round = 0; round < 50; round++) {
        struct cost_set_builder *builder = new_builder();
        for (int i = 0; i < 40; i++) {
            char name[64];
            snprintf(name, sizeof(name), "ns-%d/pod-%d", (int)(next_random(&seed) % 5),
                     (int)(next_random(&seed) % 20));
            struct allocation allocation = sample_cpu(name, "0");
            allocation.value[FIGURE_TOTAL_COST] =
                (decimal)(next_random(&seed) % 100000000000) - 1000000;
            sample_add(builder, allocation);
        }
        struct cost_set *set = finish(builder);
        struct strbuf pods;
        struct strbuf namespaces;
        strbuf_init(&pods, OUT_LIMIT);
        strbuf_init(&namespaces, OUT_LIMIT);
        report_pods(set, TEXT("7d"), NULL, false, &pods);
        report_namespaces(set, TEXT("7d"), false, &namespaces);
        assert_true(total_in(&pods) == cost_set_total(set));
        assert_true(total_in(&namespaces) == cost_set_total(set));
        assert_true(sum_of_rows_in(&pods) == cost_set_total(set));
        assert_true(sum_of_rows_in(&namespaces) == cost_set_total(set));
        strbuf_finish(&pods);
        strbuf_finish(&namespaces);
        cost_set_destroy(set);
    }
}

/* 5000 USD over 5 namespaces and 48 pods, and what is none. */
static struct cost_set *month_set(const char *idle_total, int64_t start_s)
{
    struct cost_set_builder *builder = new_builder();
    char name[64];
    for (int i = 0; i < 48; i++) {
        snprintf(name, sizeof(name), "ns-%d/pod-%d", i % 5, i);
        struct allocation allocation = sample_cpu(name, "100");
        allocation.has_start = true;
        allocation.start_s = start_s;
        sample_add(builder, allocation);
    }
    sample_add(builder, sample_cpu("__unmounted__/__unmounted__", "150"));
    sample_add(builder, sample_cpu("ns-0/ns-0-unmounted-pvcs", "50"));
    sample_add(builder, sample_cpu("__idle__", idle_total));
    return finish(builder);
}

static void the_last_30_days_are_labelled_with_the_current_month(void **state)
{
    const int64_t now_s = civil_midnight(2026, 11, 23) + 12345;
    struct cost_set *set = month_set("0", 0);
    struct strbuf out;
    (void)state;
    strbuf_init(&out, OUT_LIMIT);
    report_last_30_days(set, now_s, &out);
    assert_text(&out, "{\"months\":[{\"month\":\"2026-11\",\"total_cost\":5000.0,"
                      "\"daily_average\":166.666666667,\"namespaces\":5,\"pods\":48}],"
                      "\"total\":5000.0,\"period\":\"1 month\"}");
    cost_set_destroy(set);

    set = empty_set();
    strbuf_init(&out, OUT_LIMIT);
    report_last_30_days(set, now_s, &out);
    assert_text(&out, "{\"months\":[],\"total\":0.0,\"period\":\"1 month\"}");
    cost_set_destroy(set);
}

static void months_are_averaged_over_the_days_elapsed_and_say_when_they_are_partial(void **state)
{
    const int64_t august = civil_midnight(2026, 8, 1);
    const int64_t now_s = civil_midnight(2026, 11, 4); /* four days begun, three over */
    struct cost_set *none = empty_set();
    struct cost_set *late = month_set("0", civil_midnight(2026, 9, 1) + 1);
    struct cost_set *whole = month_set("-1900", civil_midnight(2026, 10, 1));
    struct cost_set *current = month_set("1", civil_midnight(2026, 11, 1));
    const struct report_month months[] = {
        {none, august, civil_midnight(2026, 9, 1)},
        {late, civil_midnight(2026, 9, 1), civil_midnight(2026, 10, 1)},
        {whole, civil_midnight(2026, 10, 1), civil_midnight(2026, 11, 1)},
        {current, civil_midnight(2026, 11, 1), civil_midnight(2026, 12, 1)},
    };
    struct strbuf out;
    (void)state;
    strbuf_init(&out, OUT_LIMIT);
    report_months(months, ARRAY_LENGTH(months), 4, now_s, &out);
    assert_text(&out, "{\"months\":["
                      "{\"month\":\"2026-09\",\"total_cost\":5000.0,"
                      "\"daily_average\":166.666666667,\"namespaces\":5,\"pods\":48,"
                      "\"partial\":true},"
                      "{\"month\":\"2026-10\",\"total_cost\":3100.0,\"daily_average\":100.0,"
                      "\"namespaces\":5,\"pods\":48},"
                      "{\"month\":\"2026-11\",\"total_cost\":5001.0,\"daily_average\":1250.25,"
                      "\"namespaces\":5,\"pods\":48,\"partial\":true}],"
                      "\"total\":13101.0,\"period\":\"4 months\"}");
    cost_set_destroy(none);
    cost_set_destroy(late);
    cost_set_destroy(whole);
    cost_set_destroy(current);
}

static void the_first_moment_of_a_month_counts_as_a_day(void **state)
{
    struct cost_set *set = sample_set_of(sample_cpu("shop/web", "3"));
    static const struct {
        int64_t after_start_s;
        const char *daily_average;
    } cases[] = {
        {-5, "\"daily_average\":3.0,"}, /* a clock set back */
        {0, "\"daily_average\":3.0,"},
        {SECONDS_PER_DAY - 1, "\"daily_average\":3.0,"},
        {SECONDS_PER_DAY, "\"daily_average\":1.5,"},
        {INT64_C(2) * SECONDS_PER_DAY, "\"daily_average\":1.0,"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        const int64_t start_s = civil_midnight(2026, 11, 1);
        const int64_t now_s = start_s + cases[i].after_start_s;
        const struct report_month month = {set, start_s, now_s + SECONDS_PER_DAY};
        struct strbuf out;
        strbuf_init(&out, OUT_LIMIT);
        report_months(&month, 1, 2, now_s, &out);
        assert_false(strbuf_failed(&out));
        assert_non_null(strstr(strbuf_text(&out), cases[i].daily_average));
        assert_non_null(strstr(strbuf_text(&out), "\"partial\":true"));
        strbuf_finish(&out);
    }
    cost_set_destroy(set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(namespaces_are_listed_with_the_plain_keys),
        cmocka_unit_test(detail_adds_the_other_parts_and_the_efficiencies),
        cmocka_unit_test(pods_are_listed_of_all_namespaces_or_of_one),
        cmocka_unit_test(nothing_is_an_empty_list_and_no_money),
        cmocka_unit_test(names_and_echoes_are_escaped),
        cmocka_unit_test(a_report_beyond_the_limit_fails_its_buffer),
        cmocka_unit_test(printed_rows_add_up_to_the_printed_totals_of_both_listings),
        cmocka_unit_test(the_last_30_days_are_labelled_with_the_current_month),
        cmocka_unit_test(months_are_averaged_over_the_days_elapsed_and_say_when_they_are_partial),
        cmocka_unit_test(the_first_moment_of_a_month_counts_as_a_day),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
