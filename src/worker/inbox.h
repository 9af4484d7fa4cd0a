/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The list in which any thread leaves tasks for the loop thread.
 *
 * Threads: any may put; the loop thread runs. Finish it when nobody else uses it.
 */
#ifndef WORKER_INBOX_H
#define WORKER_INBOX_H

#include <pthread.h>
#include <stdbool.h>

#include "base/attrs.h"
#include "base/scheduler.h"

struct inbox {
    /* Called with the lock held when a task enters an empty inbox: the lock is what makes sure that
     * nobody is woken who has closed the inbox. */
    void (*wake)(void *context);
    void *context;

    struct {
        pthread_mutex_t mutex;
        struct loop_task *first;
        struct loop_task *last; /* undefined when first is NULL */
        bool is_closed;
    } shared;
};

void inbox_init(struct inbox *inbox, void (*wake)(void *context), void *context);
void inbox_finish(struct inbox *inbox);

/* False when the inbox is closed. */
bool inbox_put(struct inbox *inbox, struct loop_task *task) NODISCARD;

/* Runs what is there now, outside the lock. Tasks put meanwhile wait for the next call. */
void inbox_run(struct inbox *inbox);

/* Refuses further tasks, then runs what is there. */
void inbox_close_and_run(struct inbox *inbox);

#endif
