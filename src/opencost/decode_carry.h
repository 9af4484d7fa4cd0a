/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bytes of a unit (see decode.c) that the pieces so far hold only in part, and the search for
 * where it ends.
 *
 * The search looks at each byte once, however small the pieces are, and knows just enough of JSON
 * for it: strings and brackets. It finds a place at which reading is worth another try; whether
 * the bytes are valid is for the reader to say.
 *
 * Threads: one at a time.
 */
#ifndef OPENCOST_DECODE_CARRY_H
#define OPENCOST_DECODE_CARRY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attrs.h"

/* What the carry waits for, counted from its first byte. */
enum carry_goal {
    CARRY_KEY,    /* the colon behind a key */
    CARRY_VALUE,  /* the comma or bracket that ends a value or a member */
    CARRY_MEMBER, /* one more member of the object that begins here, or the object's end */
};

struct carry {
    char *bytes;
    size_t length;
    size_t capacity;
    /* Where the search is: behind the bytes kept, and what is open there. */
    long depth;
    bool in_string;
    bool is_escaped; /* the next byte follows a backslash */
};

/* Accepts a zeroed struct. */
void carry_finish(struct carry *carry);

/* Keeps all the bytes, goal or no goal: they were read in vain already. */
bool carry_keep(struct carry *carry, const char *bytes, size_t length) NODISCARD;

/* Keeps bytes up to and including the one that reaches the goal; *ret_reached says whether it was
 * there, *ret_taken how many bytes were kept. False when out of memory. */
bool carry_extend(struct carry *carry, enum carry_goal goal, const char *bytes, size_t length,
                  size_t *ret_taken, bool *ret_reached) NODISCARD;

/* Drops the first `length` bytes; what is left begins a new unit. */
void carry_drop(struct carry *carry, size_t length);

#endif
