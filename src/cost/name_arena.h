/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names kept for as long as the set that shows them: copied once, never moved, freed all at once.
 *
 * Threads: one at a time while adding; the names may be read by any.
 */
#ifndef COST_NAME_ARENA_H
#define COST_NAME_ARENA_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attrs.h"
#include "base/text.h"

struct name_chunk;

struct name_arena {
    struct name_chunk *newest; /* NULL while empty */
    size_t bytes;              /* allocated in all */
};

/* Copies `name`, with a NUL behind it. False only when out of memory. */
bool name_arena_copy(struct name_arena *arena, struct text name, struct text *ret_copy) NODISCARD;

/* Accepts a zeroed arena, and leaves one. */
void name_arena_finish(struct name_arena *arena);

#endif
