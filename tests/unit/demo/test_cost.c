/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/civil_time.h"
#include "demo_cost.h"

static int64_t today(void)
{
    return civil_midnight(2026, 11, 23);
}

static struct demo_span days(int64_t start_s, int count)
{
    return (struct demo_span){start_s, start_s + (int64_t)count * SECONDS_PER_DAY};
}

static struct demo_span month_of_2026(int month)
{
    return (struct demo_span){civil_midnight(2026, month, 1), civil_midnight(2026, month + 1, 1)};
}

/* Needs demo_cost_set_finish(). */
static struct demo_cost_set costs_of(struct demo_span window)
{
    struct demo_cost_set set;
    assert_true(demo_cost_set_init(&set, window, today(), NULL));
    return set;
}

static double rows_total(const struct demo_cost_set *set)
{
    double total = 0;
    for (size_t i = 0; i < set->row_count; i++)
        total += demo_total_cost(&set->rows[i].figures);
    return total;
}

static double total_of(struct demo_span window)
{
    struct demo_cost_set set CLEANUP(demo_cost_set_finish) = costs_of(window);
    return rows_total(&set);
}

static bool is_pod(const struct demo_row *row)
{
    return row->workload != NULL;
}

static const struct demo_row *find_row(const struct demo_cost_set *set, const char *name)
{
    for (size_t i = 0; i < set->row_count; i++)
        if (strcmp(set->rows[i].name, name) == 0)
            return &set->rows[i];
    return NULL;
}

static double waste_of(const struct demo_figures *figures)
{
    return figures->cpu.cost * (1 - fmin(1, demo_efficiency(&figures->cpu))) +
           figures->ram.cost * (1 - fmin(1, demo_efficiency(&figures->ram)));
}

static void one_day_has_namespaces_pods_and_nodes_enough(void **state)
{
    struct demo_cost_set set CLEANUP(demo_cost_set_finish) = costs_of(days(today(), 1));
    size_t pods = 0;
    size_t namespaces = 0;
    bool node_seen[DEMO_NODE_COUNT] = {false};
    (void)state;
    for (size_t i = 0; i < set.row_count; i++) {
        if (!is_pod(&set.rows[i]))
            continue;
        pods++;
        namespaces += i == 0 || set.rows[i].home != set.rows[i - 1].home;
        node_seen[set.rows[i].node] = true;
    }
    assert_in_range(pods, 60, 120);
    assert_in_range(namespaces, 6, 20);
    for (size_t i = 0; i < DEMO_NODE_COUNT; i++)
        assert_true(node_seen[i]);
}

static void names_are_unique_and_sorted(void **state)
{
    struct demo_cost_set set CLEANUP(demo_cost_set_finish) = costs_of(demo_data_span(today()));
    (void)state;
    assert_true(set.row_count > 1000);
    for (size_t i = 1; i < set.row_count; i++)
        assert_true(strcmp(set.rows[i - 1].name, set.rows[i].name) < 0);
}

static void one_pod_name_lives_in_two_namespaces(void **state)
{
    struct demo_cost_set set CLEANUP(demo_cost_set_finish) = costs_of(days(today(), 1));
    (void)state;
    assert_non_null(find_row(&set, "shop/web-0"));
    assert_non_null(find_row(&set, "shop-staging/web-0"));
}

static void unmounted_volumes_have_rows_that_cost_only_storage(void **state)
{
    static const char *const names[] = {
        "__unmounted__/__unmounted__",
        "data/data-unmounted-pvcs",
        "shop-staging/shop-staging-unmounted-pvcs",
    };
    struct demo_cost_set set CLEANUP(demo_cost_set_finish) = costs_of(days(today(), 1));
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(names); i++) {
        const struct demo_row *row = find_row(&set, names[i]);
        assert_non_null(row);
        assert_true(row->figures.volume_cost > 0);
        assert_true(demo_total_cost(&row->figures) == row->figures.volume_cost);
    }
}

/* Costs are additive: whoever cuts a window in two, even within an hour, finds the same money. */
static void parts_of_a_window_cost_what_the_window_costs(void **state)
{
    const struct demo_span whole = days(today() - 10 * (int64_t)SECONDS_PER_DAY, 9);
    const int64_t cuts_s[] = {SECONDS_PER_DAY, (int64_t)5 * SECONDS_PER_HOUR,
                              (int64_t)100 * SECONDS_PER_HOUR + 1234};
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cuts_s); i++) {
        const int64_t cut_s = whole.start_s + cuts_s[i];
        const double sum = total_of((struct demo_span){whole.start_s, cut_s}) +
                           total_of((struct demo_span){cut_s, whole.end_s});
        assert_true(fabs(sum - total_of(whole)) < 1e-9);
    }
}

static void months_differ_and_lie_in_a_believable_range(void **state)
{
    double before = 0;
    (void)state;
    for (int month = 6; month <= 10; month++) {
        const double total = total_of(month_of_2026(month));
        assert_true(total > 2000 && total < 5000);
        assert_true(fabs(total - before) > 10);
        before = total;
    }
    /* The company has grown: more is spent though the prices are the same. */
    assert_true(total_of(month_of_2026(10)) > 1.15 * total_of(month_of_2026(6)));
}

static void a_third_of_the_money_is_idle(void **state)
{
    (void)state;
    for (int month = 5; month <= 11; month++) {
        struct demo_cost_set set CLEANUP(demo_cost_set_finish) = costs_of(month_of_2026(month));
        const double idle = demo_total_cost(&set.idle);
        const double share = idle / (idle + rows_total(&set));
        assert_true(share > 0.30 && share < 0.46);
    }
}

static void no_node_carries_more_than_it_has(void **state)
{
    const struct demo_span data = demo_data_span(today());
    (void)state;
    for (int64_t day_s = data.start_s; day_s < data.end_s; day_s += SECONDS_PER_DAY) {
        struct demo_cost_set set CLEANUP(demo_cost_set_finish) = costs_of(days(day_s, 1));
        double cores[DEMO_NODE_COUNT] = {0};
        double bytes[DEMO_NODE_COUNT] = {0};
        for (size_t i = 0; i < set.row_count; i++) {
            if (!is_pod(&set.rows[i]))
                continue;
            cores[set.rows[i].node] += set.rows[i].figures.cpu.allocated_hours / 24;
            bytes[set.rows[i].node] += set.rows[i].figures.ram.allocated_hours / 24;
        }
        for (size_t i = 0; i < DEMO_NODE_COUNT; i++) {
            assert_true(cores[i] < demo_nodes[i].cores);
            assert_true(bytes[i] < demo_nodes[i].ram_gib * DEMO_GIB);
        }
    }
}

static void research_wastes_most_of_what_it_reserves(void **state)
{
    struct demo_cost_set set CLEANUP(demo_cost_set_finish) =
        costs_of(days(today() - 6 * (int64_t)SECONDS_PER_DAY, 7));
    size_t wasters = 0;
    size_t gpu_pods = 0;
    (void)state;
    for (size_t i = 0; i < set.row_count; i++) {
        const struct demo_figures *figures = &set.rows[i].figures;
        if (!is_pod(&set.rows[i]) || strcmp(set.rows[i].home->name, "ml-research") != 0)
            continue;
        assert_true(demo_efficiency(&figures->cpu) < 0.15);
        assert_true(demo_efficiency(&figures->ram) < 0.15);
        /* From a fifth on, the service recommends to reserve less. */
        assert_true(waste_of(figures) > 0.2 * demo_total_cost(figures));
        wasters++;
        gpu_pods += figures->gpu.cost > 0;
    }
    assert_true(wasters >= 5);
    assert_int_equal(gpu_pods, 1);
}

static void more_than_a_fifth_of_the_money_is_wasted(void **state)
{
    struct demo_cost_set set CLEANUP(demo_cost_set_finish) =
        costs_of(days(today() - 6 * (int64_t)SECONDS_PER_DAY, 7));
    double waste = 0;
    (void)state;
    for (size_t i = 0; i < set.row_count; i++)
        waste += waste_of(&set.rows[i].figures);
    assert_true(waste > 0.2 * rows_total(&set));
}

static void a_longer_window_knows_more_pods(void **state)
{
    struct demo_cost_set day CLEANUP(demo_cost_set_finish) = costs_of(days(today(), 1));
    struct demo_cost_set month CLEANUP(demo_cost_set_finish) =
        costs_of(days(today() - 29 * (int64_t)SECONDS_PER_DAY, 30));
    (void)state;
    assert_true(month.row_count > 3 * day.row_count);
}

static void rows_stay_within_window_and_data(void **state)
{
    const struct demo_span window = {today() - 1000, today() + 5000};
    struct demo_cost_set set CLEANUP(demo_cost_set_finish) = costs_of(window);
    (void)state;
    assert_true(set.row_count > 40);
    for (size_t i = 0; i < set.row_count; i++) {
        assert_true(set.rows[i].figures.ran.start_s >= window.start_s);
        assert_true(set.rows[i].figures.ran.end_s <= window.end_s);
        assert_true(set.rows[i].figures.ran.start_s < set.rows[i].figures.ran.end_s);
    }
}

static void first_month_is_covered_from_the_ninth(void **state)
{
    struct demo_cost_set set CLEANUP(demo_cost_set_finish) = costs_of(month_of_2026(5));
    (void)state;
    assert_int_equal(set.covered.start_s, civil_midnight(2026, 5, 9));
    assert_int_equal(set.covered.end_s, civil_midnight(2026, 6, 1));
    assert_int_equal(find_row(&set, "data/postgres-0")->figures.ran.start_s, set.covered.start_s);
}

static void windows_outside_the_data_are_empty(void **state)
{
    const struct demo_span windows[] = {
        month_of_2026(4),                   /* before */
        days(today() + SECONDS_PER_DAY, 7), /* after */
        {today(), today()},                 /* nothing in between */
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(windows); i++) {
        struct demo_cost_set set CLEANUP(demo_cost_set_finish) = costs_of(windows[i]);
        assert_int_equal(set.row_count, 0);
        assert_true(demo_total_cost(&set.idle) == 0);
    }
}

static void namespaces_add_up_their_pods(void **state)
{
    struct demo_cost_set set CLEANUP(demo_cost_set_finish) = costs_of(days(today(), 1));
    size_t count;
    struct demo_allocation *allocations = demo_aggregate(&set, DEMO_BY_NAMESPACE, &count);
    double total = 0;
    size_t members = 0;
    (void)state;
    assert_non_null(allocations);
    assert_int_equal(count, 9); /* eight namespaces and the unclaimed volumes */
    for (size_t i = 0; i < count; i++) {
        assert_true(i == 0 || strcmp(allocations[i - 1].name, allocations[i].name) < 0);
        assert_string_equal(allocations[i].members[0].home->name, allocations[i].name);
        total += demo_total_cost(&allocations[i].figures);
        members += allocations[i].member_count;
    }
    assert_int_equal(members, set.row_count);
    assert_true(fabs(total - rows_total(&set)) < 1e-9);
    free(allocations);
}

static void efficiency_is_use_by_request(void **state)
{
    const struct demo_resource used = {.request_hours = 4, .usage_hours = 6, .cost = 1};
    const struct demo_resource unrequested = {.usage_hours = 6, .cost = 3};
    const struct demo_resource nothing = {0};
    (void)state;
    assert_true(demo_efficiency(&used) == 1.5);
    assert_true(demo_efficiency(&unrequested) == 1.0);
    assert_true(demo_efficiency(&nothing) == 0.0);

    const struct demo_figures both = {.cpu = used, .ram = unrequested};
    const struct demo_figures neither = {0};
    assert_true(demo_total_efficiency(&both) == (1.5 * 1 + 1.0 * 3) / 4);
    assert_true(demo_total_efficiency(&neither) == 0.0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_day_has_namespaces_pods_and_nodes_enough),
        cmocka_unit_test(names_are_unique_and_sorted),
        cmocka_unit_test(one_pod_name_lives_in_two_namespaces),
        cmocka_unit_test(unmounted_volumes_have_rows_that_cost_only_storage),
        cmocka_unit_test(parts_of_a_window_cost_what_the_window_costs),
        cmocka_unit_test(months_differ_and_lie_in_a_believable_range),
        cmocka_unit_test(a_third_of_the_money_is_idle),
        cmocka_unit_test(no_node_carries_more_than_it_has),
        cmocka_unit_test(research_wastes_most_of_what_it_reserves),
        cmocka_unit_test(more_than_a_fifth_of_the_money_is_wasted),
        cmocka_unit_test(a_longer_window_knows_more_pods),
        cmocka_unit_test(rows_stay_within_window_and_data),
        cmocka_unit_test(first_month_is_covered_from_the_ninth),
        cmocka_unit_test(windows_outside_the_data_are_empty),
        cmocka_unit_test(namespaces_add_up_their_pods),
        cmocka_unit_test(efficiency_is_use_by_request),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
