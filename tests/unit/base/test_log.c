/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/strbuf.h"
#include "support/alloc_fault.h"

enum { PIPE_BYTES = 4096, READ_LIMIT = 64 * 1024 * 1024 };

struct pipe_ends {
    int reader;
    int writer;
};

static struct pipe_ends open_pipe(int flags)
{
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    /* A small pipe fills up quickly. */
    assert_true(fcntl(ends[1], F_SETPIPE_SZ, PIPE_BYTES) >= PIPE_BYTES);
    assert_int_equal(fcntl(ends[1], F_SETFL, flags), 0);
    return (struct pipe_ends){ends[0], ends[1]};
}

static int open_temporary(void)
{
    FILE *file = tmpfile();
    assert_non_null(file);
    int fd = dup(fileno(file));
    fclose(file);
    assert_true(fd >= 0);
    return fd;
}

static struct log *open_log(int fd, size_t buffer_bytes)
{
    const struct log_options options = {
        .level = LOG_LEVEL_INFO, .format = LOG_FORMAT_JSON, .fd = fd, .buffer_bytes = buffer_bytes};
    struct error error;
    struct log *log = log_create(&options, &error);
    assert_non_null(log);
    return log;
}

/* All that can be read from the beginning of a file or, to its end, from a pipe. */
static char *read_all(int fd)
{
    struct strbuf text;
    char piece[4096];
    (void)lseek(fd, 0, SEEK_SET);
    strbuf_init(&text, READ_LIMIT);
    strbuf_append_text(&text, "");
    for (ssize_t n = read(fd, piece, sizeof(piece)); n > 0; n = read(fd, piece, sizeof(piece)))
        strbuf_append(&text, piece, (size_t)n);
    char *bytes = strbuf_take(&text, NULL);
    assert_non_null(bytes);
    return bytes;
}

struct tally {
    size_t lines;
    size_t events[4];       /* lines of event "test.event" by their field "thread" */
    json_int_t last[4];     /* their last field "n" */
    json_int_t dropped_sum; /* of the counts in log.dropped */
};

/* Parses each line, which so is seen to be whole, and checks each thread's lines for their order.
 * Destroys the text. */
static struct tally tally_lines(char *text)
{
    struct tally tally = {.last = {-1, -1, -1, -1}};
    char *place = NULL;
    for (char *line = strtok_r(text, "\n", &place); line != NULL;
         line = strtok_r(NULL, "\n", &place)) {
        json_t *object = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
        if (object == NULL)
            fail_msg("not a whole line: %s", line);
        const char *event = json_string_value(json_object_get(object, "event"));
        tally.lines++;
        if (strcmp(event, "log.dropped") == 0) {
            assert_string_equal(json_string_value(json_object_get(object, "level")), "warning");
            tally.dropped_sum += json_integer_value(json_object_get(object, "count"));
        } else {
            size_t thread = (size_t)json_integer_value(json_object_get(object, "thread"));
            json_int_t n = json_integer_value(json_object_get(object, "n"));
            assert_true(thread < ARRAY_LENGTH(tally.last) && n > tally.last[thread]);
            tally.last[thread] = n;
            tally.events[thread]++;
        }
        json_decref(object);
    }
    free(text);
    return tally;
}

static void log_numbered(struct log *log, int thread, int n)
{
    log_info(log, LOG_EVENT("test.event"), LOG_INT("thread", thread), LOG_INT("n", n));
}

static void flush_returns_when_all_is_written(void **state)
{
    int fd = open_temporary();
    struct log *log = open_log(fd, 0);
    (void)state;
    for (int round = 1; round <= 20; round++) {
        log_numbered(log, 0, round);
        log_flush(log);
        assert_int_equal(tally_lines(read_all(fd)).lines, round);
    }
    log_flush(log);
    log_destroy(log);
    close(fd);
}

static void destroy_writes_what_is_left(void **state)
{
    int fd = open_temporary();
    struct log *log = open_log(fd, 0);
    (void)state;
    for (int n = 0; n < 1000; n++)
        log_numbered(log, 0, n);
    log_destroy(log);
    assert_int_equal(tally_lines(read_all(fd)).events[0], 1000);
    close(fd);
}

static void lines_that_nobody_waits_for_are_written_too(void **state)
{
    struct pipe_ends ends = open_pipe(0);
    struct log *log = open_log(ends.writer, 0);
    struct pollfd arrival = {.fd = ends.reader, .events = POLLIN};
    (void)state;
    log_numbered(log, 0, 1);
    assert_int_equal(poll(&arrival, 1, 10000), 1);
    log_destroy(log);
    close(ends.writer);
    close(ends.reader);
}

static void lines_go_round_the_ring_unharmed(void **state)
{
    int fd = open_temporary();
    struct log *log = open_log(fd, 1000); /* no multiple of a line's length */
    (void)state;
    for (int n = 0; n < 500; n++) {
        log_numbered(log, 0, n);
        if (n % 3 == 0)
            log_flush(log);
    }
    log_destroy(log);
    struct tally tally = tally_lines(read_all(fd));
    assert_int_equal(tally.events[0], 500);
    assert_int_equal(tally.dropped_sum, 0);
    close(fd);
}

struct producer {
    struct log *log;
    int thread;
    int count;
};

static void *produce(void *argument)
{
    const struct producer *producer = argument;
    for (int n = 0; n < producer->count; n++)
        log_numbered(producer->log, producer->thread, n);
    return NULL;
}

struct consumer {
    int fd;
    char *text;
};

static void *consume(void *argument)
{
    struct consumer *consumer = argument;
    consumer->text = read_all(consumer->fd);
    return NULL;
}

/* Three threads log through a ring and a pipe that are both far too small. */
static void each_line_is_written_whole_or_counted_as_dropped(void **state)
{
    enum { THREADS = 3, LINES = 5000 };
    const int modes[] = {0, O_NONBLOCK};
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(modes); i++) {
        struct pipe_ends ends = open_pipe(modes[i]);
        struct log *log = open_log(ends.writer, 3000);
        struct consumer consumer = {.fd = ends.reader};
        struct producer producers[THREADS];
        pthread_t threads[THREADS + 1];
        pthread_create(&threads[THREADS], NULL, consume, &consumer);
        for (int t = 0; t < THREADS; t++) {
            producers[t] = (struct producer){log, t, LINES};
            pthread_create(&threads[t], NULL, produce, &producers[t]);
        }
        for (int t = 0; t < THREADS; t++)
            pthread_join(threads[t], NULL);
        log_flush(log);
        uint64_t dropped = log_dropped(log);
        log_destroy(log);
        close(ends.writer);
        pthread_join(threads[THREADS], NULL);
        close(ends.reader);
        struct tally tally = tally_lines(consumer.text);
        assert_int_equal(tally.events[0] + tally.events[1] + tally.events[2] + dropped,
                         THREADS * LINES);
        assert_int_equal(tally.dropped_sum, dropped);
    }
}

static void a_stuck_reader_costs_lines_but_blocks_nobody(void **state)
{
    struct pipe_ends ends = open_pipe(0);
    struct log *log = open_log(ends.writer, 4000);
    struct consumer consumer = {.fd = ends.reader};
    pthread_t thread;
    int logged = 0;
    (void)state;
    /* Nobody reads: the pipe fills up, then the ring. A blocking log would never get out of here.
     */
    while (log_dropped(log) < 10)
        log_numbered(log, 0, logged++);
    pthread_create(&thread, NULL, consume, &consumer);
    log_flush(log);
    uint64_t dropped = log_dropped(log);
    log_numbered(log, 0, logged++);
    log_destroy(log);
    close(ends.writer);
    pthread_join(thread, NULL);
    close(ends.reader);
    struct tally tally = tally_lines(consumer.text);
    assert_int_equal(tally.dropped_sum, dropped);
    assert_int_equal(tally.events[0] + dropped, logged);
    assert_int_equal(tally.last[0], logged - 1);
}

static size_t count_threads(void)
{
    DIR *tasks = opendir("/proc/self/task");
    size_t count = 0;
    assert_non_null(tasks);
    for (const struct dirent *entry = readdir(tasks); entry != NULL; entry = readdir(tasks))
        count += entry->d_name[0] != '.' ? 1 : 0;
    closedir(tasks);
    return count;
}

static void a_stuck_reader_does_not_hold_up_the_end(void **state)
{
    struct pipe_ends ends = open_pipe(0);
    const struct log_options options = {.fd = ends.writer, .end_limit_ms = 10};
    struct error error;
    size_t threads = count_threads();
    struct log *log = log_create(&options, &error);
    (void)state;
    assert_non_null(log);
    for (int n = 0; n < PIPE_BYTES; n++) /* more bytes than the pipe takes */
        log_numbered(log, 0, n);
    log_destroy(log);
    assert_int_equal(count_threads(), threads + 1);
    /* What the writer was left with it frees when it gets on, or else is a leak. Its descriptor
     * stays open: it is as little ours as the memory. */
    close(ends.reader);
    while (count_threads() > threads)
        (void)poll(NULL, 0, 1);
}

static void a_reader_who_leaves_is_no_reason_to_die(void **state)
{
    struct pipe_ends ends = open_pipe(0);
    struct log *log = open_log(ends.writer, 0);
    (void)state;
    signal(SIGPIPE, SIG_DFL);
    close(ends.reader);
    for (int n = 0; n < 10; n++) {
        log_numbered(log, 0, n);
        log_flush(log);
    }
    assert_int_equal(log_dropped(log), 10);
    log_destroy(log);
    close(ends.writer);
}

static void a_bad_descriptor_loses_lines_and_nothing_else(void **state)
{
    struct log *log = open_log(-1, 0);
    (void)state;
    log_numbered(log, 0, 1);
    log_flush(log);
    assert_int_equal(log_dropped(log), 1);
    log_destroy(log);
}

static void losses_are_reported_once_writing_works_again(void **state)
{
    int target = open_temporary();
    struct pipe_ends ends = open_pipe(0);
    struct log *log = open_log(ends.writer, 0);
    (void)state;
    close(ends.reader);
    log_numbered(log, 0, 1);
    log_numbered(log, 0, 2);
    log_flush(log);
    assert_int_equal(dup3(target, ends.writer, O_CLOEXEC), ends.writer);
    log_numbered(log, 0, 3);
    log_destroy(log);
    struct tally tally = tally_lines(read_all(target));
    assert_int_equal(tally.events[0], 1);
    assert_int_equal(tally.last[0], 3);
    assert_int_equal(tally.dropped_sum, 2);
    close(target);
    close(ends.writer);
}

static void lines_below_the_level_are_not_written(void **state)
{
    int fd = open_temporary();
    struct log *log = open_log(fd, 0);
    (void)state;
    assert_false(log_enabled(log, LOG_LEVEL_DEBUG));
    log_debug(log, LOG_EVENT("test.event"), LOG_INT("thread", 0), LOG_INT("n", 1));
    log_set_level(log, LOG_LEVEL_DEBUG);
    log_debug(log, LOG_EVENT("test.event"), LOG_INT("thread", 0), LOG_INT("n", 2));
    log_set_level(log, LOG_LEVEL_CRITICAL);
    log_error(log, LOG_EVENT("test.event"), LOG_INT("thread", 0), LOG_INT("n", 3));
    log_critical(log, LOG_EVENT("test.event"), LOG_INT("thread", 0), LOG_INT("n", 4));
    log_destroy(log);
    struct tally tally = tally_lines(read_all(fd));
    assert_int_equal(tally.events[0], 2);
    assert_int_equal(tally.last[0], 4);
    close(fd);
}

static int64_t fixed_wall_us(void *context)
{
    (void)context;
    return INT64_C(1770811200000000);
}

static void the_line_names_the_place_and_the_time_source(void **state)
{
    char expected[200];
    const struct time_source time = {.wall_us = fixed_wall_us};
    int fd = open_temporary();
    const struct log_options options = {.fd = fd, .time = &time};
    struct log *log = log_create(&options, NULL);
    (void)state;
    assert_non_null(log);
    const int line = __LINE__ + 1;
    log_warning(log, LOG_EVENT("e"));
    log_destroy(log);
    (void)snprintf(expected, sizeof(expected),
                   "{\"event\": \"e\", \"level\": \"warning\", "
                   "\"timestamp\": \"2026-02-11T12:00:00Z\", \"filename\": \"test_log.c\", "
                   "\"lineno\": %d, \"func_name\": \"%s\"}\n",
                   line, __func__);
    char *text = read_all(fd);
    assert_string_equal(text, expected);
    free(text);
    close(fd);
}

static void without_a_log_nothing_happens(void **state)
{
    (void)state;
    log_info(NULL, LOG_EVENT("e"));
    log_set_level(NULL, LOG_LEVEL_DEBUG);
    log_flush(NULL);
    log_destroy(NULL);
    assert_false(log_enabled(NULL, LOG_LEVEL_CRITICAL));
    assert_int_equal(log_dropped(NULL), 0);
}

/* Lengths of one value around each limit: the stack, the heap, and beyond. */
static void long_lines_are_whole_up_to_64_kb_and_cut_beyond(void **state)
{
    static const size_t lengths[] = {1800, 1900, 2000, 2048, 3000, 60000, 70000, 500000};
    char *value = malloc(500001);
    (void)state;
    assert_non_null(value);
    memset(value, 'v', 500000);
    value[500000] = '\0';
    for (size_t i = 0; i < ARRAY_LENGTH(lengths); i++) {
        int fd = open_temporary();
        struct log *log = open_log(fd, 0);
        log_info(log, LOG_EVENT("e"), LOG_STRN("value", value, lengths[i]));
        log_destroy(log);
        char *text = read_all(fd);
        json_t *line = json_loads(text, 0, NULL);
        assert_non_null(line);
        bool is_cut = lengths[i] > 64000;
        assert_int_equal(json_string_length(json_object_get(line, "value")),
                         is_cut ? 1024 : lengths[i]);
        assert_int_equal(json_is_true(json_object_get(line, "truncated")), is_cut);
        json_decref(line);
        free(text);
        close(fd);
    }
    free(value);
}

static void a_line_longer_than_the_ring_is_dropped_and_reported(void **state)
{
    int fd = open_temporary();
    struct log *log = open_log(fd, 100);
    (void)state;
    log_numbered(log, 0, 1);
    log_flush(log);
    assert_int_equal(log_dropped(log), 1);
    struct tally tally = tally_lines(read_all(fd));
    assert_int_equal(tally.dropped_sum, 1);
    log_destroy(log);
    close(fd);
}

static void a_long_line_is_cut_when_memory_is_short(void **state)
{
    char value[3001];
    int fd = open_temporary();
    (void)state;
    if (!alloc_fault_supported())
        skip();
    memset(value, 'v', sizeof(value) - 1);
    value[sizeof(value) - 1] = '\0';
    struct log *log = open_log(fd, 0);
    /* The block for the line cannot grow; with cut values it need not grow as far. */
    alloc_fault_arm(2);
    log_info(log, LOG_EVENT("e"), LOG_STR("value", value), LOG_STR("again", value));
    assert_true(alloc_fault_hit());
    alloc_fault_disarm();
    assert_int_equal(log_dropped(log), 0);
    log_destroy(log);
    char *text = read_all(fd);
    json_t *line = json_loads(text, 0, NULL);
    assert_non_null(line);
    json_decref(line);
    free(text);
    close(fd);
}

static void creating_survives_any_failing_allocation(void **state)
{
    (void)state;
    if (!alloc_fault_supported())
        skip();
    int fd = open_temporary();
    const struct log_options options = {.fd = fd};
    for (long nth = 1;; nth++) {
        struct error error = {0};
        alloc_fault_arm(nth);
        struct log *log = log_create(&options, &error);
        bool hit = alloc_fault_hit();
        alloc_fault_disarm();
        log_destroy(log);
        if (!hit)
            break;
        assert_null(log);
        assert_true(error.code == ERR_NO_MEMORY || error.code == ERR_LIMIT);
    }
    close(fd);
}

static void level_names_are_read_in_any_case(void **state)
{
    static const struct {
        const char *name;
        enum log_level level;
    } cases[] = {
        {"DEBUG", LOG_LEVEL_DEBUG},       {"debug", LOG_LEVEL_DEBUG},
        {"Info", LOG_LEVEL_INFO},         {"WARNING", LOG_LEVEL_WARNING},
        {"warn", LOG_LEVEL_WARNING},      {"ERROR", LOG_LEVEL_ERROR},
        {"CRITICAL", LOG_LEVEL_CRITICAL}, {"fatal", LOG_LEVEL_CRITICAL},
        {"chatty", LOG_LEVEL_INFO},       {"", LOG_LEVEL_INFO},
        {" debug", LOG_LEVEL_INFO},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++)
        assert_int_equal(log_level_from_name(cases[i].name), cases[i].level);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(flush_returns_when_all_is_written),
        cmocka_unit_test(destroy_writes_what_is_left),
        cmocka_unit_test(lines_that_nobody_waits_for_are_written_too),
        cmocka_unit_test(lines_go_round_the_ring_unharmed),
        cmocka_unit_test(each_line_is_written_whole_or_counted_as_dropped),
        cmocka_unit_test(a_stuck_reader_costs_lines_but_blocks_nobody),
        cmocka_unit_test(a_stuck_reader_does_not_hold_up_the_end),
        cmocka_unit_test(a_reader_who_leaves_is_no_reason_to_die),
        cmocka_unit_test(a_bad_descriptor_loses_lines_and_nothing_else),
        cmocka_unit_test(losses_are_reported_once_writing_works_again),
        cmocka_unit_test(lines_below_the_level_are_not_written),
        cmocka_unit_test(the_line_names_the_place_and_the_time_source),
        cmocka_unit_test(without_a_log_nothing_happens),
        cmocka_unit_test(long_lines_are_whole_up_to_64_kb_and_cut_beyond),
        cmocka_unit_test(a_line_longer_than_the_ring_is_dropped_and_reported),
        cmocka_unit_test(a_long_line_is_cut_when_memory_is_short),
        cmocka_unit_test(creating_survives_any_failing_allocation),
        cmocka_unit_test(level_names_are_read_in_any_case),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
