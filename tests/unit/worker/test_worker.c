/* SPDX-License-Identifier: Apache-2.0 */
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "worker/worker.h"

enum { POSTERS = 4, TASKS_PER_POSTER = 2000, JOBS = 12, RESTS = 10, PATIENCE_MS = 20 * 1000 };

/* What the loop did, in order. Written by the loop thread only, read after it was joined. */
struct journal {
    char text[256];
};

static void note(struct journal *journal, const char *word)
{
    size_t length = strlen(journal->text);
    snprintf(journal->text + length, sizeof journal->text - length, "%s ", word);
}

struct noted_task {
    struct loop_task task;
    struct journal *journal;
    const char *word;
};

static void note_task(struct loop_task *task)
{
    struct noted_task *noted = CONTAINER_OF(task, struct noted_task, task);
    note(noted->journal, noted->word);
}

static void note_last(void *context)
{
    note(context, "last");
}

static struct worker *new_worker(void)
{
    struct error error = {0};
    struct worker *worker = worker_create(&time_source_system, &error);
    assert_non_null(worker);
    return worker;
}

static struct worker *running_worker(void)
{
    struct worker *worker = new_worker();
    struct error error = {0};
    assert_true(worker_start(worker, &error));
    return worker;
}

static void must_post(struct worker *worker, struct loop_task *task)
{
    assert_true(scheduler_post(worker_scheduler(worker), task));
}

static void tasks_run_in_the_order_they_were_posted_and_before_last(void **state)
{
    (void)state;
    struct journal journal = {0};
    struct noted_task tasks[] = {{{.run = note_task}, &journal, "one"},
                                 {{.run = note_task}, &journal, "two"},
                                 {{.run = note_task}, &journal, "three"}};
    struct worker *worker = new_worker();
    struct error error = {0};

    must_post(worker, &tasks[0].task); /* before the start */
    assert_true(worker_start(worker, &error));
    must_post(worker, &tasks[1].task);
    must_post(worker, &tasks[2].task);
    worker_stop(worker, note_last, &journal);

    assert_string_equal(journal.text, "one two three last ");
    worker_destroy(worker);
}

static void a_stopped_worker_refuses_tasks(void **state)
{
    (void)state;
    struct journal journal = {0};
    struct noted_task task = {{.run = note_task}, &journal, "never"};
    struct worker *worker = running_worker();
    worker_stop(worker, NULL, NULL);
    assert_false(scheduler_post(worker_scheduler(worker), &task.task));
    worker_stop(worker, NULL, NULL); /* again: nothing to do */
    worker_destroy(worker);
    assert_string_equal(journal.text, "");
}

static void a_worker_that_never_started_runs_its_tasks_at_the_stop(void **state)
{
    (void)state;
    struct journal journal = {0};
    struct noted_task task = {{.run = note_task}, &journal, "task"};
    struct worker *worker = new_worker();
    must_post(worker, &task.task);
    worker_stop(worker, note_last, &journal);
    worker_destroy(worker);
    assert_string_equal(journal.text, "task last ");
}

static void destroy_accepts_null_and_what_never_started(void **state)
{
    (void)state;
    worker_destroy(NULL);
    worker_destroy(new_worker());
}

/* Every task is either run or refused, exactly one of them, whatever the stop falls into. */

struct counted_task {
    struct loop_task task;
    atomic_uint *runs;
};

struct poster {
    pthread_t thread;
    const struct scheduler *scheduler;
    struct counted_task tasks[TASKS_PER_POSTER];
    atomic_uint *runs;
    sem_t *half_way;
    unsigned taken;
};

static void count_task(struct loop_task *task)
{
    atomic_fetch_add(CONTAINER_OF(task, struct counted_task, task)->runs, 1);
}

static void *post_many(void *argument)
{
    struct poster *poster = argument;
    for (unsigned i = 0; i < TASKS_PER_POSTER; i++) {
        poster->tasks[i] = (struct counted_task){{.run = count_task}, poster->runs};
        if (scheduler_post(poster->scheduler, &poster->tasks[i].task))
            poster->taken++;
        if (i == TASKS_PER_POSTER / 2)
            sem_post(poster->half_way);
    }
    return NULL;
}

static void no_task_is_lost_when_the_stop_falls_among_them(void **state)
{
    (void)state;
    static struct poster posters[POSTERS];
    atomic_uint runs = 0;
    sem_t half_way;
    sem_init(&half_way, 0, 0);
    struct worker *worker = running_worker();
    for (size_t i = 0; i < POSTERS; i++) {
        posters[i].scheduler = worker_scheduler(worker);
        posters[i].runs = &runs;
        posters[i].half_way = &half_way;
        assert_int_equal(pthread_create(&posters[i].thread, NULL, post_many, &posters[i]), 0);
    }
    sem_wait(&half_way);
    worker_stop(worker, NULL, NULL);

    unsigned taken = 0;
    for (size_t i = 0; i < POSTERS; i++) {
        pthread_join(posters[i].thread, NULL);
        taken += posters[i].taken;
    }
    assert_true(taken > TASKS_PER_POSTER / 2);
    assert_int_equal(atomic_load(&runs), taken);
    worker_destroy(worker);
    sem_destroy(&half_way);
}

/* Timers. */

struct stopwatch {
    struct loop_task task;
    const struct scheduler *scheduler;
    struct loop_timer *timers[3];
    struct journal journal;
    int64_t started_ms, fired_ms;
    int repeats;
    sem_t ended;
};

static void on_first(void *context)
{
    struct stopwatch *watch = context;
    note(&watch->journal, "first");
    if (++watch->repeats < 3)
        loop_timer_start(watch->scheduler, watch->timers[0], 0);
}

static void on_second(void *context)
{
    struct stopwatch *watch = context;
    note(&watch->journal, "second");
    watch->fired_ms = scheduler_now_ms(watch->scheduler);
    loop_timer_stop(watch->scheduler, watch->timers[2]);
    sem_post(&watch->ended);
}

static void on_third(void *context)
{
    note(&((struct stopwatch *)context)->journal, "third");
}

/* Far behind the first timer's three times, also where the machine is busy. */
enum { MOVED_MS = 300 };

static void start_timers(struct loop_task *task)
{
    struct stopwatch *watch = CONTAINER_OF(task, struct stopwatch, task);
    watch->started_ms = scheduler_now_ms(watch->scheduler);
    loop_timer_start(watch->scheduler, watch->timers[0], 1);
    loop_timer_start(watch->scheduler, watch->timers[1], 1);
    loop_timer_start(watch->scheduler, watch->timers[1], MOVED_MS);
    loop_timer_start(watch->scheduler, watch->timers[2], 60000);
}

static void timers_fire_once_never_early_and_may_restart_themselves(void **state)
{
    (void)state;
    struct worker *worker = new_worker();
    struct stopwatch watch = {.task.run = start_timers, .scheduler = worker_scheduler(worker)};
    sem_init(&watch.ended, 0, 0);
    watch.timers[0] = loop_timer_create(watch.scheduler, on_first, &watch);
    watch.timers[1] = loop_timer_create(watch.scheduler, on_second, &watch);
    watch.timers[2] = loop_timer_create(watch.scheduler, on_third, &watch);
    struct error error = {0};
    must_post(worker, &watch.task);
    assert_true(worker_start(worker, &error));
    sem_wait(&watch.ended);
    worker_stop(worker, NULL, NULL);

    assert_string_equal(watch.journal.text, "first first first second ");
    assert_true(watch.fired_ms - watch.started_ms >= MOVED_MS);
    for (size_t i = 0; i < ARRAY_LENGTH(watch.timers); i++) /* after the stop, before the end */
        loop_timer_destroy(watch.scheduler, watch.timers[i]);
    worker_destroy(worker);
    sem_destroy(&watch.ended);
}

/* Jobs. */

struct test_job {
    struct loop_job job;
    struct loop_task start; /* starts the job, on the loop thread */
    const struct scheduler *scheduler;
    sem_t *begun; /* posted when `work` begins */
    sem_t *gate;  /* `work` waits for it; NULL: it does not */
    sem_t *ended; /* posted by `done` */
    pthread_t work_thread, done_thread;
    bool was_accepted, has_worked, is_done, was_cancelled;
    bool signals_blocked;
};

static bool all_signals_are_blocked(void)
{
    sigset_t mask;
    pthread_sigmask(SIG_SETMASK, NULL, &mask);
    return sigismember(&mask, SIGTERM) == 1 && sigismember(&mask, SIGINT) == 1 &&
           sigismember(&mask, SIGPIPE) == 1;
}

static void job_work(struct loop_job *job)
{
    struct test_job *test = CONTAINER_OF(job, struct test_job, job);
    test->work_thread = pthread_self();
    test->signals_blocked = all_signals_are_blocked();
    if (test->begun != NULL)
        sem_post(test->begun);
    if (test->gate != NULL)
        sem_wait(test->gate);
    test->has_worked = true;
}

static void job_done(struct loop_job *job, bool cancelled)
{
    struct test_job *test = CONTAINER_OF(job, struct test_job, job);
    test->done_thread = pthread_self();
    test->was_cancelled = cancelled;
    test->is_done = true;
    test->signals_blocked = test->signals_blocked && all_signals_are_blocked();
    if (test->ended != NULL)
        sem_post(test->ended);
}

static void start_job(struct loop_task *task)
{
    struct test_job *test = CONTAINER_OF(task, struct test_job, start);
    test->was_accepted = scheduler_job(test->scheduler, &test->job);
}

static struct test_job new_job(struct worker *worker)
{
    return (struct test_job){.job = {.work = job_work, .done = job_done},
                             .start.run = start_job,
                             .scheduler = worker_scheduler(worker)};
}

/* A thread that sleeps has given up its CPU by itself, which the kernel counts. */
static void resting_work(struct loop_job *job)
{
    struct test_job *test = CONTAINER_OF(job, struct test_job, job);
    struct rusage before;
    struct rusage after;
    getrusage(RUSAGE_THREAD, &before);
    for (int i = 0; i < RESTS; i++)
        scheduler_job_rest(test->scheduler);
    getrusage(RUSAGE_THREAD, &after);
    test->has_worked = after.ru_nvcsw - before.ru_nvcsw >= RESTS;
}

static void a_job_that_rests_gives_up_its_cpu(void **state)
{
    (void)state;
    sem_t ended;
    sem_init(&ended, 0, 0);
    struct worker *worker = running_worker();
    struct test_job test = new_job(worker);
    test.job.work = resting_work;
    test.ended = &ended;
    must_post(worker, &test.start);
    sem_wait(&ended);
    worker_stop(worker, NULL, NULL);
    assert_true(test.has_worked);
    worker_destroy(worker);
    sem_destroy(&ended);
}

static void a_job_works_elsewhere_and_is_done_on_the_loop_with_all_signals_blocked(void **state)
{
    (void)state;
    sem_t ended;
    sem_init(&ended, 0, 0);
    struct worker *worker = running_worker();
    struct test_job test = new_job(worker);
    test.ended = &ended;
    must_post(worker, &test.start);
    sem_wait(&ended);
    worker_stop(worker, NULL, NULL);

    assert_true(test.has_worked);
    assert_false(test.was_cancelled);
    assert_true(test.signals_blocked);
    assert_false(pthread_equal(test.work_thread, test.done_thread));
    assert_false(pthread_equal(test.work_thread, pthread_self()));
    assert_false(pthread_equal(test.done_thread, pthread_self()));
    assert_false(all_signals_are_blocked()); /* here they are as before */
    worker_destroy(worker);
    sem_destroy(&ended);
}

static void open_gates(void *context)
{
    struct test_job *tests = context;
    for (size_t i = 0; i < JOBS; i++)
        sem_post(tests[i].gate);
}

static void the_stop_waits_for_jobs_that_run_and_cancels_the_others(void **state)
{
    (void)state;
    sem_t begun;
    sem_t gate;
    sem_init(&begun, 0, 0);
    sem_init(&gate, 0, 0);
    struct worker *worker = running_worker();
    struct test_job tests[JOBS]; /* more than the pool has threads */
    for (size_t i = 0; i < JOBS; i++) {
        tests[i] = new_job(worker);
        tests[i].begun = &begun;
        tests[i].gate = &gate;
        must_post(worker, &tests[i].start);
    }
    sem_wait(&begun);
    worker_stop(worker, open_gates, tests);

    size_t worked = 0;
    size_t cancelled = 0;
    for (size_t i = 0; i < JOBS; i++) {
        assert_true(tests[i].was_accepted);
        assert_true(tests[i].is_done);
        assert_true(tests[i].was_cancelled != tests[i].has_worked);
        worked += tests[i].has_worked ? 1 : 0;
        cancelled += tests[i].was_cancelled ? 1 : 0;
    }
    assert_true(worked >= 1);
    assert_int_equal(worked + cancelled, JOBS);
    worker_destroy(worker);
    sem_destroy(&begun);
    sem_destroy(&gate);
}

static void work_until_told_to_stop(struct loop_job *job)
{
    struct test_job *test = CONTAINER_OF(job, struct test_job, job);
    sem_post(test->begun);
    for (int i = 0; i < PATIENCE_MS && !test->has_worked; i++) {
        test->has_worked = loop_job_is_to_stop(job);
        (void)nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
}

static void a_job_that_runs_is_told_to_stop(void **state)
{
    (void)state;
    sem_t begun;
    sem_init(&begun, 0, 0);
    struct worker *worker = running_worker();
    struct test_job test = new_job(worker);
    test.job.work = work_until_told_to_stop;
    test.begun = &begun;
    must_post(worker, &test.start);
    sem_wait(&begun);
    worker_stop(worker, NULL, NULL);

    assert_true(test.has_worked);
    assert_true(test.is_done);
    assert_false(test.was_cancelled);
    worker_destroy(worker);
    sem_destroy(&begun);
}

static void start_job_directly(void *context)
{
    start_job(&((struct test_job *)context)->start);
}

static void no_job_starts_once_the_stop_has_begun(void **state)
{
    (void)state;
    struct worker *running = running_worker();
    struct test_job test = new_job(running);
    test.was_accepted = true;
    worker_stop(running, start_job_directly, &test);
    assert_false(test.was_accepted);
    worker_destroy(running);

    struct worker *idle = new_worker();
    test = new_job(idle);
    test.was_accepted = true;
    must_post(idle, &test.start);
    worker_stop(idle, NULL, NULL);
    assert_false(test.was_accepted);
    worker_destroy(idle);
}

/* The heartbeat. */

static int64_t settable_ns(void *context)
{
    return atomic_load((atomic_int_least64_t *)context);
}

struct gated_task {
    struct loop_task task;
    sem_t begun, gate;
};

static void wait_at_gate(struct loop_task *task)
{
    struct gated_task *gated = CONTAINER_OF(task, struct gated_task, task);
    sem_post(&gated->begun);
    sem_wait(&gated->gate);
}

static void a_loop_that_is_held_up_shows_in_the_age_of_its_heartbeat(void **state)
{
    (void)state;
    atomic_int_least64_t now_ns = 1000000000;
    struct time_source time = {settable_ns, settable_ns, &now_ns};
    struct error error = {0};
    struct worker *worker = worker_create(&time, &error);
    assert_non_null(worker);
    assert_int_equal(worker_heartbeat_age_ms(worker), 0);
    assert_true(worker_start(worker, &error));

    struct gated_task gated = {.task.run = wait_at_gate};
    sem_init(&gated.begun, 0, 0);
    sem_init(&gated.gate, 0, 0);
    must_post(worker, &gated.task);
    sem_wait(&gated.begun);
    atomic_fetch_add(&now_ns, 42000000000);
    assert_int_equal(worker_heartbeat_age_ms(worker), 42000);

    sem_post(&gated.gate);
    while (worker_heartbeat_age_ms(worker) != 0) /* ends with the next beat */
        usleep(1000);
    worker_stop(worker, NULL, NULL);
    worker_destroy(worker);
    sem_destroy(&gated.begun);
    sem_destroy(&gated.gate);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tasks_run_in_the_order_they_were_posted_and_before_last),
        cmocka_unit_test(a_stopped_worker_refuses_tasks),
        cmocka_unit_test(a_worker_that_never_started_runs_its_tasks_at_the_stop),
        cmocka_unit_test(destroy_accepts_null_and_what_never_started),
        cmocka_unit_test(no_task_is_lost_when_the_stop_falls_among_them),
        cmocka_unit_test(timers_fire_once_never_early_and_may_restart_themselves),
        cmocka_unit_test(a_job_works_elsewhere_and_is_done_on_the_loop_with_all_signals_blocked),
        cmocka_unit_test(a_job_that_rests_gives_up_its_cpu),
        cmocka_unit_test(the_stop_waits_for_jobs_that_run_and_cancels_the_others),
        cmocka_unit_test(a_job_that_runs_is_told_to_stop),
        cmocka_unit_test(no_job_starts_once_the_stop_has_begun),
        cmocka_unit_test(a_loop_that_is_held_up_shows_in_the_age_of_its_heartbeat),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
