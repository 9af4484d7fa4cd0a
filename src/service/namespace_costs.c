/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The samples of a window are text, made anew at the first render after its dataset changed:
 * scrapes come far more often than refreshes.
 */
#include "service/namespace_costs.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "dataset.h"

/* Kubernetes' longest name. A longer one is not from a cluster and would only swell the metrics. */
enum { NAME_LENGTH_MAX = 253 };

#define SAMPLES_LIMIT_BYTES ((size_t)512 << 10)

static const char family_name[] = "kubecent_namespace_cost";

struct window_costs {
    char window[WINDOW_TEXT_MAX];
    char dataset_key[DATASET_KEY_MAX];
    bool known;         /* `samples` stem from a dataset */
    int64_t fetched_ms; /* ... fetched then */
    struct strbuf samples;
};

struct namespace_costs {
    struct cache *cache;
    const struct time_source *time;
    pthread_mutex_t lock; /* guards the windows */
    size_t window_count;
    struct window_costs windows[];
};

static int by_cost(const void *left, const void *right)
{
    const struct namespace_cost *a = *(const struct namespace_cost *const *)left;
    const struct namespace_cost *b = *(const struct namespace_cost *const *)right;
    if (a->figures.total != b->figures.total)
        return a->figures.total > b->figures.total ? -1 : 1;
    return strcmp(a->name.data, b->name.data);
}

static void append_namespace(const struct namespace_cost *row, const char *window,
                             struct strbuf *out)
{
    char value[DECIMAL_TEXT_MAX];
    (void)decimal_format(row->figures.total, value);
    const struct metric_label labels[] = {
        {"namespace", row->name.data}, {"window", window}, {NULL, NULL}};
    metrics_append_sample(out, family_name, labels, value);
}

/* Fails as the buffer does. */
static void append_dearest(const struct cost_set *set, const char *window, struct strbuf *out)
{
    size_t count;
    const struct namespace_cost *rows = cost_set_namespaces(set, &count);
    const struct namespace_cost **order = calloc(count + 1, sizeof(const struct namespace_cost *));
    if (order == NULL) {
        out->failed = true;
        return;
    }
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        if (rows[i].name.length <= NAME_LENGTH_MAX)
            order[kept++] = &rows[i];
    }
    qsort(order, kept, sizeof(const struct namespace_cost *), by_cost);
    for (size_t i = 0; i < kept && i < NAMESPACE_COSTS_MAX; i++)
        append_namespace(order[i], window, out);
    free(order);
}

static void window_follow(struct window_costs *window, const struct dataset *dataset)
{
    struct strbuf samples;
    strbuf_init(&samples, SAMPLES_LIMIT_BYTES);
    append_dearest(dataset->set, window->window, &samples);
    if (strbuf_failed(&samples)) {
        strbuf_finish(&samples);
        return;
    }
    strbuf_finish(&window->samples);
    window->samples = samples;
    window->fetched_ms = dataset->fetched_ms;
    window->known = true;
}

/* Before a render: outside the registry's lock, as sorting takes a while. */
static void update(void *context)
{
    struct namespace_costs *costs = context;
    int64_t now_ms = time_monotonic_ms(costs->time);
    pthread_mutex_lock(&costs->lock);
    for (size_t i = 0; i < costs->window_count; i++) {
        struct window_costs *window = &costs->windows[i];
        struct cache_hit hit;
        (void)cache_peek(costs->cache, window->dataset_key, now_ms, &hit);
        if (hit.value != NULL && (!window->known || window->fetched_ms != hit.fetched_ms))
            window_follow(window, dataset_from_shared(hit.value));
        shared_release(hit.value);
    }
    pthread_mutex_unlock(&costs->lock);
}

static void append_samples(void *context, struct strbuf *out)
{
    struct namespace_costs *costs = context;
    pthread_mutex_lock(&costs->lock);
    for (size_t i = 0; i < costs->window_count; i++)
        strbuf_append(out, costs->windows[i].samples.data, costs->windows[i].samples.length);
    pthread_mutex_unlock(&costs->lock);
}

static bool has_window(const struct namespace_costs *costs, const struct window *window)
{
    for (size_t i = 0; i < costs->window_count; i++) {
        if (strcmp(costs->windows[i].window, window->canonical) == 0)
            return true;
    }
    return false;
}

/* Two spellings of one window would be the same series twice, which voids a whole scrape. */
static void add_window(struct namespace_costs *costs, const struct window *window)
{
    if (has_window(costs, window))
        return;
    struct window_costs *added = &costs->windows[costs->window_count++];
    memcpy(added->window, window->canonical, sizeof(added->window));
    dataset_key_format(window->canonical, false, added->dataset_key);
    strbuf_init(&added->samples, SAMPLES_LIMIT_BYTES);
}

static bool register_metrics(struct namespace_costs *costs, struct metrics *metrics)
{
    const struct metric_label currency[] = {{"currency", "USD"}, {NULL, NULL}};
    struct metric *info =
        metrics_gauge(metrics, "kubecent_currency_info",
                      "1, labelled with the currency that costs are in.", currency);
    metric_set(info, 1);
    if (info == NULL ||
        !metrics_add_text(metrics, family_name,
                          "Cost of the namespace in the window; the 200 that cost most.",
                          append_samples, costs))
        return false;
    metrics_on_render(metrics, update, costs);
    return true;
}

struct namespace_costs *namespace_costs_create(const struct namespace_costs_options *options)
{
    struct namespace_costs *costs =
        calloc(1, sizeof(*costs) + options->window_count * sizeof(costs->windows[0]));
    if (costs == NULL)
        return NULL;
    costs->cache = options->cache;
    costs->time = options->time;
    pthread_mutex_init(&costs->lock, NULL);
    for (size_t i = 0; i < options->window_count; i++)
        add_window(costs, &options->windows[i]);
    if (!register_metrics(costs, options->metrics)) {
        namespace_costs_destroy(costs);
        return NULL;
    }
    return costs;
}

void namespace_costs_destroy(struct namespace_costs *costs)
{
    if (costs == NULL)
        return;
    for (size_t i = 0; i < costs->window_count; i++)
        strbuf_finish(&costs->windows[i].samples);
    pthread_mutex_destroy(&costs->lock);
    free(costs);
}
