/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A job reads the file, takes the cost sets out and renders their views, as far as there is time;
 * then the loop thread puts everything into the cache, all at once.
 *
 * The file is believed as a whole or not at all: if any part of it is damaged, nothing of it is
 * used.
 */
#include <stdlib.h>

#include "service_internal.h"
#include "snapshot_file.h"
#include "snapshot_format.h"
#include "snapshot_internal.h"
#include "warm_dataset.h"

enum {
    RESTORE_LIMIT_MS = 5 * 1000,
    RENDER_LIMIT_MS = RESTORE_LIMIT_MS / 2, /* from then on no further dataset's views are begun */
    FUTURE_TOLERANCE_MS = 60 * 1000,        /* clocks are set */
};

struct restore {
    struct loop_job job;
    struct snapshot *snapshot;
    int64_t now_ms;
    int64_t now_wall_ms;
    bool absent; /* there is no file */
    bool usable;
    struct error error; /* if not usable */
    size_t expired;
    size_t future;
    size_t count;
    struct warm_dataset *datasets; /* most recently used first */
};

static void drop_datasets(struct restore *restore)
{
    for (size_t i = 0; i < restore->count; i++)
        warm_dataset_finish(&restore->datasets[i]);
    free(restore->datasets);
    restore->datasets = NULL;
    restore->count = 0;
}

static bool is_servable(struct restore *restore, const struct snapshot_dataset *head,
                        int64_t *ret_age_ms)
{
    int64_t age_ms = restore->now_wall_ms - head->fetched_wall_ms;
    if (age_ms < -FUTURE_TOLERANCE_MS) {
        restore->future++;
        return false;
    }
    if (age_ms >= head->ttl_ms + cache_keep_ms(restore->snapshot->options.cache)) {
        restore->expired++;
        return false;
    }
    *ret_age_ms = age_ms > 0 ? age_ms : 0;
    return true;
}

static bool take_dataset(struct restore *restore, struct snapshot_reader *reader,
                         struct error *reterr)
{
    struct snapshot_dataset head;
    int64_t age_ms = 0;
    if (!snapshot_next(reader, &head, reterr))
        return false;
    if (!is_servable(restore, &head, &age_ms))
        return true;
    struct cost_set *set = snapshot_cost_set(reader, &head, reterr);
    if (set == NULL)
        return false;
    struct warm_dataset *warm = &restore->datasets[restore->count];
    warm->dataset = dataset_create(set, &head.window, restore->now_ms - age_ms, head.ttl_ms);
    if (warm->dataset == NULL)
        return error_no_memory(reterr);
    restore->count++;
    return true;
}

static bool take_datasets(struct restore *restore, struct text bytes, struct error *reterr)
{
    struct snapshot_reader reader;
    if (!snapshot_open(bytes, text_of(restore->snapshot->origin), &reader, reterr))
        return false;
    if (reader.left > SNAPSHOT_DATASETS_MAX)
        return error_set(reterr, ERR_INVALID, "damaged: it claims too many datasets");
    restore->datasets = calloc(reader.left + 1, sizeof(*restore->datasets));
    if (restore->datasets == NULL)
        return error_no_memory(reterr);
    while (reader.left > 0)
        if (!take_dataset(restore, &reader, reterr))
            return false;
    return true;
}

/* The plain views of a window that is named by its distance from now are asked for; those of a
 * month's dates hardly are, as a month is asked for in trends. */
static void render(const struct restore *restore, struct warm_dataset *warm)
{
    /* The analyzer cannot know that those counted are there. */
    if (warm->dataset->window.is_absolute) /* NOLINT(clang-analyzer-core.NullDereference) */
        return;
    warm_dataset_add_plain_views(warm);
    warm_dataset_render(warm, restore->now_wall_ms / 1000, &restore->job);
}

/* Of large clusters it takes longer than reading them. Views that are missing are rendered when
 * they are asked for, while without the datasets in time OpenCost would be asked for all. */
static void render_while_there_is_time(const struct restore *restore)
{
    const struct time_source *time = restore->snapshot->options.time;
    for (size_t i = 0; i < restore->count; i++) {
        if (time_monotonic_ms(time) - restore->now_ms >= RENDER_LIMIT_MS)
            return;
        render(restore, &restore->datasets[i]);
    }
}

/* Job thread. */
static void read_file(struct loop_job *job)
{
    struct restore *restore = CONTAINER_OF(job, struct restore, job);
    const struct snapshot *snapshot = restore->snapshot;
    char *bytes = NULL;
    size_t length = 0;
    snapshot_file_tidy(snapshot->path);
    restore->now_ms = time_monotonic_ms(snapshot->options.time);
    restore->now_wall_ms = time_wall_ms(snapshot->options.time);
    bool read =
        snapshot_file_read(snapshot->path, SNAPSHOT_LIMIT_BYTES, &bytes, &length, &restore->error);
    restore->absent = read && bytes == NULL;
    restore->usable =
        read && bytes != NULL &&
        take_datasets(restore, (struct text){.data = bytes, .length = length}, &restore->error);
    free(bytes);
    if (restore->usable)
        render_while_there_is_time(restore);
    else
        drop_datasets(restore);
}

/* Requests may have been answered by OpenCost in the meantime. */
static bool cache_has_newer(const struct snapshot *snapshot, const struct dataset *dataset)
{
    char key[DATASET_KEY_MAX];
    struct cache_hit hit;
    dataset_key_of(dataset, key);
    (void)cache_peek(snapshot->options.cache, key, scheduler_now_ms(snapshot->options.scheduler),
                     &hit);
    bool newer = hit.value != NULL && hit.fetched_ms >= dataset->fetched_ms;
    shared_release(hit.value);
    return newer;
}

/* The most recently used last, so that it is so again. */
static void store(const struct restore *restore)
{
    const struct snapshot *snapshot = restore->snapshot;
    for (size_t i = restore->count; i > 0; i--) {
        const struct warm_dataset *warm = &restore->datasets[i - 1];
        if (!cache_has_newer(snapshot, warm->dataset))
            warm_dataset_store(warm, snapshot->options.cache, snapshot->options.log);
    }
}

static void log_outcome(const struct restore *restore)
{
    struct log *log = restore->snapshot->options.log;
    const char *path = restore->snapshot->path;
    if (restore->absent)
        return;
    if (!restore->usable) {
        log_warning(log, LOG_EVENT("cache.snapshot_ignored"), LOG_STR("file", path),
                    LOG_STR("reason", restore->error.text));
        return;
    }
    if (restore->future > 0)
        log_warning(log, LOG_EVENT("cache.snapshot_ignored"), LOG_STR("file", path),
                    LOG_STR("reason", "fetched in the future: was the clock set back?"),
                    LOG_INT("datasets", restore->future));
    log_info(log, LOG_EVENT("cache.snapshot_restored"), LOG_STR("file", path),
             LOG_INT("datasets", restore->count), LOG_INT("expired", restore->expired));
}

static void call_restored(struct snapshot *snapshot)
{
    void (*restored)(void *context) = snapshot->loop.restored;
    snapshot->loop.restored = NULL;
    loop_timer_stop(snapshot->options.scheduler, snapshot->loop.limit);
    if (restored != NULL && !snapshot->loop.stopping)
        restored(snapshot->loop.context);
    if (snapshot->loop.changed)
        snapshot_note_change(snapshot);
}

static void file_read(struct loop_job *job, bool cancelled)
{
    struct restore *restore = CONTAINER_OF(job, struct restore, job);
    struct snapshot *snapshot = restore->snapshot;
    if (!cancelled) {
        log_outcome(restore);
        store(restore);
    }
    drop_datasets(restore);
    free(restore);
    call_restored(snapshot);
}

void snapshot_restore_overdue(void *context)
{
    struct snapshot *snapshot = context;
    log_warning(snapshot->options.log, LOG_EVENT("cache.snapshot_ignored"),
                LOG_STR("file", snapshot->path),
                LOG_STR("reason", "not read within five seconds, going on without it"));
    call_restored(snapshot);
}

void snapshot_restore(struct snapshot *snapshot, void (*done)(void *context), void *context)
{
    snapshot->loop.restored = done;
    snapshot->loop.context = context;
    struct restore *restore = calloc(1, sizeof(*restore));
    if (restore != NULL) {
        restore->snapshot = snapshot;
        restore->job = (struct loop_job){.work = read_file, .done = file_read};
        loop_timer_start(snapshot->options.scheduler, snapshot->loop.limit, RESTORE_LIMIT_MS);
        if (scheduler_job(snapshot->options.scheduler, &restore->job))
            return;
        free(restore);
    }
    log_warning(snapshot->options.log, LOG_EVENT("cache.snapshot_ignored"),
                LOG_STR("file", snapshot->path), LOG_STR("reason", "out of memory"));
    call_restored(snapshot);
}
