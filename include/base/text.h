/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A piece of text somebody else owns: pointer and length, not NUL-terminated, may hold any byte.
 *
 * Threads: plain data.
 */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct text {
    const char *data; /* may be NULL when length is 0 */
    size_t length;
};

/* For the initialisers of static tables, where a compound literal is no constant. */
#define TEXT_INIT(literal)                                                                         \
    {                                                                                              \
        .data = (literal), .length = sizeof(literal) - 1                                           \
    }

#define TEXT(literal) ((struct text){.data = (literal), .length = sizeof(literal) - 1})

static inline struct text text_of(const char *string)
{
    return (struct text){.data = string, .length = strlen(string)};
}

static inline bool text_equals(struct text a, struct text b)
{
    return a.length == b.length && (a.length == 0 || memcmp(a.data, b.data, a.length) == 0);
}

#endif
