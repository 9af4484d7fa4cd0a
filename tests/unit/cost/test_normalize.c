/* SPDX-License-Identifier: Apache-2.0 */
/* One allocation at a time: where it belongs and which figures it brings. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "sample.h"

static const struct pod_cost *only_pod(const struct cost_set *set)
{
    size_t count;
    const struct pod_cost *pods = cost_set_pods(set, &count);
    assert_int_equal(count, 1);
    return pods;
}

static const struct namespace_cost *only_namespace(const struct cost_set *set)
{
    size_t count;
    const struct namespace_cost *namespaces = cost_set_namespaces(set, &count);
    assert_int_equal(count, 1);
    return namespaces;
}

static void assert_figures(struct allocation allocation, const char *memory, const char *storage,
                           const char *total, uint64_t defects)
{
    struct cost_set *set = sample_set_of(allocation);
    const struct cost_figures *figures = &only_namespace(set)->figures;
    assert_decimal_equal(figures->memory, memory);
    assert_decimal_equal(figures->storage, storage);
    assert_decimal_equal(figures->total, total);
    assert_int_equal(cost_set_defects(set)->figures, defects);
    cost_set_destroy(set);
}

static void a_part_is_cost_and_adjustment(void **state)
{
    struct allocation allocation = sample_allocation("shop/web");
    (void)state;
    sample_set(&allocation, FIGURE_CPU_COST, "1");
    sample_set(&allocation, FIGURE_CPU_COST_ADJUSTMENT, "-0.25");
    sample_set(&allocation, FIGURE_RAM_COST, "2");
    sample_set(&allocation, FIGURE_RAM_COST_ADJUSTMENT, "0.5");
    sample_set(&allocation, FIGURE_PV_COST, "3");
    sample_set(&allocation, FIGURE_PV_COST_ADJUSTMENT, "0.125");
    sample_set(&allocation, FIGURE_NETWORK_COST, "4");
    sample_set(&allocation, FIGURE_NETWORK_COST_ADJUSTMENT, "-4.5");
    sample_set(&allocation, FIGURE_GPU_COST, "5");
    sample_set(&allocation, FIGURE_GPU_COST_ADJUSTMENT, "0.1");
    sample_set(&allocation, FIGURE_LOAD_BALANCER_COST, "6");
    sample_set(&allocation, FIGURE_LOAD_BALANCER_COST_ADJUSTMENT, "0.2");
    sample_set(&allocation, FIGURE_SHARED_COST, "7");
    sample_set(&allocation, FIGURE_EXTERNAL_COST, "8");
    sample_set(&allocation, FIGURE_TOTAL_COST, "100"); /* OpenCost's own, whatever the parts say */

    struct cost_set *set = sample_set_of(allocation);
    const struct cost_figures *figures = &only_pod(set)->figures;
    assert_decimal_equal(figures->cpu, "0.75");
    assert_decimal_equal(figures->memory, "2.5");
    assert_decimal_equal(figures->storage, "3.125");
    assert_decimal_equal(figures->network, "-0.5");
    assert_decimal_equal(figures->gpu, "5.1");
    assert_decimal_equal(figures->load_balancer, "6.2");
    assert_decimal_equal(figures->shared, "7.0");
    assert_decimal_equal(figures->external, "8.0");
    assert_decimal_equal(figures->total, "100.0");
    assert_int_equal(cost_set_defects(set)->figures, 0);
    cost_set_destroy(set);
}

static void an_absent_cost_is_read_by_its_other_names_in_order(void **state)
{
    struct allocation allocation = sample_allocation("shop/web");
    (void)state;
    sample_set(&allocation, FIGURE_MEMORY_COST, "3");
    sample_set(&allocation, FIGURE_STORAGE_COST, "5");
    sample_set(&allocation, FIGURE_TOTAL_COST, "9");
    assert_figures(allocation, "0.0", "0.0", "9.0", 0); /* the first name is there: 0 */
    sample_set_absent(&allocation, FIGURE_RAM_COST);
    sample_set_absent(&allocation, FIGURE_PV_COST);
    assert_figures(allocation, "3.0", "5.0", "9.0", 0);
    sample_set(&allocation, FIGURE_MEMORY_ALLOCATABLE_COST, "2");
    sample_set(&allocation, FIGURE_STORAGE_ALLOCATABLE_COST, "4");
    assert_figures(allocation, "2.0", "4.0", "9.0", 0);
}

static void a_cost_that_is_null_is_0_and_a_defect_whatever_its_other_names_say(void **state)
{
    struct allocation allocation = sample_allocation("shop/web");
    (void)state;
    sample_set_invalid(&allocation, FIGURE_RAM_COST);
    sample_set(&allocation, FIGURE_MEMORY_ALLOCATABLE_COST, "2");
    sample_set_absent(&allocation, FIGURE_PV_COST);
    sample_set_invalid(&allocation, FIGURE_STORAGE_ALLOCATABLE_COST);
    sample_set(&allocation, FIGURE_STORAGE_COST, "3");
    assert_figures(allocation, "0.0", "0.0", "0.0", 2);
}

static void a_missing_total_is_the_sum_of_the_parts(void **state)
{
    struct allocation allocation = sample_allocation("shop/web");
    (void)state;
    sample_set(&allocation, FIGURE_CPU_COST, "0.1");
    sample_set(&allocation, FIGURE_RAM_COST, "0.2");
    sample_set(&allocation, FIGURE_RAM_COST_ADJUSTMENT, "1");
    sample_set(&allocation, FIGURE_PV_COST, "10");
    sample_set(&allocation, FIGURE_NETWORK_COST, "100");
    sample_set(&allocation, FIGURE_GPU_COST, "1000");
    sample_set(&allocation, FIGURE_LOAD_BALANCER_COST, "10000");
    sample_set(&allocation, FIGURE_SHARED_COST, "100000");
    sample_set(&allocation, FIGURE_EXTERNAL_COST, "1000000");
    sample_set_absent(&allocation, FIGURE_TOTAL_COST);
    assert_figures(allocation, "1.2", "10.0", "1111111.3", 1);
    sample_set_invalid(&allocation, FIGURE_TOTAL_COST);
    assert_figures(allocation, "1.2", "10.0", "1111111.3", 1);
}

static void every_figure_that_should_be_there_is_a_defect_when_it_is_not(void **state)
{
    struct allocation allocation = {.name = TEXT("shop/web")};
    (void)state;
    assert_figures(allocation, "0.0", "0.0", "0.0", 9);
    for (int i = 0; i < FIGURE_COUNT; i++)
        sample_set_invalid(&allocation, (enum figure)i);
    /* Nine costs, six adjustments, minutes, two averages each of requests and usage, and the two
     * efficiencies that waste is made of. The pod count of a pod row is not read. */
    assert_figures(allocation, "0.0", "0.0", "0.0", 22);
}

static decimal idle_of(struct allocation allocation)
{
    struct cost_set *set = sample_set_of(allocation);
    decimal idle = only_pod(set)->figures.idle;
    cost_set_destroy(set);
    return idle;
}

static void idle_cost_is_what_was_paid_for_and_not_used(void **state)
{
    static const struct {
        const char *cpu_cost, *cpu_efficiency;
        const char *ram_cost, *ram_efficiency;
        const char *idle;
    } cases[] = {
        {"10", "0.25", "20", "0.5", "17.5"},
        {"10", "1.5", "20", "0.5", "10.0"},  /* asked for too little: nothing wasted */
        {"10", "-0.5", "0", "0", "10.0"},    /* more than nothing cannot be unused */
        {"-10", "0.5", "-20", "0.5", "0.0"}, /* what was not paid cannot be wasted */
        {"10", NULL, "20", "0.5", "10.0"},   /* we do not invent figures */
        {"10", NULL, "20", NULL, "0.0"},
        {"0.000000001", "0.5", "0.000000003", "0.5", "0.000000002"}, /* each rounded half-even */
        {"0.1", "0.9", "0.2", "0.9", "0.03"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct allocation allocation = sample_allocation("shop/web");
        sample_set(&allocation, FIGURE_CPU_COST, cases[i].cpu_cost);
        sample_set(&allocation, FIGURE_RAM_COST, cases[i].ram_cost);
        if (cases[i].cpu_efficiency)
            sample_set(&allocation, FIGURE_CPU_EFFICIENCY, cases[i].cpu_efficiency);
        if (cases[i].ram_efficiency)
            sample_set(&allocation, FIGURE_RAM_EFFICIENCY, cases[i].ram_efficiency);
        assert_decimal_equal(idle_of(allocation), cases[i].idle);
    }
}

static struct allocation half_used(const char *name)
{
    struct allocation allocation = sample_cpu(name, "10");
    sample_set(&allocation, FIGURE_CPU_EFFICIENCY, "0.5");
    return allocation;
}

static void idle_cost_counts_adjustments(void **state)
{
    struct allocation allocation = half_used("shop/web");
    (void)state;
    sample_set(&allocation, FIGURE_CPU_COST_ADJUSTMENT, "-4");
    assert_decimal_equal(idle_of(allocation), "3.0");
}

static void an_idle_cost_that_was_sent_is_kept(void **state)
{
    struct allocation allocation = half_used("shop/web");
    (void)state;
    sample_set(&allocation, FIGURE_IDLE_COST, "1.25");
    assert_decimal_equal(idle_of(allocation), "1.25");
    sample_set_invalid(&allocation, FIGURE_IDLE_COST);
    assert_decimal_equal(idle_of(allocation), "5.0");
}

static void special_rows_waste_nothing_but_idle_is_all_idle(void **state)
{
    struct allocation idle = half_used("__idle__");
    (void)state;
    assert_decimal_equal(idle_of(half_used("__unmounted__/__unmounted__")), "0.0");
    assert_decimal_equal(idle_of(idle), "10.0");
    sample_set(&idle, FIGURE_TOTAL_COST, "-186.57");
    assert_decimal_equal(idle_of(idle), "-186.57");
}

static void an_invalid_efficiency_is_a_defect(void **state)
{
    struct allocation allocation = half_used("shop/web");
    (void)state;
    sample_set_invalid(&allocation, FIGURE_CPU_EFFICIENCY);
    assert_decimal_equal(idle_of(allocation), "0.0");
    assert_figures(allocation, "0.0", "0.0", "10.0", 1);
}

static void namespace_and_pod_come_from_properties_then_from_the_name(void **state)
{
    static const struct {
        const char *name, *namespace_property, *pod_property;
        const char *namespace_name, *pod; /* expected; NULL: no such row */
        bool is_special;
    } cases[] = {
        {"shop/web", NULL, NULL, "shop", "web", false},
        {"anything", "shop", "web", "shop", "web", false},
        {"a/b", "shop", "web", "shop", "web", false},
        {"shop/web", "shop", NULL, "shop", "web", false},
        {"shop/web", NULL, "web", "shop", "web", false},
        {"node/shop/web", "shop", "web", "shop", "web", false},
        {"shop", "shop", NULL, "shop", NULL, false},
        {"a/b/c", "shop", NULL, "shop", NULL, false},
        {"", "shop", "web", "shop", "web", false},
        {"", NULL, NULL, NULL, NULL, false},
        {"web", NULL, NULL, NULL, NULL, false},
        {"web", NULL, "web", NULL, NULL, false},
        {"a/b/c", NULL, NULL, NULL, NULL, false},
        {"/", NULL, NULL, NULL, NULL, false},
        {"/web", NULL, NULL, NULL, NULL, false},
        {"shop/", NULL, NULL, NULL, NULL, false},
        {"shop/shop-unmounted-pvcs", NULL, NULL, "shop", "shop-unmounted-pvcs", false},
        {"__unmounted__/__unmounted__", NULL, NULL, "__unmounted__", "__unmounted__", true},
        {"__unmounted__", NULL, NULL, "__unmounted__", "__unmounted__", true},
        {"__unallocated__/web", NULL, NULL, "__unallocated__", "web", true},
        {"shop/__unallocated__", "shop", NULL, "shop", "__unallocated__", true},
        {"a/__unallocated__/c", NULL, NULL, "a/__unallocated__/c", "a/__unallocated__/c", true},
        {"__external__", "billing", NULL, "billing", NULL, true},
        {"x__shared__x", NULL, NULL, "x__shared__x", "x__shared__x", true},
        {"row", "__unmounted__", "web", "__unmounted__", "web", true},
        {"row", "shop", "__unmounted__", "shop", "__unmounted__", true},
        {"__idle__", NULL, NULL, "__idle__", "__idle__", true},
        {"cluster-one/__idle__", NULL, NULL, "__idle__", "__idle__", true},
        {"cluster/node/__idle__", "shop", "web", "__idle__", "__idle__", true},
        {"row", "shop", "__idle__", "__idle__", "__idle__", true},
        {"_idle_/__idl__", NULL, NULL, "_idle_", "__idl__", false},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        size_t namespaces;
        size_t pods;
        struct allocation allocation = sample_allocation(cases[i].name);
        sample_set_properties(&allocation, cases[i].namespace_property, cases[i].pod_property);
        struct cost_set *set = sample_set_of(allocation);
        const struct namespace_cost *home = cost_set_namespaces(set, &namespaces);
        const struct pod_cost *pod = cost_set_pods(set, &pods);
        assert_int_equal(namespaces, cases[i].namespace_name ? 1 : 0);
        assert_int_equal(pods, cases[i].pod ? 1 : 0);
        assert_int_equal(cost_set_defects(set)->rows_skipped, cases[i].namespace_name ? 0 : 1);
        if (namespaces == 1)
            assert_string_equal(home->name.data, cases[i].namespace_name);
        if (pods == 1) {
            assert_string_equal(pod->name.data, cases[i].pod);
            assert_int_equal(pod->is_special, cases[i].is_special);
        }
        cost_set_destroy(set);
    }
}

static void a_product_that_does_not_fit_fails_the_answer(void **state)
{
    struct cost_set_builder *builder = cost_set_builder_create(false);
    struct allocation allocation = sample_allocation("shop/web");
    struct error error = {.code = ERR_NONE};
    (void)state;
    assert_non_null(builder);
    sample_set(&allocation, FIGURE_RAM_USAGE, "999999999999999999");
    sample_set(&allocation, FIGURE_MINUTES, "999999999999999999");
    assert_false(cost_set_builder_add(builder, &allocation, &error));
    assert_int_equal(error.code, ERR_UPSTREAM_BODY);
    assert_non_null(strstr(error.text, "shop/web"));
    assert_null(cost_set_builder_finish(builder));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_part_is_cost_and_adjustment),
        cmocka_unit_test(an_absent_cost_is_read_by_its_other_names_in_order),
        cmocka_unit_test(a_cost_that_is_null_is_0_and_a_defect_whatever_its_other_names_say),
        cmocka_unit_test(a_missing_total_is_the_sum_of_the_parts),
        cmocka_unit_test(every_figure_that_should_be_there_is_a_defect_when_it_is_not),
        cmocka_unit_test(idle_cost_is_what_was_paid_for_and_not_used),
        cmocka_unit_test(idle_cost_counts_adjustments),
        cmocka_unit_test(an_idle_cost_that_was_sent_is_kept),
        cmocka_unit_test(special_rows_waste_nothing_but_idle_is_all_idle),
        cmocka_unit_test(an_invalid_efficiency_is_a_defect),
        cmocka_unit_test(namespace_and_pod_come_from_properties_then_from_the_name),
        cmocka_unit_test(a_product_that_does_not_fit_fails_the_answer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
