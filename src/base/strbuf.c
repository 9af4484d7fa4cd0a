/* SPDX-License-Identifier: Apache-2.0 */
#include "base/strbuf.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    FIRST_CAPACITY = 64,
    INT_DIGITS_MAX = 20, /* of a 64-bit integer with its sign */
};

void strbuf_init(struct strbuf *buf, size_t limit)
{
    /* Room for doubling and for the NUL without overflow. */
    size_t highest = SIZE_MAX / 4;
    *buf = (struct strbuf){.limit = limit < highest ? limit : highest};
}

void strbuf_init_fixed(struct strbuf *buf, char *memory, size_t bytes)
{
    assert(bytes > 0);
    memory[0] = '\0';
    *buf = (struct strbuf){.data = memory, .capacity = bytes, .limit = bytes - 1};
}

void strbuf_finish(struct strbuf *buf)
{
    free(buf->data);
    *buf = (struct strbuf){0};
}

void strbuf_clear(struct strbuf *buf)
{
    buf->length = 0;
    buf->failed = false;
    if (buf->data != NULL)
        buf->data[0] = '\0';
}

bool strbuf_failed(const struct strbuf *buf)
{
    return buf->failed;
}

const char *strbuf_text(const struct strbuf *buf)
{
    return buf->data != NULL ? buf->data : "";
}

char *strbuf_take(struct strbuf *buf, size_t *ret_length)
{
    char *bytes = buf->data;
    size_t length = buf->length;
    bool failed = buf->failed;
    *buf = (struct strbuf){.limit = buf->limit};
    if (bytes == NULL || failed) {
        free(bytes);
        return NULL;
    }
    char *shrunk = realloc(bytes, length + 1);
    if (ret_length != NULL)
        *ret_length = length;
    return shrunk != NULL ? shrunk : bytes;
}

/* Makes room for `length` more bytes and the NUL. A fixed buffer never gets here: its limit is
 * checked first. */
static bool grow(struct strbuf *buf, size_t length)
{
    size_t needed = buf->length + length + 1;
    size_t capacity = buf->capacity < FIRST_CAPACITY ? FIRST_CAPACITY : buf->capacity * 2;
    if (capacity < needed)
        capacity = needed;
    if (capacity > buf->limit + 1)
        capacity = buf->limit + 1;
    char *data = realloc(buf->data, capacity);
    if (data == NULL)
        return false;
    buf->data = data;
    buf->capacity = capacity;
    return true;
}

char *strbuf_reserve(struct strbuf *buf, size_t length)
{
    if (buf->failed)
        return NULL;
    bool fits = length <= buf->limit - buf->length;
    if (fits && buf->capacity - buf->length <= length)
        fits = grow(buf, length);
    if (!fits) {
        buf->failed = true;
        return NULL;
    }
    return buf->data + buf->length;
}

void strbuf_commit(struct strbuf *buf, size_t length)
{
    assert(length < buf->capacity - buf->length);
    buf->length += length;
    buf->data[buf->length] = '\0';
}

void strbuf_append_growing(struct strbuf *buf, const void *bytes, size_t length)
{
    char *end = strbuf_reserve(buf, length);
    if (end == NULL)
        return;
    if (length > 0)
        memcpy(end, bytes, length);
    strbuf_commit(buf, length);
}

/* Two digits a step halve the divisions, which are what this costs. */
static const char digit_pairs[] = "00010203040506070809"
                                  "10111213141516171819"
                                  "20212223242526272829"
                                  "30313233343536373839"
                                  "40414243444546474849"
                                  "50515253545556575859"
                                  "60616263646566676869"
                                  "70717273747576777879"
                                  "80818283848586878889"
                                  "90919293949596979899";

void strbuf_append_int(struct strbuf *buf, int64_t value)
{
    char digits[INT_DIGITS_MAX];
    size_t start = sizeof(digits);
    /* Unsigned, because the smallest integer has no positive counterpart. */
    uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    while (rest >= 10) {
        digits[--start] = digit_pairs[rest % 100 * 2 + 1];
        digits[--start] = digit_pairs[rest % 100 * 2];
        rest /= 100;
    }
    /* A digit is left over when their number is odd. */
    if (rest > 0 || start == sizeof(digits))
        digits[--start] = (char)('0' + rest);
    if (value < 0)
        digits[--start] = '-';
    strbuf_append(buf, digits + start, sizeof(digits) - start);
}

void strbuf_append_format(struct strbuf *buf, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    char *end = length < 0 ? NULL : strbuf_reserve(buf, (size_t)length);
    if (end == NULL) {
        buf->failed = true;
        return;
    }
    va_start(arguments, format);
    (void)vsnprintf(end, (size_t)length + 1, format, arguments);
    va_end(arguments);
    strbuf_commit(buf, (size_t)length);
}
