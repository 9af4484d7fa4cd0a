/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The loop's life, from its thread's first breath to the last close callback.
 *
 * Handles closed after the loop's thread has ended (the timers of rooms that are destroyed then)
 * get their close callbacks, which free them, in worker_destroy().
 */
#include "worker/worker.h"

#include <assert.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "worker_internal.h"

enum {
    HEARTBEAT_MS = 1000,
    THREADS = 1 + 4, /* the loop's, and as many as libuv starts for jobs */
};

static int64_t worker_now_ms(void *self)
{
    const struct worker *worker = self;
    return time_monotonic_ms(worker->time);
}

static bool worker_post(void *self, struct loop_task *task)
{
    struct worker *worker = self;
    return inbox_put(&worker->inbox, task);
}

static const struct scheduler_ops worker_ops = {
    .now_ms = worker_now_ms,
    .timer_create = worker_timer_create,
    .timer_start = worker_timer_start,
    .timer_stop = worker_timer_stop,
    .timer_destroy = worker_timer_destroy,
    .job_start = worker_job_start,
    .job_rest = worker_job_rest,
    .post = worker_post,
};

static void beat(struct worker *worker)
{
    /* Relaxed: the stamp publishes nothing but itself. */
    atomic_store_explicit(&worker->last_beat_ms, time_monotonic_ms(worker->time),
                          memory_order_relaxed);
}

static void on_heartbeat(uv_timer_t *handle)
{
    beat(handle->data);
}

void worker_leave_when_idle(struct worker *worker)
{
    if (worker->loop.is_stopping && worker->loop.jobs == NULL)
        uv_stop(&worker->loop.uv);
}

/* The stop itself, on the loop thread (or on the owner's, if there never was one). */
static void wind_up(struct worker *worker)
{
    inbox_run(&worker->inbox); /* what came before the order to stop goes before it */
    worker->loop.is_stopping = true;
    if (worker->stop.last != NULL)
        worker->stop.last(worker->stop.context);
    inbox_close_and_run(&worker->inbox);
    worker_jobs_cancel(worker);
}

static void on_wake(uv_async_t *handle)
{
    struct worker *worker = handle->data;
    if (worker->loop.is_stopping)
        return;
    if (!atomic_load_explicit(&worker->stop.is_requested, memory_order_acquire)) {
        inbox_run(&worker->inbox);
        return;
    }
    wind_up(worker);
    worker_leave_when_idle(worker);
}

static void wake_loop(void *context)
{
    struct worker *worker = context;
    uv_async_send(&worker->wake);
}

struct worker *worker_create(const struct time_source *time, struct error *reterr)
{
    struct worker *worker = calloc(1, sizeof(*worker));
    if (worker == NULL) {
        error_no_memory(reterr);
        return NULL;
    }
    int status = uv_loop_init(&worker->loop.uv);
    if (status != 0)
        goto no_loop;
    status = uv_async_init(&worker->loop.uv, &worker->wake, on_wake);
    if (status != 0)
        goto no_wake;

    worker->time = time;
    worker->scheduler = (struct scheduler){.self = worker, .ops = &worker_ops};
    worker->wake.data = worker;
    inbox_init(&worker->inbox, wake_loop, worker);
    uv_timer_init(&worker->loop.uv, &worker->loop.heartbeat); /* cannot fail */
    worker->loop.heartbeat.data = worker;
    beat(worker);
    return worker;

no_wake:
    uv_loop_close(&worker->loop.uv);
no_loop:
    free(worker);
    error_set(reterr, ERR_IO, "cannot create the event loop: %s", uv_strerror(status));
    return NULL;
}

static void *run_loop(void *argument)
{
    struct worker *worker = argument;
    beat(worker);
    uv_timer_start(&worker->loop.heartbeat, on_heartbeat, HEARTBEAT_MS, HEARTBEAT_MS);
    uv_run(&worker->loop.uv, UV_RUN_DEFAULT);
    return NULL;
}

static void *wait_at(void *argument)
{
    pthread_mutex_t *gate = argument;
    pthread_mutex_lock(gate);
    pthread_mutex_unlock(gate);
    return NULL;
}

/* libuv starts its pool with the first job, and aborts the process where threads cannot be had. By
 * having as many for a moment that becomes an error of the start. Returns what pthread_create()
 * does. */
static int try_threads(void)
{
    pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
    pthread_t threads[THREADS];
    size_t count = 0;
    int status = 0;
    pthread_mutex_lock(&gate); /* so that they are there all at once */
    while (status == 0 && count < THREADS) {
        status = pthread_create(&threads[count], NULL, wait_at, &gate);
        count += status == 0;
    }
    pthread_mutex_unlock(&gate);
    while (count > 0)
        pthread_join(threads[--count], NULL);
    return status;
}

bool worker_start(struct worker *worker, struct error *reterr)
{
    assert(worker->owner.state == WORKER_CREATED);
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before); /* the new thread inherits the mask */
    int status = try_threads();
    if (status == 0)
        status = pthread_create(&worker->owner.thread, NULL, run_loop, worker);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (status != 0) {
        char text[128];
        return error_set(reterr, ERR_IO, "cannot start the threads for the loop and its jobs: %s",
                         strerror_r(status, text, sizeof text));
    }
    pthread_setname_np(worker->owner.thread, "kubecent-loop"); /* for people with top(1) only */
    worker->owner.state = WORKER_RUNNING;
    return true;
}

void worker_stop(struct worker *worker, void (*last)(void *context), void *context)
{
    if (worker->owner.state == WORKER_STOPPED)
        return;
    worker->stop.last = last;
    worker->stop.context = context;
    if (worker->owner.state == WORKER_RUNNING) {
        atomic_store_explicit(&worker->stop.is_requested, true, memory_order_release);
        uv_async_send(&worker->wake);
        pthread_join(worker->owner.thread, NULL);
    } else {
        worker->loop.is_stopping = true; /* no job starts: nobody would call its `done` */
        wind_up(worker);
    }
    worker->owner.state = WORKER_STOPPED;
}

void worker_destroy(struct worker *worker)
{
    if (worker == NULL)
        return;
    assert(worker->owner.state != WORKER_RUNNING);
    uv_close((uv_handle_t *)&worker->wake, NULL);
    uv_close((uv_handle_t *)&worker->loop.heartbeat, NULL);
    uv_run(&worker->loop.uv, UV_RUN_NOWAIT); /* makes the close callbacks of all that was closed */
    int status = uv_loop_close(&worker->loop.uv);
    assert(status == 0 && "a room has left a timer or a socket on the loop");
    (void)status;
    inbox_finish(&worker->inbox);
    free(worker);
}

const struct scheduler *worker_scheduler(const struct worker *worker)
{
    return &worker->scheduler;
}

struct uv_loop_s *worker_loop(struct worker *worker)
{
    return &worker->loop.uv;
}

int64_t worker_heartbeat_age_ms(const struct worker *worker)
{
    return time_monotonic_ms(worker->time) -
           atomic_load_explicit(&worker->last_beat_ms, memory_order_relaxed);
}
