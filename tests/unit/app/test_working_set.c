/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h needs those above */
#include <cmocka.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "working_set.h"

/* More pages than are looked up at once, and the one that matters far from others: the kernel maps
 * the neighbours of what is asked for. */
enum {
    SPAN = 4 * 1024 * 1024,
    PLACE = 3 * 1024 * 1024,
    BLOCK = 60 * 1024, /* of the heap; larger ones would be mapped, and free() would unmap them */
    BLOCKS = 16,
};

/* Part of the segment of constants, as the tables of a library are. */
static const unsigned char constant[SPAN] = {[PLACE] = 7};

/* A compiler that knew them would not look. */
static const volatile unsigned char *const constants = constant;

/* There may be none, as in some sandboxes: pages then stay, and these tests have nothing to see. */
static int open_pagemap(void **state)
{
    static int pagemap;
    pagemap = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
    *state = &pagemap;
    return 0;
}

static int close_pagemap(void **state)
{
    int pagemap = *(int *)*state;
    return pagemap < 0 ? 0 : close(pagemap);
}

static void need_pagemap(void **state)
{
    if (*(int *)*state < 0)
        skip();
}

static bool is_resident_at(void **state, uintptr_t address)
{
    need_pagemap(state);
    uint64_t entry = 0;
    uintptr_t page = address / (uintptr_t)sysconf(_SC_PAGESIZE);
    assert_int_equal(pread(*(int *)*state, &entry, sizeof(entry), (off_t)(page * sizeof(entry))),
                     sizeof(entry));
    return entry >> 63 != 0;
}

static bool is_resident(void **state, const volatile void *address)
{
    return is_resident_at(state, (uintptr_t)address);
}

static void read_all(void)
{
    unsigned sum = 0;
    for (size_t i = 0; i < SPAN; i += 4096)
        sum += constants[i];
    assert_int_equal(sum, 7);
}

static void pages_that_nobody_uses_are_given_back_and_can_be_read_again(void **state)
{
    read_all();
    assert_true(is_resident(state, &constants[PLACE]));
    working_set_trim();
    assert_false(is_resident(state, &constants[PLACE]));
    read_all();
    assert_true(is_resident(state, &constants[PLACE]));
}

/* Where free() alone gives nothing back: below what is still in use. */
static void freed_heap_is_given_back(void **state)
{
    char *blocks[BLOCKS];
    need_pagemap(state);
    size_t in_use = mallinfo2().uordblks;
    for (size_t i = 0; i < BLOCKS; i++) {
        blocks[i] = malloc(BLOCK);
        assert_non_null(blocks[i]);
        memset(blocks[i], 1, BLOCK);
    }
    bool is_ours = mallinfo2().uordblks >= in_use + (size_t)BLOCKS * BLOCK;
    uintptr_t place = (uintptr_t)blocks[BLOCKS / 2];
    for (size_t i = 0; i < BLOCKS - 1; i++)
        free(blocks[i]);
    bool was_resident = is_resident_at(state, place);
    working_set_trim();
    bool is_still_resident = is_resident_at(state, place);
    free(blocks[BLOCKS - 1]);
    if (!is_ours) /* sanitizers and valgrind bring allocators of their own */
        skip();
    assert_true(was_resident);
    assert_false(is_still_resident);
}

static void no_descriptor_is_kept(void **state)
{
    (void)state;
    int before = dup(STDERR_FILENO);
    assert_int_equal(close(before), 0);
    working_set_trim();
    int after = dup(STDERR_FILENO);
    assert_int_equal(close(after), 0);
    assert_int_equal(after, before);
}

static void without_a_look_at_the_pages_they_stay(void **state)
{
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    const struct rlimit none = {.rlim_cur = 0, .rlim_max = limit.rlim_max};
    read_all();
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    working_set_trim();
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    assert_true(is_resident(state, &constants[PLACE]));
}

/* As a debugger does to set a breakpoint. */
static void what_was_written_over_a_constant_stays(void **state)
{
    size_t page_size = (size_t)sysconf(_SC_PAGESIZE);
    volatile unsigned char *byte = (volatile unsigned char *)&constant[PLACE];
    void *page = (unsigned char *)byte - (uintptr_t)byte % page_size;
    read_all();
    assert_int_equal(mprotect(page, page_size, PROT_READ | PROT_WRITE), 0);
    *byte = 200;
    assert_int_equal(mprotect(page, page_size, PROT_READ), 0);
    working_set_trim();
    assert_int_equal(constants[PLACE], 200);
    assert_true(is_resident(state, &constants[0]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pages_that_nobody_uses_are_given_back_and_can_be_read_again),
        cmocka_unit_test(freed_heap_is_given_back),
        cmocka_unit_test(no_descriptor_is_kept),
        cmocka_unit_test(without_a_look_at_the_pages_they_stay),
        cmocka_unit_test(what_was_written_over_a_constant_stays),
    };
    return cmocka_run_group_tests(tests, open_pagemap, close_pagemap);
}
