/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What could be saved by asking for less. All pods are judged, but only the best few are kept while
 * going through them: at most RECOMMENDATIONS_MAX, in order, so nothing is allocated for sorting.
 */
#include <string.h>

#include "base/json_text.h"
#include "cost/report.h"
#include "names.h"
#include "report_json.h"

enum {
    RECOMMENDATIONS_MAX = 50,
    IDLE_PER_TOTAL = 5, /* worth a word when five times the idle part exceeds the total: 20 % */
    HIGH_PRIORITY_ABOVE = 10, /* USD of savings */
};

struct candidate {
    const struct pod_cost *pod;
    struct text namespace_name;
    decimal savings;
};

struct ranking {
    struct candidate best[RECOMMENDATIONS_MAX]; /* largest savings first */
    size_t count;
    size_t limit;
};

/* Names as bytes, like the keys of OpenCost's answers. */
static int compare_names(struct text a, struct text b)
{
    size_t shorter = a.length < b.length ? a.length : b.length;
    int order = shorter > 0 ? memcmp(a.data, b.data, shorter) : 0;
    if (order != 0)
        return order;
    return a.length < b.length ? -1 : a.length > b.length;
}

static bool ranks_before(const struct candidate *a, const struct candidate *b)
{
    if (a->savings != b->savings)
        return a->savings > b->savings;
    int order = compare_names(a->namespace_name, b->namespace_name);
    if (order == 0)
        order = compare_names(a->pod->name, b->pod->name);
    return order < 0;
}

/* Puts the candidate in its place and drops the one that falls off the end. */
static void rank(struct ranking *ranking, struct candidate candidate)
{
    if (ranking->count == ranking->limit) {
        if (!ranks_before(&candidate, &ranking->best[ranking->count - 1]))
            return;
        ranking->count--;
    }
    size_t place = ranking->count++;
    for (; place > 0 && ranks_before(&candidate, &ranking->best[place - 1]); place--)
        ranking->best[place] = ranking->best[place - 1];
    ranking->best[place] = candidate;
}

static bool is_wasteful(const struct pod_cost *pod)
{
    return pod->figures.idle > 0 && pod->figures.idle * IDLE_PER_TOTAL > pod->figures.total &&
           !pod->is_special && !name_is_unmounted_volumes(pod->name);
}

static void rank_pods(const struct cost_set *set, struct ranking *ranking)
{
    size_t count;
    size_t namespace_count;
    const struct pod_cost *pods = cost_set_pods(set, &count);
    const struct namespace_cost *namespaces = cost_set_namespaces(set, &namespace_count);
    for (size_t i = 0; i < count; i++) {
        if (!is_wasteful(&pods[i]))
            continue;
        /* Half of what is idle: room to breathe stays. */
        rank(ranking, (struct candidate){
                          .pod = &pods[i],
                          .namespace_name = namespaces[pods[i].namespace_index].name,
                          .savings = decimal_divide(pods[i].figures.idle, 2 * DECIMAL_ONE),
                      });
    }
}

static void append_description(struct strbuf *out, const struct pod_cost *pod)
{
    char idle[DECIMAL_TEXT_MAX];
    struct strbuf sentence CLEANUP(strbuf_finish) = {0};
    strbuf_init(&sentence, out->limit);

    size_t length = decimal_format_cents(pod->figures.idle, idle);
    strbuf_append_text(&sentence, "Pod ");
    strbuf_append(&sentence, pod->name.data, pod->name.length);
    strbuf_append_text(&sentence, " has ");
    strbuf_append(&sentence, idle, length);
    strbuf_append_text(&sentence, " in idle costs");
    if (strbuf_failed(&sentence))
        out->failed = true;
    json_append_text(out, TEXT(",\"description\":"),
                     (struct text){.data = sentence.data, .length = sentence.length});
}

static void append_recommendation(struct strbuf *out, const struct candidate *candidate,
                                  size_t number)
{
    bool is_high = candidate->savings > HIGH_PRIORITY_ABOVE * DECIMAL_ONE;

    strbuf_append_format(out, "{\"id\":\"rec-%03zu\",\"type\":\"reduce-idle\"", number);
    json_append_text(out, TEXT(",\"namespace\":"), candidate->namespace_name);
    json_append_text(out, TEXT(",\"resource\":"), candidate->pod->name);
    json_append_decimal(out, TEXT(",\"current_cost\":"), candidate->pod->figures.total);
    json_append_decimal(out, TEXT(",\"estimated_savings\":"), candidate->savings);
    strbuf_append_text(out, ",\"priority\":");
    strbuf_append_text(out, is_high ? "\"high\"" : "\"medium\"");
    append_description(out, candidate->pod);
    strbuf_append_text(out, ",\"action\":\"Review resource requests and right-size to actual "
                            "usage\"}");
}

static decimal percentage(decimal part, decimal whole)
{
    return whole > 0 ? decimal_divide(part * 100, whole) : 0;
}

void report_recommendations(const struct cost_set *set, int limit, struct strbuf *out)
{
    struct ranking ranking = {.limit = RECOMMENDATIONS_MAX};
    decimal savings = 0;
    decimal cluster = cost_set_total(set);
    if (limit < RECOMMENDATIONS_MAX)
        ranking.limit = limit > 1 ? (size_t)limit : 1;
    rank_pods(set, &ranking);

    strbuf_append_text(out, "{\"recommendations\":[");
    for (size_t i = 0; i < ranking.count; i++) {
        if (i > 0)
            strbuf_append_char(out, ',');
        append_recommendation(out, &ranking.best[i], i + 1);
        savings += ranking.best[i].savings;
    }
    json_append_decimal(out, TEXT("],\"total_potential_savings\":"), savings);
    json_append_decimal(out, TEXT(",\"savings_percentage\":"), percentage(savings, cluster));
    json_append_decimal(out, TEXT(",\"cluster_total_cost\":"), cluster);
    strbuf_append_char(out, '}');
}
