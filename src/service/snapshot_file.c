/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Written beside the file, under a name of its own (`<name>.<16 digits>.tmp`), flushed to the disk,
 * then moved onto it. Two processes that were given the same file do not meet: the last one wins.
 */
#include "snapshot_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

enum { RANDOM_DIGITS = 16 };

static const char suffix[] = ".tmp";

/* Where a file lies. */
struct place {
    int directory; /* -1 when it cannot be opened */
    const char *name;
};

static struct place place_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    struct place place = {.name = slash != NULL ? slash + 1 : path};
    char directory[PATH_MAX] = ".";
    size_t length = (size_t)(place.name - path);
    if (length >= sizeof(directory)) {
        errno = ENAMETOOLONG;
        place.directory = -1;
        return place;
    }
    if (length > 0)
        *(char *)mempcpy(directory, path, length) = '\0';
    place.directory = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return place;
}

static void place_finish(const struct place *place)
{
    int error = errno;
    if (place->directory >= 0)
        close(place->directory);
    errno = error;
}

static bool write_all(int fd, struct text bytes)
{
    while (bytes.length > 0) {
        ssize_t written = write(fd, bytes.data, bytes.length);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return false;
        bytes.data += written;
        bytes.length -= (size_t)written;
    }
    return true;
}

/* False and errno. The temporary file is gone afterwards, one way or the other. */
static bool replace(const struct place *place, const char *temporary, struct text bytes)
{
    int fd = openat(place->directory, temporary,
                    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return false;
    bool written = write_all(fd, bytes) && fsync(fd) == 0;
    int error = errno;
    if (close(fd) != 0 && written) {
        written = false;
        error = errno;
    }
    if (written && renameat(place->directory, temporary, place->directory, place->name) == 0)
        return fsync(place->directory) == 0;
    if (written)
        error = errno;
    (void)unlinkat(place->directory, temporary, 0);
    errno = error;
    return false;
}

static bool name_temporary(const struct place *place, char temporary[NAME_MAX + 1])
{
    unsigned long long number;
    if (getrandom(&number, sizeof(number), 0) != (ssize_t)sizeof(number))
        return false;
    int length = snprintf(temporary, NAME_MAX + 1, "%s.%0*llx%s", place->name, RANDOM_DIGITS,
                          number, suffix);
    errno = ENAMETOOLONG;
    return length <= NAME_MAX;
}

bool snapshot_file_write(const char *path, struct text bytes, struct error *reterr)
{
    struct place place = place_of(path);
    char temporary[NAME_MAX + 1];
    bool done = place.directory >= 0 && name_temporary(&place, temporary) &&
                replace(&place, temporary, bytes);
    place_finish(&place);
    char reason[128];
    return done || error_set(reterr, ERR_IO, "cannot write %s: %s", path,
                             strerror_r(errno, reason, sizeof(reason)));
}

static bool read_all(int fd, char *bytes, size_t length)
{
    size_t done = 0;
    while (done < length) {
        ssize_t got = read(fd, bytes + done, length - done);
        if (got < 0 && errno == EINTR)
            continue;
        if (got == 0)
            errno = EIO; /* shorter than a moment ago: nobody does that to our files */
        if (got <= 0)
            return false;
        done += (size_t)got;
    }
    return true;
}

static bool read_open_file(int fd, size_t limit_bytes, char **ret_bytes, size_t *ret_length,
                           struct error *reterr)
{
    struct stat status;
    char reason[128];
    if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode))
        return error_set(reterr, ERR_INVALID, "not a regular file");
    if (status.st_size < 0 || (uint64_t)status.st_size > limit_bytes)
        return error_set(reterr, ERR_LIMIT, "larger than %zu bytes", limit_bytes);
    size_t length = (size_t)status.st_size;
    char *bytes = malloc(length + 1);
    if (bytes == NULL)
        return error_no_memory(reterr);
    if (!read_all(fd, bytes, length)) {
        int error = errno;
        free(bytes);
        return error_set(reterr, ERR_IO, "cannot be read: %s",
                         strerror_r(error, reason, sizeof(reason)));
    }
    *ret_bytes = bytes;
    *ret_length = length;
    return true;
}

bool snapshot_file_read(const char *path, size_t limit_bytes, char **ret_bytes, size_t *ret_length,
                        struct error *reterr)
{
    char reason[128];
    *ret_bytes = NULL;
    *ret_length = 0;
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC); /* waits for no pipe's other end */
    if (fd < 0 && errno == ENOENT)
        return true;
    if (fd < 0)
        return error_set(reterr, ERR_IO, "cannot be opened: %s",
                         strerror_r(errno, reason, sizeof(reason)));
    bool done = read_open_file(fd, limit_bytes, ret_bytes, ret_length, reterr);
    close(fd);
    return done;
}

/* `<name>.<digits>.tmp`, and nothing that merely looks alike. */
static bool is_leftover(const char *found, const char *name)
{
    size_t length = strlen(name);
    if (strncmp(found, name, length) != 0 || found[length] != '.')
        return false;
    const char *digits = found + length + 1;
    return strspn(digits, "0123456789abcdef") == RANDOM_DIGITS &&
           strcmp(digits + RANDOM_DIGITS, suffix) == 0;
}

void snapshot_file_tidy(const char *path)
{
    struct place place = place_of(path);
    DIR *directory = place.directory < 0 ? NULL : fdopendir(place.directory);
    if (directory == NULL) {
        place_finish(&place);
        return;
    }
    for (const struct dirent *entry = readdir(directory); entry != NULL; entry = readdir(directory))
        if (is_leftover(entry->d_name, place.name))
            (void)unlinkat(place.directory, entry->d_name, 0);
    closedir(directory); /* and the descriptor with it */
}
