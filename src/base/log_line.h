/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One log event as one line of text, newline included; for this room and its tests.
 *
 * Threads: any; pure functions.
 */
#ifndef BASE_LOG_LINE_H
#define BASE_LOG_LINE_H

#include <stddef.h>
#include <stdint.h>

#include "base/log.h"
#include "base/strbuf.h"

/* All borrowed. */
struct log_record {
    enum log_level level;
    int64_t wall_us;
    const char *file;
    int line;
    const char *function;
    const struct log_field *fields; /* ended by LOG_FIELD_END */
};

/* Texts longer than `value_limit` bytes are cut there, and the line then says `truncated`; raw ones
 * become strings, since JSON cannot be cut. */
void log_line_append(struct strbuf *out, enum log_format format, const struct log_record *record,
                     size_t value_limit);

#endif
