/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads .env text, by python-dotenv's grammar (docs/API_QUICKREF.md lists it line by line): quotes,
 * escapes, comments, `export`, ${NAME} and ${NAME:-default}. A byte order mark is skipped. A line
 * that makes no sense is skipped with a warning that names its number, and the next one is read.
 *
 * Threads: one at a time per reader.
 */
#ifndef CONFIG_DOTENV_H
#define CONFIG_DOTENV_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attrs.h"
#include "config/config.h"

/* `value` is NULL for a name without `=` (not set). Both borrowed for the call; both NUL-terminated
 * and without NUL inside. False stops the reading (out of memory on the callee's side). */
typedef bool dotenv_pair_fn(void *context, const char *name, const char *value);

/* `line` counts from 1; `problem` is static text. */
typedef void dotenv_warning_fn(void *context, size_t line, const char *problem);

/* `lookup` finds variables of the environment for ${NAME}; names set on earlier lines come first.
 * False only when out of memory. */
bool dotenv_read(const char *text, size_t length, config_getenv_fn *lookup, void *lookup_context,
                 dotenv_pair_fn *pair, dotenv_warning_fn *warning, void *context) NODISCARD;

#endif
