/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "snapshot_file.h"

enum { LIMIT = 1 << 20 };

/* A directory of the test's own, and the file in it that it is about. */
struct scene {
    char directory[64];
    char path[128];
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

/* How many files there are; removes them if asked to. */
static size_t files_in(const char *directory, bool remove_them)
{
    size_t count = 0;
    DIR *stream = opendir(directory);
    assert_non_null(stream);
    for (const struct dirent *entry = readdir(stream); entry != NULL; entry = readdir(stream)) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        count++;
        if (remove_them)
            assert_int_equal(unlinkat(dirfd(stream), entry->d_name, 0), 0);
    }
    closedir(stream);
    return count;
}

static int teardown(void **state)
{
    struct scene *scene = *state;
    (void)files_in(scene->directory, true);
    assert_int_equal(rmdir(scene->directory), 0);
    free(scene);
    return 0;
}

static void write_text(const struct scene *scene, const char *text)
{
    struct error error = {.code = ERR_NONE};
    if (!snapshot_file_write(scene->path, text_of(text), &error))
        fail_msg("%s", error.text);
}

static void assert_content(const struct scene *scene, const char *expected)
{
    char *bytes;
    size_t length;
    assert_true(snapshot_file_read(scene->path, LIMIT, &bytes, &length, NULL));
    assert_non_null(bytes);
    assert_int_equal(length, strlen(expected));
    assert_memory_equal(bytes, expected, length);
    free(bytes);
}

static void touch(const struct scene *scene, const char *name)
{
    char path[256];
    (void)snprintf(path, sizeof(path), "%s/%s", scene->directory, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    close(fd);
}

static void what_was_written_is_read_and_replaced_as_a_whole(void **state)
{
    const struct scene *scene = *state;
    struct stat status;
    write_text(scene, "a rather long first content");
    assert_content(scene, "a rather long first content");
    write_text(scene, "short");
    assert_content(scene, "short");
    assert_int_equal(files_in(scene->directory, false), 1);
    assert_int_equal(stat(scene->path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
}

static void an_empty_file_is_not_an_absent_one(void **state)
{
    const struct scene *scene = *state;
    char *bytes;
    size_t length;
    assert_true(snapshot_file_read(scene->path, LIMIT, &bytes, &length, NULL));
    assert_null(bytes);
    write_text(scene, "");
    assert_content(scene, "");
}

static void assert_unreadable(const char *path, size_t limit, enum error_code code)
{
    struct error error = {.code = ERR_NONE};
    char *bytes;
    size_t length;
    assert_false(snapshot_file_read(path, limit, &bytes, &length, &error));
    assert_null(bytes);
    assert_int_equal(error.code, code);
}

static void what_is_no_file_or_too_large_is_not_read(void **state)
{
    const struct scene *scene = *state;
    write_text(scene, "12345");
    assert_unreadable(scene->path, 4, ERR_LIMIT);
    assert_content(scene, "12345");
    assert_unreadable(scene->directory, LIMIT, ERR_INVALID);
    assert_unreadable("/dev/null", LIMIT, ERR_INVALID);
    char beneath[256];
    (void)snprintf(beneath, sizeof(beneath), "%s/x", scene->path);
    assert_unreadable(beneath, LIMIT, ERR_IO);
    assert_int_equal(unlink(scene->path), 0);
    assert_int_equal(mkfifo(scene->path, 0600), 0);
    assert_unreadable(scene->path, LIMIT, ERR_INVALID); /* and waits for no writer */
}

static void assert_unwritable(const char *path)
{
    struct error error = {.code = ERR_NONE};
    assert_false(snapshot_file_write(path, TEXT("content"), &error));
    assert_int_equal(error.code, ERR_IO);
    assert_non_null(strstr(error.text, "cannot write "));
}

static void a_write_that_fails_leaves_nothing_behind(void **state)
{
    const struct scene *scene = *state;
    char path[512];
    assert_unwritable("/nonexistent/cache");
    (void)snprintf(path, sizeof(path), "%s/%0250d", scene->directory, 0); /* too long for .tmp */
    assert_unwritable(path);
    assert_unwritable("/dev/null/cache");
    assert_int_equal(files_in(scene->directory, false), 0);
    assert_int_equal(mkdir(scene->path, 0700), 0); /* nothing is moved onto a directory */
    assert_unwritable(scene->path);
    assert_int_equal(files_in(scene->directory, false), 1);
    assert_int_equal(rmdir(scene->path), 0);
}

static void a_full_disk_leaves_the_old_content(void **state)
{
    const struct scene *scene = *state;
    (void)state;
    write_text(scene, "old");
    pid_t child = fork(); /* whose files may have four bytes */
    assert_true(child >= 0);
    if (child == 0) {
        const struct rlimit four = {.rlim_cur = 4, .rlim_max = 4};
        (void)signal(SIGXFSZ, SIG_IGN);
        bool refused = setrlimit(RLIMIT_FSIZE, &four) == 0 &&
                       !snapshot_file_write(scene->path, TEXT("too long for that"), NULL);
        _exit(refused ? 0 : 1);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    assert_content(scene, "old");
    assert_int_equal(files_in(scene->directory, false), 1);
}

static void leftovers_are_removed_and_other_files_are_not(void **state)
{
    static const char *const kept[] = {
        "cache.tmp",
        "cache.0123456789abcde.tmp",   /* a digit short */
        "cache.0123456789abcdefg.tmp", /* one too many */
        "cache.0123456789abcdef.tmp2",
        "other.0123456789abcdef.tmp",
    };
    const struct scene *scene = *state;
    write_text(scene, "content");
    for (size_t i = 0; i < ARRAY_LENGTH(kept); i++)
        touch(scene, kept[i]);
    touch(scene, "cache.0123456789abcdef.tmp");
    touch(scene, "cache.fedcba9876543210.tmp");
    write_text(scene, "new content"); /* they are in nobody's way */
    snapshot_file_tidy(scene->path);
    assert_int_equal(files_in(scene->directory, false), 1 + ARRAY_LENGTH(kept));
    assert_content(scene, "new content");
    snapshot_file_tidy("/nonexistent/cache");
}

/* Writes one whole content after the other, and a byte to the pipe after each. */
static void write_for_ever(const char *path, char *bytes, size_t length, int pipe)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz";
    for (size_t i = 0;; i++) {
        char c = letters[i % (sizeof(letters) - 1)];
        memset(bytes, c, length);
        if (!snapshot_file_write(path, (struct text){.data = bytes, .length = length}, NULL) ||
            write(pipe, &c, 1) != 1)
            _exit(1);
    }
}

static void a_writer_killed_at_any_moment_leaves_a_whole_file(void **state)
{
    enum { KILLS = 40, LENGTH = 300 * 1000 };
    const struct scene *scene = *state;
    char *bytes = malloc(LENGTH);
    assert_non_null(bytes);
    for (int i = 0; i < KILLS; i++) {
        int ends[2];
        char c;
        assert_int_equal(pipe(ends), 0);
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0)
            write_for_ever(scene->path, bytes, LENGTH, ends[1]);
        assert_int_equal(read(ends[0], &c, 1), 1); /* now it is busy with the second */
        for (volatile int delay = 0; delay < i * 50000; delay = delay + 1)
            continue;
        assert_int_equal(kill(child, SIGKILL), 0);
        assert_int_equal(waitpid(child, NULL, 0), child);
        close(ends[0]);
        close(ends[1]);
        char *found;
        size_t length;
        assert_true(snapshot_file_read(scene->path, LIMIT, &found, &length, NULL));
        assert_int_equal(length, LENGTH);
        for (size_t at = 1; at < length; at++)
            if (found[at] != found[0])
                fail_msg("a mixture, from byte %zu on", at);
        free(found);
    }
    free(bytes);
    snapshot_file_tidy(scene->path);
    assert_int_equal(files_in(scene->directory, false), 1);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(what_was_written_is_read_and_replaced_as_a_whole),
        CASE(an_empty_file_is_not_an_absent_one),
        CASE(what_is_no_file_or_too_large_is_not_read),
        CASE(a_write_that_fails_leaves_nothing_behind),
        CASE(a_full_disk_leaves_the_old_content),
        CASE(leftovers_are_removed_and_other_files_are_not),
        CASE(a_writer_killed_at_any_moment_leaves_a_whole_file),
    };
    return cmocka_run_group_tests_name("snapshot_file", tests, NULL, NULL);
}
