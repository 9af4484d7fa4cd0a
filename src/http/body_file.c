/* SPDX-License-Identifier: Apache-2.0 */
#include "body_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "head_padding.h"
#include "http/content.h"

enum {
    MIN_BYTES = 64 * 1024,      /* below, a copy costs no more than the second system call */
    MAX_BYTES = 128 * 1024,     /* libmicrohttpd sends so much of a file at once */
    MAX_DESCRIPTOR = 16 * 1024, /* vm.max_map_count is 65,530 */
};

/* The file, or -1 when it is closed again because descriptors are short. */
static int unless_short(int file)
{
    struct rlimit limit;

    if (file < 0 || (file < MAX_DESCRIPTOR &&
                     (getrlimit(RLIMIT_NOFILE, &limit) != 0 ||
                      (rlim_t)file < limit.rlim_cur / HTTP_CONTENT_SHARE_OF_DESCRIPTORS)))
        return file;
    (void)close(file);
    return -1;
}

static bool write_all(int file, struct text bytes)
{
    size_t written = 0;

    while (written < bytes.length) {
        ssize_t count = pwrite(file, bytes.data + written, bytes.length - written,
                               (off_t)(PADDED_HEAD_BYTES + written));

        if (count <= 0)
            return false;
        written += (size_t)count;
    }
    return true;
}

bool body_file_create(struct text bytes, int *ret_file, char **ret_mapped)
{
    void *mapped = MAP_FAILED;
    int file;

    if (bytes.length < MIN_BYTES || bytes.length > MAX_BYTES)
        return false;
    file = unless_short(memfd_create("body", MFD_CLOEXEC));
    if (file < 0)
        return false;
    if (write_all(file, bytes))
        mapped = mmap(NULL, PADDED_HEAD_BYTES + bytes.length, PROT_READ, MAP_SHARED, file, 0);
    if (mapped == MAP_FAILED) {
        (void)close(file);
        return false;
    }
    *ret_file = file;
    *ret_mapped = (char *)mapped + PADDED_HEAD_BYTES;
    return true;
}

void body_file_destroy(int file, char *mapped, size_t length)
{
    (void)munmap(mapped - PADDED_HEAD_BYTES, PADDED_HEAD_BYTES + length);
    (void)close(file);
}

int body_file_share(int file)
{
    return unless_short(fcntl(file, F_DUPFD_CLOEXEC, 0));
}
