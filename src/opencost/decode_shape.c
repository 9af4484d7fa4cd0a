/* SPDX-License-Identifier: Apache-2.0 */
#include "decode_shape.h"

/* OpenCost's allocations begin with members that tell; the bound keeps an odd set from being looked
 * through to its end, again and again as it arrives. */
enum { MEMBERS_LOOKED_AT = 8 };

enum clue { CLUE_NONE, CLUE_MAP, CLUE_ALLOCATION };

/* Does the object have a member that makes it an allocation: a name, properties, any figure? */
static bool read_looks(const struct field_index *fields, struct json_reader *json,
                       bool *ret_is_allocation)
{
    bool has_member;
    struct json_string key;
    *ret_is_allocation = false;
    if (!json_object_begin(json, &has_member))
        return false;
    while (has_member) {
        if (!json_read_key(json, &key))
            return false;
        const struct field *field = field_find(fields, &key);
        char c = *json->cursor;
        if (field != NULL && ((field->kind == FIELD_NAME && c == '"') ||
                              (field->kind == FIELD_PROPERTIES && c == '{') ||
                              (field->kind == FIELD_FIGURE && json_starts_number(c))))
            *ret_is_allocation = true;
        if (!json_skip_value(json) || !json_object_next(json, &has_member))
            return false;
    }
    return true;
}

/* Is a value that begins with `c` what OpenCost gives this field? */
static bool has_type_of(const struct field *field, char c)
{
    switch (field->kind) {
    case FIELD_FIGURE:
        return json_starts_number(c) || c == 'n';
    case FIELD_NAME:
    case FIELD_START:
    case FIELD_TIME:
        return c == '"';
    case FIELD_PROPERTIES:
    case FIELD_DETAIL:
        return c == '{';
    }
    return false;
}

/* Reads one member and what it tells. */
static bool read_clue(const struct field_index *fields, struct json_reader *json,
                      enum clue *ret_clue)
{
    struct json_string key;
    if (!json_read_key(json, &key))
        return false;
    const struct field *field = field_find(fields, &key);
    char c = *json->cursor;
    bool is_allocation = false;
    if (!(c == '{' ? read_looks(fields, json, &is_allocation) : json_skip_value(json)))
        return false;
    if (is_allocation)
        *ret_clue = CLUE_MAP;
    else
        *ret_clue = field != NULL && has_type_of(field, c) ? CLUE_ALLOCATION : CLUE_NONE;
    return true;
}

bool set_shape_tell(const struct field_index *fields, struct json_reader *json,
                    enum set_shape *ret_shape)
{
    struct json_reader before = *json;
    enum clue clue = CLUE_NONE;
    bool has_member;
    if (!json_object_begin(json, &has_member))
        return false;
    for (int i = 0; i < MEMBERS_LOOKED_AT && has_member; i++) {
        if (!read_clue(fields, json, &clue))
            return false;
        if (clue != CLUE_NONE)
            break;
        if (!json_object_next(json, &has_member))
            return false;
    }
    *json = before;
    *ret_shape = clue == CLUE_ALLOCATION ? SET_IS_ALLOCATION : SET_IS_MAP;
    return true;
}
