/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What metrics.c registers and metrics_text.c prints; for this room only.
 *
 * A registry is a list of families, a family a list of series; both only grow until the registry is
 * destroyed. The lock guards the lists. Values are atomics outside of it: relaxed, because nothing
 * else is published through them.
 */
#ifndef BASE_METRICS_REGISTRY_H
#define BASE_METRICS_REGISTRY_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "base/metrics.h"

enum { METRICS_UPDATES_MAX = 32 };

enum metric_family_kind { FAMILY_COUNTER, FAMILY_GAUGE, FAMILY_HISTOGRAM };

struct metric {
    struct metric *next;
    char *labels; /* `name="value",...` as it is printed, without braces */
    atomic_int_least64_t value;
};

struct metric_histogram {
    struct metric_histogram *next;
    char *labels;
    const double *bounds; /* seconds; borrowed */
    size_t bound_count;
    int64_t *bounds_ns;
    atomic_int_least64_t sum_ns;
    atomic_uint_least64_t *counts; /* one a bound, not cumulative, and one above them all */
};

struct metric_family {
    struct metric_family *next;
    enum metric_family_kind kind;
    char *name;
    char *help;
    struct metric *series; /* counters and gauges, in order of registration */
    struct metric_histogram *histograms;
    /* Adds further samples; NULL: there are none. */
    void (*append)(void *context, struct strbuf *out);
    void *append_context;
};

struct metrics_update {
    void (*run)(void *context);
    void *context;
};

struct metrics {
    pthread_mutex_t lock; /* guards all below */
    struct metric_family *families;
    struct metrics_update updates[METRICS_UPDATES_MAX];
    size_t update_count;
    void (*append_process)(struct strbuf *out); /* NULL until metrics_add_process() */
};

/* Text as HELP lines hold it, or label values, which are quoted. */
void metrics_append_escaped(struct strbuf *out, const char *text, bool in_label);

/* `name="value",...`, without braces. */
void metrics_append_labels(struct strbuf *out, const struct metric_label *labels);

/* A nanosecond count as seconds in plain decimal: 1500000000 is `1.5`. */
void metrics_append_seconds(struct strbuf *out, int64_t nanoseconds);

#endif
