/* SPDX-License-Identifier: Apache-2.0 */
#include "base/watched_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct watched_file {
    char *path;
    struct stat seen; /* what was last read */
    bool was_read;    /* else `seen` says nothing */
};

struct watched_file *watched_file_create(const char *path)
{
    struct watched_file *file = calloc(1, sizeof(*file));
    if (file == NULL)
        return NULL;
    file->path = strdup(path);
    if (file->path == NULL) {
        free(file);
        return NULL;
    }
    return file;
}

void watched_file_destroy(struct watched_file *file)
{
    if (file == NULL)
        return;
    free(file->path);
    free(file);
}

const char *watched_file_path(const struct watched_file *file)
{
    return file->path;
}

static bool is_same_time(const struct timespec *a, const struct timespec *b)
{
    return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

static bool is_same_file(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
           is_same_time(&a->st_mtim, &b->st_mtim) && is_same_time(&a->st_ctim, &b->st_ctim);
}

bool watched_file_has_changed(const struct watched_file *file)
{
    struct stat now;
    return !file->was_read || stat(file->path, &now) != 0 || !is_same_file(&now, &file->seen);
}

/* Bytes read, at most `size`, or -1 (and errno). */
static ssize_t read_all(int fd, char *buffer, size_t size)
{
    size_t length = 0;
    while (length < size) {
        ssize_t count = read(fd, buffer + length, size - length);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return -1;
        if (count == 0)
            break;
        length += (size_t)count;
    }
    return (ssize_t)length;
}

static bool set_errno_error(struct error *reterr)
{
    char words[128];
    return error_set(reterr, ERR_IO, "%s", strerror_r(errno, words, sizeof(words)));
}

/* Reads into `text`, which has room for a byte more than may be. */
static bool read_into(struct watched_file *file, int fd, char *text, size_t limit_bytes,
                      size_t *ret_length, struct error *reterr)
{
    if (fstat(fd, &file->seen) != 0)
        return set_errno_error(reterr);
    if (!S_ISREG(file->seen.st_mode))
        return error_set(reterr, ERR_INVALID, "not a regular file");
    ssize_t length = read_all(fd, text, limit_bytes + 1);
    if (length < 0)
        return set_errno_error(reterr);
    if ((size_t)length > limit_bytes)
        return error_set(reterr, ERR_LIMIT, "larger than %zu bytes", limit_bytes);
    text[length] = '\0';
    *ret_length = (size_t)length;
    return true;
}

char *watched_file_read(struct watched_file *file, size_t limit_bytes, size_t *ret_length,
                        struct error *reterr)
{
    file->was_read = false;
    /* Non-blocking, lest a FIFO in the file's place holds us up. */
    int fd = open(file->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) {
        (void)set_errno_error(reterr);
        return NULL;
    }
    char *text = malloc(limit_bytes + 1);
    if (text == NULL)
        (void)error_no_memory(reterr);
    else
        file->was_read = read_into(file, fd, text, limit_bytes, ret_length, reterr);
    close(fd);
    if (!file->was_read) {
        watched_file_free(text, limit_bytes);
        return NULL;
    }
    return text;
}

void watched_file_free(char *text, size_t length)
{
    if (text == NULL)
        return;
    explicit_bzero(text, length);
    free(text);
}
