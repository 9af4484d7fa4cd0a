/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keeps the cache's datasets in a file, so that a restarted process can answer before it has asked
 * OpenCost for anything.
 *
 * The file is replaced as a whole, ten seconds after the last time at the earliest, whenever a
 * dataset was fetched, and once more at the end. What is read at start is put into the cache with
 * the age it has by now, unless it is too old to be served even stale. A file that is damaged, of
 * another OpenCost or of a newer version is left alone and has no effect.
 *
 * Logs cache.snapshot_restored, cache.snapshot_ignored, cache.snapshot_written, and
 * cache.snapshot_failed (once until a write succeeds again).
 *
 * Threads: the loop thread, unless said otherwise. Reading, writing, rendering and compressing are
 * done by job threads.
 */
#ifndef SERVICE_SNAPSHOT_H
#define SERVICE_SNAPSHOT_H

#include <stdint.h>

#include "base/attrs.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/scheduler.h"
#include "base/time_source.h"
#include "cache/cache.h"

struct snapshot;

struct snapshot_options {
    const char *path;    /* copied */
    const char *origin;  /* copied; whose data these are: OpenCost's URL */
    struct cache *cache; /* borrowed, as all below */
    const struct scheduler *scheduler;
    const struct time_source *time;
    struct log *log;
    struct metrics *metrics; /* may be NULL */
};

/* Before the loop starts. NULL only when out of memory. */
struct snapshot *snapshot_create(const struct snapshot_options *options) NODISCARD;

/* After the loop has ended. Accepts NULL. */
void snapshot_destroy(struct snapshot *snapshot);

/* Reads the file and fills the cache; what the cache has by then and is newer stays. `done` runs
 * once, after five seconds at the latest (a disk may hang; what it brings later is still used), and
 * not at all if the loop stops before. It may run before this returns. Once, before the first
 * note. */
void snapshot_restore(struct snapshot *snapshot, void (*done)(void *context), void *context);

/* The cache has changed: the file is to be written, now or when ten seconds are over, and not
 * before it has been read. */
void snapshot_note_change(struct snapshot *snapshot);

/* Begins no more writes. */
void snapshot_stop(struct snapshot *snapshot);

/* After the loop has ended: writes what has changed since the last time, and waits for the disk. */
void snapshot_write_last(struct snapshot *snapshot);

#endif
