/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files behind openapi.h share: which routes are shown, under which heading, and the big
 * parts of the document.
 *
 * Threads: pure functions, but for the buffer they write to.
 */
#ifndef API_OPENAPI_PARTS_H
#define API_OPENAPI_PARTS_H

#include "base/attrs.h"
#include "base/strbuf.h"
#include "openapi.h"
#include "routes.h"

enum { ROUTE_GROUP_COUNT = ROUTE_GROUP_DOCS + 1 };

struct openapi_tag {
    const char *name;
    const char *title;
    const char *description;
};

/* The heading under which the routes of a group are shown. */
const struct openapi_tag *openapi_tag_of(enum route_group group) NODISCARD;

/* False for routes without an operation id. */
bool openapi_shows(const struct route *route) NODISCARD;

/* True when any route of the group is shown. */
bool openapi_shows_group(enum route_group group) NODISCARD;

/* "paths":{...} */
void openapi_add_paths(struct strbuf *out, const struct openapi_guard *guard);

/* "schemas":{...} */
void openapi_add_schemas(struct strbuf *out);

/* The other components. */
void openapi_add_responses(struct strbuf *out, bool needs_token);

/* ,"security":[...] */
void openapi_add_security(struct strbuf *out, bool needs_token);

#endif
