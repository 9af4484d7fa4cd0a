/* SPDX-License-Identifier: Apache-2.0 */
/*
 * glibc lets a program replace its allocator by defining the functions, and keeps its own under a
 * second name. free() stays glibc's, since all memory does.
 */
#include "support/alloc_fault.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define HAS_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define HAS_SANITIZER 1
#endif
#endif
#ifndef HAS_SANITIZER
#define HAS_SANITIZER 0
#endif

static _Thread_local long countdown; /* 0: not armed, or the failure is behind us */
static _Thread_local bool was_hit;
static _Thread_local bool pauses;

void alloc_fault_arm(long nth)
{
    was_hit = false;
    countdown = nth;
}

bool alloc_fault_hit(void)
{
    return was_hit;
}

void alloc_fault_disarm(void)
{
    countdown = 0;
}

void alloc_fault_pause(bool is_paused)
{
    pauses = is_paused;
}

/* Tried out, since a debugger of memory may put its own functions in front of ours at run time. */
bool alloc_fault_supported(void)
{
    alloc_fault_arm(1);
    free(malloc(1));
    alloc_fault_disarm();
    return was_hit;
}

#if !HAS_SANITIZER

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t nmemb, size_t size);
void *__libc_realloc(void *ptr, size_t size);

static bool must_fail(void)
{
    if (pauses || countdown == 0 || --countdown > 0)
        return false;
    was_hit = true;
    errno = ENOMEM;
    return true;
}

void *malloc(size_t size)
{
    return must_fail() ? NULL : __libc_malloc(size);
}

void *calloc(size_t nmemb, size_t size)
{
    return must_fail() ? NULL : __libc_calloc(nmemb, size);
}

void *realloc(void *ptr, size_t size)
{
    return must_fail() ? NULL : __libc_realloc(ptr, size);
}

#endif
