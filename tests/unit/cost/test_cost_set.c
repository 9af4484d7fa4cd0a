/* SPDX-License-Identifier: Apache-2.0 */
/* Several allocations together: rows, sums, counts, and what a finished set tells. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "sample.h"

static struct cost_set_builder *new_builder(bool include_idle)
{
    struct cost_set_builder *builder = cost_set_builder_create(include_idle);
    assert_non_null(builder);
    return builder;
}

static struct cost_set *finish(struct cost_set_builder *builder)
{
    struct cost_set *set = cost_set_builder_finish(builder);
    assert_non_null(set);
    return set;
}

static const struct namespace_cost *find(const struct cost_set *set, const char *name)
{
    const struct namespace_cost *found = cost_set_find_namespace(set, text_of(name));
    assert_non_null(found);
    return found;
}

/* An allocation of one container of `name`: an average of usage and request, for some minutes. */
static struct allocation container(const char *name, const char *cost, const char *usage,
                                   const char *request, const char *minutes)
{
    struct allocation allocation = sample_cpu(name, cost);
    sample_set(&allocation, FIGURE_CPU_USAGE, usage);
    sample_set(&allocation, FIGURE_CPU_REQUEST, request);
    sample_set(&allocation, FIGURE_MINUTES, minutes);
    sample_set(&allocation, FIGURE_CPU_EFFICIENCY, "0.77"); /* must not be averaged */
    return allocation;
}

static void an_empty_set_has_no_rows_and_no_total(void **state)
{
    size_t count = 7;
    int64_t start_s = 7;
    struct cost_set *set = finish(new_builder(true));
    (void)state;
    (void)cost_set_pods(set, &count);
    assert_int_equal(count, 0);
    (void)cost_set_namespaces(set, &count);
    assert_int_equal(count, 0);
    assert_true(cost_set_total(set) == 0);
    assert_false(cost_set_data_start(set, &start_s));
    assert_null(cost_set_find_namespace(set, TEXT("default")));
    assert_null(cost_set_find_namespace(set, TEXT("")));
    assert_true(cost_set_bytes(set) > 0);
    cost_set_destroy(set);
}

static void allocations_of_one_pod_are_one_row_in_order_of_first_appearance(void **state)
{
    struct cost_set_builder *builder = new_builder(false);
    size_t count;
    (void)state;
    sample_add(builder, sample_cpu("shop/web", "0.1"));
    sample_add(builder, sample_cpu("batch/web", "7"));
    sample_add(builder, sample_cpu("shop/db", "1"));
    sample_add(builder, sample_cpu("shop/web", "0.2"));
    struct cost_set *set = finish(builder);

    const struct pod_cost *pods = cost_set_pods(set, &count);
    assert_int_equal(count, 3);
    assert_string_equal(pods[0].name.data, "web");
    assert_decimal_equal(pods[0].figures.total, "0.3");
    assert_int_equal(pods[0].usage.allocations, 2);
    assert_string_equal(pods[1].name.data, "web");
    assert_decimal_equal(pods[1].figures.total, "7.0");
    assert_string_equal(pods[2].name.data, "db");

    const struct namespace_cost *namespaces = cost_set_namespaces(set, &count);
    assert_int_equal(count, 2);
    assert_string_equal(namespaces[0].name.data, "shop");
    assert_decimal_equal(namespaces[0].figures.total, "1.3");
    assert_int_equal(namespaces[0].pod_count, 2);
    assert_string_equal(namespaces[1].name.data, "batch");
    assert_decimal_equal(cost_set_total(set), "8.3");
    cost_set_destroy(set);
}

static void the_pods_of_a_namespace_are_a_list(void **state)
{
    struct cost_set_builder *builder = new_builder(false);
    size_t count;
    (void)state;
    sample_add(builder, sample_cpu("a/1", "1"));
    sample_add(builder, sample_cpu("b/2", "1"));
    sample_add(builder, sample_cpu("a/3", "1"));
    sample_add(builder, sample_cpu("a/4", "1"));
    struct cost_set *set = finish(builder);
    const struct pod_cost *pods = cost_set_pods(set, &count);
    const struct namespace_cost *a = find(set, "a");
    assert_int_equal(a->first_pod, 0);
    assert_int_equal(pods[0].next_in_namespace, 2);
    assert_int_equal(pods[2].next_in_namespace, 3);
    assert_int_equal(a->last_pod, 3);
    assert_int_equal(pods[3].next_in_namespace, POD_NONE);
    assert_int_equal(find(set, "b")->first_pod, 1);
    assert_int_equal(pods[1].next_in_namespace, POD_NONE);
    cost_set_destroy(set);
}

static void idle_is_one_row_and_only_if_asked_for(void **state)
{
    (void)state;
    for (int include_idle = 0; include_idle < 2; include_idle++) {
        struct cost_set_builder *builder = new_builder(include_idle != 0);
        size_t count;
        sample_add(builder, sample_cpu("shop/web", "1"));
        sample_add(builder, sample_cpu("one/__idle__", "-2"));
        sample_add(builder, sample_cpu("__idle__", "0.5"));
        struct cost_set *set = finish(builder);
        (void)cost_set_pods(set, &count);
        assert_int_equal(count, include_idle ? 2 : 1);
        assert_int_equal(cost_set_defects(set)->idle_dropped, include_idle ? 0 : 2);
        assert_decimal_equal(cost_set_total(set), include_idle ? "-0.5" : "1.0");
        if (include_idle) {
            const struct namespace_cost *idle = find(set, "__idle__");
            assert_decimal_equal(idle->figures.total, "-1.5");
            assert_decimal_equal(idle->figures.idle, "-1.5");
            assert_int_equal(idle->pod_count, 0);
            assert_true(idle->is_special);
        }
        cost_set_destroy(set);
    }
}

static void only_real_pods_are_counted(void **state)
{
    struct cost_set_builder *builder = new_builder(true);
    struct allocation unsplit = sample_cpu("plain", "1");
    (void)state;
    sample_add(builder, sample_cpu("shop/web", "1"));
    sample_add(builder, sample_cpu("shop/web", "1")); /* a second container */
    sample_add(builder, sample_cpu("shop/db", "1"));
    sample_add(builder, sample_cpu("shop/shop-unmounted-pvcs", "1"));
    sample_add(builder, sample_cpu("shop/-unmounted-pvcs", "1")); /* a name of its own, if odd */
    sample_add(builder, sample_cpu("shop/__unallocated__", "1"));
    sample_add(builder, sample_cpu("__unmounted__/__unmounted__", "1"));

    sample_set_properties(&unsplit, "plain", NULL);
    sample_set(&unsplit, FIGURE_POD_COUNT, "3");
    sample_add(builder, unsplit);
    sample_set(&unsplit, FIGURE_POD_COUNT, "2.9");
    sample_add(builder, unsplit);
    sample_set(&unsplit, FIGURE_POD_COUNT, "-4");
    sample_add(builder, unsplit);
    struct cost_set *set = finish(builder);

    assert_int_equal(find(set, "shop")->pod_count, 3);
    assert_false(find(set, "shop")->is_special);
    assert_int_equal(find(set, "__unmounted__")->pod_count, 0);
    assert_true(find(set, "__unmounted__")->is_special);
    assert_int_equal(find(set, "plain")->pod_count, 5);
    assert_int_equal(find(set, "plain")->first_pod, POD_NONE);
    cost_set_destroy(set);
}

static void a_row_is_special_with_any_special_allocation_in_it(void **state)
{
    struct cost_set_builder *builder = new_builder(false);
    struct allocation special = sample_cpu("x/__external__", "1");
    size_t count;
    (void)state;
    sample_set_properties(&special, "shop", "web");
    sample_add(builder, sample_cpu("shop/web", "1"));
    sample_add(builder, special);
    sample_add(builder, sample_cpu("shop/web", "1"));
    struct cost_set *set = finish(builder);
    assert_true(cost_set_pods(set, &count)[0].is_special);
    assert_int_equal(count, 1);
    assert_int_equal(find(set, "shop")->pod_count, 0);
    cost_set_destroy(set);
}

static void defects_are_counted_and_skipped_rows_bring_none(void **state)
{
    struct cost_set_builder *builder = new_builder(false);
    struct allocation nulls = sample_allocation("shop/web");
    (void)state;
    sample_set_invalid(&nulls, FIGURE_CPU_COST);
    sample_set_invalid(&nulls, FIGURE_TOTAL_COST);
    sample_add(builder, nulls);
    nulls.name = TEXT("nowhere");
    sample_add(builder, nulls);
    nulls.name = TEXT("__idle__");
    sample_add(builder, nulls);
    cost_set_builder_ignore(builder);
    cost_set_builder_ignore(builder);
    struct cost_set *set = finish(builder);
    const struct cost_defects *defects = cost_set_defects(set);
    assert_int_equal(defects->figures, 2);
    assert_int_equal(defects->rows_skipped, 1);
    assert_int_equal(defects->idle_dropped, 1);
    assert_int_equal(defects->entries_ignored, 2);
    cost_set_destroy(set);
}

static void the_data_start_with_the_earliest_row_that_is_not_special(void **state)
{
    struct cost_set_builder *builder = new_builder(true);
    struct allocation allocation = sample_cpu("shop/web", "1");
    int64_t start_s = 0;
    (void)state;
    sample_add(builder, allocation);
    allocation.has_start = true;
    allocation.start_s = 3000;
    sample_add(builder, allocation);
    allocation.start_s = 2000;
    sample_add(builder, allocation);
    allocation.start_s = 2500;
    sample_add(builder, allocation);
    allocation.name = TEXT("__unmounted__/__unmounted__"); /* lasts for the whole window */
    allocation.start_s = 1000;
    sample_add(builder, allocation);
    struct cost_set *set = finish(builder);
    assert_true(cost_set_data_start(set, &start_s));
    assert_int_equal(start_s, 2000);
    cost_set_destroy(set);
}

static struct cost_efficiency efficiency_of_namespace(struct cost_set *set, const char *name)
{
    const struct namespace_cost *row = find(set, name);
    return cost_efficiency_of(&row->figures, &row->usage);
}

static void merged_efficiencies_are_weighted_by_minutes(void **state)
{
    struct cost_set_builder *builder = new_builder(false);
    (void)state;
    /* A hog for ten minutes, a waster for ninety: (2x10 + 0.1x90) / (1x10 + 1x90). */
    sample_add(builder, container("shop/hog", "1", "2", "1", "10"));
    sample_add(builder, container("shop/waster", "9", "0.1", "1", "90"));
    struct cost_set *set = finish(builder);
    struct cost_efficiency efficiency = efficiency_of_namespace(set, "shop");
    assert_decimal_equal(efficiency.cpu, "0.29");
    assert_decimal_equal(efficiency.memory, "0.0");
    assert_decimal_equal(efficiency.total, "0.29");
    cost_set_destroy(set);
}

static void a_single_allocation_shows_the_efficiencies_it_was_sent_with(void **state)
{
    struct allocation allocation = container("shop/web", "1", "2", "1", "10");
    (void)state;
    sample_set(&allocation, FIGURE_RAM_EFFICIENCY, "58.5");
    sample_set(&allocation, FIGURE_TOTAL_EFFICIENCY, "0.33");
    struct cost_set *set = sample_set_of(allocation);
    struct cost_efficiency efficiency = efficiency_of_namespace(set, "shop");
    assert_decimal_equal(efficiency.cpu, "0.77");
    assert_decimal_equal(efficiency.memory, "58.5");
    assert_decimal_equal(efficiency.total, "0.33");
    cost_set_destroy(set);
}

static void efficiencies_that_were_not_sent_are_worked_out(void **state)
{
    struct allocation allocation = container("shop/web", "30", "1", "3", "10");
    (void)state;
    sample_set_absent(&allocation, FIGURE_CPU_EFFICIENCY);
    sample_set_invalid(&allocation, FIGURE_TOTAL_EFFICIENCY);
    sample_set(&allocation, FIGURE_RAM_COST, "10");
    sample_set(&allocation, FIGURE_RAM_USAGE, "1024"); /* used and paid for without a request */
    struct cost_set *set = sample_set_of(allocation);
    struct cost_efficiency efficiency = efficiency_of_namespace(set, "shop");
    assert_decimal_equal(efficiency.cpu, "0.333333333");
    assert_decimal_equal(efficiency.memory, "1.0");
    assert_decimal_equal(efficiency.total, "0.5"); /* (0.333333333 x 30 + 1 x 10) / 40 */
    cost_set_destroy(set);
}

static void without_a_request_only_usage_that_cost_something_is_efficient(void **state)
{
    static const struct {
        const char *cost, *usage;
        const char *efficiency, *total;
    } cases[] = {{"5", "0.5", "1.0", "1.0"}, {"0", "0.5", "0.0", "0.0"}, {"5", "0", "0.0", "0.0"}};
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct cost_set_builder *builder = new_builder(false);
        sample_add(builder, container("shop/a", cases[i].cost, cases[i].usage, "0", "10"));
        sample_add(builder, container("shop/b", "0", "0", "0", "10"));
        struct cost_set *set = finish(builder);
        struct cost_efficiency efficiency = efficiency_of_namespace(set, "shop");
        assert_decimal_equal(efficiency.cpu, cases[i].efficiency);
        assert_decimal_equal(efficiency.total, cases[i].total);
        cost_set_destroy(set);
    }
}

static void absurd_efficiencies_have_no_mean(void **state)
{
    struct allocation allocation = sample_cpu("shop/web", "999999999999999999");
    (void)state;
    sample_set(&allocation, FIGURE_CPU_EFFICIENCY, "999999999999999999");
    struct cost_set *set = sample_set_of(allocation);
    struct cost_efficiency efficiency = efficiency_of_namespace(set, "shop");
    assert_decimal_equal(efficiency.cpu, "999999999999999999.0");
    assert_decimal_equal(efficiency.total, "0.0");
    cost_set_destroy(set);
}

static void usage_that_cannot_be_summed_fails_the_answer(void **state)
{
    struct cost_set_builder *builder = new_builder(false);
    struct allocation allocation = sample_allocation("shop/web");
    struct error error = {.code = ERR_NONE};
    (void)state;
    sample_set(&allocation, FIGURE_RAM_USAGE, "99999999999999999");
    sample_set(&allocation, FIGURE_MINUTES, "99999999999");
    sample_add(builder, allocation);
    assert_false(cost_set_builder_add(builder, &allocation, &error));
    assert_int_equal(error.code, ERR_UPSTREAM_BODY);
    cost_set_builder_destroy(builder);
}

static void nothing_may_be_destroyed(void **state)
{
    (void)state;
    cost_set_destroy(NULL);
    cost_set_builder_destroy(NULL);
}

static void names_are_copied_whatever_their_length(void **state)
{
    struct cost_set_builder *builder = new_builder(false);
    static char name[200000];
    size_t count;
    (void)state;
    memset(name, 'x', sizeof(name) - 1);
    struct allocation allocation = sample_cpu("", "1");
    sample_set_properties(&allocation, "shop", name);
    sample_add(builder, allocation);
    sample_set_properties(&allocation, "shop", "web");
    sample_add(builder, allocation);
    memset(name, 'y', sizeof(name) - 1); /* the builder must not look at it any more */
    struct cost_set *set = finish(builder);
    const struct pod_cost *pods = cost_set_pods(set, &count);
    assert_int_equal(count, 2);
    assert_int_equal(pods[0].name.length, sizeof(name) - 1);
    assert_int_equal(pods[0].name.data[sizeof(name) - 2], 'x');
    assert_string_equal(pods[1].name.data, "web");
    assert_true(cost_set_bytes(set) > sizeof(name));
    cost_set_destroy(set);
}

static void thousands_of_rows_are_found_and_add_up(void **state)
{
    enum { NAMESPACES = 10000, PODS = 30000 };
    struct cost_set_builder *builder = new_builder(false);
    char name[64];
    decimal total = 0;
    size_t count;
    (void)state;
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < PODS; i++) {
            snprintf(name, sizeof(name), "namespace-%d/pod-%d", i % NAMESPACES, i);
            struct allocation allocation = sample_cpu(name, "0.00001");
            allocation.value[FIGURE_TOTAL_COST] = i;
            sample_add(builder, allocation);
            total += i;
        }
    }
    struct cost_set *set = finish(builder);
    const struct pod_cost *pods = cost_set_pods(set, &count);
    assert_int_equal(count, PODS);
    assert_true(cost_set_total(set) == total);

    size_t namespace_count;
    const struct namespace_cost *namespaces = cost_set_namespaces(set, &namespace_count);
    assert_int_equal(namespace_count, NAMESPACES);
    decimal pods_total = 0;
    decimal namespaces_total = 0;
    for (size_t i = 0; i < count; i++)
        pods_total += pods[i].figures.total;
    for (size_t i = 0; i < namespace_count; i++) {
        namespaces_total += namespaces[i].figures.total;
        assert_int_equal(namespaces[i].pod_count, PODS / NAMESPACES);
        assert_ptr_equal(cost_set_find_namespace(set, namespaces[i].name), &namespaces[i]);
    }
    assert_true(pods_total == total);
    assert_true(namespaces_total == total);
    assert_null(cost_set_find_namespace(set, TEXT("namespace-10000")));
    assert_true(cost_set_bytes(set) >= PODS * sizeof(*pods) + NAMESPACES * sizeof(*namespaces));
    cost_set_destroy(set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_set_has_no_rows_and_no_total),
        cmocka_unit_test(allocations_of_one_pod_are_one_row_in_order_of_first_appearance),
        cmocka_unit_test(the_pods_of_a_namespace_are_a_list),
        cmocka_unit_test(idle_is_one_row_and_only_if_asked_for),
        cmocka_unit_test(only_real_pods_are_counted),
        cmocka_unit_test(a_row_is_special_with_any_special_allocation_in_it),
        cmocka_unit_test(defects_are_counted_and_skipped_rows_bring_none),
        cmocka_unit_test(the_data_start_with_the_earliest_row_that_is_not_special),
        cmocka_unit_test(merged_efficiencies_are_weighted_by_minutes),
        cmocka_unit_test(a_single_allocation_shows_the_efficiencies_it_was_sent_with),
        cmocka_unit_test(efficiencies_that_were_not_sent_are_worked_out),
        cmocka_unit_test(without_a_request_only_usage_that_cost_something_is_efficient),
        cmocka_unit_test(absurd_efficiencies_have_no_mean),
        cmocka_unit_test(usage_that_cannot_be_summed_fails_the_answer),
        cmocka_unit_test(nothing_may_be_destroyed),
        cmocka_unit_test(names_are_copied_whatever_their_length),
        cmocka_unit_test(thousands_of_rows_are_found_and_add_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
