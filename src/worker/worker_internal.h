/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of this room share. */
#ifndef WORKER_INTERNAL_H
#define WORKER_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "base/scheduler.h"
#include "base/time_source.h"
#include "inbox.h"
#include "worker/worker.h"

struct pending_job;

/*
 * Life of a worker:
 *
 *     CREATED --worker_start()--> RUNNING --worker_stop()--> STOPPED
 *        `---------------- worker_stop() ------------------------^
 */
enum worker_state { WORKER_CREATED, WORKER_RUNNING, WORKER_STOPPED };

struct worker {
    const struct time_source *time;
    struct scheduler scheduler;
    struct inbox inbox;
    uv_async_t wake; /* the one handle that other threads touch */
    atomic_int_least64_t last_beat_ms;

    /* The thread that created the worker. */
    struct {
        enum worker_state state;
        pthread_t thread;
    } owner;

    /* The order to stop: written by the owner before it wakes the loop, read by the loop after
     * `is_requested`, which publishes the rest (release, acquire). */
    struct {
        atomic_bool is_requested;
        void (*last)(void *context);
        void *context;
    } stop;

    /* The loop thread; the owner while that does not run. */
    struct {
        uv_loop_t uv;
        uv_timer_t heartbeat;
        struct pending_job *jobs; /* those whose `done` has not run */
        bool is_stopping;         /* from then on no timer fires and no job starts */
    } loop;
};

struct loop_timer *worker_timer_create(void *self, void (*fire)(void *context), void *context);
void worker_timer_start(struct loop_timer *timer, int64_t delay_ms);
void worker_timer_stop(struct loop_timer *timer);
void worker_timer_destroy(struct loop_timer *timer);

bool worker_job_start(void *self, struct loop_job *job);
void worker_job_rest(void *self);

/* Cancels the jobs that have not begun, and tells the others. */
void worker_jobs_cancel(struct worker *worker);

/* Ends the loop's run once it is stopping and no job is left. */
void worker_leave_when_idle(struct worker *worker);

#endif
