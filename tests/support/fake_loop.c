/* SPDX-License-Identifier: Apache-2.0 */
#include "support/fake_loop.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

enum { NS_PER_MS = 1000000, US_PER_MS = 1000, US_PER_S = 1000000 };

/* Not 0, so that nobody takes 0 for "now". */
static const int64_t first_monotonic_ms = 5000000;
static const int64_t first_wall_s = 1795435200; /* 2026-11-23T12:00:00Z */

struct loop_timer {
    struct fake_loop *loop;
    struct loop_timer *next, *previous;
    void (*fire)(void *context);
    void *context;
    bool is_running;
    int64_t due_ms;
    uint64_t started; /* breaks ties: timers due together fire in the order they were started */
};

struct queued_job {
    struct queued_job *next;
    struct loop_job *job;
};

struct fake_loop {
    struct scheduler scheduler;
    struct time_source time;
    struct loop_timer timers; /* head of a ring */
    uint64_t starts;
    size_t rests;
    struct queued_job *first_job, **last_job;
    bool jobs_held, jobs_refused, timers_refused, runs_when_posted;
    atomic_int_least64_t now_ms;
    atomic_int_least64_t wall_offset_us; /* wall minus monotonic */

    struct {
        pthread_mutex_t mutex;
        struct loop_task *first, **last;
        bool is_stopped;
    } inbox;
};

static int64_t fake_now_ms(void *self)
{
    struct fake_loop *loop = self;
    return atomic_load(&loop->now_ms);
}

static int64_t fake_monotonic_ns(void *context)
{
    return fake_now_ms(context) * NS_PER_MS;
}

static int64_t fake_wall_us(void *context)
{
    struct fake_loop *loop = context;
    return fake_now_ms(loop) * US_PER_MS + atomic_load(&loop->wall_offset_us);
}

static struct loop_timer *fake_timer_create(void *self, void (*fire)(void *), void *context)
{
    struct fake_loop *loop = self;
    if (loop->timers_refused)
        return NULL;
    struct loop_timer *timer = calloc(1, sizeof *timer);
    if (timer == NULL)
        return NULL;
    timer->loop = loop;
    timer->fire = fire;
    timer->context = context;
    timer->next = &loop->timers;
    timer->previous = loop->timers.previous;
    timer->previous->next = timer;
    loop->timers.previous = timer;
    return timer;
}

static void fake_timer_start(struct loop_timer *timer, int64_t delay_ms)
{
    struct fake_loop *loop = timer->loop;
    timer->is_running = true;
    timer->due_ms = fake_now_ms(loop) + (delay_ms > 0 ? delay_ms : 0);
    timer->started = ++loop->starts;
}

static void fake_timer_stop(struct loop_timer *timer)
{
    timer->is_running = false;
}

static void fake_timer_destroy(struct loop_timer *timer)
{
    timer->previous->next = timer->next;
    timer->next->previous = timer->previous;
    free(timer);
}

static bool fake_job_start(void *self, struct loop_job *job)
{
    struct fake_loop *loop = self;
    if (loop->jobs_refused)
        return false;
    struct queued_job *queued = calloc(1, sizeof *queued);
    if (queued == NULL)
        return false;
    queued->job = job;
    *loop->last_job = queued;
    loop->last_job = &queued->next;
    return true;
}

static void fake_job_rest(void *self)
{
    struct fake_loop *loop = self;
    loop->rests++;
}

static bool run_one_task(struct fake_loop *loop);

static bool fake_post(void *self, struct loop_task *task)
{
    struct fake_loop *loop = self;
    pthread_mutex_lock(&loop->inbox.mutex);
    bool is_taken = !loop->inbox.is_stopped;
    if (is_taken) {
        task->next = NULL;
        *loop->inbox.last = task;
        loop->inbox.last = &task->next;
    }
    pthread_mutex_unlock(&loop->inbox.mutex);
    while (loop->runs_when_posted && run_one_task(loop))
        continue;
    return is_taken;
}

static const struct scheduler_ops fake_ops = {
    .now_ms = fake_now_ms,
    .timer_create = fake_timer_create,
    .timer_start = fake_timer_start,
    .timer_stop = fake_timer_stop,
    .timer_destroy = fake_timer_destroy,
    .job_start = fake_job_start,
    .job_rest = fake_job_rest,
    .post = fake_post,
};

struct fake_loop *fake_loop_create(void)
{
    struct fake_loop *loop = calloc(1, sizeof *loop);
    if (loop == NULL) {
        fputs("fake_loop: out of memory\n", stderr);
        abort();
    }
    loop->scheduler = (struct scheduler){.self = loop, .ops = &fake_ops};
    loop->time = (struct time_source){
        .monotonic_ns = fake_monotonic_ns, .wall_us = fake_wall_us, .context = loop};
    loop->timers.next = loop->timers.previous = &loop->timers;
    loop->last_job = &loop->first_job;
    loop->inbox.last = &loop->inbox.first;
    pthread_mutex_init(&loop->inbox.mutex, NULL);
    atomic_init(&loop->now_ms, first_monotonic_ms);
    fake_loop_set_wall(loop, first_wall_s);
    return loop;
}

void fake_loop_destroy(struct fake_loop *loop)
{
    if (loop == NULL)
        return;
    while (loop->first_job != NULL) {
        struct queued_job *queued = loop->first_job;
        loop->first_job = queued->next;
        free(queued);
    }
    pthread_mutex_destroy(&loop->inbox.mutex);
    free(loop);
}

const struct scheduler *fake_loop_scheduler(struct fake_loop *loop)
{
    return &loop->scheduler;
}

const struct time_source *fake_loop_time(struct fake_loop *loop)
{
    return &loop->time;
}

void fake_loop_set_wall(struct fake_loop *loop, int64_t unix_s)
{
    atomic_store(&loop->wall_offset_us, unix_s * US_PER_S - fake_now_ms(loop) * US_PER_MS);
}

static struct loop_timer *next_timer(const struct fake_loop *loop)
{
    struct loop_timer *earliest = NULL;
    for (struct loop_timer *timer = loop->timers.next; timer != &loop->timers;
         timer = timer->next) {
        if (!timer->is_running)
            continue;
        if (earliest == NULL || timer->due_ms < earliest->due_ms ||
            (timer->due_ms == earliest->due_ms && timer->started < earliest->started))
            earliest = timer;
    }
    return earliest;
}

/* Each of the three runs at most one thing and says whether it did. */

static bool run_one_task(struct fake_loop *loop)
{
    pthread_mutex_lock(&loop->inbox.mutex);
    struct loop_task *task = loop->inbox.first;
    if (task != NULL) {
        loop->inbox.first = task->next;
        if (loop->inbox.first == NULL)
            loop->inbox.last = &loop->inbox.first;
    }
    pthread_mutex_unlock(&loop->inbox.mutex);
    if (task != NULL)
        task->run(task);
    return task != NULL;
}

static bool run_one_timer(struct fake_loop *loop)
{
    struct loop_timer *timer = next_timer(loop);
    if (timer == NULL || timer->due_ms > fake_now_ms(loop))
        return false;
    timer->is_running = false;
    timer->fire(timer->context);
    return true;
}

static bool end_one_job(struct fake_loop *loop, bool is_cancelled)
{
    struct queued_job *queued = loop->first_job;
    if (queued == NULL)
        return false;
    loop->first_job = queued->next;
    if (loop->first_job == NULL)
        loop->last_job = &loop->first_job;
    struct loop_job *job = queued->job;
    free(queued);
    if (!is_cancelled)
        job->work(job);
    job->done(job, is_cancelled);
    return true;
}

void fake_loop_run(struct fake_loop *loop)
{
    while (run_one_task(loop) || run_one_timer(loop) ||
           (!loop->jobs_held && end_one_job(loop, false)))
        continue;
}

bool fake_loop_can_run(struct fake_loop *loop)
{
    const struct loop_timer *timer = next_timer(loop);
    pthread_mutex_lock(&loop->inbox.mutex);
    bool has_task = loop->inbox.first != NULL;
    pthread_mutex_unlock(&loop->inbox.mutex);
    return has_task || (timer != NULL && timer->due_ms <= fake_now_ms(loop)) ||
           (!loop->jobs_held && loop->first_job != NULL);
}

void fake_loop_advance(struct fake_loop *loop, int64_t ms)
{
    int64_t end_ms = fake_now_ms(loop) + ms;
    fake_loop_run(loop);
    for (struct loop_timer *timer = next_timer(loop); timer != NULL && timer->due_ms <= end_ms;
         timer = next_timer(loop)) {
        atomic_store(&loop->now_ms, timer->due_ms);
        fake_loop_run(loop);
    }
    atomic_store(&loop->now_ms, end_ms);
}

int64_t fake_loop_next_timer_ms(const struct fake_loop *loop)
{
    const struct loop_timer *timer = next_timer(loop);
    if (timer == NULL)
        return -1;
    int64_t delay_ms = timer->due_ms - atomic_load(&loop->now_ms);
    return delay_ms > 0 ? delay_ms : 0;
}

void fake_loop_hold_jobs(struct fake_loop *loop, bool hold)
{
    loop->jobs_held = hold;
}

size_t fake_loop_queued_jobs(const struct fake_loop *loop)
{
    size_t count = 0;
    for (const struct queued_job *queued = loop->first_job; queued != NULL; queued = queued->next)
        count++;
    return count;
}

size_t fake_loop_rests(const struct fake_loop *loop)
{
    return loop->rests;
}

void fake_loop_refuse_jobs(struct fake_loop *loop, bool refuse)
{
    loop->jobs_refused = refuse;
}

void fake_loop_refuse_timers(struct fake_loop *loop, bool refuse)
{
    loop->timers_refused = refuse;
}

void fake_loop_run_when_posted(struct fake_loop *loop, bool run)
{
    loop->runs_when_posted = run;
}

void fake_loop_stop(struct fake_loop *loop)
{
    while (run_one_task(loop) || end_one_job(loop, true))
        continue;
    pthread_mutex_lock(&loop->inbox.mutex);
    loop->inbox.is_stopped = true;
    pthread_mutex_unlock(&loop->inbox.mutex);
}
