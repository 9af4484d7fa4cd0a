/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "http/exchange.h"

/* Room for a value, or NULL when the list or its space is full. */
static char *next_value(struct http_headers *headers, size_t *ret_room)
{
    *ret_room = sizeof(headers->space) - headers->used;
    if (headers->count == HTTP_MAX_HEADERS || *ret_room == 0)
        return NULL;
    return headers->space + headers->used;
}

static void keep_value(struct http_headers *headers, const char *static_name, const char *value,
                       size_t length)
{
    headers->list[headers->count++] = (struct http_header){.name = static_name, .value = value};
    headers->used += length + 1;
}

void http_headers_add(struct http_headers *headers, const char *static_name, const char *value)
{
    size_t length = strlen(value);
    size_t room;
    char *copy = next_value(headers, &room);

    if (copy == NULL || length >= room) {
        headers->overflow = true;
        return;
    }
    memcpy(copy, value, length + 1);
    keep_value(headers, static_name, copy, length);
}

void http_headers_add_format(struct http_headers *headers, const char *static_name,
                             const char *format, ...)
{
    size_t room;
    char *value = next_value(headers, &room);
    va_list arguments;
    int length;

    if (value == NULL) {
        headers->overflow = true;
        return;
    }
    va_start(arguments, format);
    /* NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized): a false alarm of clang-tidy 14 */
    length = vsnprintf(value, room, format, arguments);
    va_end(arguments);
    if (length < 0 || (size_t)length >= room) {
        headers->overflow = true;
        return;
    }
    keep_value(headers, static_name, value, (size_t)length);
}
