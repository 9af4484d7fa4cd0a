/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Jobs on libuv's pool.
 *
 * The pool's threads are created by the first uv_queue_work() and inherit the signal mask of the
 * thread that calls it: always the loop thread, which has all signals blocked.
 */
#include <stdlib.h>
#include <time.h>
#include <utlist.h>

#include "worker_internal.h"

enum { REST_NS = 20 * 1000 }; /* the kernel wakes us up to 50 us later than that */

struct pending_job {
    uv_work_t request;
    struct worker *worker;
    struct loop_job *job;
    struct pending_job *next, *previous;
};

static void on_work(uv_work_t *request)
{
    struct pending_job *pending = request->data;
    pending->job->work(pending->job);
}

static void on_work_done(uv_work_t *request, int status)
{
    struct pending_job *pending = request->data;
    struct worker *worker = pending->worker;
    struct loop_job *job = pending->job;

    DL_DELETE2(worker->loop.jobs, pending, previous, next);
    free(pending);

    job->done(job, status == UV_ECANCELED);
    worker_leave_when_idle(worker);
}

bool worker_job_start(void *self, struct loop_job *job)
{
    struct worker *worker = self;
    if (worker->loop.is_stopping)
        return false;
    struct pending_job *pending = calloc(1, sizeof(*pending));
    if (pending == NULL)
        return false;
    *pending = (struct pending_job){.worker = worker, .job = job};
    pending->request.data = pending;
    if (uv_queue_work(&worker->loop.uv, &pending->request, on_work, on_work_done) != 0) {
        free(pending);
        return false;
    }
    DL_PREPEND2(worker->loop.jobs, pending, previous, next);
    return true;
}

void worker_job_rest(void *self)
{
    const struct timespec rest = {.tv_nsec = REST_NS};
    (void)self;
    (void)nanosleep(&rest, NULL);
}

void worker_jobs_cancel(struct worker *worker)
{
    /* Cancelling fails for those that have begun, which we wait for. No callback is made from
     * inside. */
    for (struct pending_job *pending = worker->loop.jobs; pending != NULL;
         pending = pending->next) {
        atomic_store_explicit(&pending->job->is_to_stop, true, memory_order_relaxed);
        uv_cancel((uv_req_t *)&pending->request);
    }
}
