/* SPDX-License-Identifier: Apache-2.0 */
/*
 * To be preloaded (LD_PRELOAD): counts what a program allocates, all its libraries included.
 *
 * The count is in the first eight bytes of the file that ALLOCATION_COUNT names, in the machine's
 * byte order, for anybody to read while the program runs. The file must have these bytes already.
 *
 * Threads: any.
 */
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t nmemb, size_t size);
void *__libc_realloc(void *ptr, size_t size);

static atomic_uint_least64_t before_the_file;
static atomic_uint_least64_t *count = &before_the_file;

__attribute__((constructor)) static void map_count(void)
{
    const char *path = getenv("ALLOCATION_COUNT");
    int fd = path == NULL ? -1 : open(path, O_RDWR | O_CLOEXEC);
    void *mapped =
        fd < 0 ? MAP_FAILED : mmap(NULL, sizeof(*count), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (fd >= 0)
        close(fd);
    if (mapped == MAP_FAILED)
        abort();
    count = mapped;
}

static void count_one(void)
{
    atomic_fetch_add_explicit(count, 1, memory_order_relaxed);
}

void *malloc(size_t size)
{
    count_one();
    return __libc_malloc(size);
}

void *calloc(size_t nmemb, size_t size)
{
    count_one();
    return __libc_calloc(nmemb, size);
}

void *realloc(void *ptr, size_t size)
{
    count_one();
    return __libc_realloc(ptr, size);
}
