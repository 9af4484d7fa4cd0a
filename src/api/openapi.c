/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The document's frame. Its paths come from the route table (openapi_paths.c); what the answers
 * look like is written down in openapi_schemas.c and openapi_responses.c.
 */
#include "openapi.h"

#include "openapi_json.h"
#include "openapi_parts.h"

enum { DOCUMENT_LIMIT_BYTES = 256 * 1024 };

static const char about[] =
    "What a Kubernetes cluster costs, by namespace, pod and month, and where money is wasted; "
    "worked out from what OpenCost measures and kept in a cache.\n\n"
    "All figures are US dollars, with at most nine decimals; the rows of an answer add up to its "
    "total. `HEAD` works wherever `GET` does. Unknown parameters are ignored; of a repeated one "
    "the last counts.";

static void add_info(struct strbuf *out, const char *version)
{
    openapi_add_key(out, "info");
    strbuf_append_char(out, '{');
    openapi_add_text(out, "title", "Kubecent backend");
    openapi_add_text(out, "version", version);
    openapi_add_text(out, "summary", "A small, fast cost API beside OpenCost");
    openapi_add_text(out, "description", about);
    strbuf_append_text(
        out, ",\"license\":{\"name\":\"Apache License 2.0\",\"identifier\":\"Apache-2.0\"}}");
}

static void add_tags(struct strbuf *out)
{
    openapi_add_key(out, "tags");
    strbuf_append_char(out, '[');
    for (unsigned group = 0; group < ROUTE_GROUP_COUNT; group++) {
        if (!openapi_shows_group(group))
            continue;
        openapi_add_comma(out);
        strbuf_append_char(out, '{');
        openapi_add_text(out, "name", openapi_tag_of(group)->name);
        openapi_add_text(out, "description", openapi_tag_of(group)->description);
        strbuf_append_char(out, '}');
    }
    strbuf_append_char(out, ']');
}

static void add_components(struct strbuf *out, const struct openapi_guard *guard)
{
    openapi_add_key(out, "components");
    strbuf_append_char(out, '{');
    openapi_add_schemas(out);
    openapi_add_responses(out, guard->needs_token);
    strbuf_append_char(out, '}');
}

struct http_content *openapi_document(const char *version, const struct openapi_guard *guard)
{
    struct strbuf out CLEANUP(strbuf_finish) = {0};
    strbuf_init(&out, DOCUMENT_LIMIT_BYTES);

    strbuf_append_text(&out, "{\"openapi\":\"3.1.0\"");
    add_info(&out, version);
    strbuf_append_text(&out, ",\"servers\":[{\"url\":\"..\",\"description\":\"This service\"}]");
    openapi_add_security(&out, guard->needs_token);
    add_tags(&out);
    openapi_add_paths(&out, guard);
    add_components(&out, guard);
    strbuf_append_char(&out, '}');

    size_t length;
    char *bytes = strbuf_take(&out, &length);
    return bytes != NULL ? http_content_create(bytes, length, "application/json") : NULL;
}
