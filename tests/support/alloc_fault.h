/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes one allocation fail, to see that the code under test survives it.
 *
 * Linking `kubecent_alloc_fault` (LIBRARIES of kubecent_unit_test) puts our malloc(), calloc() and
 * realloc() in front of the C library's for the whole program, its libraries included: strdup(),
 * asprintf() or jansson fail as well. The usual loop fails every allocation of a function once:
 *
 *     for (long nth = 1;; nth++) {
 *         alloc_fault_arm(nth);
 *         struct thing *thing = thing_create();
 *         bool hit = alloc_fault_hit();
 *         alloc_fault_disarm();
 *         thing_destroy(thing);
 *         if (!hit)
 *             break;
 *         assert_null(thing);
 *     }
 *
 * Under sanitizers, which have an allocator of their own, nothing fails: such tests begin with
 * `if (!alloc_fault_supported()) skip();`. So under valgrind, unless it leaves our functions alone:
 * `--soname-synonyms=somalloc=nouserintercepts`. Then it also finds what a failure path leaks.
 *
 * Threads: each thread arms and counts for itself; one that never armed never sees a failure.
 */
#ifndef SUPPORT_ALLOC_FAULT_H
#define SUPPORT_ALLOC_FAULT_H

#include <stdbool.h>

bool alloc_fault_supported(void);

/* The `nth` allocation (from 1) of this thread from now on fails; those before and after it
 * succeed. */
void alloc_fault_arm(long nth);

/* True when that allocation was asked for since arming, and has failed. */
bool alloc_fault_hit(void);

void alloc_fault_disarm(void);

/* While paused, nothing is counted and nothing fails: for what a test does itself in the midst of
 * the code it tests. */
void alloc_fault_pause(bool is_paused);

#endif
