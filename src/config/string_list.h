/* SPDX-License-Identifier: Apache-2.0 */
/* Growing lists of strings; for this room only. */
#ifndef CONFIG_STRING_LIST_H
#define CONFIG_STRING_LIST_H

#include <stdbool.h>
#include <stddef.h>

#include "config/config.h"

/* Appends a copy. False when out of memory; the list is then as it was. */
bool string_list_add(struct string_list *list, const char *text, size_t length) NODISCARD;

/* The same with a formatted text. */
bool string_list_add_format(struct string_list *list, const char *format, ...) NODISCARD
    PRINTF_LIKE(2, 3);

/* Leaves an empty list. Accepts a zeroed one. */
void string_list_finish(struct string_list *list);

#endif
