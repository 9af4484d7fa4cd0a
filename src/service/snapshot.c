/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writing, on the loop thread and a job thread in turn:
 *
 *     idle -> (change) -> writing -> resting, for what is left of ten seconds -> idle
 *
 * A change that comes while writing or resting is remembered and written afterwards; likewise one
 * that comes while restoring, lest what the file has be lost before it is in the cache. Restoring
 * is one job, in snapshot_restore.c.
 */
#include "service/snapshot.h"

#include <stdlib.h>
#include <string.h>

#include "snapshot_file.h"
#include "snapshot_format.h"
#include "snapshot_internal.h"

enum { WRITE_INTERVAL_MS = 10 * 1000 };

/* One write. Its values are held. */
struct write {
    struct loop_job job;
    struct snapshot *snapshot;
    int64_t now_ms;
    int64_t now_wall_ms;
    size_t count;
    struct shared *values[SNAPSHOT_DATASETS_MAX]; /* datasets, most recently used first */
    size_t bytes;
    bool written;
    struct error error; /* if not written */
};

static void rested(void *context);

static void register_metrics(struct snapshot *snapshot)
{
    struct metrics *metrics = snapshot->options.metrics;
    if (metrics == NULL)
        return;
    snapshot->last_success = metrics_gauge(
        metrics, "kubecent_cache_snapshot_last_success_timestamp_seconds",
        "When the cache was last written to its file, in Unix seconds; 0: never.", NULL);
    snapshot->bytes = metrics_gauge(metrics, "kubecent_cache_snapshot_bytes",
                                    "Size of the file the cache was last written to.", NULL);
    snapshot->failures = metrics_counter(metrics, "kubecent_cache_snapshot_failures_total",
                                         "Attempts to write that file that failed.", NULL);
}

struct snapshot *snapshot_create(const struct snapshot_options *options)
{
    struct snapshot *snapshot = calloc(1, sizeof(*snapshot));
    if (snapshot == NULL)
        return NULL;
    snapshot->options = *options;
    snapshot->path = strdup(options->path);
    snapshot->origin = strdup(options->origin);
    snapshot->loop.rest = loop_timer_create(options->scheduler, rested, snapshot);
    snapshot->loop.limit =
        loop_timer_create(options->scheduler, snapshot_restore_overdue, snapshot);
    if (snapshot->path == NULL || snapshot->origin == NULL || snapshot->loop.rest == NULL ||
        snapshot->loop.limit == NULL) {
        snapshot_destroy(snapshot);
        return NULL;
    }
    register_metrics(snapshot);
    return snapshot;
}

void snapshot_destroy(struct snapshot *snapshot)
{
    if (snapshot == NULL)
        return;
    loop_timer_destroy(snapshot->options.scheduler, snapshot->loop.rest);
    loop_timer_destroy(snapshot->options.scheduler, snapshot->loop.limit);
    free(snapshot->path);
    free(snapshot->origin);
    free(snapshot);
}

static struct write *write_create(struct snapshot *snapshot)
{
    struct write *write = calloc(1, sizeof(*write));
    if (write == NULL)
        return NULL;
    write->snapshot = snapshot;
    write->now_ms = time_monotonic_ms(snapshot->options.time);
    write->now_wall_ms = time_wall_ms(snapshot->options.time);
    write->count = cache_list_datasets(snapshot->options.cache, DATASET_KEY_PREFIX, write->now_ms,
                                       write->values, SNAPSHOT_DATASETS_MAX);
    return write;
}

static void write_destroy(struct write *write)
{
    for (size_t i = 0; i < write->count; i++)
        shared_release(write->values[i]);
    free(write);
}

static bool put_all(const struct write *write, struct strbuf *out, struct error *reterr)
{
    snapshot_put_head(out, text_of(write->snapshot->origin), write->now_wall_ms, write->count);
    for (size_t i = 0; i < write->count; i++) {
        const struct dataset *dataset = dataset_from_shared(write->values[i]);
        const struct snapshot_dataset head = {
            .window = dataset->window,
            .include_idle = cost_set_includes_idle(dataset->set),
            .fetched_wall_ms = write->now_wall_ms - (write->now_ms - dataset->fetched_ms),
            .ttl_ms = dataset->ttl_ms,
        };
        if (!snapshot_put_dataset(out, &head, dataset->set, reterr))
            return false;
    }
    snapshot_put_checksum(out);
    return !strbuf_failed(out) || error_no_memory(reterr);
}

/* Job thread, or any when the loop has ended. */
static void write_file(struct loop_job *job)
{
    struct write *write = CONTAINER_OF(job, struct write, job);
    struct strbuf out CLEANUP(strbuf_finish);
    strbuf_init(&out, SNAPSHOT_LIMIT_BYTES);
    write->written =
        put_all(write, &out, &write->error) &&
        snapshot_file_write(write->snapshot->path,
                            (struct text){.data = out.data, .length = out.length}, &write->error);
    write->bytes = out.length;
}

/* Tells how it went, and ends the write. */
static void write_end(struct write *write)
{
    struct snapshot *snapshot = write->snapshot;
    struct log *log = snapshot->options.log;
    if (write->written) {
        log_debug(log, LOG_EVENT("cache.snapshot_written"), LOG_STR("file", snapshot->path),
                  LOG_INT("datasets", write->count), LOG_INT("bytes", write->bytes));
        metric_set(snapshot->last_success, write->now_wall_ms / 1000);
        metric_set(snapshot->bytes, (int64_t)write->bytes);
    } else {
        if (!snapshot->loop.failing)
            log_error(log, LOG_EVENT("cache.snapshot_failed"), LOG_STR("error", write->error.text));
        metric_add(snapshot->failures, 1);
    }
    snapshot->loop.failing = !write->written;
    write_destroy(write);
}

static void write_done(struct loop_job *job, bool cancelled)
{
    struct write *write = CONTAINER_OF(job, struct write, job);
    struct snapshot *snapshot = write->snapshot;
    snapshot->loop.writing = false;
    if (cancelled) {
        snapshot->loop.changed = true;
        write_destroy(write);
        return;
    }
    write_end(write);
    if (snapshot->loop.stopping)
        return;
    int64_t over_ms = scheduler_now_ms(snapshot->options.scheduler) - snapshot->loop.begun_ms;
    int64_t rest_ms = WRITE_INTERVAL_MS - over_ms;
    snapshot->loop.resting = true;
    loop_timer_start(snapshot->options.scheduler, snapshot->loop.rest, rest_ms > 0 ? rest_ms : 0);
}

/* Without memory for it, the next change tries again. */
static void write_begin(struct snapshot *snapshot)
{
    struct write *write = write_create(snapshot);
    if (write == NULL)
        return;
    write->job = (struct loop_job){.work = write_file, .done = write_done};
    if (!scheduler_job(snapshot->options.scheduler, &write->job)) {
        write_destroy(write);
        return;
    }
    snapshot->loop.writing = true;
    snapshot->loop.changed = false;
    snapshot->loop.begun_ms = scheduler_now_ms(snapshot->options.scheduler);
}

void snapshot_note_change(struct snapshot *snapshot)
{
    bool restoring = snapshot->loop.restored != NULL;
    snapshot->loop.changed = true;
    if (!restoring && !snapshot->loop.writing && !snapshot->loop.resting &&
        !snapshot->loop.stopping)
        write_begin(snapshot);
}

static void rested(void *context)
{
    struct snapshot *snapshot = context;
    snapshot->loop.resting = false;
    if (snapshot->loop.changed)
        snapshot_note_change(snapshot);
}

void snapshot_stop(struct snapshot *snapshot)
{
    snapshot->loop.stopping = true;
    loop_timer_stop(snapshot->options.scheduler, snapshot->loop.rest);
    loop_timer_stop(snapshot->options.scheduler, snapshot->loop.limit);
}

void snapshot_write_last(struct snapshot *snapshot)
{
    bool wanted = snapshot->loop.changed || snapshot->loop.failing;
    struct write *write = wanted ? write_create(snapshot) : NULL;
    if (write == NULL)
        return;
    write_file(&write->job);
    write_end(write);
}
