/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Members of the reports' JSON objects.
 *
 * Threads: one at a time per buffer.
 */
#ifndef COST_REPORT_JSON_H
#define COST_REPORT_JSON_H

#include <stddef.h>

#include "base/strbuf.h"
#include "base/text.h"
#include "cost/decimal.h"

enum { MEMBER_KEY_MAX = 24 };

/* A member whose value is a decimal within some struct. The key is kept as it is written, and the
 * array is filled up with NULs so that it can be copied at a size the compiler knows. */
struct decimal_member {
    char key[MEMBER_KEY_MAX]; /* `,"total_cost":` */
    size_t key_length;
    size_t offset;
};

#define DECIMAL_MEMBER(name, type, field)                                                          \
    {                                                                                              \
        .key = ",\"" name "\":", .key_length = sizeof(",\"" name "\":") - 1,                       \
        .offset = offsetof(type, field)                                                            \
    }

/* Appends the members of `object`, each with a comma in front. */
void json_append_decimals(struct strbuf *out, const struct decimal_member *members, size_t count,
                          const void *object);

/* `key` is given with all its punctuation, such as `],"total":`. */
void json_append_decimal(struct strbuf *out, struct text key, decimal value);
void json_append_text(struct strbuf *out, struct text key, struct text value);
void json_append_count(struct strbuf *out, struct text key, uint64_t value);

#endif
