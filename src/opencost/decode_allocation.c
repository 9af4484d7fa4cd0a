/* SPDX-License-Identifier: Apache-2.0 */
#include "decode_allocation.h"

#include <stdint.h>
#include <string.h>

#include "base/civil_time.h"
#include "cost/decimal.h"

void allocation_reader_init(struct allocation_reader *self)
{
    *self = (struct allocation_reader){0};
    field_index_init(&self->fields);
    strbuf_init(&self->name, SIZE_MAX);
    strbuf_init(&self->namespace_name, SIZE_MAX);
    strbuf_init(&self->pod, SIZE_MAX);
}

void allocation_reader_finish(struct allocation_reader *self)
{
    strbuf_finish(&self->name);
    strbuf_finish(&self->namespace_name);
    strbuf_finish(&self->pod);
}

/* What the string means: the bytes themselves, or written out in `scratch` when they are escaped.
 */
static bool resolve(struct json_reader *json, const struct json_string *string,
                    struct strbuf *scratch, struct text *ret_text)
{
    *ret_text = string->raw;
    if (!string->has_escapes)
        return true;
    strbuf_clear(scratch);
    char *meaning = strbuf_reserve(scratch, string->raw.length);
    if (meaning == NULL)
        return json_no_memory(json);
    ret_text->data = meaning;
    ret_text->length = json_unescape(string->raw, meaning, string->raw.length);
    return true;
}

/* Reads a value that should be a name; anything else is read over and counts as empty. No name in
 * Kubernetes holds a NUL, whereas an annotation may. */
static bool read_name(struct json_reader *json, struct strbuf *scratch, struct text *ret_text)
{
    struct json_string string;
    *ret_text = (struct text){0};
    if (*json->cursor != '"')
        return json_skip_value(json);
    if (!json_read_string(json, &string))
        return false;
    return string.has_nul || resolve(json, &string, scratch, ret_text);
}

static bool key_is(const struct json_string *key, struct text expected)
{
    char meaning[16];
    if (!key->has_escapes)
        return text_equals(key->raw, expected);
    size_t length = json_unescape(key->raw, meaning, sizeof(meaning));
    return length == expected.length && memcmp(meaning, expected.data, length) == 0;
}

static bool read_properties(struct allocation_reader *self, struct json_reader *json)
{
    bool has_member;
    struct json_string key;
    /* Of repeated members the last counts, so an earlier object leaves nothing. */
    self->allocation.namespace_name = self->allocation.pod = (struct text){0};
    if (*json->cursor != '{')
        return json_skip_value(json);
    if (!json_object_begin(json, &has_member))
        return false;
    while (has_member) {
        if (!json_read_key(json, &key))
            return false;
        bool ok;
        if (key_is(&key, TEXT("namespace")))
            ok = read_name(json, &self->namespace_name, &self->allocation.namespace_name);
        else if (key_is(&key, TEXT("pod")))
            ok = read_name(json, &self->pod, &self->allocation.pod);
        else
            ok = json_skip_value(json);
        if (!ok || !json_object_next(json, &has_member))
            return false;
    }
    return true;
}

static bool read_start(struct allocation_reader *self, struct json_reader *json)
{
    struct json_string string;
    self->allocation.has_start = false;
    if (*json->cursor != '"')
        return json_skip_value(json);
    if (!json_read_string(json, &string))
        return false;
    char meaning[64]; /* longer than any time; what does not fit is none */
    struct text time = string.raw;
    if (string.has_escapes)
        time = (struct text){meaning, json_unescape(string.raw, meaning, sizeof(meaning))};
    self->allocation.has_start = time.length <= sizeof(meaning) &&
                                 rfc3339_parse(time.data, time.length, &self->allocation.start_s);
    return true;
}

static bool read_figure(struct allocation_reader *self, struct json_reader *json,
                        enum figure figure)
{
    struct text number;
    self->allocation.state[figure] = FIGURE_INVALID;
    if (!json_starts_number(*json->cursor))
        return json_skip_value(json);
    if (!json_read_number(json, &number))
        return false;
    enum decimal_result result =
        decimal_parse(number.data, number.length, &self->allocation.value[figure]);
    if (result == DECIMAL_OUT_OF_RANGE)
        return json_fail(json, number.data, "a figure below 1e18");
    if (result == DECIMAL_OK)
        self->allocation.state[figure] = FIGURE_PRESENT;
    return true;
}

/* The cursor is on the value of a member of ours. */
static bool read_field(struct allocation_reader *self, struct json_reader *json,
                       const struct field *field, bool takes_name)
{
    switch (field->kind) {
    case FIELD_FIGURE:
        return read_figure(self, json, field->figure);
    case FIELD_PROPERTIES:
        return read_properties(self, json);
    case FIELD_START:
        return read_start(self, json);
    case FIELD_NAME:
        return takes_name ? read_name(json, &self->name, &self->allocation.name)
                          : json_skip_value(json);
    case FIELD_TIME:
    case FIELD_DETAIL:
        break;
    }
    return json_skip_value(json);
}

/* Reads the object the cursor is on; `takes_name`: its member `name` is the allocation's. */
static bool read_object(struct allocation_reader *self, struct json_reader *json, bool takes_name)
{
    bool has_member;
    struct json_string key;
    struct allocation *allocation = &self->allocation;
    allocation->namespace_name = allocation->pod = (struct text){0};
    allocation->has_start = false;
    memset(allocation->state, 0, sizeof(allocation->state)); /* FIGURE_ABSENT */
    if (!json_object_begin(json, &has_member))
        return false;
    while (has_member) {
        if (!json_read_key(json, &key))
            return false;
        const struct field *field = field_find(&self->fields, &key);
        bool ok = field == NULL ? json_skip_value(json) : read_field(self, json, field, takes_name);
        if (!ok || !json_object_next(json, &has_member))
            return false;
    }
    allocation->has_namespace = allocation->namespace_name.length > 0;
    allocation->has_pod = allocation->pod.length > 0;
    return true;
}

bool allocation_read_member(struct allocation_reader *self, struct json_reader *json,
                            const struct allocation **ret_allocation)
{
    struct json_string name;
    *ret_allocation = NULL;
    if (!json_read_key(json, &name))
        return false;
    if (*json->cursor != '{')
        return json_skip_value(json);
    if (!resolve(json, &name, &self->name, &self->allocation.name))
        return false;
    if (!read_object(self, json, false))
        return false;
    *ret_allocation = &self->allocation;
    return true;
}

bool allocation_read_bare(struct allocation_reader *self, struct json_reader *json,
                          const struct allocation **ret_allocation)
{
    self->allocation.name = (struct text){0};
    if (!read_object(self, json, true))
        return false;
    *ret_allocation = &self->allocation;
    return true;
}
