/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finds row numbers by the hash of what identifies a row. The rows themselves stay with the caller,
 * who also compares: a table gives candidates,
 *
 *     struct row_probe probe = row_table_probe(&table, hash);
 *     for (uint32_t row; row_table_next(&table, &probe, &row);)
 *         if (...rows[row] is the one...)
 *
 * Open addressing with linear probing, at most two thirds full, eight bytes a slot.
 *
 * Threads: one at a time while adding; look-ups by any number.
 */
#ifndef COST_ROW_TABLE_H
#define COST_ROW_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attrs.h"
#include "base/text.h"

struct row_slot;

struct row_table {
    struct row_slot *slots; /* NULL while empty */
    size_t slot_count;      /* a power of two, or 0 */
    size_t used;
};

struct row_probe {
    uint32_t hash;
    size_t slot;
};

/* Equal names under different seeds have different hashes. Who names rows must not know the seed:
 * he could choose names that all look for the same slot. */
uint32_t row_table_hash(struct text name, uint64_t seed) NODISCARD;

/* `row` must be below UINT32_MAX. False only when out of memory. */
bool row_table_add(struct row_table *table, uint32_t hash, uint32_t row) NODISCARD;

struct row_probe row_table_probe(const struct row_table *table, uint32_t hash) NODISCARD;

/* The next row that was added with this hash; false when there is none. */
bool row_table_next(const struct row_table *table, struct row_probe *probe,
                    uint32_t *ret_row) NODISCARD;

size_t row_table_bytes(const struct row_table *table) NODISCARD;

/* Accepts a zeroed table, and leaves one. */
void row_table_finish(struct row_table *table);

#endif
