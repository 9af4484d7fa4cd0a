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

#endif
