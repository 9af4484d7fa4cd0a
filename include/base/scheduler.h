/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the loop thread offers to the rooms that live on it: timers, jobs on other threads, an
 * inbox.
 *
 * It is an interface: worker/ implements it on libuv, the tests implement it with time they move by
 * hand. Rooms get a `const struct scheduler *` at create.
 *
 * Threads: all functions belong to the loop thread, except scheduler_post(), which any thread may
 * call.
 */
#ifndef BASE_SCHEDULER_H
#define BASE_SCHEDULER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attrs.h"

/* Work for the loop thread. Embed it in what the work is about; it must stay valid until `run` is
 * called. */
struct loop_task {
    struct loop_task *next;
    void (*run)(struct loop_task *task);
};

/* Work for a job thread. Embed it likewise. `work` runs on some job thread, then `done` on the loop
 * thread. A job that has not begun when the loop stops is cancelled: `work` is skipped, `done`
 * still runs, with `cancelled` true. One that has begun is waited for; where it would take long, it
 * looks at loop_job_is_to_stop() on the way. */
struct loop_job {
    void (*work)(struct loop_job *job);
    void (*done)(struct loop_job *job, bool cancelled);
    atomic_bool is_to_stop;
};

struct loop_timer; /* the implementation's own */

struct scheduler_ops {
    int64_t (*now_ms)(void *self);
    struct loop_timer *(*timer_create)(void *self, void (*fire)(void *context), void *context);
    void (*timer_start)(struct loop_timer *timer, int64_t delay_ms);
    void (*timer_stop)(struct loop_timer *timer);
    void (*timer_destroy)(struct loop_timer *timer);
    bool (*job_start)(void *self, struct loop_job *job);
    void (*job_rest)(void *self);
    bool (*post)(void *self, struct loop_task *task);
};

struct scheduler {
    void *self;
    const struct scheduler_ops *ops;
};

/* Monotonic milliseconds, on the same clock as time_monotonic_ms() of the room's time source. */
static inline int64_t scheduler_now_ms(const struct scheduler *s)
{
    return s->ops->now_ms(s->self);
}

/* A stopped one-shot timer. NULL only when out of memory. */
static inline NODISCARD struct loop_timer *
loop_timer_create(const struct scheduler *s, void (*fire)(void *context), void *context)
{
    return s->ops->timer_create(s->self, fire, context);
}

/* Fires once, `delay_ms` from now; starting a running timer moves it. A timer may restart itself
 * while it fires. */
static inline void loop_timer_start(const struct scheduler *s, struct loop_timer *timer,
                                    int64_t delay_ms)
{
    s->ops->timer_start(timer, delay_ms);
}

static inline void loop_timer_stop(const struct scheduler *s, struct loop_timer *timer)
{
    s->ops->timer_stop(timer);
}

/* Accepts NULL. The timer never fires afterwards. */
static inline void loop_timer_destroy(const struct scheduler *s, struct loop_timer *timer)
{
    if (timer != NULL)
        s->ops->timer_destroy(timer);
}

/* False only when the job could not be queued; `done` then never runs. */
static inline NODISCARD bool scheduler_job(const struct scheduler *s, struct loop_job *job)
{
    return s->ops->job_start(s->self, job);
}

/* A job's thread: leaves the CPU to others for a moment. Long work that no client waits for does so
 * between pieces of a tenth of a millisecond, where it has such: else it keeps threads that answer
 * clients from a CPU for as long as the kernel lets it, which is milliseconds. */
static inline void scheduler_job_rest(const struct scheduler *s)
{
    s->ops->job_rest(s->self);
}

/* The job's thread: whether the loop stops, and only waits for jobs any more. */
static inline NODISCARD bool loop_job_is_to_stop(const struct loop_job *job)
{
    return atomic_load_explicit(&job->is_to_stop, memory_order_relaxed);
}

/* Any thread. Tasks run on the loop thread in the order posted. False when the loop has stopped for
 * good: the task was not taken and will never run. */
static inline NODISCARD bool scheduler_post(const struct scheduler *s, struct loop_task *task)
{
    return s->ops->post(s->self, task);
}

#endif
