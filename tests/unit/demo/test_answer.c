/* SPDX-License-Identifier: Apache-2.0 */
/* The answers as JSON, judged by jansson and held against rows that OpenCost's own code wrote. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/civil_time.h"
#include "demo_answer.h"
#include "demo_json.h"

static const char last_week[] = "2026-11-16T00:00:00Z,2026-11-23T00:00:00Z";

static int64_t noon(void)
{
    return civil_midnight(2026, 11, 23) + (int64_t)12 * SECONDS_PER_HOUR;
}

/* For free(). */
static struct demo_answer ask_at(struct demo_query query, int64_t now_s)
{
    struct demo_answer answer;
    assert_true(demo_answer_allocation(&query, now_s, &answer, NULL));
    return answer;
}

/* The answer to a good query, as a new JSON value. */
static json_t *ask(const char *window, const char *aggregate, const char *include_idle)
{
    struct demo_answer answer = ask_at((struct demo_query){.window = window,
                                                           .aggregate = aggregate,
                                                           .accumulate = "true",
                                                           .include_idle = include_idle},
                                       noon());
    json_error_t error;
    assert_int_equal(answer.status, 200);
    assert_string_equal(answer.content_type, "application/json");
    json_t *root = json_loadb(answer.body, answer.length, JSON_REJECT_DUPLICATES, &error);
    if (root == NULL)
        fail_msg("%s at byte %d", error.text, error.position);
    free(answer.body);
    return root;
}

/* Borrowed: the one map of the answer. */
static json_t *map_of(json_t *root)
{
    json_t *data = json_object_get(root, "data");
    assert_int_equal(json_integer_value(json_object_get(root, "code")), 200);
    assert_int_equal(json_array_size(data), 1);
    return json_array_get(data, 0);
}

static double number(json_t *row, const char *key)
{
    json_t *value = json_object_get(row, key);
    if (!json_is_number(value))
        fail_msg("%s is no number", key);
    return json_number_value(value);
}

static void assert_parts_add_up(json_t *row)
{
    static const char *const parts[] = {"cpuCost",      "gpuCost",     "ramCost",
                                        "pvCost",       "networkCost", "loadBalancerCost",
                                        "externalCost", "sharedCost"};
    double sum = 0;
    for (size_t i = 0; i < ARRAY_LENGTH(parts); i++)
        sum += number(row, parts[i]);
    assert_true(fabs(sum - number(row, "totalCost")) < 1e-4);
}

static void assert_efficiencies_follow(json_t *row)
{
    const double request = number(row, "cpuCoreRequestAverage");
    if (request > 0.01)
        assert_true(fabs(number(row, "cpuCoreUsageAverage") / request -
                         number(row, "cpuEfficiency")) < 0.002);
    const double cost = number(row, "cpuCost") + number(row, "ramCost");
    if (cost > 0.1)
        assert_true(fabs((number(row, "cpuCost") * number(row, "cpuEfficiency") +
                          number(row, "ramCost") * number(row, "ramEfficiency")) /
                             cost -
                         number(row, "totalEfficiency")) < 0.002);
}

static void rows_obey_the_cost_formula(void **state)
{
    static const char *const windows[] = {"1h", "1d", "7d", "30d", "366d"};
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(windows); i++) {
        json_t *root = ask(windows[i], "namespace,pod", "true");
        const char *name;
        json_t *row;
        assert_true(json_object_size(map_of(root)) > 60);
        json_object_foreach(map_of(root), name, row)
        {
            assert_string_equal(json_string_value(json_object_get(row, "name")), name);
            assert_parts_add_up(row);
            if (strcmp(name, "__idle__") != 0)
                assert_efficiencies_follow(row);
        }
        json_decref(root);
    }
}

static json_t *load_fixture(const char *name)
{
    char path[512];
    snprintf(path, sizeof(path), "%s/opencost/encoded/%s", KUBECENT_FIXTURES, name);
    json_t *root = json_load_file(path, 0, NULL);
    assert_non_null(root);
    return root;
}

/* jansson keeps members in the order they came. */
static void assert_same_keys(json_t *actual, json_t *expected)
{
    void *a = json_object_iter(actual);
    void *e = json_object_iter(expected);
    for (; a != NULL && e != NULL;
         a = json_object_iter_next(actual, a), e = json_object_iter_next(expected, e))
        assert_string_equal(json_object_iter_key(a), json_object_iter_key(e));
    assert_null(a);
    assert_null(e);
}

static void rows_have_the_fields_of_opencost_in_its_order(void **state)
{
    static const struct {
        const char *fixture, *like, *window, *aggregate, *row;
    } cases[] = {
        /* one container in one day */
        {"oc2026-pod-1d-same-name-merged.json", "oneoff", "1d", "namespace,pod", "data/postgres-0"},
        {"oc2026-pod-1d-same-name-merged.json", "shop-unmounted-pvcs", "1d", "namespace,pod",
         "data/data-unmounted-pvcs"},
        /* merged from several days */
        {"oc2026-namespace-3d-accumulated-idle.json", "batch", "7d", "namespace,pod",
         "data/postgres-0"},
        {"oc2026-namespace-3d-accumulated-idle.json", "shop", "7d", "namespace", "shop"},
        {"oc2026-namespace-3d-accumulated-idle.json", "__idle__", "7d", "namespace", "__idle__"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        json_t *fixture = load_fixture(cases[i].fixture);
        json_t *root = ask(cases[i].window, cases[i].aggregate, "true");
        json_t *expected = json_object_get(map_of(fixture), cases[i].like);
        json_t *actual = json_object_get(map_of(root), cases[i].row);
        assert_non_null(actual);
        assert_same_keys(actual, expected);
        json_decref(root);
        json_decref(fixture);
    }
}

static void merging_leaves_the_properties_that_all_members_share(void **state)
{
    (void)state;
    json_t *day = ask("1d", "namespace,pod", NULL);
    json_t *week = ask("7d", "namespace,pod", NULL);
    json_t *by_namespace = ask("1d", "namespace", NULL);
    json_t *raw =
        json_object_get(json_object_get(map_of(day), "ml-research/jupyter-0"), "properties");
    json_t *merged =
        json_object_get(json_object_get(map_of(week), "ml-research/jupyter-0"), "properties");
    json_t *shop = json_object_get(json_object_get(map_of(by_namespace), "shop"), "properties");
    json_t *research =
        json_object_get(json_object_get(map_of(by_namespace), "ml-research"), "properties");

    assert_string_equal(json_string_value(json_object_get(raw, "controllerKind")), "statefulset");
    assert_non_null(json_object_get(raw, "labels"));
    assert_non_null(json_object_get(raw, "services"));
    assert_null(json_object_get(merged, "labels"));
    assert_null(json_object_get(merged, "services"));
    assert_string_equal(json_string_value(json_object_get(merged, "pod")), "jupyter-0");
    assert_null(json_object_get(shop, "pod"));
    assert_null(json_object_get(shop, "node"));
    assert_string_equal(json_string_value(json_object_get(shop, "namespace")), "shop");
    assert_string_equal(json_string_value(json_object_get(research, "node")), demo_nodes[2].name);

    json_decref(day);
    json_decref(week);
    json_decref(by_namespace);
}

static void awkward_characters_arrive_whole(void **state)
{
    (void)state;
    json_t *root = ask("1d", "namespace,pod", NULL);
    json_t *properties =
        json_object_get(json_object_get(map_of(root), "ml-research/jupyter-0"), "properties");
    json_t *annotations = json_object_get(properties, "annotations");
    assert_string_equal(json_string_value(json_object_get(annotations, "kernels")),
                        "[\"python3\",\"julia-1.10\"]\n# réservé à l'équipe 研究");
    json_decref(root);
}

static void idle_comes_first_and_only_when_asked_for(void **state)
{
    static const struct {
        const char *include_idle;
        bool has_idle;
    } cases[] = {
        {"true", true},   {"1", true},  {"t", true},    {"T", true}, {"TRUE", true}, {"True", true},
        {"false", false}, {"0", false}, {"yes", false}, {"", false}, {NULL, false},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        json_t *root = ask("today", "namespace,pod", cases[i].include_idle);
        const char *first = json_object_iter_key(json_object_iter(map_of(root)));
        assert_int_equal(strcmp(first, "__idle__") == 0, cases[i].has_idle);
        json_decref(root);
    }
}

static void keys_are_sorted_by_bytes(void **state)
{
    static const char *const aggregates[] = {"namespace,pod", "namespace", "Namespace,POD"};
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(aggregates); i++) {
        json_t *root = ask("7d", aggregates[i], "true");
        const char *before = "";
        const char *name;
        json_t *row;
        json_object_foreach(map_of(root), name, row)
        {
            assert_true(strcmp(before, name) < 0);
            before = name;
        }
        json_decref(root);
    }
}

static void assert_same_answer(const char *window, int64_t a_s, int64_t b_s, bool is_same)
{
    const struct demo_query query = {
        .window = window, .aggregate = "namespace,pod", .include_idle = "true"};
    struct demo_answer a = ask_at(query, a_s);
    struct demo_answer b = ask_at(query, b_s);
    assert_int_equal(a.length == b.length && memcmp(a.body, b.body, a.length) == 0, is_same);
    free(a.body);
    free(b.body);
}

static void equal_requests_of_one_day_get_equal_bytes(void **state)
{
    static const char *const windows[] = {"90m", "24h", "7d", "30d", "week", "month", last_week};
    const int64_t morning_s = civil_midnight(2026, 11, 23) + 1;
    const int64_t evening_s = civil_midnight(2026, 11, 24) - 1;
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(windows); i++)
        assert_same_answer(windows[i], morning_s, evening_s, true);
}

static void the_next_day_has_other_figures_but_keeps_the_past(void **state)
{
    (void)state;
    assert_same_answer("7d", noon(), noon() + SECONDS_PER_DAY, false);
    assert_same_answer(last_week, noon(), noon() + SECONDS_PER_DAY, true);
}

static double total_of(const char *window)
{
    json_t *root = ask(window, "namespace", NULL);
    const char *name;
    json_t *row;
    double total = 0;
    json_object_foreach(map_of(root), name, row)
    {
        total += number(row, "totalCost");
    }
    json_decref(root);
    return total;
}

static void figures_differ_by_window(void **state)
{
    (void)state;
    assert_true(total_of("today") > 50);
    assert_true(fabs(total_of("today") - total_of("yesterday")) > 1);
    assert_true(total_of("7d") > 6 * total_of("1d"));
    assert_true(fabs(total_of("7d") - total_of(last_week)) > 0.1);
    assert_true(total_of("30d") > 4 * total_of("7d"));
}

static void namespaces_and_pods_tell_the_same_money(void **state)
{
    (void)state;
    json_t *by_pod = ask("30d", "namespace,pod", NULL);
    const char *name;
    json_t *row;
    double total = 0;
    json_object_foreach(map_of(by_pod), name, row)
    {
        total += number(row, "totalCost");
    }
    json_decref(by_pod);
    assert_true(fabs(total - total_of("30d")) < 0.01);
}

static void windows_before_the_data_give_an_empty_map(void **state)
{
    (void)state;
    struct demo_answer answer =
        ask_at((struct demo_query){.window = "2026-04-01T00:00:00Z,2026-05-01T00:00:00Z",
                                   .aggregate = "namespace,pod",
                                   .accumulate = "true",
                                   .include_idle = "true"},
               noon());
    assert_int_equal(answer.status, 200);
    assert_string_equal(answer.body, "{\"code\":200,\"data\":[{}]}\n");
    free(answer.body);
}

static void refused_queries_get_the_answers_of_opencost(void **state)
{
    static const char no_window[] =
        "Invalid 'window' parameter: illegal window: \n"
        "{\"code\":500,\"data\":null,\"message\":\"illegal window: [nil, nil)\"}\n";
    static const char bad_window[] =
        "Invalid 'window' parameter: illegal window: foo\n"
        "{\"code\":500,\"data\":null,\"message\":\"illegal window: [nil, nil)\"}\n";
    static const char bad_aggregate[] =
        "{\"code\":400,\"data\":null,\"message\":\"Invalid aggregate parameter: the sample cluster "
        "knows only namespace,pod and namespace\"}\n";
    static const struct {
        struct demo_query query;
        unsigned status;
        const char *content_type, *body;
    } cases[] = {
        {{.aggregate = "namespace"}, 400, "text/plain; charset=utf-8", no_window},
        {{.window = "foo", .aggregate = "namespace"}, 400, "text/plain; charset=utf-8", bad_window},
        {{.window = "7d", .aggregate = "pod"}, 400, "application/json", bad_aggregate},
        {{.window = "7d"}, 400, "application/json", bad_aggregate},
        {{.window = "2,1", .aggregate = "namespace"},
         500,
         "application/json",
         "{\"code\":500,\"data\":null,\"message\":\"illegal window: end before start\"}\n"},
        {{.window = "0d", .aggregate = "namespace"},
         200,
         "application/json",
         "{\"code\":200,\"data\":[]}\n"},
        {{.window = "0d", .aggregate = "namespace", .accumulate = "true"},
         500,
         "application/json",
         "{\"code\":500,\"data\":null,\"message\":\"AllocationSetRange has empty AssetSet in "
         "accumulation\"}\n"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct demo_answer answer = ask_at(cases[i].query, noon());
        assert_int_equal(answer.status, cases[i].status);
        assert_string_equal(answer.content_type, cases[i].content_type);
        assert_string_equal(answer.body, cases[i].body);
        assert_int_equal(answer.length, strlen(cases[i].body));
        free(answer.body);
    }
}

static void numbers_are_rounded_to_five_decimals_and_short(void **state)
{
    static const struct {
        double value;
        const char *text;
    } cases[] = {
        {0, "0"},
        {1440, "1440"},
        {0.0048000000000000004, "0.0048"},
        {0.1 + 0.2, "0.3"},
        {0.000004, "0"},
        {0.000006, "0.00001"},
        {100, "100"},
        {-186.57, "-186.57"},
        {99.999999, "100"},
        {2.4e15, "2400000000000000"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct strbuf out CLEANUP(strbuf_finish);
        strbuf_init(&out, 100);
        demo_json_number(&out, cases[i].value);
        assert_string_equal(strbuf_text(&out), cases[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_obey_the_cost_formula),
        cmocka_unit_test(rows_have_the_fields_of_opencost_in_its_order),
        cmocka_unit_test(merging_leaves_the_properties_that_all_members_share),
        cmocka_unit_test(awkward_characters_arrive_whole),
        cmocka_unit_test(idle_comes_first_and_only_when_asked_for),
        cmocka_unit_test(keys_are_sorted_by_bytes),
        cmocka_unit_test(equal_requests_of_one_day_get_equal_bytes),
        cmocka_unit_test(the_next_day_has_other_figures_but_keeps_the_past),
        cmocka_unit_test(figures_differ_by_window),
        cmocka_unit_test(namespaces_and_pods_tell_the_same_money),
        cmocka_unit_test(windows_before_the_data_give_an_empty_map),
        cmocka_unit_test(refused_queries_get_the_answers_of_opencost),
        cmocka_unit_test(numbers_are_rounded_to_five_decimals_and_short),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
