/* SPDX-License-Identifier: Apache-2.0 */
#include "head_padding.h"

#include <stdio.h>
#include <string.h>

#define STATUS_LINE "HTTP/1.1 200 OK\r\n"
#define PADDING     "X-Padding"

static size_t line_length(size_t name, size_t value)
{
    return name + strlen(": ") + value + strlen("\r\n");
}

static size_t head_length(const struct http_headers *headers, size_t body_length)
{
    size_t digits = (size_t)snprintf(NULL, 0, "%zu", body_length);
    size_t length = strlen(STATUS_LINE) + line_length(strlen("Content-Length"), digits);

    for (size_t i = 0; i < headers->count; i++)
        length += line_length(strlen(headers->list[i].name), strlen(headers->list[i].value));
    return length + strlen("\r\n");
}

void head_pad(struct http_headers *headers, size_t body_length)
{
    size_t length = head_length(headers, body_length) + line_length(strlen(PADDING), 0);

    if (length < PADDED_HEAD_BYTES && headers->count < HTTP_MAX_HEADERS)
        http_headers_add_format(headers, PADDING, "%0*d", (int)(PADDED_HEAD_BYTES - length), 0);
}
