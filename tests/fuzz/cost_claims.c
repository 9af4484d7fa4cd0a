/* SPDX-License-Identifier: Apache-2.0 */
#include "cost_claims.h"

#include <jansson.h>
#include <stdbool.h>

#include "base/strbuf.h"
#include "cost/report.h"
#include "fuzz.h"

enum { FIGURES = sizeof(struct cost_figures) / sizeof(decimal), NOW_S = 1795435200 };

static void add_figures(decimal sums[FIGURES], const struct cost_figures *figures)
{
    decimal values[FIGURES];
    memcpy(values, figures, sizeof(values));
    for (size_t i = 0; i < FIGURES; i++)
        sums[i] += values[i];
}

/* Each pod row is in the list of its namespace, once. */
static void check_links(const struct cost_set *set)
{
    size_t pod_count, namespace_count, linked = 0;
    const struct pod_cost *pods = cost_set_pods(set, &pod_count);
    const struct namespace_cost *namespaces = cost_set_namespaces(set, &namespace_count);
    for (size_t i = 0; i < namespace_count; i++) {
        uint32_t last = POD_NONE;
        FUZZ_CHECK(cost_set_find_namespace(set, namespaces[i].name) == &namespaces[i]);
        for (uint32_t pod = namespaces[i].first_pod; pod != POD_NONE;
             pod = pods[pod].next_in_namespace) {
            FUZZ_CHECK(pod < pod_count && pods[pod].namespace_index == i);
            FUZZ_CHECK(++linked <= pod_count);
            last = pod;
        }
        FUZZ_CHECK(last == namespaces[i].last_pod);
    }
    FUZZ_CHECK(linked == pod_count);
}

/* Where every allocation has a pod, pods and namespaces are two cuts of the same money. */
void cost_claims_check_sums(const struct cost_set *set)
{
    size_t pod_count, namespace_count;
    const struct pod_cost *pods = cost_set_pods(set, &pod_count);
    const struct namespace_cost *namespaces = cost_set_namespaces(set, &namespace_count);
    decimal of_pods[FIGURES] = {0}, of_namespaces[FIGURES] = {0};
    uint64_t allocations_of_pods = 0, allocations_of_namespaces = 0;
    for (size_t i = 0; i < pod_count; i++) {
        add_figures(of_pods, &pods[i].figures);
        allocations_of_pods += pods[i].usage.allocations;
    }
    for (size_t i = 0; i < namespace_count; i++) {
        add_figures(of_namespaces, &namespaces[i].figures);
        allocations_of_namespaces += namespaces[i].usage.allocations;
    }
    FUZZ_CHECK(of_namespaces[0] == cost_set_total(set));
    FUZZ_CHECK(allocations_of_pods <= allocations_of_namespaces);
    if (allocations_of_pods == allocations_of_namespaces)
        FUZZ_CHECK(memcmp(of_pods, of_namespaces, sizeof(of_pods)) == 0);
}

/* Takes what is in `out`. */
static void check_json(struct strbuf *out)
{
    FUZZ_CHECK(!strbuf_failed(out));
    json_t *root = json_loadb(strbuf_text(out), out->length,
                              JSON_REJECT_DUPLICATES | JSON_DECODE_INT_AS_REAL, NULL);
    FUZZ_CHECK(json_is_object(root));
    json_decref(root);
    strbuf_clear(out);
}

static void check_reports(const struct cost_set *set)
{
    const struct report_month month = {.set = set, .start_s = NOW_S - 20 * 86400, .end_s = NOW_S};
    const struct text filter = TEXT("kube-system");
    struct strbuf out;
    strbuf_init(&out, SIZE_MAX);
    for (int detail = 0; detail < 2; detail++) {
        report_namespaces(set, TEXT("7d"), detail != 0, &out);
        check_json(&out);
        report_pods(set, TEXT("7d"), detail != 0 ? &filter : NULL, detail != 0, &out);
        check_json(&out);
    }
    report_last_30_days(set, NOW_S, &out);
    check_json(&out);
    report_months(&month, 1, 2, NOW_S, &out);
    check_json(&out);
    report_recommendations(set, 50, &out);
    check_json(&out);
    strbuf_finish(&out);
}

void cost_claims_check(const struct cost_set *set)
{
    check_links(set);
    check_reports(set);
}
