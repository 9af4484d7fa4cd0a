/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Members of JSON objects, each with the comma before it where one is due, for the writers of the
 * OpenAPI document.
 *
 * Threads: one at a time per buffer.
 */
#ifndef API_OPENAPI_JSON_H
#define API_OPENAPI_JSON_H

#include "base/strbuf.h"

/* The comma between two members or items: nothing behind an opening bracket. */
void openapi_add_comma(struct strbuf *out);

/* The key and its colon; the caller writes the value. */
void openapi_add_key(struct strbuf *out, const char *key);

void openapi_add_text(struct strbuf *out, const char *key, const char *value);

/* "key":{"$ref":"#/components/<section>/<name>"} */
void openapi_add_reference(struct strbuf *out, const char *key, const char *section,
                           const char *name);

/* JSON as it stands, as a string. */
#define JSON(...) #__VA_ARGS__

struct openapi_component {
    const char *name;
    const char *json;
};

/* "<name>":<json> for each */
void openapi_add_each(struct strbuf *out, const struct openapi_component *components, size_t count);

/* "<name>":{...} of them */
void openapi_add_section(struct strbuf *out, const char *name,
                         const struct openapi_component *components, size_t count);

#endif
