/* SPDX-License-Identifier: Apache-2.0 */
/* One process after the other, on clocks moved by hand, with a file between them. */
#include "house.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "service/snapshot.h"
#include "snapshot_file.h"

enum {
    INTERVAL_MS = 240 * 1000,
    START_S = 1795435200, /* of the first process: 2026-11-23T12:00:00Z */
    FILE_LIMIT = 1 << 20,
};

#define WRITE_INTERVAL_MS INT64_C(10000)

#define ORIGIN "http://opencost:9003"

struct scene {
    char directory[64];
    char path[128];
    char log_text[16 * 1024];
    const struct time_source *time; /* of snapshots; NULL: the loop's */

    /* of the process that runs now */
    struct house house;
    struct log *log;
    int log_fd;
    struct refresher *refresher;
    struct snapshot *snapshot;
};

static int setup(void **state)
{
    struct scene *scene = calloc(1, sizeof(*scene));
    assert_non_null(scene);
    (void)snprintf(scene->directory, sizeof(scene->directory), "/tmp/kubecent-test-XXXXXX");
    assert_non_null(mkdtemp(scene->directory));
    (void)snprintf(scene->path, sizeof(scene->path), "%s/cache", scene->directory);
    *state = scene;
    return 0;
}

static int teardown(void **state)
{
    struct scene *scene = *state;
    (void)unlink(scene->path);
    assert_int_equal(rmdir(scene->directory), 0);
    free(scene);
    return 0;
}

static void dataset_stored(void *context)
{
    snapshot_note_change(context);
}

static void begin_refreshing(void *context)
{
    refresher_start(context);
}

static void build_snapshot(struct scene *scene, const char *origin)
{
    const struct snapshot_options options = {
        .path = scene->path,
        .origin = origin,
        .cache = scene->house.cache,
        .scheduler = fake_loop_scheduler(scene->house.loop),
        .time = scene->time != NULL ? scene->time : fake_loop_time(scene->house.loop),
        .log = scene->log,
    };
    scene->snapshot = snapshot_create(&options);
    assert_non_null(scene->snapshot);
    cost_service_on_stored(scene->house.service, dataset_stored, scene->snapshot);
}

/* A process with nothing begun yet. */
static void build_process(struct scene *scene, int64_t wall_s, int64_t stale_ms, const char *origin)
{
    struct window window;
    house_build(&scene->house, stale_ms);
    fake_loop_set_wall(scene->house.loop, wall_s);
    scene->log_fd = memfd_create("log", MFD_CLOEXEC);
    assert_true(scene->log_fd >= 0);
    const struct log_options log_options = {.level = LOG_LEVEL_INFO, .fd = scene->log_fd};
    scene->log = log_create(&log_options, NULL);
    assert_non_null(scene->log);
    assert_true(window_parse(TEXT("7d"), &window));
    const struct refresher_options options = {
        .windows = &window,
        .window_count = 1,
        .interval_ms = INTERVAL_MS,
        .ttl_ms = HOUSE_TTL_MS,
        .cleanup_interval_ms = INTERVAL_MS,
        .service = scene->house.service,
        .scheduler = fake_loop_scheduler(scene->house.loop),
        .time = fake_loop_time(scene->house.loop),
    };
    scene->refresher = refresher_create(&options);
    assert_non_null(scene->refresher);
    build_snapshot(scene, origin);
}

static void begin_process(struct scene *scene, int64_t after_s)
{
    build_process(scene, START_S + after_s, 0, ORIGIN);
    snapshot_restore(scene->snapshot, begin_refreshing, scene->refresher);
    fake_loop_run(scene->house.loop);
}

static void free_process(struct scene *scene)
{
    snapshot_destroy(scene->snapshot);
    refresher_destroy(scene->refresher);
    house_tear_down(&scene->house);
    log_destroy(scene->log);
    close(scene->log_fd);
}

/* As on SIGTERM. */
static void end_process(struct scene *scene)
{
    snapshot_stop(scene->snapshot);
    refresher_stop(scene->refresher);
    house_stop(&scene->house);
    snapshot_write_last(scene->snapshot);
    free_process(scene);
}

/* As on SIGKILL: nothing more is done. (What is under way is cancelled so that it can be freed.) */
static void kill_process(struct scene *scene)
{
    snapshot_stop(scene->snapshot);
    refresher_stop(scene->refresher);
    cost_service_stop(scene->house.service);
    opencost_client_stop(scene->house.client);
    fake_loop_stop(scene->house.loop);
    free_process(scene);
}

static const char *log_of(struct scene *scene)
{
    log_flush(scene->log);
    ssize_t length = pread(scene->log_fd, scene->log_text, sizeof(scene->log_text) - 1, 0);
    assert_true(length >= 0);
    scene->log_text[length] = '\0';
    return scene->log_text;
}

static void assert_logged(struct scene *scene, const char *part)
{
    if (strstr(log_of(scene), part) == NULL)
        fail_msg("%s is not in %s", part, scene->log_text);
}

static size_t times_logged(struct scene *scene, const char *part)
{
    size_t count = 0;
    for (const char *at = strstr(log_of(scene), part); at != NULL; at = strstr(at + 1, part))
        count++;
    return count;
}

static size_t asked(const struct scene *scene)
{
    return scripted_origin_asked(scene->house.origin);
}

static void answer(struct scene *scene, size_t number, const char *total)
{
    scripted_origin_answer(scene->house.origin, number, 200, one_pod_costing(total));
    fake_loop_run(scene->house.loop);
}

static bool file_exists(const struct scene *scene)
{
    return access(scene->path, F_OK) == 0;
}

/* A process that has fetched 7d at its start, and ended. */
static void leave_snapshot(struct scene *scene)
{
    begin_process(scene, 0);
    answer(scene, 0, "1.5");
    end_process(scene);
    assert_true(file_exists(scene));
}

/* What a lookup of the plain pods of 7d finds, without asking OpenCost. */
static void assert_served(struct scene *scene, const char *total, int64_t age_ms)
{
    struct cost_query query = house_query(COST_VIEW_PODS, "7d");
    struct cost_answer found;
    assert_true(
        cost_service_lookup(scene->house.service, &query, house_now_ms(&scene->house), &found));
    assert_int_equal(time_monotonic_ms(fake_loop_time(scene->house.loop)) - found.fetched_ms,
                     age_ms);
    assert_int_equal(found.ttl_ms, HOUSE_TTL_MS);
    assert_non_null(strstr(http_content_bytes(found.content).data, total));
    http_content_release(found.content);
}

static void what_a_killed_process_left_half_written_is_removed(void **state)
{
    struct scene *scene = *state;
    char leftover[sizeof(scene->path) + 32];
    (void)snprintf(leftover, sizeof(leftover), "%s.0123456789abcdef.tmp", scene->path);
    int fd = open(leftover, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    close(fd);
    begin_process(scene, 0);
    assert_int_not_equal(access(leftover, F_OK), 0);
    end_process(scene);
}

static void what_is_newer_than_the_file_stays(void **state)
{
    struct scene *scene = *state;
    struct cost_query query = house_query(COST_VIEW_PODS, "7d");
    leave_snapshot(scene);
    build_process(scene, START_S + 100, 0, ORIGIN);
    cost_service_on_stored(scene->house.service, NULL, NULL); /* the file is to stay as it is */
    house_warm(&scene->house, &query, "2.5");
    snapshot_restore(scene->snapshot, begin_refreshing, scene->refresher);
    fake_loop_run(scene->house.loop);
    assert_logged(scene, "\"datasets\": 1");
    assert_served(scene, "2.5", 0);
    end_process(scene);
}

static void restarted_process_answers_at_once_and_tells_the_age(void **state)
{
    struct scene *scene = *state;
    leave_snapshot(scene);
    begin_process(scene, 100);
    assert_int_equal(asked(scene), 0);
    assert_served(scene, "1.5", INT64_C(100000));
    assert_true(refresher_is_warmed_up(scene->refresher));
    const enum cost_view_kind kinds[] = {COST_VIEW_NAMESPACES, COST_VIEW_RECOMMENDATIONS};
    for (size_t i = 0; i < ARRAY_LENGTH(kinds); i++) {
        struct cost_query query =
            house_query(kinds[i], kinds[i] == COST_VIEW_NAMESPACES ? "7d" : NULL);
        assert_true(house_hits(&scene->house, &query));
    }
    assert_logged(scene, "\"datasets\": 1, \"expired\": 0, \"event\": \"cache.snapshot_restored\"");
    end_process(scene);
}

static void restored_window_is_fetched_when_its_interval_is_over(void **state)
{
    struct scene *scene = *state;
    leave_snapshot(scene);
    begin_process(scene, 100);
    fake_loop_advance(scene->house.loop, INTERVAL_MS - 100 * 1000 - 1);
    assert_int_equal(asked(scene), 0);
    fake_loop_advance(scene->house.loop, 1);
    assert_int_equal(asked(scene), 1);
    answer(scene, 0, "2.5");
    assert_served(scene, "2.5", 0);
    end_process(scene);
}

static void restored_window_past_its_interval_is_served_and_fetched(void **state)
{
    struct scene *scene = *state;
    leave_snapshot(scene);
    begin_process(scene, INTERVAL_MS / 1000);
    assert_served(scene, "1.5", INTERVAL_MS);
    assert_int_equal(asked(scene), 1);
    end_process(scene);
}

static void what_nobody_may_be_served_any_more_is_not_restored(void **state)
{
    struct scene *scene = *state;
    struct cache_stats stats;
    leave_snapshot(scene);
    begin_process(scene, HOUSE_TTL_MS / 1000);
    cache_get_stats(scene->house.cache, &stats);
    assert_int_equal(stats.cached_items, 0);
    assert_int_equal(asked(scene), 1);
    assert_logged(scene, "\"datasets\": 0, \"expired\": 1, \"event\": \"cache.snapshot_restored\"");
    kill_process(scene);
}

static void what_may_be_served_stale_is_restored_for_that(void **state)
{
    struct scene *scene = *state;
    struct cost_query query = house_query(COST_VIEW_PODS, "7d");
    struct asker asker;
    leave_snapshot(scene);
    build_process(scene, START_S + HOUSE_TTL_MS / 1000, HOUSE_STALE_MS, ORIGIN);
    snapshot_restore(scene->snapshot, begin_refreshing, scene->refresher);
    fake_loop_run(scene->house.loop);
    assert_int_equal(asked(scene), 1);
    assert_false(house_hits(&scene->house, &query));
    house_ask(&scene->house, &query, &asker);
    house_fail_fetch(&scene->house, 0, ERR_UPSTREAM_CONNECT);
    assert_non_null(strstr(asker_body(&asker), "1.5"));
    assert_int_equal(asker.answer.source, COST_SOURCE_STALE);
    asker_release(&asker);
    end_process(scene);
}

static void clock_set_back_a_little_makes_data_new_and_much_makes_them_unusable(void **state)
{
    struct scene *scene = *state;
    leave_snapshot(scene);
    begin_process(scene, -60);
    assert_served(scene, "1.5", 0);
    kill_process(scene);
    begin_process(scene, -61);
    assert_int_equal(asked(scene), 1);
    assert_logged(scene, "fetched in the future");
    assert_int_equal(times_logged(scene, "cache.snapshot_ignored"), 1);
    kill_process(scene);
}

static void no_file_is_nothing_to_tell(void **state)
{
    struct scene *scene = *state;
    begin_process(scene, 0);
    assert_int_equal(asked(scene), 1);
    assert_int_equal(times_logged(scene, "snapshot"), 0);
    kill_process(scene);
}

static void every_dataset_is_kept_whoever_asked_for_it(void **state)
{
    struct scene *scene = *state;
    struct cost_query query = house_query(COST_VIEW_NAMESPACES, "3d");
    struct asker asker;
    query.include_idle = true;
    begin_process(scene, 0);
    answer(scene, 0, "1.5");
    house_ask(&scene->house, &query, &asker);
    answer(scene, 1, "3.25");
    asker_release(&asker);
    end_process(scene);
    begin_process(scene, 10);
    assert_int_equal(asked(scene), 0);
    assert_true(house_hits(&scene->house, &query));
    query.include_idle = false;
    assert_false(house_hits(&scene->house, &query));
    end_process(scene);
}

static void trend_is_made_of_restored_months(void **state)
{
    struct scene *scene = *state;
    struct cost_query query = house_query(COST_VIEW_MONTHLY, NULL);
    struct asker asker;
    query.months = 2;
    begin_process(scene, 0);
    answer(scene, 0, "1.5");
    house_ask(&scene->house, &query, &asker);
    answer(scene, 1, "10");
    answer(scene, 2, "20");
    char *before = strdup(asker_body(&asker));
    assert_non_null(before);
    asker_release(&asker);
    end_process(scene);
    begin_process(scene, 10);
    house_ask(&scene->house, &query, &asker);
    assert_int_equal(asked(scene), 0);
    assert_string_equal(asker_body(&asker), before);
    asker_release(&asker);
    free(before);
    end_process(scene);
}

/* Replaces the file by something else. */
static void overwrite(const struct scene *scene, struct text bytes)
{
    assert_true(snapshot_file_write(scene->path, bytes, NULL));
}

static void assert_ignored(struct scene *scene, const char *reason)
{
    begin_process(scene, 100);
    assert_int_equal(times_logged(scene, "cache.snapshot_ignored"), 1);
    assert_logged(scene, reason);
    assert_int_equal(times_logged(scene, "cache.snapshot_restored"), 0);
    assert_int_equal(asked(scene), 1);
    answer(scene, 0, "2.5"); /* nothing else is wrong with this process */
    assert_served(scene, "2.5", 0);
    kill_process(scene);
}

static void file_that_is_no_good_is_ignored_with_the_reason(void **state)
{
    struct scene *scene = *state;
    char *bytes;
    size_t length;
    leave_snapshot(scene);
    assert_true(snapshot_file_read(scene->path, FILE_LIMIT, &bytes, &length, NULL));
    overwrite(scene, (struct text){.data = bytes, .length = length - 5});
    assert_ignored(scene, "checksum does not match");
    bytes[length / 2] ^= 1;
    overwrite(scene, (struct text){.data = bytes, .length = length});
    assert_ignored(scene, "checksum does not match");
    bytes[8] = 2;
    overwrite(scene, (struct text){.data = bytes, .length = length});
    assert_ignored(scene, "newer version");
    free(bytes);
    overwrite(scene, TEXT("{}"));
    assert_ignored(scene, "not a snapshot");
    overwrite(scene, TEXT(""));
    assert_ignored(scene, "not a snapshot");
    assert_int_equal(unlink(scene->path), 0);
    assert_int_equal(mkdir(scene->path, 0700), 0);
    assert_ignored(scene, "not a regular file");
    assert_int_equal(rmdir(scene->path), 0);
}

static void snapshot_of_another_opencost_is_ignored(void **state)
{
    struct scene *scene = *state;
    leave_snapshot(scene);
    build_process(scene, START_S + 100, 0, "http://other:9003");
    snapshot_restore(scene->snapshot, begin_refreshing, scene->refresher);
    fake_loop_run(scene->house.loop);
    assert_logged(scene, "of another OpenCost");
    assert_int_equal(asked(scene), 1);
    kill_process(scene);
}

static void killed_process_leaves_what_it_had_fetched(void **state)
{
    struct scene *scene = *state;
    begin_process(scene, 0);
    answer(scene, 0, "1.5");
    kill_process(scene);
    begin_process(scene, 1);
    assert_served(scene, "1.5", 1000);
    kill_process(scene);
}

static void changes_are_written_at_once_and_then_every_ten_seconds(void **state)
{
    struct scene *scene = *state;
    begin_process(scene, 0);
    answer(scene, 0, "1.5");
    assert_int_equal(unlink(scene->path), 0); /* it had been written */
    snapshot_note_change(scene->snapshot);
    snapshot_note_change(scene->snapshot);
    fake_loop_advance(scene->house.loop, WRITE_INTERVAL_MS - 1);
    assert_false(file_exists(scene));
    fake_loop_advance(scene->house.loop, 1);
    assert_int_equal(unlink(scene->path), 0);
    fake_loop_advance(scene->house.loop, 10 * WRITE_INTERVAL_MS); /* and not without a change */
    assert_false(file_exists(scene));
    snapshot_note_change(scene->snapshot);
    fake_loop_run(scene->house.loop);
    assert_true(file_exists(scene));
    kill_process(scene);
}

static void changes_during_a_write_are_not_lost(void **state)
{
    struct scene *scene = *state;
    begin_process(scene, 0);
    answer(scene, 0, "1.5");
    fake_loop_advance(scene->house.loop, WRITE_INTERVAL_MS);
    fake_loop_hold_jobs(scene->house.loop, true);
    snapshot_note_change(scene->snapshot);
    snapshot_note_change(scene->snapshot);
    assert_int_equal(fake_loop_queued_jobs(scene->house.loop), 1);
    fake_loop_hold_jobs(scene->house.loop, false);
    fake_loop_run(scene->house.loop);
    assert_int_equal(unlink(scene->path), 0);
    fake_loop_advance(scene->house.loop, WRITE_INTERVAL_MS);
    assert_true(file_exists(scene));
    kill_process(scene);
}

static void last_write_is_only_made_for_what_has_changed(void **state)
{
    struct scene *scene = *state;
    begin_process(scene, 0);
    answer(scene, 0, "1.5");
    assert_int_equal(unlink(scene->path), 0);
    end_process(scene);
    assert_false(file_exists(scene));
}

static void write_cancelled_by_the_stop_is_made_up_for(void **state)
{
    struct scene *scene = *state;
    begin_process(scene, 0);
    answer(scene, 0, "1.5");
    fake_loop_advance(scene->house.loop, WRITE_INTERVAL_MS);
    assert_int_equal(unlink(scene->path), 0);
    fake_loop_hold_jobs(scene->house.loop, true);
    snapshot_note_change(scene->snapshot);
    snapshot_stop(scene->snapshot);
    fake_loop_stop(scene->house.loop);
    assert_false(file_exists(scene));
    snapshot_write_last(scene->snapshot);
    assert_true(file_exists(scene));
    kill_process(scene);
}

static void failing_writes_are_told_once_and_tried_again(void **state)
{
    struct scene *scene = *state;
    begin_process(scene, 0);
    assert_int_equal(mkdir(scene->path, 0700), 0); /* nothing can be moved onto it */
    answer(scene, 0, "1.5");
    assert_logged(scene, "cannot write ");
    fake_loop_advance(scene->house.loop, WRITE_INTERVAL_MS);
    snapshot_note_change(scene->snapshot);
    fake_loop_advance(scene->house.loop, WRITE_INTERVAL_MS);
    assert_int_equal(times_logged(scene, "cache.snapshot_failed"), 1);
    assert_int_equal(rmdir(scene->path), 0);
    snapshot_note_change(scene->snapshot);
    fake_loop_advance(scene->house.loop, WRITE_INTERVAL_MS);
    assert_true(file_exists(scene));
    assert_int_equal(unlink(scene->path), 0);
    assert_int_equal(mkdir(scene->path, 0700), 0);
    snapshot_note_change(scene->snapshot);
    fake_loop_run(scene->house.loop);
    assert_int_equal(times_logged(scene, "cache.snapshot_failed"), 2); /* it is news again */
    assert_int_equal(rmdir(scene->path), 0);
    end_process(scene); /* what could not be written is tried once more */
    assert_true(file_exists(scene));
}

static void write_that_finds_no_job_thread_is_made_up_for(void **state)
{
    struct scene *scene = *state;
    begin_process(scene, 0);
    answer(scene, 0, "1.5");
    fake_loop_advance(scene->house.loop, WRITE_INTERVAL_MS);
    assert_int_equal(unlink(scene->path), 0);
    fake_loop_refuse_jobs(scene->house.loop, true);
    snapshot_note_change(scene->snapshot);
    fake_loop_refuse_jobs(scene->house.loop, false);
    assert_false(file_exists(scene));
    end_process(scene);
    assert_true(file_exists(scene));
}

static void restoring_without_a_job_thread_is_given_up(void **state)
{
    struct scene *scene = *state;
    leave_snapshot(scene);
    build_process(scene, START_S, 0, ORIGIN);
    fake_loop_refuse_jobs(scene->house.loop, true);
    snapshot_restore(scene->snapshot, begin_refreshing, scene->refresher);
    fake_loop_refuse_jobs(scene->house.loop, false);
    assert_int_equal(asked(scene), 1);
    assert_logged(scene, "out of memory");
    kill_process(scene);
}

/* A process that was asked for 7d before its file has been read. */
static void begin_with_slow_disk(struct scene *scene)
{
    leave_snapshot(scene);
    build_process(scene, START_S + 100, 0, ORIGIN);
    fake_loop_hold_jobs(scene->house.loop, true);
    snapshot_restore(scene->snapshot, begin_refreshing, scene->refresher);
    fake_loop_run(scene->house.loop);
    assert_int_equal(asked(scene), 0);
}

static void what_was_fetched_while_the_file_was_read_stays(void **state)
{
    struct scene *scene = *state;
    struct cost_query query = house_query(COST_VIEW_PODS, "7d");
    struct asker asker;
    begin_with_slow_disk(scene);
    house_ask(&scene->house, &query, &asker);
    answer(scene, 0, "9.75");
    fake_loop_hold_jobs(scene->house.loop, false);
    fake_loop_run(scene->house.loop);
    assert_non_null(strstr(asker_body(&asker), "9.75"));
    asker_release(&asker);
    assert_served(scene, "9.75", 0);
    end_process(scene);
}

static void file_is_not_replaced_before_it_has_been_read(void **state)
{
    struct scene *scene = *state;
    begin_with_slow_disk(scene);
    snapshot_note_change(scene->snapshot);
    fake_loop_hold_jobs(scene->house.loop, false);
    fake_loop_run(scene->house.loop);
    kill_process(scene);
    begin_process(scene, 110);
    assert_served(scene, "1.5", INT64_C(110000));
    end_process(scene);
}

/* A clock on which much time passes between two looks. */
struct slow_clock {
    struct time_source time;
    struct scene *scene;
    int64_t passed_ns;
};

static int64_t slow_monotonic_ns(void *context)
{
    struct slow_clock *clock = context;
    int64_t passed_ns = clock->passed_ns;
    clock->passed_ns += INT64_C(3000000000);
    return time_monotonic_ns(fake_loop_time(clock->scene->house.loop)) + passed_ns;
}

static int64_t slow_wall_us(void *context)
{
    const struct slow_clock *clock = context;
    return time_wall_us(fake_loop_time(clock->scene->house.loop));
}

static void views_that_would_take_too_long_are_rendered_when_asked_for(void **state)
{
    struct scene *scene = *state;
    struct slow_clock clock = {
        .time = {.monotonic_ns = slow_monotonic_ns, .wall_us = slow_wall_us, .context = &clock},
        .scene = scene,
    };
    const struct cost_query query = house_query(COST_VIEW_PODS, "7d");
    struct asker asker;
    begin_process(scene, 0);
    answer(scene, 0, "1.5");
    end_process(scene);
    scene->time = &clock.time;
    begin_process(scene, 10);
    assert_logged(scene, "cache.snapshot_restored");
    assert_false(house_hits(&scene->house, &query));
    house_ask(&scene->house, &query, &asker);
    assert_non_null(strstr(asker_body(&asker), "1.5"));
    asker_release(&asker);
    assert_int_equal(asked(scene), 0);
    kill_process(scene);
}

static void disk_that_hangs_does_not_keep_us_from_refreshing(void **state)
{
    struct scene *scene = *state;
    begin_with_slow_disk(scene);
    fake_loop_advance(scene->house.loop, 4999);
    assert_int_equal(asked(scene), 0);
    fake_loop_advance(scene->house.loop, 1);
    assert_int_equal(asked(scene), 1);
    assert_logged(scene, "not read within five seconds");
    fake_loop_hold_jobs(scene->house.loop, false);
    fake_loop_run(scene->house.loop);
    assert_served(scene, "1.5", INT64_C(105000)); /* it is used all the same */
    assert_int_equal(asked(scene), 1);
    kill_process(scene);
}

static void stop_while_restoring_begins_nothing(void **state)
{
    struct scene *scene = *state;
    begin_with_slow_disk(scene);
    kill_process(scene); /* and frees everything */
    assert_true(file_exists(scene));
}

static void nothing_is_made_without_timers(void **state)
{
    struct scene *scene = *state;
    build_process(scene, START_S, 0, ORIGIN);
    const struct snapshot_options options = {
        .path = scene->path,
        .origin = ORIGIN,
        .cache = scene->house.cache,
        .scheduler = fake_loop_scheduler(scene->house.loop),
        .time = fake_loop_time(scene->house.loop),
    };
    fake_loop_refuse_timers(scene->house.loop, true);
    assert_null(snapshot_create(&options));
    fake_loop_refuse_timers(scene->house.loop, false);
    kill_process(scene);
    snapshot_destroy(NULL);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(restarted_process_answers_at_once_and_tells_the_age),
        CASE(what_is_newer_than_the_file_stays),
        CASE(what_a_killed_process_left_half_written_is_removed),
        CASE(restored_window_is_fetched_when_its_interval_is_over),
        CASE(restored_window_past_its_interval_is_served_and_fetched),
        CASE(what_nobody_may_be_served_any_more_is_not_restored),
        CASE(what_may_be_served_stale_is_restored_for_that),
        CASE(clock_set_back_a_little_makes_data_new_and_much_makes_them_unusable),
        CASE(no_file_is_nothing_to_tell),
        CASE(every_dataset_is_kept_whoever_asked_for_it),
        CASE(trend_is_made_of_restored_months),
        CASE(file_that_is_no_good_is_ignored_with_the_reason),
        CASE(snapshot_of_another_opencost_is_ignored),
        CASE(killed_process_leaves_what_it_had_fetched),
        CASE(changes_are_written_at_once_and_then_every_ten_seconds),
        CASE(changes_during_a_write_are_not_lost),
        CASE(last_write_is_only_made_for_what_has_changed),
        CASE(write_cancelled_by_the_stop_is_made_up_for),
        CASE(failing_writes_are_told_once_and_tried_again),
        CASE(write_that_finds_no_job_thread_is_made_up_for),
        CASE(restoring_without_a_job_thread_is_given_up),
        CASE(what_was_fetched_while_the_file_was_read_stays),
        CASE(file_is_not_replaced_before_it_has_been_read),
        CASE(views_that_would_take_too_long_are_rendered_when_asked_for),
        CASE(disk_that_hangs_does_not_keep_us_from_refreshing),
        CASE(stop_while_restoring_begins_nothing),
        CASE(nothing_is_made_without_timers),
    };
    return cmocka_run_group_tests_name("snapshot", tests, NULL, NULL);
}
