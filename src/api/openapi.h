/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The OpenAPI 3.1 document, made from the route and parameter tables, and a page for people.
 *
 * Threads: pure functions.
 */
#ifndef API_OPENAPI_H
#define API_OPENAPI_H

#include <stdbool.h>

#include "base/attrs.h"
#include "http/content.h"

/* Which routes need a token. */
struct openapi_guard {
    bool needs_token; /* else none does */
    bool metrics_auth;
};

/* New content: the document for this version of the service. NULL only when out of memory. */
struct http_content *openapi_document(const char *version,
                                      const struct openapi_guard *guard) NODISCARD;

/* New content: an HTML page with relative links only. `with_swagger`: Swagger UI takes its place
 * where scripts run. NULL only when out of memory. */
struct http_content *openapi_docs_page(bool with_swagger) NODISCARD;

/* The page's Content-Security-Policy: it runs what we serve, and asks only us. */
const char *openapi_docs_policy(void) NODISCARD;

#endif
