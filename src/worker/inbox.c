/* SPDX-License-Identifier: Apache-2.0 */
#include "inbox.h"

#include <stddef.h>

void inbox_init(struct inbox *inbox, void (*wake)(void *context), void *context)
{
    *inbox = (struct inbox){.wake = wake, .context = context};
    pthread_mutex_init(&inbox->shared.mutex, NULL);
}

void inbox_finish(struct inbox *inbox)
{
    pthread_mutex_destroy(&inbox->shared.mutex);
}

bool inbox_put(struct inbox *inbox, struct loop_task *task)
{
    task->next = NULL;
    pthread_mutex_lock(&inbox->shared.mutex);
    bool is_taken = !inbox->shared.is_closed;
    if (is_taken && inbox->shared.first == NULL) {
        inbox->shared.first = inbox->shared.last = task;
        inbox->wake(inbox->context);
    } else if (is_taken) {
        inbox->shared.last->next = task;
        inbox->shared.last = task;
    }
    pthread_mutex_unlock(&inbox->shared.mutex);
    return is_taken;
}

static struct loop_task *take_all(struct inbox *inbox, bool and_close)
{
    pthread_mutex_lock(&inbox->shared.mutex);
    struct loop_task *first = inbox->shared.first;
    inbox->shared.first = NULL;
    inbox->shared.is_closed = inbox->shared.is_closed || and_close;
    pthread_mutex_unlock(&inbox->shared.mutex);
    return first;
}

static void run_all(struct loop_task *task)
{
    while (task != NULL) {
        struct loop_task *next = task->next; /* `run` may free the task */
        task->run(task);
        task = next;
    }
}

void inbox_run(struct inbox *inbox)
{
    run_all(take_all(inbox, false));
}

void inbox_close_and_run(struct inbox *inbox)
{
    run_all(take_all(inbox, true));
}
