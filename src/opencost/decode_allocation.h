/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One allocation out of JSON text.
 *
 * Nothing is handed out before the whole allocation was read and found valid, so a text that ends
 * early leaves no trace.
 *
 * Threads: one at a time per reader.
 */
#ifndef OPENCOST_DECODE_ALLOCATION_H
#define OPENCOST_DECODE_ALLOCATION_H

#include <stdbool.h>

#include "base/attrs.h"
#include "base/strbuf.h"
#include "cost/allocation.h"
#include "decode_fields.h"
#include "json_reader.h"

struct allocation_reader {
    struct field_index fields;
    struct allocation allocation; /* the one being read */
    /* What escaped texts of that allocation mean; texts without escapes stay where they are. */
    struct strbuf name, namespace_name, pod;
};

/* Needs allocation_reader_finish(). */
void allocation_reader_init(struct allocation_reader *self);

/* Accepts a zeroed struct. */
void allocation_reader_finish(struct allocation_reader *self);

/* Reads `"name": {...}`, the cursor being on its first byte. *ret_allocation is borrowed until the
 * next call, and NULL when the value is no object. */
bool allocation_read_member(struct allocation_reader *self, struct json_reader *json,
                            const struct allocation **ret_allocation) NODISCARD;

/* Reads `{...}`, which brings its own name, the cursor being on the brace. */
bool allocation_read_bare(struct allocation_reader *self, struct json_reader *json,
                          const struct allocation **ret_allocation) NODISCARD;

#endif
