/* SPDX-License-Identifier: Apache-2.0 */
/*
 * To be preloaded (LD_PRELOAD): counts the mutexes that a program's own code locks; those of its
 * libraries are not counted.
 *
 * The file that LOCK_COUNT names has the count, eight bytes in the machine's byte order. It must
 * have these bytes already.
 *
 * Threads: any.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <link.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

static atomic_uint_least64_t before_the_file;
static atomic_uint_least64_t *count = &before_the_file;
static int (*lock_of_library)(pthread_mutex_t *mutex);

static struct {
    uintptr_t begin, end;
} program;

/* The program itself is the first to be named. */
static int note_program(struct dl_phdr_info *info, size_t size, void *unused)
{
    (void)size, (void)unused;
    program.begin = UINTPTR_MAX;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
        uintptr_t begin = info->dlpi_addr + segment->p_vaddr;
        if (segment->p_type != PT_LOAD)
            continue;
        program.begin = begin < program.begin ? begin : program.begin;
        program.end =
            begin + segment->p_memsz > program.end ? begin + segment->p_memsz : program.end;
    }
    return 1;
}

static void find_lock(void)
{
    *(void **)&lock_of_library = dlsym(RTLD_NEXT, "pthread_mutex_lock");
}

__attribute__((constructor)) static void map_count(void)
{
    const char *path = getenv("LOCK_COUNT");
    int fd = path == NULL ? -1 : open(path, O_RDWR | O_CLOEXEC);
    void *mapped =
        fd < 0 ? MAP_FAILED : mmap(NULL, sizeof(*count), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (fd >= 0)
        close(fd);
    if (mapped == MAP_FAILED)
        abort();
    find_lock();
    (void)dl_iterate_phdr(note_program, NULL);
    count = mapped;
}

int pthread_mutex_lock(pthread_mutex_t *mutex)
{
    uintptr_t caller = (uintptr_t)__builtin_return_address(0);
    if (caller >= program.begin && caller < program.end)
        atomic_fetch_add_explicit(count, 1, memory_order_relaxed);
    if (lock_of_library == NULL) /* a constructor that comes before ours */
        find_lock();
    return lock_of_library(mutex);
}
