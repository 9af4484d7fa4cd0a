/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Numbers and texts as bytes that leave the process: written to a strbuf, read back with suspicion.
 *
 * Whole numbers are little-endian in groups of seven bits (LEB128), so that small ones are short;
 * those with a sign are folded first (0, -1, 1, -2 become 0, 1, 2, 3). There is exactly one
 * spelling of each number, and readers refuse the others.
 *
 * Both sides fail stickily: a writer as its strbuf does, a reader by giving zeros from the first
 * fault on. So a caller reads a whole record and then asks once, but must not trust a count or a
 * length before that.
 *
 * Threads: one at a time per buffer or reader.
 */
#ifndef BASE_WIRE_H
#define BASE_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attrs.h"
#include "base/strbuf.h"
#include "base/text.h"

__extension__ typedef __int128 wire_int128;

/* Eight bytes, little-endian: for checksums, which gain nothing by being short. */
void wire_put_fixed64(struct strbuf *buf, uint64_t value);
void wire_put_unsigned(struct strbuf *buf, uint64_t value);
void wire_put_signed(struct strbuf *buf, wire_int128 value);

/* Its length, then its bytes. */
void wire_put_text(struct strbuf *buf, struct text text);

struct wire_reader {
    const unsigned char *at;
    size_t left;
    bool failed;
};

/* The bytes are borrowed for as long as the reader and the texts it gave are used. */
struct wire_reader wire_reader_of(struct text bytes);

uint64_t wire_get_fixed64(struct wire_reader *reader) NODISCARD;
uint64_t wire_get_unsigned(struct wire_reader *reader) NODISCARD;
wire_int128 wire_get_signed(struct wire_reader *reader) NODISCARD;

/* Fails beyond 64 bits. */
int64_t wire_get_int64(struct wire_reader *reader) NODISCARD;

/* Points into the reader's bytes; empty after a fault. */
struct text wire_get_text(struct wire_reader *reader) NODISCARD;

/* How many records follow, each at least `record_bytes` long: fails when so many cannot. */
uint64_t wire_get_count(struct wire_reader *reader, size_t record_bytes) NODISCARD;

/* For what the caller finds wrong itself. */
void wire_fail(struct wire_reader *reader);

/* Everything was read, and without a fault. */
bool wire_is_complete(const struct wire_reader *reader) NODISCARD;

#endif
