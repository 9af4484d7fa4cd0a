/* SPDX-License-Identifier: Apache-2.0 */
/* The tests' own loop keeps the promises of base/scheduler.h that other tests rely on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "support/fake_loop.h"

struct journal {
    struct fake_loop *loop;
    int64_t start_ms;
    char text[256];
};

struct noted {
    struct journal *journal;
    const char *word;
    struct loop_timer *timer;
    struct loop_task task;
    struct loop_job job;
};

static void note(const struct noted *noted)
{
    struct journal *journal = noted->journal;
    size_t length = strlen(journal->text);
    int64_t at_ms = scheduler_now_ms(fake_loop_scheduler(journal->loop)) - journal->start_ms;
    snprintf(journal->text + length, sizeof journal->text - length, "%s@%d ", noted->word,
             (int)at_ms);
}

static void fire(void *context)
{
    note(context);
}

static void run(struct loop_task *task)
{
    note(CONTAINER_OF(task, struct noted, task));
}

static void work(struct loop_job *job)
{
    note(CONTAINER_OF(job, struct noted, job));
}

static void done(struct loop_job *job, bool cancelled)
{
    struct noted *noted = CONTAINER_OF(job, struct noted, job);
    noted->word = cancelled ? "cancelled" : "done";
    note(noted);
}

static struct journal new_journal(void)
{
    struct fake_loop *loop = fake_loop_create();
    return (struct journal){.loop = loop, .start_ms = scheduler_now_ms(fake_loop_scheduler(loop))};
}

static void timers_fire_in_order_of_due_time_then_of_start(void **state)
{
    (void)state;
    struct journal journal = new_journal();
    const struct scheduler *scheduler = fake_loop_scheduler(journal.loop);
    struct noted noted[] = {{.word = "late"}, {.word = "a"}, {.word = "b"}, {.word = "stopped"}};
    static const int64_t delays_ms[] = {50, 20, 20, 10};
    for (size_t i = 0; i < ARRAY_LENGTH(noted); i++) {
        noted[i].journal = &journal;
        noted[i].timer = loop_timer_create(scheduler, fire, &noted[i]);
        loop_timer_start(scheduler, noted[i].timer, delays_ms[i]);
    }
    loop_timer_stop(scheduler, noted[3].timer);

    assert_int_equal(fake_loop_next_timer_ms(journal.loop), 20);
    fake_loop_advance(journal.loop, 30);
    assert_string_equal(journal.text, "a@20 b@20 ");
    assert_int_equal(fake_loop_next_timer_ms(journal.loop), 20);
    fake_loop_advance(journal.loop, 100);
    assert_string_equal(journal.text, "a@20 b@20 late@50 ");
    assert_int_equal(fake_loop_next_timer_ms(journal.loop), -1);

    for (size_t i = 0; i < ARRAY_LENGTH(noted); i++)
        loop_timer_destroy(scheduler, noted[i].timer);
    fake_loop_destroy(journal.loop);
}

static void held_jobs_wait_and_a_stop_cancels_them(void **state)
{
    (void)state;
    struct journal journal = new_journal();
    const struct scheduler *scheduler = fake_loop_scheduler(journal.loop);
    struct noted first = {&journal, "work", NULL, {.run = run}, {.work = work, .done = done}};
    struct noted second = {&journal, "work", NULL, {.run = run}, {.work = work, .done = done}};

    fake_loop_hold_jobs(journal.loop, true);
    assert_true(scheduler_job(scheduler, &first.job));
    fake_loop_run(journal.loop);
    assert_string_equal(journal.text, "");
    assert_int_equal(fake_loop_queued_jobs(journal.loop), 1);

    fake_loop_hold_jobs(journal.loop, false);
    fake_loop_run(journal.loop);
    assert_string_equal(journal.text, "work@0 done@0 ");

    journal.text[0] = '\0';
    assert_true(scheduler_job(scheduler, &second.job));
    first.word = "task";
    assert_true(scheduler_post(scheduler, &first.task));
    fake_loop_stop(journal.loop);
    assert_string_equal(journal.text, "task@0 cancelled@0 ");
    assert_false(scheduler_post(scheduler, &first.task));
    fake_loop_destroy(journal.loop);
}

static void wall_time_starts_where_promised_and_moves_with_the_loop(void **state)
{
    (void)state;
    struct fake_loop *loop = fake_loop_create();
    const struct time_source *time = fake_loop_time(loop);
    assert_int_equal(time_wall_s(time), 1795435200);
    assert_int_equal(time_monotonic_ms(time), scheduler_now_ms(fake_loop_scheduler(loop)));
    fake_loop_advance(loop, 1500);
    assert_int_equal(time_wall_us(time), 1795435201500000);
    assert_int_equal(time_wall_ms(time), 1795435201500);
    fake_loop_set_wall(loop, 86400);
    assert_int_equal(time_wall_s(time), 86400);
    fake_loop_advance(loop, 1000);
    assert_int_equal(time_wall_s(time), 86401);
    fake_loop_destroy(loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(timers_fire_in_order_of_due_time_then_of_start),
        cmocka_unit_test(held_jobs_wait_and_a_stop_cancels_them),
        cmocka_unit_test(wall_time_starts_where_promised_and_moves_with_the_loop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
