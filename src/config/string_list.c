/* SPDX-License-Identifier: Apache-2.0 */
#include "string_list.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool string_list_add(struct string_list *list, const char *text, size_t length)
{
    char **items = realloc(list->items, (list->count + 1) * sizeof(*items));
    if (items == NULL)
        return false;
    list->items = items;
    items[list->count] = strndup(text, length);
    if (items[list->count] == NULL)
        return false;
    list->count++;
    return true;
}

bool string_list_add_format(struct string_list *list, const char *format, ...)
{
    va_list arguments;
    char *text;
    va_start(arguments, format);
    int length = vasprintf(&text, format, arguments);
    va_end(arguments);
    if (length < 0)
        return false;
    bool ok = string_list_add(list, text, (size_t)length);
    free(text);
    return ok;
}

void string_list_finish(struct string_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->items[i]);
    free(list->items);
    *list = (struct string_list){0};
}
