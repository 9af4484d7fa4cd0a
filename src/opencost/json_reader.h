/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pulls JSON values (RFC 8259) out of contiguous memory, validating every byte it passes and
 * copying none.
 *
 * The bytes may be the front part of a text whose rest has not arrived. So a reading function that
 * returns false has failed for one of several reasons, told by `outcome`: the bytes ended first
 * (JSON_MORE; read again from a known place once there are more), or they are no JSON.
 *
 * Strings that are no UTF-8, lone surrogates, keys that hold the character NUL, numbers beyond the
 * range of a double and nesting deeper than JSON_MAX_DEPTH are refused like malformed text.
 *
 * Threads: one at a time per reader.
 */
#ifndef OPENCOST_JSON_READER_H
#define OPENCOST_JSON_READER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/ascii.h"
#include "base/attrs.h"
#include "base/json_scan.h"
#include "base/text.h"

enum { JSON_MAX_DEPTH = 512 };

enum json_outcome {
    JSON_OK,
    JSON_MORE,      /* the bytes end inside the value */
    JSON_MALFORMED, /* `fault` and `expected` say where and what */
    JSON_NO_MEMORY, /* for writing a string with escapes out */
    JSON_ABORTED,   /* the caller's own work failed, and the caller knows why */
};

struct json_reader {
    const char *start;
    const char *cursor;
    const char *end;
    unsigned depth; /* containers open around the cursor */
    enum json_outcome outcome;
    const char *fault;    /* the first byte that is wrong */
    const char *expected; /* what should have been there; a literal */
};

/* A string as it stands between its quotes. */
struct json_string {
    struct text raw;
    bool has_escapes; /* json_unescape() tells what it means; else it means itself */
    bool has_nul;     /* one of them stands for the character NUL; never so in a key */
};

static inline void json_reader_init(struct json_reader *reader, const char *bytes, size_t length)
{
    *reader = (struct json_reader){.start = bytes, .cursor = bytes, .end = bytes + length};
}

/* Always false, so that `return json_fail(...)` reads well. */
static inline bool json_fail(struct json_reader *reader, const char *fault, const char *expected)
{
    reader->outcome = JSON_MALFORMED;
    reader->fault = fault;
    reader->expected = expected;
    return false;
}

static inline bool json_want_more(struct json_reader *reader)
{
    reader->outcome = JSON_MORE;
    return false;
}

static inline bool json_no_memory(struct json_reader *reader)
{
    reader->outcome = JSON_NO_MEMORY;
    return false;
}

static inline bool json_abort(struct json_reader *reader)
{
    reader->outcome = JSON_ABORTED;
    return false;
}

/* Moves to the next byte that is no white space; false (JSON_MORE) when there is none. */
static inline bool json_skip_space(struct json_reader *reader)
{
    while (reader->cursor < reader->end && json_is_space(*reader->cursor))
        reader->cursor++;
    return reader->cursor < reader->end || json_want_more(reader);
}

/* The general case of json_read_string(): `p` is the first byte that is not plain. */
bool json_read_special_string(struct json_reader *reader, const char *p,
                              struct json_string *ret_string) NODISCARD;

/* The cursor is on the opening quote. */
static inline bool json_read_string(struct json_reader *reader, struct json_string *ret_string)
{
    const char *text = reader->cursor + 1;
    const char *p = json_plain_end(text, reader->end);
    if (p == reader->end || *p != '"')
        return json_read_special_string(reader, p, ret_string);
    ret_string->raw = (struct text){.data = text, .length = (size_t)(p - text)};
    ret_string->has_escapes = ret_string->has_nul = false;
    reader->cursor = p + 1;
    return true;
}

/* Writes what a string with escapes means, at most `size` bytes of it; returns the length of the
 * whole meaning, which never exceeds that of the raw text. */
size_t json_unescape(struct text raw, char *meaning, size_t size);

/* The cursor is on a digit or a minus. The number is known to be whole, so a byte follows it. */
bool json_read_number(struct json_reader *reader, struct text *ret_number) NODISCARD;

/* The cursor is on the first byte of a value, or of what should be one. */
bool json_skip_value(struct json_reader *reader) NODISCARD;

static inline bool json_starts_number(char c)
{
    return ascii_is_digit(c) || c == '-';
}

/*
 * Objects are read with
 *     if (!json_object_begin(reader, &has_member)) return false;
 *     while (has_member) {
 *         json_read_key(), then the value; each may return false
 *         if (!json_object_next(reader, &has_member)) return false;
 *     }
 */

/* Passes the opening bracket, and the closing one when there is nothing between them. */
static inline bool json_begin(struct json_reader *reader, char closing, bool *ret_has_item)
{
    if (reader->depth >= JSON_MAX_DEPTH)
        return json_fail(reader, reader->cursor, "no more than 512 levels of nesting");
    reader->cursor++;
    if (!json_skip_space(reader))
        return false;
    *ret_has_item = *reader->cursor != closing;
    if (*ret_has_item)
        reader->depth++;
    else
        reader->cursor++;
    return true;
}

/* Passes the comma, or the closing bracket when there was no other item. */
static inline bool json_next(struct json_reader *reader, char closing, const char *expected,
                             bool *ret_has_item)
{
    if (!json_skip_space(reader))
        return false;
    char c = *reader->cursor;
    if (c != ',' && c != closing)
        return json_fail(reader, reader->cursor, expected);
    reader->cursor++;
    *ret_has_item = c == ',';
    if (c == closing)
        reader->depth--;
    return c == closing || json_skip_space(reader);
}

/* The cursor is on the opening brace. */
static inline bool json_object_begin(struct json_reader *reader, bool *ret_has_member)
{
    return json_begin(reader, '}', ret_has_member);
}

/* The cursor is behind a member's value. */
static inline bool json_object_next(struct json_reader *reader, bool *ret_has_member)
{
    return json_next(reader, '}', "a comma or a closing brace", ret_has_member);
}

/* Reads a key and its colon. */
static inline bool json_pass_key(struct json_reader *reader, struct json_string *ret_key)
{
    if (*reader->cursor != '"')
        return json_fail(reader, reader->cursor, "a key in quotes");
    if (!json_read_string(reader, ret_key))
        return false;
    if (ret_key->has_nul)
        return json_fail(reader, ret_key->raw.data, "no NUL character in a key");
    if (!json_skip_space(reader))
        return false;
    if (*reader->cursor != ':')
        return json_fail(reader, reader->cursor, "a colon");
    reader->cursor++;
    return true;
}

/* Likewise, and leaves the cursor on the first byte of the value. */
static inline bool json_read_key(struct json_reader *reader, struct json_string *ret_key)
{
    return json_pass_key(reader, ret_key) && json_skip_space(reader);
}

/* Arrays likewise, without keys. */
static inline bool json_array_begin(struct json_reader *reader, bool *ret_has_element)
{
    return json_begin(reader, ']', ret_has_element);
}

static inline bool json_array_next(struct json_reader *reader, bool *ret_has_element)
{
    return json_next(reader, ']', "a comma or a closing bracket", ret_has_element);
}

#endif
