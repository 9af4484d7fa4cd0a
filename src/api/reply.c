/* SPDX-License-Identifier: Apache-2.0 */
#include "call.h"

static void add_vary(const struct call *call, unsigned varies, struct http_headers *headers)
{
    const struct {
        const char *name;
        bool matters;
    } names[] = {
        {"Accept", (varies & VARIES_BY_ACCEPT) != 0},
        {"Accept-Encoding", (varies & VARIES_BY_ENCODING) != 0},
        {"Origin", cors_varies(&call->api->cors, call->cors)},
        {"Authorization", call->is_guarded},
    };
    char space[64];
    struct strbuf value;
    strbuf_init_fixed(&value, space, sizeof(space));
    for (size_t i = 0; i < ARRAY_LENGTH(names); i++) {
        if (!names[i].matters)
            continue;
        if (value.length > 0)
            strbuf_append_text(&value, ", ");
        strbuf_append_text(&value, names[i].name);
    }
    if (value.length > 0)
        http_headers_add(headers, "Vary", strbuf_text(&value));
}

void call_add_common_headers(const struct call *call, unsigned varies, struct http_headers *headers)
{
    cors_add_headers(call->cors, call->exchange, headers);
    add_vary(call, varies, headers);
    if (call->request->has_client_request_id)
        http_headers_add(headers, "X-Request-ID", call->request->request_id);
}

void call_reply(const struct call *call, int status, const char *type, struct text body,
                const char *extra_name, const char *extra_value)
{
    struct http_headers headers;
    headers.count = 0;
    headers.used = 0;
    headers.overflow = false;
    call_add_common_headers(call, 0, &headers);
    http_headers_add(&headers, "Cache-Control", "no-store");
    if (extra_name != NULL)
        http_headers_add(&headers, extra_name, extra_value);
    http_reply(call->exchange, status, type, body, &headers);
}

void call_reply_json(const struct call *call, int status, struct text body)
{
    call_reply(call, status, "application/json", body, NULL, NULL);
}

static void add_document_headers(void *context, struct http_headers *headers)
{
    const struct call *call = context;
    call_add_common_headers(call, VARIES_BY_ENCODING, headers);
    http_headers_add(headers, "Cache-Control", "no-cache");
}

void call_reply_document(const struct call *call, struct http_content *content)
{
    struct call copy = *call;
    http_reply_content(call->exchange, content, 0, add_document_headers, &copy);
}
