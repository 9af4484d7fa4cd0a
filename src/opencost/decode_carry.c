/* SPDX-License-Identifier: Apache-2.0 */
#include "decode_carry.h"

#include <stdlib.h>
#include <string.h>

#include "base/json_scan.h"

void carry_finish(struct carry *carry)
{
    free(carry->bytes);
    *carry = (struct carry){0};
}

/* Goes over the inside of a string; returns the byte behind its closing quote, or `end`. */
static const char *search_string(struct carry *carry, const char *p, const char *end)
{
    while (p < end) {
        if (carry->is_escaped) {
            carry->is_escaped = false;
            p++;
            continue;
        }
        p = json_plain_end(p, end);
        if (p == end)
            break;
        char c = *p++;
        if (c == '"') {
            carry->in_string = false;
            break;
        }
        carry->is_escaped = c == '\\';
    }
    return p;
}

/* Notes a byte outside of strings; true when it reaches the goal. */
static bool note_byte(struct carry *carry, enum carry_goal goal, char c)
{
    switch (c) {
    case '"':
        carry->in_string = true;
        return false;
    case '{':
    case '[':
        carry->depth++;
        return false;
    case '}':
    case ']':
        carry->depth--;
        break;
    case ',':
        break;
    case ':':
        return goal == CARRY_KEY;
    default:
        return false;
    }
    return carry->depth <= (goal == CARRY_MEMBER ? 1 : 0);
}

/* Returns how many bytes it went over. */
static size_t search(struct carry *carry, enum carry_goal goal, const char *bytes, size_t length,
                     bool *ret_reached)
{
    const char *end = bytes + length;
    const char *p = bytes;
    *ret_reached = false;
    while (p < end && !*ret_reached) {
        if (carry->in_string)
            p = search_string(carry, p, end);
        else
            *ret_reached = note_byte(carry, goal, *p++);
    }
    return (size_t)(p - bytes);
}

/* Appends without searching. */
static bool append(struct carry *carry, const char *bytes, size_t length)
{
    enum { FIRST_CAPACITY = 4096 };
    size_t needed = carry->length + length;
    if (needed > carry->capacity) {
        size_t capacity = carry->capacity == 0 ? FIRST_CAPACITY : carry->capacity * 2;
        if (capacity < needed)
            capacity = needed;
        char *grown = realloc(carry->bytes, capacity);
        if (grown == NULL)
            return false;
        carry->bytes = grown;
        carry->capacity = capacity;
    }
    memcpy(carry->bytes + carry->length, bytes, length);
    carry->length = needed;
    return true;
}

/* Searches the bytes from `from` on, which are kept already, past any goal. */
static void search_kept(struct carry *carry, size_t from)
{
    bool reached;
    while (from < carry->length)
        from += search(carry, CARRY_VALUE, carry->bytes + from, carry->length - from, &reached);
}

bool carry_keep(struct carry *carry, const char *bytes, size_t length)
{
    size_t from = carry->length;
    if (!append(carry, bytes, length))
        return false;
    search_kept(carry, from);
    return true;
}

bool carry_extend(struct carry *carry, enum carry_goal goal, const char *bytes, size_t length,
                  size_t *ret_taken, bool *ret_reached)
{
    *ret_taken = search(carry, goal, bytes, length, ret_reached);
    return append(carry, bytes, *ret_taken);
}

void carry_drop(struct carry *carry, size_t length)
{
    carry->length -= length;
    memmove(carry->bytes, carry->bytes + length, carry->length);
    carry->depth = 0;
    carry->in_string = false;
    carry->is_escaped = false;
    search_kept(carry, 0);
}
