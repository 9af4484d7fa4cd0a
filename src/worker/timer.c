/* SPDX-License-Identifier: Apache-2.0 */
/* One-shot timers as uv_timer_t, whose memory libuv owns until the close callback. */
#include <stdlib.h>

#include "worker_internal.h"

struct loop_timer {
    uv_timer_t handle;
    struct worker *worker;
    void (*fire)(void *context);
    void *context;
};

struct loop_timer *worker_timer_create(void *self, void (*fire)(void *context), void *context)
{
    struct worker *worker = self;
    struct loop_timer *timer = calloc(1, sizeof(*timer));
    if (timer == NULL)
        return NULL;
    *timer = (struct loop_timer){.worker = worker, .fire = fire, .context = context};
    uv_timer_init(&worker->loop.uv, &timer->handle); /* cannot fail */
    timer->handle.data = timer;
    return timer;
}

static void on_timer(uv_timer_t *handle)
{
    struct loop_timer *timer = handle->data;
    if (!timer->worker->loop.is_stopping)
        timer->fire(timer->context);
}

void worker_timer_start(struct loop_timer *timer, int64_t delay_ms)
{
    /* The loop's cached time may lie behind by as much as the current callback took, and it is
     * rounded down besides: without the update and the one millisecond, timers would fire early. */
    uv_update_time(&timer->worker->loop.uv);
    uv_timer_start(&timer->handle, on_timer, delay_ms > 0 ? (uint64_t)delay_ms + 1 : 0, 0);
}

void worker_timer_stop(struct loop_timer *timer)
{
    uv_timer_stop(&timer->handle);
}

static void on_closed(uv_handle_t *handle)
{
    free(handle->data);
}

void worker_timer_destroy(struct loop_timer *timer)
{
    uv_close((uv_handle_t *)&timer->handle, on_closed);
}
