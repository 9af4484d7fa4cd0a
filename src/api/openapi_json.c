/* SPDX-License-Identifier: Apache-2.0 */
#include "openapi_json.h"

#include <stdio.h>
#include <string.h>

#include "base/json_text.h"

void openapi_add_comma(struct strbuf *out)
{
    if (out->length == 0)
        return;
    /* A string ends in its quote, so a bracket here was opened by the writer. */
    char last = out->data[out->length - 1];
    if (last != '{' && last != '[')
        strbuf_append_char(out, ',');
}

void openapi_add_key(struct strbuf *out, const char *key)
{
    openapi_add_comma(out);
    json_append_string(out, key, strlen(key));
    strbuf_append_char(out, ':');
}

void openapi_add_text(struct strbuf *out, const char *key, const char *value)
{
    openapi_add_key(out, key);
    json_append_string(out, value, strlen(value));
}

void openapi_add_reference(struct strbuf *out, const char *key, const char *section,
                           const char *name)
{
    char pointer[128];
    (void)snprintf(pointer, sizeof(pointer), "#/components/%s/%s", section, name);
    openapi_add_key(out, key);
    strbuf_append_char(out, '{');
    openapi_add_text(out, "$ref", pointer);
    strbuf_append_char(out, '}');
}

void openapi_add_each(struct strbuf *out, const struct openapi_component *components, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        openapi_add_key(out, components[i].name);
        strbuf_append_text(out, components[i].json);
    }
}

void openapi_add_section(struct strbuf *out, const char *name,
                         const struct openapi_component *components, size_t count)
{
    openapi_add_key(out, name);
    strbuf_append_char(out, '{');
    openapi_add_each(out, components, count);
    strbuf_append_char(out, '}');
}
