/* SPDX-License-Identifier: Apache-2.0 */
#include "house.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "service/namespace_costs.h"
#include "support/alloc_fault.h"

enum { TEXT_LIMIT = 1 << 20, MANY = NAMESPACE_COSTS_MAX + 50 };

static const char head[] =
    "# HELP kubecent_currency_info 1, labelled with the currency that costs are in.\n"
    "# TYPE kubecent_currency_info gauge\n"
    "kubecent_currency_info{currency=\"USD\"} 1\n"
    "# HELP kubecent_namespace_cost Cost of the namespace in the window; the 200 that cost most.\n"
    "# TYPE kubecent_namespace_cost gauge\n";

struct scene {
    struct house house;
    struct metrics *metrics;
    struct namespace_costs *costs;
    char *text;
};

static struct namespace_costs *create(struct scene *scene, const char *const *windows, size_t count)
{
    struct window parsed[4];
    for (size_t i = 0; i < count; i++)
        assert_true(window_parse(text_of(windows[i]), &parsed[i]));
    const struct namespace_costs_options options = {
        .windows = parsed,
        .window_count = count,
        .cache = scene->house.cache,
        .time = fake_loop_time(scene->house.loop),
        .metrics = scene->metrics,
    };
    return namespace_costs_create(&options);
}

static struct scene *begin(const char *const *windows, size_t count)
{
    struct scene *scene = calloc(1, sizeof(*scene));
    assert_non_null(scene);
    house_build(&scene->house, 0);
    scene->metrics = metrics_create();
    assert_non_null(scene->metrics);
    scene->costs = create(scene, windows, count);
    assert_non_null(scene->costs);
    return scene;
}

static void end(struct scene *scene)
{
    namespace_costs_destroy(scene->costs);
    metrics_destroy(scene->metrics);
    house_tear_down(&scene->house);
    free(scene->text);
    free(scene);
}

/* The exposition, until the next. */
static const char *render(struct scene *scene)
{
    struct strbuf out;
    strbuf_init(&out, TEXT_LIMIT);
    metrics_render(scene->metrics, &out);
    free(scene->text);
    scene->text = strbuf_take(&out, NULL);
    assert_non_null(scene->text);
    return scene->text;
}

static void expect_samples(struct scene *scene, const char *samples)
{
    const char *text = render(scene);
    assert_memory_equal(text, head, strlen(head));
    assert_string_equal(text + strlen(head), samples);
}

static void fetch(struct scene *scene, const char *window, const char *body)
{
    struct asker asker;
    const struct cost_query query = house_query(COST_VIEW_NAMESPACES, window);
    size_t number = scripted_origin_asked(scene->house.origin);
    house_ask(&scene->house, &query, &asker);
    house_answer(&scene->house, number, body);
    assert_non_null(asker.answer.content);
    asker_release(&asker);
}

/* New text: an OpenCost answer with a pod in each namespace. */
static char *body_of(const char *const *names, const char *const *totals, size_t count)
{
    struct strbuf body;
    strbuf_init(&body, TEXT_LIMIT);
    strbuf_append_text(&body, "{\"code\":200,\"data\":[{");
    for (size_t i = 0; i < count; i++)
        strbuf_append_format(&body,
                             "%s\"%zu\":{\"properties\":{\"namespace\":\"%s\",\"pod\":\"p\"},"
                             "\"cpuCost\":%s,\"totalCost\":%s}",
                             i > 0 ? "," : "", i, names[i], totals[i], totals[i]);
    strbuf_append_text(&body, "}]}");
    char *text = strbuf_take(&body, NULL);
    assert_non_null(text);
    return text;
}

static void fetch_namespaces(struct scene *scene, const char *window, const char *const *names,
                             const char *const *totals, size_t count)
{
    char *body = body_of(names, totals, count);
    fetch(scene, window, body);
    free(body);
}

static const char *const week[] = {"7d"};

static void before_the_first_fetch_only_the_currency_is_known(void **state)
{
    (void)state;
    struct scene *scene = begin(week, 1);
    expect_samples(scene, "");
    assert_int_equal(scripted_origin_asked(scene->house.origin), 0);
    end(scene);
}

static void costs_are_plain_decimals_the_dearest_first(void **state)
{
    (void)state;
    struct scene *scene = begin((const char *const[]){"7d", "30d"}, 2);
    fetch_namespaces(scene, "30d", (const char *const[]){"a"}, (const char *const[]){"1e3"}, 1);
    fetch_namespaces(scene, "7d", (const char *const[]){"small", "big", "credit", "also-small"},
                     (const char *const[]){"0.000000001", "12.5", "-3.25", "0.000000001"}, 4);
    expect_samples(scene, "kubecent_namespace_cost{namespace=\"big\",window=\"7d\"} 12.5\n"
                          "kubecent_namespace_cost{namespace=\"also-small\",window=\"7d\"} "
                          "0.000000001\n"
                          "kubecent_namespace_cost{namespace=\"small\",window=\"7d\"} 0.000000001\n"
                          "kubecent_namespace_cost{namespace=\"credit\",window=\"7d\"} -3.25\n"
                          "kubecent_namespace_cost{namespace=\"a\",window=\"30d\"} 1000.0\n");
    end(scene);
}

static void other_windows_are_not_shown(void **state)
{
    (void)state;
    struct scene *scene = begin(week, 1);
    fetch(scene, "3d", one_pod_costing("5.0"));
    expect_samples(scene, "");
    end(scene);
}

static void two_spellings_of_a_window_are_one_series(void **state)
{
    (void)state;
    struct scene *scene = begin((const char *const[]){"7d", "1w", "7d"}, 3);
    fetch(scene, "7d", one_pod_costing("5.0"));
    expect_samples(scene, "kubecent_namespace_cost{namespace=\"shop\",window=\"7d\"} 5.0\n");
    end(scene);
}

static void the_200_that_cost_most_are_shown(void **state)
{
    static char names[MANY][16], totals[MANY][16];
    const char *name_list[MANY], *total_list[MANY];
    (void)state;
    for (int i = 0; i < MANY; i++) {
        (void)snprintf(names[i], sizeof(names[i]), "ns-%d", i);
        (void)snprintf(totals[i], sizeof(totals[i]), "%d.5", i);
        name_list[i] = names[i];
        total_list[i] = totals[i];
    }
    struct scene *scene = begin(week, 1);
    fetch_namespaces(scene, "7d", name_list, total_list, MANY);
    const char *text = render(scene);
    size_t samples = 0;
    for (const char *at = text; (at = strstr(at, "\nkubecent_namespace_cost{")) != NULL; at++)
        samples++;
    assert_int_equal(samples, NAMESPACE_COSTS_MAX);
    assert_non_null(strstr(text, "namespace=\"ns-249\",window=\"7d\"} 249.5\n"));
    assert_non_null(strstr(text, "namespace=\"ns-50\",window=\"7d\"} 50.5\n"));
    assert_null(strstr(text, "namespace=\"ns-49\""));
    end(scene);
}

static void figures_follow_the_next_dataset(void **state)
{
    (void)state;
    struct scene *scene = begin(week, 1);
    fetch(scene, "7d", one_pod_costing("5.0"));
    expect_samples(scene, "kubecent_namespace_cost{namespace=\"shop\",window=\"7d\"} 5.0\n");
    fake_loop_advance(scene->house.loop, HOUSE_TTL_MS);
    fetch(scene, "7d", one_pod_costing("6.0"));
    expect_samples(scene, "kubecent_namespace_cost{namespace=\"shop\",window=\"7d\"} 6.0\n");
    end(scene);
}

static void the_last_figures_outlive_their_dataset(void **state)
{
    (void)state;
    struct scene *scene = begin(week, 1);
    fetch(scene, "7d", one_pod_costing("5.0"));
    (void)render(scene);
    fake_loop_advance(scene->house.loop, 10 * (int64_t)HOUSE_TTL_MS);
    assert_true(cost_service_cleanup(scene->house.service) > 0);
    struct cache_stats stats;
    cache_get_stats(scene->house.cache, &stats);
    assert_int_equal(stats.cached_items, 0);
    expect_samples(scene, "kubecent_namespace_cost{namespace=\"shop\",window=\"7d\"} 5.0\n");
    end(scene);
}

static void names_are_escaped_and_those_of_no_cluster_are_left_out(void **state)
{
    char monster[300];
    (void)state;
    memset(monster, 'x', sizeof(monster));
    monster[sizeof(monster) - 1] = '\0';
    struct scene *scene = begin(week, 1);
    fetch_namespaces(scene, "7d", (const char *const[]){monster, "a\\\"b\\\\c\\nd"},
                     (const char *const[]){"2", "1"}, 2);
    expect_samples(scene,
                   "kubecent_namespace_cost{namespace=\"a\\\"b\\\\c\\nd\",window=\"7d\"} 1.0\n");
    end(scene);
}

static void without_memory_the_figures_stay_and_are_made_at_the_next_render(void **state)
{
    (void)state;
    if (!alloc_fault_supported())
        skip();
    struct scene *scene = begin(week, 1);
    fetch(scene, "7d", one_pod_costing("5.0"));
    expect_samples(scene, "kubecent_namespace_cost{namespace=\"shop\",window=\"7d\"} 5.0\n");
    fake_loop_advance(scene->house.loop, HOUSE_TTL_MS);
    fetch(scene, "7d", one_pod_costing("6.0"));
    char memory[4096];
    struct strbuf out;
    strbuf_init_fixed(&out, memory, sizeof(memory));
    alloc_fault_arm(1);
    metrics_render(scene->metrics, &out);
    assert_true(alloc_fault_hit());
    alloc_fault_disarm();
    assert_non_null(strstr(memory, "window=\"7d\"} 5.0\n"));
    expect_samples(scene, "kubecent_namespace_cost{namespace=\"shop\",window=\"7d\"} 6.0\n");
    end(scene);
}

static void creation_survives_any_failing_allocation(void **state)
{
    (void)state;
    if (!alloc_fault_supported())
        skip();
    struct scene scene = {0};
    house_build(&scene.house, 0);
    for (long nth = 1;; nth++) {
        scene.metrics = metrics_create();
        assert_non_null(scene.metrics);
        alloc_fault_arm(nth);
        scene.costs = create(&scene, week, 1);
        bool hit = alloc_fault_hit();
        alloc_fault_disarm();
        namespace_costs_destroy(scene.costs);
        metrics_destroy(scene.metrics);
        /* Shrinking the labels' text may fail without harm. */
        if (!hit) {
            assert_non_null(scene.costs);
            break;
        }
    }
    house_tear_down(&scene.house);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(before_the_first_fetch_only_the_currency_is_known),
        cmocka_unit_test(costs_are_plain_decimals_the_dearest_first),
        cmocka_unit_test(other_windows_are_not_shown),
        cmocka_unit_test(two_spellings_of_a_window_are_one_series),
        cmocka_unit_test(the_200_that_cost_most_are_shown),
        cmocka_unit_test(figures_follow_the_next_dataset),
        cmocka_unit_test(the_last_figures_outlive_their_dataset),
        cmocka_unit_test(names_are_escaped_and_those_of_no_cluster_are_left_out),
        cmocka_unit_test(without_memory_the_figures_stay_and_are_made_at_the_next_render),
        cmocka_unit_test(creation_survives_any_failing_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
