/* SPDX-License-Identifier: Apache-2.0 */
#include "working_set.h"

#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <malloc.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/attrs.h"

/* One entry a page in /proc/self/pagemap (Linux, Documentation/admin-guide/mm/pagemap.rst). */
#define PAGE_PRESENT (UINT64_C(1) << 63)
#define PAGE_SWAPPED (UINT64_C(1) << 62)
#define PAGE_OF_FILE (UINT64_C(1) << 61)

enum { ENTRIES_AT_ONCE = 512 };

struct trim {
    int pagemap;
    uintptr_t page_size; /* bytes */
};

/* Only a page of our own is lost when it is dropped; a page of the file is read again. */
static bool is_own(uint64_t entry)
{
    return (entry & (PAGE_PRESENT | PAGE_SWAPPED)) != 0 && (entry & PAGE_OF_FILE) == 0;
}

static bool all_of_file(const struct trim *trim, uintptr_t begin, uintptr_t end)
{
    UNCLEARED uint64_t entries[ENTRIES_AT_ONCE];
    uintptr_t page = begin / trim->page_size;
    uintptr_t left = (end - begin) / trim->page_size;
    while (left > 0) {
        size_t wanted = left < ENTRIES_AT_ONCE ? left : ENTRIES_AT_ONCE;
        ssize_t got = pread(trim->pagemap, entries, wanted * sizeof(*entries),
                            (off_t)(page * sizeof(*entries)));
        if (got < 0 && errno == EINTR)
            continue;
        if (got != (ssize_t)(wanted * sizeof(*entries)))
            return false;
        for (size_t i = 0; i < wanted; i++)
            if (is_own(entries[i]))
                return false;
        page += wanted;
        left -= wanted;
    }
    return true;
}

/* Writable segments hold variables, and pointers that the loader has written and protected since;
 * the vDSO belongs to the kernel. */
static int trim_segments(struct dl_phdr_info *object, size_t size, void *context)
{
    const struct trim *trim = context;
    (void)size;
    if (object->dlpi_addr == getauxval(AT_SYSINFO_EHDR))
        return 0;
    for (size_t i = 0; i < object->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &object->dlpi_phdr[i];
        if (segment->p_type != PT_LOAD || (segment->p_flags & PF_W) != 0)
            continue;
        uintptr_t begin = object->dlpi_addr + segment->p_vaddr;
        uintptr_t end = begin + segment->p_memsz + trim->page_size - 1;
        begin -= begin % trim->page_size;
        end -= end % trim->page_size;
        if (all_of_file(trim, begin, end))
            /* NOLINTNEXTLINE(performance-no-int-to-ptr): an ELF address is a number */
            (void)madvise((void *)begin, end - begin, MADV_DONTNEED);
    }
    return 0;
}

static void trim_code(void)
{
    struct trim trim = {
        .pagemap = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC),
        .page_size = (uintptr_t)sysconf(_SC_PAGESIZE),
    };
    if (trim.pagemap < 0)
        return;
    (void)dl_iterate_phdr(trim_segments, &trim);
    (void)close(trim.pagemap);
}

void working_set_trim(void)
{
    (void)malloc_trim(0);
    trim_code();
}
