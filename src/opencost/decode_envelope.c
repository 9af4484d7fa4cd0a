/* SPDX-License-Identifier: Apache-2.0 */
#include "decode_envelope.h"

#include <stdio.h>

#include "base/text.h"
#include "cost/decimal.h"

enum envelope_key envelope_key_of(const struct json_string *key)
{
    static const struct {
        const char *name;
        enum envelope_key key;
    } names[] = {
        {"code", ENVELOPE_CODE},    {"data", ENVELOPE_DATA},     {"message", ENVELOPE_MESSAGE},
        {"status", ENVELOPE_ASIDE}, {"warning", ENVELOPE_ASIDE}, {"meta", ENVELOPE_ASIDE},
    };
    char meaning[16];
    struct text text = key->raw;
    if (key->has_escapes)
        text = (struct text){meaning, json_unescape(key->raw, meaning, sizeof(meaning))};
    if (text.length > sizeof(meaning))
        return ENVELOPE_OTHER;
    for (size_t i = 0; i < ARRAY_LENGTH(names); i++)
        if (text_equals(text, text_of(names[i].name)))
            return names[i].key;
    return ENVELOPE_OTHER;
}

static bool read_code(struct envelope *envelope, struct json_reader *json)
{
    const char *value = json->cursor;
    decimal code;
    if (!json_skip_value(json))
        return false;
    size_t length = (size_t)(json->cursor - value);
    envelope->has_code = true;
    envelope->is_success =
        decimal_parse(value, length, &code) == DECIMAL_OK && code == 200 * DECIMAL_ONE;
    int shown = length < sizeof(envelope->code) ? (int)length : (int)sizeof(envelope->code) - 1;
    snprintf(envelope->code, sizeof(envelope->code), "%.*s", shown, value);
    return true;
}

static bool read_message(struct envelope *envelope, struct json_reader *json)
{
    struct json_string message;
    envelope->message[0] = '\0';
    if (*json->cursor != '"')
        return json_skip_value(json);
    if (!json_read_string(json, &message))
        return false;
    size_t length = json_unescape(message.raw, envelope->message, sizeof(envelope->message));
    if (length >= sizeof(envelope->message)) {
        length = sizeof(envelope->message) - 1;
        while (length > 0 && (envelope->message[length] & 0xC0) == 0x80)
            length--; /* back to where a character begins */
    }
    envelope->message[length] = '\0';
    return true;
}

bool envelope_read_value(struct envelope *envelope, struct json_reader *json, enum envelope_key key)
{
    switch (key) {
    case ENVELOPE_CODE:
        return read_code(envelope, json);
    case ENVELOPE_MESSAGE:
        return read_message(envelope, json);
    case ENVELOPE_DATA:
    case ENVELOPE_ASIDE:
        break;
    case ENVELOPE_OTHER:
        envelope->has_others = true;
        break;
    }
    return json_skip_value(json);
}

bool envelope_check(const struct envelope *envelope, struct error *reterr)
{
    if (envelope->has_code && !envelope->is_success)
        return error_set(reterr, ERR_UPSTREAM_BODY, "OpenCost answered code %s%s%s", envelope->code,
                         envelope->message[0] != '\0' ? ": " : "", envelope->message);
    if (!envelope->has_data && (!envelope->has_code || envelope->has_others))
        return error_set(reterr, ERR_UPSTREAM_BODY, "the answer has no data");
    return true;
}
