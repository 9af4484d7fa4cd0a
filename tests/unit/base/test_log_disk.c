/* SPDX-License-Identifier: Apache-2.0 */
/* A log whose disk is full for a while: what comes afterwards is whole, and says what was lost. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h needs those above */
#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/log.h"
#include "base/time_source.h"

enum { TEXT_BYTES = 4096, TORN_BYTES = 20, LINES_MAX = 16 };

/* Always the same, so that lines are of one length. */
static int64_t moment(void *context)
{
    (void)context;
    return 1;
}

static const struct time_source still = {.monotonic_ns = moment, .wall_us = moment};

/* As if there were so much room left behind what the file has; RLIM_INFINITY: enough. */
static void leave_room(int fd, rlim_t bytes)
{
    struct rlimit limit;
    off_t size = lseek(fd, 0, SEEK_END);

    assert_true(size >= 0);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = bytes == RLIM_INFINITY ? limit.rlim_max : (rlim_t)size + bytes;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void log_number(struct log *log, int number)
{
    log_info(log, LOG_EVENT("test.event"), LOG_INT("number", number));
    log_flush(log);
}

/* Returns how many lines there are. */
static size_t read_lines(int fd, char text[TEXT_BYTES], char *lines[LINES_MAX])
{
    ssize_t length = pread(fd, text, TEXT_BYTES - 1, 0);
    char *place = NULL;
    size_t count = 0;

    assert_true(length > 0);
    text[length] = '\0';
    for (char *line = strtok_r(text, "\n", &place); line != NULL && count < LINES_MAX;
         line = strtok_r(NULL, "\n", &place))
        lines[count++] = line;
    return count;
}

static void assert_line(const char *line, const char *part)
{
    assert_int_equal(line[0], '{');
    assert_int_equal(line[strlen(line) - 1], '}');
    assert_non_null(strstr(line, part));
}

static void torn_lines_are_ended_and_losses_told_when_there_is_room_again(void **state)
{
    char text[TEXT_BYTES];
    char *lines[LINES_MAX];
    struct error error;
    FILE *file = tmpfile();

    (void)state;
    assert_non_null(file);
    int fd = fileno(file);
    struct log *log = log_create(
        &(struct log_options){.level = LOG_LEVEL_INFO, .fd = fd, .time = &still}, &error);
    assert_non_null(log);
    log_number(log, 1);
    rlim_t line_bytes = (rlim_t)lseek(fd, 0, SEEK_END);
    leave_room(fd, TORN_BYTES);
    log_number(log, 2);
    leave_room(fd, 1 + line_bytes + TORN_BYTES); /* for a line, but not for what tells the loss */
    log_number(log, 3);
    leave_room(fd, RLIM_INFINITY);
    log_number(log, 4);
    log_destroy(log);

    assert_int_equal(read_lines(fd, text, lines), 6);
    assert_line(lines[0], "\"number\": 1");
    assert_int_equal(strlen(lines[1]), TORN_BYTES);
    assert_line(lines[2], "\"number\": 3");
    assert_int_equal(strlen(lines[3]), TORN_BYTES);
    assert_line(lines[4], "\"number\": 4");
    assert_line(lines[5], "\"event\": \"log.dropped\"");
    assert_non_null(strstr(lines[5], "\"count\": 1"));
    (void)fclose(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(torn_lines_are_ended_and_losses_told_when_there_is_room_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
