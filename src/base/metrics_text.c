/* SPDX-License-Identifier: Apache-2.0 */
/* The Prometheus text form of a registry, exposition format 0.0.4. */
#include "metrics_registry.h"

enum { NANOSECONDS_PER_SECOND = 1000000000, FRACTION_DIGITS = 9 };

void metrics_append_escaped(struct strbuf *out, const char *text, bool in_label)
{
    for (; *text != '\0'; text++) {
        if (*text == '\n')
            strbuf_append_text(out, "\\n");
        else if (*text == '\\')
            strbuf_append_text(out, "\\\\");
        else if (*text == '"' && in_label)
            strbuf_append_text(out, "\\\"");
        else
            strbuf_append_char(out, *text);
    }
}

void metrics_append_labels(struct strbuf *out, const struct metric_label *labels)
{
    const struct metric_label *label = labels;
    for (; label != NULL && label->name != NULL; label++) {
        if (label != labels)
            strbuf_append_char(out, ',');
        strbuf_append_text(out, label->name);
        strbuf_append_text(out, "=\"");
        metrics_append_escaped(out, label->value, true);
        strbuf_append_char(out, '"');
    }
}

void metrics_append_seconds(struct strbuf *out, int64_t nanoseconds)
{
    char fraction[FRACTION_DIGITS + 1] = ".";
    size_t length = 0; /* of the fraction, up to its last digit that is not zero */
    int64_t rest = nanoseconds % NANOSECONDS_PER_SECOND;
    if (nanoseconds < 0) {
        strbuf_append_char(out, '-');
        rest = -rest;
    }
    for (int i = FRACTION_DIGITS; i > 0; i--) {
        fraction[i] = (char)('0' + rest % 10);
        rest /= 10;
        if (length == 0 && fraction[i] != '0')
            length = (size_t)i + 1;
    }
    int64_t whole = nanoseconds / NANOSECONDS_PER_SECOND;
    strbuf_append_int(out, whole < 0 ? -whole : whole);
    strbuf_append(out, fraction, length);
}

static void append_sample_name(const char *name, const char *suffix, const char *labels,
                               struct strbuf *out)
{
    strbuf_append_text(out, name);
    strbuf_append_text(out, suffix);
    if (labels[0] != '\0') {
        strbuf_append_char(out, '{');
        strbuf_append_text(out, labels);
        strbuf_append_char(out, '}');
    }
    strbuf_append_char(out, ' ');
}

void metrics_append_sample(struct strbuf *out, const char *name, const struct metric_label *labels,
                           const char *value)
{
    strbuf_append_text(out, name);
    if (labels != NULL && labels->name != NULL) {
        strbuf_append_char(out, '{');
        metrics_append_labels(out, labels);
        strbuf_append_char(out, '}');
    }
    strbuf_append_char(out, ' ');
    strbuf_append_text(out, value);
    strbuf_append_char(out, '\n');
}

static void render_metric(const char *name, const struct metric *metric, struct strbuf *out)
{
    append_sample_name(name, "", metric->labels, out);
    strbuf_append_int(out, atomic_load_explicit(&metric->value, memory_order_relaxed));
    strbuf_append_char(out, '\n');
}

static void render_bucket(const char *name, const struct metric_histogram *histogram, size_t bucket,
                          uint64_t count, struct strbuf *out)
{
    strbuf_append_text(out, name);
    strbuf_append_text(out, "_bucket{");
    strbuf_append_text(out, histogram->labels);
    strbuf_append_text(out, histogram->labels[0] != '\0' ? ",le=\"" : "le=\"");
    if (bucket < histogram->bound_count)
        strbuf_append_format(out, "%.15g", histogram->bounds[bucket]);
    else
        strbuf_append_text(out, "+Inf");
    strbuf_append_text(out, "\"} ");
    strbuf_append_int(out, (int64_t)count);
    strbuf_append_char(out, '\n');
}

/* _count is the last cumulative count and not a counter of its own, so that the two agree even
 * while observations come in. */
static void render_histogram(const char *name, const struct metric_histogram *histogram,
                             struct strbuf *out)
{
    uint64_t count = 0;
    for (size_t i = 0; i <= histogram->bound_count; i++) {
        count += atomic_load_explicit(&histogram->counts[i], memory_order_relaxed);
        render_bucket(name, histogram, i, count, out);
    }
    append_sample_name(name, "_sum", histogram->labels, out);
    metrics_append_seconds(out, atomic_load_explicit(&histogram->sum_ns, memory_order_relaxed));
    strbuf_append_char(out, '\n');
    append_sample_name(name, "_count", histogram->labels, out);
    strbuf_append_int(out, (int64_t)count);
    strbuf_append_char(out, '\n');
}

static void render_family(const struct metric_family *family, struct strbuf *out)
{
    static const char *const types[] = {
        [FAMILY_COUNTER] = "counter",
        [FAMILY_GAUGE] = "gauge",
        [FAMILY_HISTOGRAM] = "histogram",
    };
    strbuf_append_text(out, "# HELP ");
    strbuf_append_text(out, family->name);
    strbuf_append_char(out, ' ');
    metrics_append_escaped(out, family->help, false);
    strbuf_append_text(out, "\n# TYPE ");
    strbuf_append_text(out, family->name);
    strbuf_append_char(out, ' ');
    strbuf_append_text(out, types[family->kind]);
    strbuf_append_char(out, '\n');
    for (const struct metric *metric = family->series; metric != NULL; metric = metric->next)
        render_metric(family->name, metric, out);
    for (const struct metric_histogram *histogram = family->histograms; histogram != NULL;
         histogram = histogram->next)
        render_histogram(family->name, histogram, out);
    if (family->append != NULL)
        family->append(family->append_context, out);
}

/* Updates may take locks of their own rooms and may register series: none of ours is held. */
static void run_updates(struct metrics *metrics)
{
    struct metrics_update updates[METRICS_UPDATES_MAX];
    pthread_mutex_lock(&metrics->lock);
    size_t count = metrics->update_count;
    for (size_t i = 0; i < count; i++)
        updates[i] = metrics->updates[i];
    pthread_mutex_unlock(&metrics->lock);
    for (size_t i = 0; i < count; i++)
        updates[i].run(updates[i].context);
}

void metrics_render(struct metrics *metrics, struct strbuf *out)
{
    run_updates(metrics);
    pthread_mutex_lock(&metrics->lock);
    for (const struct metric_family *family = metrics->families; family != NULL;
         family = family->next)
        render_family(family, out);
    void (*append_process)(struct strbuf * out) = metrics->append_process;
    pthread_mutex_unlock(&metrics->lock);
    if (append_process != NULL)
        append_process(out);
}
