/* SPDX-License-Identifier: Apache-2.0 */
/*
 * To be preloaded (LD_PRELOAD): counts what a program allocates, all its libraries included, and
 * makes one allocation fail.
 *
 * The file that ALLOCATION_COUNT names has two numbers of eight bytes, in the machine's byte order,
 * for anybody to read and write while the program runs: the count, and how many allocations from
 * now on the one that fails is (0: none). The file must have these bytes already.
 *
 * Threads: any.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t nmemb, size_t size);
void *__libc_realloc(void *ptr, size_t size);

struct numbers {
    atomic_uint_least64_t count;
    atomic_int_least64_t countdown;
};

static struct numbers before_the_file;
static struct numbers *numbers = &before_the_file;

__attribute__((constructor)) static void map_count(void)
{
    const char *path = getenv("ALLOCATION_COUNT");
    int fd = path == NULL ? -1 : open(path, O_RDWR | O_CLOEXEC);
    void *mapped = fd < 0 ? MAP_FAILED
                          : mmap(NULL, sizeof(*numbers), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (fd >= 0)
        close(fd);
    if (mapped == MAP_FAILED)
        abort();
    numbers = mapped;
}

/* True when this is the one that fails. */
static bool count_one(void)
{
    atomic_fetch_add_explicit(&numbers->count, 1, memory_order_relaxed);
    if (atomic_load_explicit(&numbers->countdown, memory_order_relaxed) <= 0 ||
        atomic_fetch_sub_explicit(&numbers->countdown, 1, memory_order_relaxed) != 1)
        return false;
    errno = ENOMEM;
    return true;
}

void *malloc(size_t size)
{
    return count_one() ? NULL : __libc_malloc(size);
}

void *calloc(size_t nmemb, size_t size)
{
    return count_one() ? NULL : __libc_calloc(nmemb, size);
}

void *realloc(void *ptr, size_t size)
{
    return count_one() ? NULL : __libc_realloc(ptr, size);
}
