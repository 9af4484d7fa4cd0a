/* SPDX-License-Identifier: Apache-2.0 */
#include "metrics_registry.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { LABELS_TEXT_LIMIT = 4096 };

static const double nanoseconds_per_second = 1e9;

struct metrics *metrics_create(void)
{
    struct metrics *metrics = calloc(1, sizeof(*metrics));
    if (metrics == NULL)
        return NULL;
    pthread_mutex_init(&metrics->lock, NULL);
    return metrics;
}

static void histogram_destroy(struct metric_histogram *histogram)
{
    if (histogram == NULL)
        return;
    free(histogram->labels);
    free(histogram->bounds_ns);
    free(histogram->counts);
    free(histogram);
}

static void metric_destroy(struct metric *metric)
{
    if (metric == NULL)
        return;
    free(metric->labels);
    free(metric);
}

static void family_destroy(struct metric_family *family)
{
    if (family == NULL)
        return;
    while (family->series != NULL) {
        struct metric *next = family->series->next;
        metric_destroy(family->series);
        family->series = next;
    }
    while (family->histograms != NULL) {
        struct metric_histogram *next = family->histograms->next;
        histogram_destroy(family->histograms);
        family->histograms = next;
    }
    free(family->name);
    free(family->help);
    free(family);
}

void metrics_destroy(struct metrics *metrics)
{
    if (metrics == NULL)
        return;
    while (metrics->families != NULL) {
        struct metric_family *next = metrics->families->next;
        family_destroy(metrics->families);
        metrics->families = next;
    }
    pthread_mutex_destroy(&metrics->lock);
    free(metrics);
}

/* The labels as they are printed; new, NULL when out of memory. */
static char *labels_text(const struct metric_label *labels)
{
    struct strbuf text;
    strbuf_init(&text, LABELS_TEXT_LIMIT);
    strbuf_append_text(&text, "");
    metrics_append_labels(&text, labels);
    return strbuf_take(&text, NULL);
}

static struct metric_family *family_create(const char *name, const char *help,
                                           enum metric_family_kind kind)
{
    struct metric_family *family = calloc(1, sizeof(*family));
    if (family == NULL)
        return NULL;
    family->kind = kind;
    family->name = strdup(name);
    family->help = strdup(help != NULL ? help : "");
    if (family->name == NULL || family->help == NULL) {
        family_destroy(family);
        return NULL;
    }
    return family;
}

/* Finds the family or appends it. */
static struct metric_family *family_locked(struct metrics *metrics, const char *name,
                                           const char *help, enum metric_family_kind kind)
{
    struct metric_family **link = &metrics->families;
    for (; *link != NULL; link = &(*link)->next) {
        if (strcmp((*link)->name, name) == 0) {
            assert((*link)->kind == kind);
            return *link;
        }
    }
    *link = family_create(name, help, kind);
    return *link;
}

/* Finds the series or appends it. Takes `labels`, also on failure. */
static struct metric *series_locked(struct metric_family *family, char *labels)
{
    struct metric **link = &family->series;
    for (; *link != NULL; link = &(*link)->next) {
        if (strcmp((*link)->labels, labels) == 0) {
            free(labels);
            return *link;
        }
    }
    *link = calloc(1, sizeof(**link));
    if (*link == NULL)
        free(labels);
    else
        (*link)->labels = labels;
    return *link;
}

static struct metric *metric_register(struct metrics *metrics, const char *name, const char *help,
                                      const struct metric_label *labels,
                                      enum metric_family_kind kind)
{
    struct metric *metric = NULL;
    char *text = labels_text(labels);
    if (text == NULL)
        return NULL;
    pthread_mutex_lock(&metrics->lock);
    struct metric_family *family = family_locked(metrics, name, help, kind);
    if (family != NULL)
        metric = series_locked(family, text);
    else
        free(text);
    pthread_mutex_unlock(&metrics->lock);
    return metric;
}

struct metric *metrics_counter(struct metrics *metrics, const char *name, const char *help,
                               const struct metric_label *labels)
{
    return metric_register(metrics, name, help, labels, FAMILY_COUNTER);
}

struct metric *metrics_gauge(struct metrics *metrics, const char *name, const char *help,
                             const struct metric_label *labels)
{
    return metric_register(metrics, name, help, labels, FAMILY_GAUGE);
}

/* Takes `labels`, also on failure. */
static struct metric_histogram *histogram_create(char *labels, const double *bounds,
                                                 size_t bound_count)
{
    struct metric_histogram *histogram = calloc(1, sizeof(*histogram));
    if (histogram == NULL) {
        free(labels);
        return NULL;
    }
    histogram->labels = labels;
    histogram->bounds = bounds;
    histogram->bound_count = bound_count;
    histogram->bounds_ns = calloc(bound_count + 1, sizeof(*histogram->bounds_ns));
    histogram->counts = calloc(bound_count + 1, sizeof(*histogram->counts));
    if (histogram->bounds_ns == NULL || histogram->counts == NULL) {
        histogram_destroy(histogram);
        return NULL;
    }
    for (size_t i = 0; i < bound_count; i++)
        histogram->bounds_ns[i] = (int64_t)(bounds[i] * nanoseconds_per_second + 0.5);
    return histogram;
}

/* Finds the series or appends it. Takes `labels`, also on failure. */
static struct metric_histogram *histogram_locked(struct metric_family *family, char *labels,
                                                 const double *bounds, size_t bound_count)
{
    struct metric_histogram **link = &family->histograms;
    for (; *link != NULL; link = &(*link)->next) {
        if (strcmp((*link)->labels, labels) == 0) {
            free(labels);
            return *link;
        }
    }
    *link = histogram_create(labels, bounds, bound_count);
    return *link;
}

struct metric_histogram *metrics_histogram(struct metrics *metrics, const char *name,
                                           const char *help, const struct metric_label *labels,
                                           const double *bounds, size_t bound_count)
{
    struct metric_histogram *histogram = NULL;
    char *text = labels_text(labels);
    if (text == NULL)
        return NULL;
    pthread_mutex_lock(&metrics->lock);
    struct metric_family *family = family_locked(metrics, name, help, FAMILY_HISTOGRAM);
    if (family != NULL)
        histogram = histogram_locked(family, text, bounds, bound_count);
    else
        free(text);
    pthread_mutex_unlock(&metrics->lock);
    return histogram;
}

bool metrics_add_text(struct metrics *metrics, const char *name, const char *help,
                      void (*append)(void *context, struct strbuf *out), void *context)
{
    pthread_mutex_lock(&metrics->lock);
    struct metric_family *family = family_locked(metrics, name, help, FAMILY_GAUGE);
    if (family != NULL) {
        assert(family->append == NULL);
        family->append = append;
        family->append_context = context;
    }
    pthread_mutex_unlock(&metrics->lock);
    return family != NULL;
}

void metric_add(struct metric *metric, int64_t amount)
{
    if (metric != NULL)
        atomic_fetch_add_explicit(&metric->value, amount, memory_order_relaxed);
}

void metric_set(struct metric *metric, int64_t value)
{
    if (metric != NULL)
        atomic_store_explicit(&metric->value, value, memory_order_relaxed);
}

int64_t metric_value(const struct metric *metric)
{
    return metric != NULL ? atomic_load_explicit(&metric->value, memory_order_relaxed) : 0;
}

void metric_observe_ns(struct metric_histogram *histogram, int64_t nanoseconds)
{
    if (histogram == NULL)
        return;
    size_t bucket = 0;
    while (bucket < histogram->bound_count && nanoseconds > histogram->bounds_ns[bucket])
        bucket++;
    atomic_fetch_add_explicit(&histogram->counts[bucket], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&histogram->sum_ns, nanoseconds, memory_order_relaxed);
}

void metrics_on_render(struct metrics *metrics, void (*update)(void *context), void *context)
{
    pthread_mutex_lock(&metrics->lock);
    assert(metrics->update_count < METRICS_UPDATES_MAX);
    metrics->updates[metrics->update_count++] = (struct metrics_update){update, context};
    pthread_mutex_unlock(&metrics->lock);
}
