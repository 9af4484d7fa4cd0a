/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The keys of an allocation that mean something to us, found by name.
 *
 * Threads: an index is built once and only read afterwards.
 */
#ifndef OPENCOST_DECODE_FIELDS_H
#define OPENCOST_DECODE_FIELDS_H

#include <stdint.h>

#include "base/attrs.h"
#include "cost/allocation.h"
#include "json_reader.h"

enum field_kind {
    FIELD_FIGURE,
    FIELD_NAME,
    FIELD_PROPERTIES,
    FIELD_START,
    FIELD_TIME,   /* a time nobody asks for */
    FIELD_DETAIL, /* an object nobody asks for */
};

struct field {
    const char *key;
    uint8_t length;
    enum field_kind kind;
    enum figure figure; /* of FIELD_FIGURE */
};

enum { FIELD_SLOTS = 256 };

/* A hash table over the static table of fields; 0 marks an empty slot, else position + 1. */
struct field_index {
    uint8_t slots[FIELD_SLOTS];
};

void field_index_init(struct field_index *index);

/* NULL when the key is none of ours. */
const struct field *field_find(const struct field_index *index,
                               const struct json_string *key) NODISCARD;

#endif
