/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GET /api/openapi.json, /api/docs and the files the page loads; without documentation their routes
 * do not exist.
 */
#include "call.h"
#include "docs.h"
#include "openapi.h"

static void add_page_headers(void *context, struct http_headers *headers)
{
    call_add_common_headers(context, VARIES_BY_ENCODING, headers);
    http_headers_add(headers, "Cache-Control", "no-cache");
    http_headers_add(headers, "Content-Security-Policy", openapi_docs_policy());
    http_headers_add(headers, "X-Content-Type-Options", "nosniff");
}

void get_openapi(struct call *call)
{
    call_reply_document(call, call->api->openapi);
}

void get_docs(struct call *call)
{
    http_reply_content(call->exchange, docs_page(call->api->docs), 0, add_page_headers, call);
}

void get_docs_file(struct call *call)
{
    struct http_content *file = docs_file(call->api->docs, call->route->path);
    if (file != NULL)
        call_reply_document(call, file);
    else
        call_reply_detail(call, 404, "Not Found");
}
