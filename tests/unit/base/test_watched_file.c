/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h needs those above */
#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/watched_file.h"
#include "support/alloc_fault.h"

enum { LIMIT = 64 };

struct folder {
    char path[32];
    char file[64];
    char other[64];
    struct watched_file *watched;
};

static int set_up(void **state)
{
    struct folder *folder = calloc(1, sizeof(*folder));
    assert_non_null(folder);
    strcpy(folder->path, "/tmp/kubecent-watch-XXXXXX");
    assert_non_null(mkdtemp(folder->path));
    snprintf(folder->file, sizeof(folder->file), "%s/file", folder->path);
    snprintf(folder->other, sizeof(folder->other), "%s/other", folder->path);
    folder->watched = watched_file_create(folder->file);
    assert_non_null(folder->watched);
    *state = folder;
    return 0;
}

static int tear_down(void **state)
{
    struct folder *folder = *state;
    watched_file_destroy(folder->watched);
    (void)unlink(folder->file);
    (void)unlink(folder->other);
    (void)rmdir(folder->file);
    assert_int_equal(rmdir(folder->path), 0);
    free(folder);
    return 0;
}

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void expect_text(struct folder *folder, const char *expected)
{
    size_t length = 0;
    char *text = watched_file_read(folder->watched, LIMIT, &length, NULL);
    assert_non_null(text);
    assert_string_equal(text, expected);
    assert_int_equal(length, strlen(expected));
    watched_file_free(text, length);
}

static void expect_fault(struct folder *folder, const char *words)
{
    struct error error;
    size_t length = 0;
    assert_null(watched_file_read(folder->watched, LIMIT, &length, &error));
    assert_string_equal(error.text, words);
    assert_true(watched_file_has_changed(folder->watched));
}

static void changed_until_it_was_read(void **state)
{
    struct folder *folder = *state;
    assert_true(watched_file_has_changed(folder->watched));
    write_file(folder->file, "one");
    assert_true(watched_file_has_changed(folder->watched));
    expect_text(folder, "one");
    assert_false(watched_file_has_changed(folder->watched));
    expect_text(folder, "one");
    assert_false(watched_file_has_changed(folder->watched));
}

static void change_is_seen_in_each_way_of_making_it(void **state)
{
    struct folder *folder = *state;
    write_file(folder->file, "one");
    expect_text(folder, "one");

    write_file(folder->file, "longer");
    assert_true(watched_file_has_changed(folder->watched));
    expect_text(folder, "longer");

    write_file(folder->other, "lenger");
    assert_int_equal(rename(folder->other, folder->file), 0);
    assert_true(watched_file_has_changed(folder->watched));
    expect_text(folder, "lenger");

    const struct timespec times[] = {{.tv_sec = 1, .tv_nsec = 0}, {.tv_sec = 1, .tv_nsec = 1}};
    assert_int_equal(utimensat(AT_FDCWD, folder->file, times, 0), 0);
    assert_true(watched_file_has_changed(folder->watched));
    expect_text(folder, "lenger");
    assert_false(watched_file_has_changed(folder->watched));

    assert_int_equal(unlink(folder->file), 0);
    assert_true(watched_file_has_changed(folder->watched));
}

static void another_target_of_a_link_is_a_change(void **state)
{
    struct folder *folder = *state;
    char link[96];
    snprintf(link, sizeof(link), "%s/link", folder->path);
    write_file(folder->file, "one");
    write_file(folder->other, "two");
    assert_int_equal(symlink("file", link), 0);
    struct watched_file *watched = watched_file_create(link);
    assert_non_null(watched);
    assert_string_equal(watched_file_path(watched), link);
    size_t length;
    char *text = watched_file_read(watched, LIMIT, &length, NULL);
    assert_string_equal(text, "one");
    watched_file_free(text, length);
    assert_int_equal(unlink(link), 0);
    assert_int_equal(symlink("other", link), 0);
    assert_true(watched_file_has_changed(watched));
    assert_int_equal(unlink(link), 0);
    watched_file_destroy(watched);
}

static void what_cannot_be_read_stays_changed_and_says_why(void **state)
{
    struct folder *folder = *state;
    char long_text[LIMIT + 2] = "";
    expect_fault(folder, "No such file or directory");
    write_file(folder->file, "one");
    expect_text(folder, "one");
    memset(long_text, 'x', LIMIT);
    write_file(folder->file, long_text);
    expect_text(folder, long_text);
    long_text[LIMIT] = 'x';
    write_file(folder->file, long_text);
    expect_fault(folder, "larger than 64 bytes");
    assert_int_equal(unlink(folder->file), 0);
    assert_int_equal(mkfifo(folder->file, 0600), 0);
    expect_fault(folder, "not a regular file");
    assert_int_equal(unlink(folder->file), 0);
    assert_int_equal(mkdir(folder->file, 0700), 0);
    expect_fault(folder, "not a regular file");
    assert_int_equal(rmdir(folder->file), 0);
    write_file(folder->file, "");
    expect_text(folder, "");
}

static void running_out_of_memory_is_a_fault_like_another(void **state)
{
    struct folder *folder = *state;
    if (!alloc_fault_supported())
        skip();
    write_file(folder->file, "one");
    for (long nth = 1; nth <= 2; nth++) {
        alloc_fault_arm(nth);
        struct watched_file *watched = watched_file_create(folder->file);
        alloc_fault_disarm();
        assert_null(watched);
    }
    alloc_fault_arm(1);
    size_t length;
    char *text = watched_file_read(folder->watched, LIMIT, &length, NULL);
    alloc_fault_disarm();
    assert_null(text);
    assert_true(watched_file_has_changed(folder->watched));
    watched_file_destroy(NULL);
    watched_file_free(NULL, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(changed_until_it_was_read, set_up, tear_down),
        cmocka_unit_test_setup_teardown(change_is_seen_in_each_way_of_making_it, set_up, tear_down),
        cmocka_unit_test_setup_teardown(another_target_of_a_link_is_a_change, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_cannot_be_read_stays_changed_and_says_why, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(running_out_of_memory_is_a_fault_like_another, set_up,
                                        tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
