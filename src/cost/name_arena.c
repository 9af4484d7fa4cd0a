/* SPDX-License-Identifier: Apache-2.0 */
#include "name_arena.h"

#include <stdlib.h>

enum {
    CHUNK_MIN_BYTES = 1024, /* a small cluster's set should stay small */
    CHUNK_MAX_BYTES = 65536,
};

struct name_chunk {
    struct name_chunk *older;
    size_t size;
    size_t used;
    char bytes[];
};

/* Each chunk is twice as large as the one before, and large enough for `needed` bytes. */
static struct name_chunk *add_chunk(struct name_arena *arena, size_t needed)
{
    size_t size = arena->newest ? arena->newest->size * 2 : CHUNK_MIN_BYTES;
    if (size > CHUNK_MAX_BYTES)
        size = CHUNK_MAX_BYTES;
    if (size < needed)
        size = needed;

    struct name_chunk *chunk = malloc(sizeof(*chunk) + size);
    if (chunk == NULL)
        return NULL;
    *chunk = (struct name_chunk){.older = arena->newest, .size = size};
    arena->newest = chunk;
    arena->bytes += sizeof(*chunk) + size;
    return chunk;
}

bool name_arena_copy(struct name_arena *arena, struct text name, struct text *ret_copy)
{
    size_t needed = name.length + 1;
    struct name_chunk *chunk = arena->newest;
    if (chunk == NULL || chunk->size - chunk->used < needed)
        chunk = add_chunk(arena, needed);
    if (chunk == NULL)
        return false;

    char *copy = chunk->bytes + chunk->used;
    if (name.length > 0)
        memcpy(copy, name.data, name.length);
    copy[name.length] = '\0';
    chunk->used += needed;
    *ret_copy = (struct text){.data = copy, .length = name.length};
    return true;
}

void name_arena_finish(struct name_arena *arena)
{
    while (arena->newest) {
        struct name_chunk *chunk = arena->newest;
        arena->newest = chunk->older;
        free(chunk);
    }
    arena->bytes = 0;
}
