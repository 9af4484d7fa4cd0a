/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The body is read in units: a key of the envelope, a value of the envelope, a member of a map, a
 * bare allocation, the look at a set that tells which of the two it is. Between units the decoder's
 * `place` says all there is to know, so reading stops and goes on there freely. A unit is read from
 * contiguous memory in one go:
 *
 *   - as long as units lie wholly in the piece at hand they are read in place;
 *   - the unit that the piece cuts off goes to the carry, where the following pieces are searched
 *     for its end (decode_carry.h). Then it is read from there, and on we go in place.
 *
 * So each byte is read at most once in vain and searched at most once, whatever the pieces, and
 * what is kept of the body is never more than one unit.
 */
#include "opencost/decode.h"

#include <inttypes.h>
#include <stdint.h>
#include <stdlib.h>

#include "decode_allocation.h"
#include "decode_carry.h"
#include "decode_envelope.h"
#include "decode_shape.h"

/* OpenCost's allocations have some kilobytes; its longest, with the volumes of a whole cluster, a
 * few megabytes. */
#define UNIT_MAX_BYTES ((size_t)64 << 20)

/* What comes next. */
enum place {
    AT_BODY,           /* the brace that opens the envelope */
    AT_ENVELOPE_FIRST, /* a key, or the brace that closes an empty envelope */
    AT_ENVELOPE_KEY,
    AT_ENVELOPE_VALUE,
    AT_ENVELOPE_NEXT, /* a comma, or the closing brace */
    AT_LIST_FIRST,    /* a set, or the bracket that closes an empty list */
    AT_LIST_SET,
    AT_LIST_ALLOCATION, /* a set that turned out to be a bare allocation */
    AT_LIST_NEXT,
    AT_MAP_FIRST, /* a member, or the brace that closes an empty map */
    AT_MAP_MEMBER,
    AT_MAP_NEXT,
    AT_END, /* nothing but white space */
};

struct allocation_decoder {
    struct cost_set_builder *builder;
    struct allocation_reader reader;
    struct carry carry;
    struct envelope envelope;
    enum place place;
    enum envelope_key key; /* whose value comes at AT_ENVELOPE_VALUE */
    bool data_is_list;     /* maps end back in the list, not in the envelope */
    uint64_t bytes_read;   /* in front of the bytes at hand, or of the carry */
    struct error failure;  /* once set, it is the answer to everything */
};

struct allocation_decoder *allocation_decoder_create(bool include_idle)
{
    struct allocation_decoder *decoder = calloc(1, sizeof(*decoder));
    if (decoder == NULL)
        return NULL;
    allocation_reader_init(&decoder->reader);
    decoder->builder = cost_set_builder_create(include_idle);
    if (decoder->builder == NULL) {
        allocation_decoder_destroy(decoder);
        return NULL;
    }
    return decoder;
}

void allocation_decoder_destroy(struct allocation_decoder *decoder)
{
    if (decoder == NULL)
        return;
    cost_set_builder_destroy(decoder->builder);
    allocation_reader_finish(&decoder->reader);
    carry_finish(&decoder->carry);
    free(decoder);
}

/* Passes the bracket the cursor is on. */
static bool enter(struct allocation_decoder *decoder, struct json_reader *json, enum place place)
{
    json->cursor++;
    decoder->place = place;
    return true;
}

static bool read_body(struct allocation_decoder *decoder, struct json_reader *json)
{
    if (*json->cursor != '{')
        return json_fail(json, json->cursor, "a JSON object");
    return enter(decoder, json, AT_ENVELOPE_FIRST);
}

static bool read_envelope_key(struct allocation_decoder *decoder, struct json_reader *json)
{
    struct json_string key;
    const char *start = json->cursor;
    if (*start == '}' && decoder->place == AT_ENVELOPE_FIRST)
        return enter(decoder, json, AT_END);
    if (!json_pass_key(json, &key))
        return false;
    decoder->key = envelope_key_of(&key);
    if (decoder->key == ENVELOPE_DATA) {
        if (decoder->envelope.has_data)
            return json_fail(json, start, "no second data");
        decoder->envelope.has_data = true;
    }
    decoder->place = AT_ENVELOPE_VALUE;
    return true;
}

static bool read_envelope_value(struct allocation_decoder *decoder, struct json_reader *json)
{
    if (decoder->key == ENVELOPE_DATA) {
        decoder->data_is_list = *json->cursor == '[';
        if (decoder->data_is_list)
            return enter(decoder, json, AT_LIST_FIRST);
        if (*json->cursor == '{')
            return enter(decoder, json, AT_MAP_FIRST);
        if (*json->cursor != 'n')
            return json_fail(json, json->cursor, "a list, an object or null as data");
    }
    json->depth = 1;
    if (!envelope_read_value(&decoder->envelope, json, decoder->key))
        return false;
    decoder->place = AT_ENVELOPE_NEXT;
    return true;
}

static bool read_envelope_next(struct allocation_decoder *decoder, struct json_reader *json)
{
    if (*json->cursor == ',')
        return enter(decoder, json, AT_ENVELOPE_KEY);
    if (*json->cursor == '}')
        return enter(decoder, json, AT_END);
    return json_fail(json, json->cursor, "a comma or a closing brace");
}

static bool read_set(struct allocation_decoder *decoder, struct json_reader *json)
{
    enum set_shape shape;
    char c = *json->cursor;
    if (c == ']' && decoder->place == AT_LIST_FIRST)
        return enter(decoder, json, AT_ENVELOPE_NEXT);
    json->depth = 2;
    if (c == '{') {
        if (!set_shape_tell(&decoder->reader.fields, json, &shape))
            return false;
        if (shape == SET_IS_MAP)
            return enter(decoder, json, AT_MAP_FIRST);
        decoder->place = AT_LIST_ALLOCATION;
        return true;
    }
    if (!json_skip_value(json))
        return false;
    if (c != 'n')
        cost_set_builder_ignore(decoder->builder);
    decoder->place = AT_LIST_NEXT;
    return true;
}

static bool read_list_next(struct allocation_decoder *decoder, struct json_reader *json)
{
    if (*json->cursor == ',')
        return enter(decoder, json, AT_LIST_SET);
    if (*json->cursor == ']')
        return enter(decoder, json, AT_ENVELOPE_NEXT);
    return json_fail(json, json->cursor, "a comma or a closing bracket");
}

static bool count(struct allocation_decoder *decoder, struct json_reader *json,
                  const struct allocation *allocation)
{
    if (allocation == NULL)
        cost_set_builder_ignore(decoder->builder);
    else if (!cost_set_builder_add(decoder->builder, allocation, &decoder->failure))
        return json_abort(json);
    return true;
}

static bool read_allocation(struct allocation_decoder *decoder, struct json_reader *json)
{
    const struct allocation *allocation;
    json->depth = 2;
    if (!allocation_read_bare(&decoder->reader, json, &allocation) ||
        !count(decoder, json, allocation))
        return false;
    decoder->place = AT_LIST_NEXT;
    return true;
}

static bool leave_map(struct allocation_decoder *decoder, struct json_reader *json)
{
    return enter(decoder, json, decoder->data_is_list ? AT_LIST_NEXT : AT_ENVELOPE_NEXT);
}

static bool read_map_member(struct allocation_decoder *decoder, struct json_reader *json)
{
    const struct allocation *allocation;
    if (*json->cursor == '}' && decoder->place == AT_MAP_FIRST)
        return leave_map(decoder, json);
    json->depth = decoder->data_is_list ? 3 : 2;
    if (!allocation_read_member(&decoder->reader, json, &allocation) ||
        !count(decoder, json, allocation))
        return false;
    decoder->place = AT_MAP_NEXT;
    return true;
}

static bool read_map_next(struct allocation_decoder *decoder, struct json_reader *json)
{
    if (*json->cursor == ',')
        return enter(decoder, json, AT_MAP_MEMBER);
    if (*json->cursor == '}')
        return leave_map(decoder, json);
    return json_fail(json, json->cursor, "a comma or a closing brace");
}

static bool read_end(struct allocation_decoder *decoder, struct json_reader *json)
{
    (void)decoder;
    return json_fail(json, json->cursor, "nothing behind the closing brace");
}

/* Each reads what its place says, the cursor being on a byte that is no white space, and moves the
 * place on; or returns false and has changed nothing. */
typedef bool unit_reader(struct allocation_decoder *decoder, struct json_reader *json);

static unit_reader *const unit_readers[] = {
    [AT_BODY] = read_body,
    [AT_ENVELOPE_FIRST] = read_envelope_key,
    [AT_ENVELOPE_KEY] = read_envelope_key,
    [AT_ENVELOPE_VALUE] = read_envelope_value,
    [AT_ENVELOPE_NEXT] = read_envelope_next,
    [AT_LIST_FIRST] = read_set,
    [AT_LIST_SET] = read_set,
    [AT_LIST_ALLOCATION] = read_allocation,
    [AT_LIST_NEXT] = read_list_next,
    [AT_MAP_FIRST] = read_map_member,
    [AT_MAP_MEMBER] = read_map_member,
    [AT_MAP_NEXT] = read_map_next,
    [AT_END] = read_end,
};

/* What the unit in the carry waits for. */
static enum carry_goal goal_of(const struct allocation_decoder *decoder)
{
    switch (decoder->place) {
    case AT_ENVELOPE_FIRST:
    case AT_ENVELOPE_KEY:
        return CARRY_KEY;
    case AT_LIST_FIRST:
    case AT_LIST_SET:
        return decoder->carry.bytes[0] == '{' ? CARRY_MEMBER : CARRY_VALUE;
    default:
        return CARRY_VALUE;
    }
}

static void note_too_long(struct allocation_decoder *decoder)
{
    error_set(&decoder->failure, ERR_UPSTREAM_BODY,
              "byte %" PRIu64 ": a single allocation exceeds %zu MiB", decoder->bytes_read,
              UNIT_MAX_BYTES >> 20);
}

static void note_malformed(struct allocation_decoder *decoder, const struct json_reader *json)
{
    enum { QUOTED_MAX = 40 };
    char quoted[QUOTED_MAX + 1];
    size_t length = 0;
    for (const char *p = json->fault; p < json->end && length < QUOTED_MAX; p++) {
        quoted[length] = *p;
        if (*p < ' ' || *p > '~')
            quoted[length] = '?';
        length++;
    }
    quoted[length] = '\0';
    error_set(&decoder->failure, ERR_UPSTREAM_BODY, "byte %" PRIu64 ": expected %s, found `%s`",
              decoder->bytes_read + (uint64_t)(json->fault - json->start), json->expected, quoted);
}

/* Notes why reading stopped, unless it was for want of more bytes. */
static void note_failure(struct allocation_decoder *decoder, const struct json_reader *json)
{
    switch (json->outcome) {
    case JSON_MALFORMED:
        note_malformed(decoder, json);
        break;
    case JSON_NO_MEMORY:
        error_no_memory(&decoder->failure);
        break;
    case JSON_OK:
    case JSON_MORE:
    case JSON_ABORTED: /* whoever aborted has noted it */
        break;
    }
}

/* Reads as many units as there are whole. *ret_length is their length, with the white space
 * between; what is left begins with the unit that is not complete. */
static bool read_units(struct allocation_decoder *decoder, const char *bytes, size_t length,
                       size_t *ret_length)
{
    struct json_reader json;
    json_reader_init(&json, bytes, length);
    const char *unit = bytes;
    for (;;) {
        bool has_unit = json_skip_space(&json);
        unit = json.cursor;
        if (!has_unit || !unit_readers[decoder->place](decoder, &json))
            break;
        if ((size_t)(json.cursor - unit) > UNIT_MAX_BYTES) {
            note_too_long(decoder);
            return false;
        }
    }
    note_failure(decoder, &json);
    if (decoder->failure.code != ERR_NONE)
        return false;
    *ret_length = (size_t)(unit - bytes);
    decoder->bytes_read += *ret_length;
    return true;
}

/* Reads a piece in place, and keeps the unit that it cuts off. */
static bool read_piece(struct allocation_decoder *decoder, const char *piece, size_t length)
{
    size_t done;
    if (!read_units(decoder, piece, length, &done))
        return false;
    if (done < length && !carry_keep(&decoder->carry, piece + done, length - done))
        return error_no_memory(&decoder->failure);
    return true;
}

static bool read_carry(struct allocation_decoder *decoder)
{
    size_t done;
    if (!read_units(decoder, decoder->carry.bytes, decoder->carry.length, &done))
        return false;
    if (done > 0)
        carry_drop(&decoder->carry, done);
    return true;
}

/* Adds to the carry what the unit in it still wants; *ret_taken tells how much that was. */
static bool complete_carry(struct allocation_decoder *decoder, const char *piece, size_t length,
                           size_t *ret_taken)
{
    bool reached;
    if (!carry_extend(&decoder->carry, goal_of(decoder), piece, length, ret_taken, &reached))
        return error_no_memory(&decoder->failure);
    return !reached || read_carry(decoder);
}

static bool read_all(struct allocation_decoder *decoder, const char *piece, size_t length)
{
    while (length > 0 && decoder->carry.length > 0) {
        size_t taken;
        if (!complete_carry(decoder, piece, length, &taken))
            return false;
        piece += taken;
        length -= taken;
    }
    if (length > 0 && !read_piece(decoder, piece, length))
        return false;
    if (decoder->carry.length <= UNIT_MAX_BYTES)
        return true;
    /* An error in the unit tells more than its length. */
    if (read_carry(decoder))
        note_too_long(decoder);
    return false;
}

bool allocation_decoder_feed(struct allocation_decoder *decoder, const void *bytes, size_t length,
                             struct error *reterr)
{
    if (decoder->failure.code == ERR_NONE && length > 0)
        (void)read_all(decoder, bytes, length);
    if (decoder->failure.code != ERR_NONE && reterr != NULL)
        *reterr = decoder->failure;
    return decoder->failure.code == ERR_NONE;
}

/* The body has ended: was it whole? */
static bool check_complete(struct allocation_decoder *decoder)
{
    /* A unit that never came to its end may hold an error, which tells more than that. */
    if (decoder->carry.length > 0 && !read_carry(decoder))
        return false;
    if (decoder->place == AT_BODY && decoder->carry.length == 0)
        return error_set(&decoder->failure, ERR_UPSTREAM_BODY, "the body is empty");
    if (decoder->place != AT_END)
        return error_set(&decoder->failure, ERR_UPSTREAM_BODY,
                         "the body ends after byte %" PRIu64 ", before the answer is complete",
                         decoder->bytes_read + decoder->carry.length);
    return envelope_check(&decoder->envelope, &decoder->failure);
}

struct cost_set *allocation_decoder_finish(struct allocation_decoder *decoder, struct error *reterr)
{
    struct cost_set *set = NULL;
    if (decoder->failure.code == ERR_NONE && check_complete(decoder)) {
        set = cost_set_builder_finish(decoder->builder);
        decoder->builder = NULL;
        if (set == NULL)
            error_no_memory(&decoder->failure);
    }
    if (set == NULL && reterr != NULL)
        *reterr = decoder->failure;
    return set;
}

struct cost_set *allocation_decode(const void *bytes, size_t length, bool include_idle,
                                   struct error *reterr)
{
    struct cost_set *set = NULL;
    struct allocation_decoder *decoder = allocation_decoder_create(include_idle);
    if (decoder == NULL) {
        error_no_memory(reterr);
        return NULL;
    }
    if (allocation_decoder_feed(decoder, bytes, length, reterr))
        set = allocation_decoder_finish(decoder, reterr);
    allocation_decoder_destroy(decoder);
    return set;
}
