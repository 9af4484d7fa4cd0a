/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Growing text that always has a limit.
 *
 * Failure is sticky: after an append that would exceed the limit or found no memory, all later
 * appends do nothing and strbuf_failed() says so. So a writer appends freely and checks once, at
 * the end.
 *
 * Threads: one at a time.
 */
#ifndef BASE_STRBUF_H
#define BASE_STRBUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/attrs.h"

struct strbuf {
    char *data;    /* NUL-terminated once anything was appended; NULL before */
    size_t length; /* bytes, without the NUL */
    size_t capacity;
    size_t limit; /* `length` never exceeds it */
    bool failed;
};

/* Allocates nothing. Needs strbuf_finish(). */
void strbuf_init(struct strbuf *buf, size_t limit);

/* Writes into the caller's memory and never allocates: `bytes` - 1 is the limit. Neither
 * strbuf_finish() nor strbuf_take() may be called. For text built on the stack. */
void strbuf_init_fixed(struct strbuf *buf, char *memory, size_t bytes);

/* Frees the bytes; `buf` may be initialised again. Accepts a zeroed struct. Fits CLEANUP(). */
void strbuf_finish(struct strbuf *buf);

/* Forgets the content and the failure, keeps the memory. */
void strbuf_clear(struct strbuf *buf);

bool strbuf_failed(const struct strbuf *buf) NODISCARD;

/* The content as a string, "" when empty. Borrowed until the next append. */
const char *strbuf_text(const struct strbuf *buf) NODISCARD;

/* Hands the bytes to the caller, who frees them with free(); `buf` is empty afterwards. NULL when
 * failed or never written. The block is shrunk to its length + 1 bytes (the NUL). */
char *strbuf_take(struct strbuf *buf, size_t *ret_length) NODISCARD;

/* Where there is no room yet, or none at all; called by strbuf_append() alone. */
void strbuf_append_growing(struct strbuf *buf, const void *bytes, size_t length);

/* Here for the compiler to see: most appends are of a few bytes, and their number is a constant. */
static inline void strbuf_append(struct strbuf *buf, const void *bytes, size_t length)
{
    if (buf->failed || length >= buf->capacity - buf->length) {
        strbuf_append_growing(buf, bytes, length);
        return;
    }
    if (length > 0)
        memcpy(buf->data + buf->length, bytes, length);
    buf->length += length;
    buf->data[buf->length] = '\0';
}

static inline void strbuf_append_text(struct strbuf *buf, const char *text)
{
    strbuf_append(buf, text, strlen(text));
}

static inline void strbuf_append_char(struct strbuf *buf, char c)
{
    strbuf_append(buf, &c, 1);
}

void strbuf_append_int(struct strbuf *buf, int64_t value);
void strbuf_append_format(struct strbuf *buf, const char *format, ...) PRINTF_LIKE(2, 3);

/* Room for `length` more bytes, to be written by the caller and then counted with strbuf_commit();
 * NULL when there is none (the buffer has then failed). For writers that would pay too much for an
 * append per field. */
char *strbuf_reserve(struct strbuf *buf, size_t length) NODISCARD;
void strbuf_commit(struct strbuf *buf, size_t length);

#endif
