/* SPDX-License-Identifier: Apache-2.0 */
#include "fake_exchange.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>
/* cmocka.h needs some of those above */
#include <cmocka.h>

const struct http_request *http_exchange_request(const struct http_exchange *exchange)
{
    return &exchange->request;
}

const char *http_exchange_header(const struct http_exchange *exchange, const char *name)
{
    const struct http_header *header = exchange->headers;
    for (; header != NULL && header->name != NULL; header++) {
        if (strcasecmp(header->name, name) == 0)
            return header->value;
    }
    return NULL;
}

void http_exchange_append_headers(const struct http_exchange *exchange, const char *name,
                                  struct strbuf *list)
{
    const struct http_header *header = exchange->headers;
    for (; header != NULL && header->name != NULL; header++) {
        if (strcasecmp(header->name, name) != 0)
            continue;
        if (list->length > 0)
            strbuf_append_char(list, ',');
        strbuf_append_text(list, header->value);
    }
}

const struct http_param *http_request_param(const struct http_request *request, const char *name)
{
    for (size_t i = request->param_count; i > 0; i--) {
        if (text_equals(request->params[i - 1].name, text_of(name)))
            return &request->params[i - 1];
    }
    return NULL;
}

void http_headers_add(struct http_headers *headers, const char *static_name, const char *value)
{
    size_t size = strlen(value) + 1;
    assert_true(headers->count < HTTP_MAX_HEADERS &&
                size <= sizeof(headers->space) - headers->used);
    char *copy = memcpy(headers->space + headers->used, value, size);
    headers->used += size;
    headers->list[headers->count++] = (struct http_header){static_name, copy};
}

void http_reply(struct http_exchange *exchange, int status, const char *type, struct text body,
                const struct http_headers *headers)
{
    assert_int_equal(exchange->status, 0); /* answered once */
    assert_true(body.length < sizeof(exchange->body));
    exchange->status = status;
    exchange->type = type;
    memcpy(exchange->body, body.data, body.length);
    exchange->body[body.length] = '\0';
    exchange->answered = *headers;
    for (size_t i = 0; i < headers->count; i++)
        exchange->answered.list[i].value =
            exchange->answered.space + (headers->list[i].value - headers->space);
}

const char *fake_answered(const struct http_exchange *exchange, const char *name)
{
    for (size_t i = 0; i < exchange->answered.count; i++) {
        if (strcasecmp(exchange->answered.list[i].name, name) == 0)
            return exchange->answered.list[i].value;
    }
    return NULL;
}
