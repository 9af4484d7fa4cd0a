/* SPDX-License-Identifier: Apache-2.0 */
#include "row_table.h"

#include <stdlib.h>
#include <xxhash.h>

enum { SLOTS_MIN = 16 };

struct row_slot {
    uint32_t hash;
    uint32_t row_plus_one; /* 0: the slot is free */
};

uint32_t row_table_hash(struct text name, uint64_t seed)
{
    return (uint32_t)XXH3_64bits_withSeed(name.data, name.length, seed);
}

/* There is always a free slot to find. */
static void put(struct row_slot *slots, size_t slot_count, struct row_slot entry)
{
    size_t slot = entry.hash & (slot_count - 1);
    while (slots[slot].row_plus_one != 0)
        slot = (slot + 1) & (slot_count - 1);
    slots[slot] = entry;
}

static bool grow(struct row_table *table)
{
    size_t slot_count = table->slot_count > 0 ? table->slot_count * 2 : SLOTS_MIN;
    struct row_slot *slots = calloc(slot_count, sizeof(*slots));
    if (slots == NULL)
        return false;
    for (size_t i = 0; i < table->slot_count; i++)
        if (table->slots[i].row_plus_one != 0)
            put(slots, slot_count, table->slots[i]);
    free(table->slots);
    table->slots = slots;
    table->slot_count = slot_count;
    return true;
}

bool row_table_add(struct row_table *table, uint32_t hash, uint32_t row)
{
    if ((table->used + 1) * 3 > table->slot_count * 2 && !grow(table))
        return false;
    put(table->slots, table->slot_count, (struct row_slot){.hash = hash, .row_plus_one = row + 1});
    table->used++;
    return true;
}

struct row_probe row_table_probe(const struct row_table *table, uint32_t hash)
{
    size_t slot = table->slot_count > 0 ? hash & (table->slot_count - 1) : 0;
    return (struct row_probe){.hash = hash, .slot = slot};
}

bool row_table_next(const struct row_table *table, struct row_probe *probe, uint32_t *ret_row)
{
    if (table->slot_count == 0)
        return false;
    while (table->slots[probe->slot].row_plus_one != 0) {
        struct row_slot entry = table->slots[probe->slot];
        probe->slot = (probe->slot + 1) & (table->slot_count - 1);
        if (entry.hash == probe->hash) {
            *ret_row = entry.row_plus_one - 1;
            return true;
        }
    }
    return false;
}

size_t row_table_bytes(const struct row_table *table)
{
    return table->slot_count * sizeof(struct row_slot);
}

void row_table_finish(struct row_table *table)
{
    free(table->slots);
    *table = (struct row_table){.slots = NULL};
}
