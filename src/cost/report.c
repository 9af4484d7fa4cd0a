/* SPDX-License-Identifier: Apache-2.0 */
/* The listings: namespaces and pods. */
#include "cost/report.h"

#include "report_json.h"

#define COST_MEMBER(name, field)       DECIMAL_MEMBER(name, struct cost_figures, field)
#define EFFICIENCY_MEMBER(name, field) DECIMAL_MEMBER(name, struct cost_efficiency, field)

static const struct decimal_member main_costs[] = {
    COST_MEMBER("total_cost", total),
    COST_MEMBER("cpu_cost", cpu),
    COST_MEMBER("memory_cost", memory),
    COST_MEMBER("storage_cost", storage),
};

static const struct decimal_member further_costs[] = {
    COST_MEMBER("network_cost", network),
    COST_MEMBER("gpu_cost", gpu),
    COST_MEMBER("load_balancer_cost", load_balancer),
    COST_MEMBER("shared_cost", shared),
    COST_MEMBER("external_cost", external),
};

static const struct decimal_member idle_cost[] = {COST_MEMBER("idle_cost", idle)};

static const struct decimal_member efficiencies[] = {
    EFFICIENCY_MEMBER("cpu_efficiency", cpu),
    EFFICIENCY_MEMBER("memory_efficiency", memory),
    EFFICIENCY_MEMBER("total_efficiency", total),
};

#define APPEND_MEMBERS(out, members, object)                                                       \
    json_append_decimals(out, members, ARRAY_LENGTH(members), object)

static void append_efficiencies(struct strbuf *out, const struct cost_figures *figures,
                                const struct cost_usage *usage)
{
    struct cost_efficiency efficiency = cost_efficiency_of(figures, usage);
    APPEND_MEMBERS(out, efficiencies, &efficiency);
}

static void append_namespace(struct strbuf *out, const struct namespace_cost *row, bool detail)
{
    json_append_text(out, TEXT("{\"name\":"), row->name);
    APPEND_MEMBERS(out, main_costs, &row->figures);
    APPEND_MEMBERS(out, idle_cost, &row->figures);
    json_append_count(out, TEXT(",\"pod_count\":"), row->pod_count);
    if (detail) {
        APPEND_MEMBERS(out, further_costs, &row->figures);
        append_efficiencies(out, &row->figures, &row->usage);
    }
    strbuf_append_char(out, '}');
}

/* What stands behind the rows of a listing, up to the last brace. */
static void append_summary(struct strbuf *out, decimal total, struct text window, size_t count)
{
    json_append_decimal(out, TEXT("],\"total\":"), total);
    json_append_text(out, TEXT(",\"window\":"), window);
    json_append_count(out, TEXT(",\"item_count\":"), count);
}

void report_namespaces(const struct cost_set *set, struct text window, bool detail,
                       struct strbuf *out)
{
    size_t count;
    const struct namespace_cost *rows = cost_set_namespaces(set, &count);

    strbuf_append_text(out, "{\"namespaces\":[");
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            strbuf_append_char(out, ',');
        append_namespace(out, &rows[i], detail);
    }
    append_summary(out, cost_set_total(set), window, count);
    strbuf_append_char(out, '}');
}

static void append_pod(struct strbuf *out, bool is_first, struct text namespace_name,
                       const struct pod_cost *row, bool detail)
{
    json_append_text(out, is_first ? TEXT("{\"namespace\":") : TEXT(",{\"namespace\":"),
                     namespace_name);
    json_append_text(out, TEXT(",\"name\":"), row->name);
    APPEND_MEMBERS(out, main_costs, &row->figures);
    if (detail) {
        APPEND_MEMBERS(out, further_costs, &row->figures);
        APPEND_MEMBERS(out, idle_cost, &row->figures);
        append_efficiencies(out, &row->figures, &row->usage);
    }
    strbuf_append_char(out, '}');
}

struct pod_sum {
    decimal total;
    size_t count;
};

static struct pod_sum append_all_pods(struct strbuf *out, const struct cost_set *set, bool detail)
{
    size_t count;
    size_t namespace_count;
    const struct pod_cost *pods = cost_set_pods(set, &count);
    const struct namespace_cost *namespaces = cost_set_namespaces(set, &namespace_count);
    decimal total = 0;

    for (size_t i = 0; i < count; i++) {
        append_pod(out, i == 0, namespaces[pods[i].namespace_index].name, &pods[i], detail);
        total += pods[i].figures.total;
    }
    return (struct pod_sum){.total = total, .count = count};
}

static struct pod_sum append_pods_of(struct strbuf *out, const struct cost_set *set,
                                     struct text namespace_name, bool detail)
{
    size_t all;
    const struct pod_cost *pods = cost_set_pods(set, &all);
    const struct namespace_cost *home = cost_set_find_namespace(set, namespace_name);
    struct pod_sum sum = {.total = 0};

    for (uint32_t i = home ? home->first_pod : POD_NONE; i != POD_NONE;
         i = pods[i].next_in_namespace) {
        append_pod(out, sum.count == 0, home->name, &pods[i], detail);
        sum.total += pods[i].figures.total;
        sum.count++;
    }
    return sum;
}

void report_pods(const struct cost_set *set, struct text window, const struct text *filter,
                 bool detail, struct strbuf *out)
{
    strbuf_append_text(out, "{\"pods\":[");
    struct pod_sum sum =
        filter ? append_pods_of(out, set, *filter, detail) : append_all_pods(out, set, detail);
    append_summary(out, sum.total, window, sum.count);
    if (filter)
        json_append_text(out, TEXT(",\"namespace\":"), *filter);
    strbuf_append_char(out, '}');
}
