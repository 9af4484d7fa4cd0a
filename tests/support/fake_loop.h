/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The loop thread without a thread: base/scheduler.h on a clock that the test moves by hand.
 *
 * Nothing happens until the test says so. Jobs run on the test's own thread when their turn comes,
 * `work` and `done` in one go; fake_loop_hold_jobs() keeps them waiting instead.
 *
 * Threads: the test's thread is the loop thread. scheduler_post() and the time may be used by any.
 */
#ifndef SUPPORT_FAKE_LOOP_H
#define SUPPORT_FAKE_LOOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/scheduler.h"
#include "base/time_source.h"

struct fake_loop;

/* Never NULL: a test without its loop aborts. */
struct fake_loop *fake_loop_create(void);

/* Accepts NULL. Rooms are destroyed first, as their timers belong to the loop; one that is left
 * over is left to the leak checkers. */
void fake_loop_destroy(struct fake_loop *loop);

const struct scheduler *fake_loop_scheduler(struct fake_loop *loop);

/* Monotonic and wall time move together; wall starts at 2026-11-23T12:00:00Z. */
const struct time_source *fake_loop_time(struct fake_loop *loop);
void fake_loop_set_wall(struct fake_loop *loop, int64_t unix_s);

/* Runs posted tasks, jobs and due timers until none is left; time stands still. */
void fake_loop_run(struct fake_loop *loop);

/* True when that would run something now. For several loops that act on each other. */
bool fake_loop_can_run(struct fake_loop *loop);

/* Moves time, firing timers in order of their due time, with everything fake_loop_run() runs in
 * between. */
void fake_loop_advance(struct fake_loop *loop, int64_t ms);

/* Delay until the next timer, 0 if it is due, -1 if there is none. */
int64_t fake_loop_next_timer_ms(const struct fake_loop *loop);

/* While held, jobs stay queued: for what happens while one runs. Letting go does not run them yet.
 */
void fake_loop_hold_jobs(struct fake_loop *loop, bool hold);
size_t fake_loop_queued_jobs(const struct fake_loop *loop);

/* How often jobs have rested. */
size_t fake_loop_rests(const struct fake_loop *loop);

/* While set, scheduler_job() and loop_timer_create() fail, as they do without memory. */
void fake_loop_refuse_jobs(struct fake_loop *loop, bool refuse);
void fake_loop_refuse_timers(struct fake_loop *loop, bool refuse);

/* While set, a task has run before scheduler_post() returns, as when the loop thread is faster than
 * the thread that posts. */
void fake_loop_run_when_posted(struct fake_loop *loop, bool run);

/* What worker_stop() does: runs what was posted, cancels jobs still queued, refuses tasks from then
 * on. */
void fake_loop_stop(struct fake_loop *loop);

#endif
