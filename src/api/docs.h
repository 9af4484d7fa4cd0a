/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The documentation for people: a page, and the files it loads.
 *
 * Threads: any, once made.
 */
#ifndef API_DOCS_H
#define API_DOCS_H

#include <stdbool.h>

#include "base/attrs.h"
#include "http/content.h"

struct docs;

/* NULL only when out of memory. */
struct docs *docs_create(void) NODISCARD;

/* Accepts NULL. */
void docs_destroy(struct docs *docs);

/* True when the page is Swagger UI, false when it is a plain one that loads nothing. */
bool docs_has_files(const struct docs *docs) NODISCARD;

/* Borrowed. */
struct http_content *docs_page(const struct docs *docs) NODISCARD;

/* Borrowed; NULL when there is no such file. */
struct http_content *docs_file(const struct docs *docs, const char *path) NODISCARD;

#endif
