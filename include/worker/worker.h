/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The loop thread: a libuv loop on a thread of its own, with an inbox, timers, and jobs on libuv's
 * pool.
 *
 * It implements base/scheduler.h, which is how the other rooms use it.
 *
 * Life: worker_create() -> rooms are created and given worker_scheduler() -> worker_start() -> ...
 * -> worker_stop() -> rooms are destroyed -> worker_destroy(). Timers may be created before the
 * start and destroyed after the stop, by the thread that does so, as the loop thread does not run
 * then.
 *
 * Threads: create, start, stop and destroy belong to one thread (main); worker_heartbeat_age_ms()
 * to any.
 */
#ifndef WORKER_WORKER_H
#define WORKER_WORKER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attrs.h"
#include "base/error.h"
#include "base/scheduler.h"
#include "base/time_source.h"

struct uv_loop_s;
struct worker;

struct worker *worker_create(const struct time_source *time, struct error *reterr) NODISCARD;

/* Runs the loop on a new thread, all signals blocked there and in the pool's threads. Tasks posted
 * before run first. False when there are not threads enough for all. */
bool worker_start(struct worker *worker, struct error *reterr) NODISCARD;

/* Runs `last` (may be NULL) on the loop thread, as the place where rooms stop what they have under
 * way; then refuses new tasks, runs those already posted, cancels jobs that have not begun and
 * waits for those that have (their `done` runs), and joins the thread. A worker that never started
 * is accepted. */
void worker_stop(struct worker *worker, void (*last)(void *context), void *context);

/* Accepts NULL. Must have been stopped if it was started. */
void worker_destroy(struct worker *worker);

const struct scheduler *worker_scheduler(const struct worker *worker) NODISCARD;

/* For the one file that marries libcurl to the loop. */
struct uv_loop_s *worker_loop(struct worker *worker) NODISCARD;

/* How long ago the loop last showed that it turns (it does so once a second): what liveness is
 * judged by. */
int64_t worker_heartbeat_age_ms(const struct worker *worker) NODISCARD;

#endif
