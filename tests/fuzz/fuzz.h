/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the fuzz targets share. Each is one file with one entry, which libFuzzer (clang's preset
 * `fuzz`) or replay.c (any build) calls with one input after the other.
 *
 * A target aborts when a claim about the code does not hold; memory errors, leaks and undefined
 * behaviour are the sanitizers' to find.
 */
#ifndef TESTS_FUZZ_H
#define TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Always returns 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FUZZ_CHECK(claim)                                                                          \
    do {                                                                                           \
        if (!(claim)) {                                                                            \
            (void)fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #claim);       \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

/* A copy with nothing behind it but, where `terminated`, a NUL: a step beyond it is seen. Freed by
 * the caller. */
static inline char *fuzz_copy(const void *data, size_t size, int terminated)
{
    char *copy = malloc(size + 1);
    FUZZ_CHECK(copy != NULL);
    if (size > 0)
        memcpy(copy, data, size);
    copy[size] = '\0';
    if (terminated || size == 0)
        return copy;
    copy = realloc(copy, size);
    FUZZ_CHECK(copy != NULL);
    return copy;
}

#endif
