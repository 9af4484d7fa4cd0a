/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The OpenAPI 3.1 document, made from the route and parameter tables, and the page that shows it.
 *
 * Threads: pure functions.
 */
#ifndef API_OPENAPI_H
#define API_OPENAPI_H

#include "base/attrs.h"
#include "http/content.h"

/* New content: the document for this version of the service. NULL only when out of memory. */
struct http_content *openapi_document(const char *version) NODISCARD;

/* New content: an HTML page for people, with relative links only. NULL only when out of memory. */
struct http_content *openapi_docs_page(void) NODISCARD;

#endif
