/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTP_UTF8_REPAIR_H
#define HTTP_UTF8_REPAIR_H

#include <stddef.h>

#include "base/attrs.h"

enum { UTF8_REPAIR_FACTOR = 3 }; /* one broken byte becomes the three of U+FFFD */

/* Copies `text`, broken UTF-8 replaced by U+FFFD: one for each longest piece that begins a
 * character and does not end it (the practice Unicode recommends, and Python's errors="replace").
 * `to` has room for UTF8_REPAIR_FACTOR times `length`. Returns the bytes written. */
size_t utf8_repair(const char *text, size_t length, char *to) NODISCARD;

#endif
