/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Counters, gauges and histograms, and their Prometheus text form (exposition format 0.0.4).
 *
 * A room registers its series at create and keeps the pointers; updating one is an atomic addition,
 * no lock, no lookup. Registering the same name and labels again returns the same series. Series
 * exist from registration on, so that absent() works in alert rules. Help text is given with the
 * first series of a family.
 *
 * Threads: registration and metrics_render() take a lock; updates may come from any thread at any
 * time.
 */
#ifndef BASE_METRICS_H
#define BASE_METRICS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attrs.h"
#include "base/strbuf.h"

struct metrics;
struct metric;           /* one counter or gauge series */
struct metric_histogram; /* one histogram series */

/* Label pairs, ended by a NULL name. Values are escaped on output. */
struct metric_label {
    const char *name;
    const char *value;
};

struct metrics *metrics_create(void) NODISCARD;

/* Accepts NULL. All series pointers are invalid afterwards. */
void metrics_destroy(struct metrics *metrics);

/* NULL only when out of memory; all updates accept NULL. `labels` may be NULL. */
struct metric *metrics_counter(struct metrics *metrics, const char *name, const char *help,
                               const struct metric_label *labels);
struct metric *metrics_gauge(struct metrics *metrics, const char *name, const char *help,
                             const struct metric_label *labels);

/* `bounds` are upper bounds in seconds, ascending, without +Inf; borrowed for ever (a static
 * table). */
struct metric_histogram *metrics_histogram(struct metrics *metrics, const char *name,
                                           const char *help, const struct metric_label *labels,
                                           const double *bounds, size_t bound_count);

void metric_add(struct metric *metric, int64_t amount);
void metric_set(struct metric *metric, int64_t value);
int64_t metric_value(const struct metric *metric) NODISCARD;

/* Adds one observation, in nanoseconds; shown in seconds. */
void metric_observe_ns(struct metric_histogram *histogram, int64_t nanoseconds);

/* A family of gauges whose values are no integers, or whose series come and go: `append` adds its
 * samples to every render, with metrics_append_sample(), and must not enter the registry. False
 * when out of memory. Once for a name. */
bool metrics_add_text(struct metrics *metrics, const char *name, const char *help,
                      void (*append)(void *context, struct strbuf *out), void *context) NODISCARD;

/* One sample, as a line of the exposition. `labels` may be NULL. */
void metrics_append_sample(struct strbuf *out, const char *name, const struct metric_label *labels,
                           const char *value);

/* Called at the start of every metrics_render(), to bring gauges up to date. */
void metrics_on_render(struct metrics *metrics, void (*update)(void *context), void *context);

/* Adds the standard process_ family (CPU seconds, resident and virtual bytes, open and maximum
 * descriptors, start time), read from /proc at render time. */
void metrics_add_process(struct metrics *metrics);

/* The whole exposition: families in order of registration, each unbroken, with # HELP and # TYPE.
 */
void metrics_render(struct metrics *metrics, struct strbuf *out);

#endif
