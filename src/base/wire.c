/* SPDX-License-Identifier: Apache-2.0 */
#include "base/wire.h"

__extension__ typedef unsigned __int128 wide;

enum {
    GROUP_BITS = 7,
    GROUP_MASK = (1 << GROUP_BITS) - 1,
    MORE = 1 << GROUP_BITS, /* set in every group but the last */
    GROUPS_MAX = (128 + GROUP_BITS - 1) / GROUP_BITS,
};

static void put_wide(struct strbuf *buf, wide value)
{
    unsigned char bytes[GROUPS_MAX];
    size_t length = 0;
    for (; value > GROUP_MASK; value >>= GROUP_BITS)
        bytes[length++] = (unsigned char)((value & GROUP_MASK) | MORE);
    bytes[length++] = (unsigned char)value;
    strbuf_append(buf, bytes, length);
}

void wire_put_fixed64(struct strbuf *buf, uint64_t value)
{
    unsigned char bytes[sizeof(value)];
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (unsigned char)(value >> (8 * i));
    strbuf_append(buf, bytes, sizeof(bytes));
}

void wire_put_unsigned(struct strbuf *buf, uint64_t value)
{
    put_wide(buf, value);
}

void wire_put_signed(struct strbuf *buf, wire_int128 value)
{
    wide folded = (wide)value << 1;
    put_wide(buf, value < 0 ? ~folded : folded);
}

void wire_put_text(struct strbuf *buf, struct text text)
{
    wire_put_unsigned(buf, text.length);
    if (text.length > 0)
        strbuf_append(buf, text.data, text.length);
}

struct wire_reader wire_reader_of(struct text bytes)
{
    return (struct wire_reader){.at = (const unsigned char *)bytes.data, .left = bytes.length};
}

void wire_fail(struct wire_reader *reader)
{
    reader->failed = true;
    reader->left = 0;
}

/* The next `length` bytes, or NULL. */
static const unsigned char *take(struct wire_reader *reader, uint64_t length)
{
    if (length > reader->left) {
        wire_fail(reader);
        return NULL;
    }
    const unsigned char *taken = reader->at;
    reader->at += length;
    reader->left -= length;
    return taken;
}

/* A last group of zero would be a second spelling, and bits beyond the width would be lost. */
static wide get_wide(struct wire_reader *reader, unsigned width)
{
    wide value = 0;
    for (unsigned shift = 0; shift < width; shift += GROUP_BITS) {
        const unsigned char *byte = take(reader, 1);
        if (byte == NULL)
            return 0;
        unsigned group = *byte & GROUP_MASK;
        bool is_last = (*byte & MORE) == 0;
        unsigned room = width - shift;
        if ((is_last && group == 0 && shift > 0) || (room < GROUP_BITS && group >> room != 0))
            break;
        value |= (wide)group << shift;
        if (is_last)
            return value;
    }
    wire_fail(reader);
    return 0;
}

uint64_t wire_get_fixed64(struct wire_reader *reader)
{
    uint64_t value = 0;
    const unsigned char *bytes = take(reader, sizeof(value));
    for (size_t i = 0; bytes != NULL && i < sizeof(value); i++)
        value |= (uint64_t)bytes[i] << (8 * i);
    return value;
}

uint64_t wire_get_unsigned(struct wire_reader *reader)
{
    return (uint64_t)get_wide(reader, 64);
}

wire_int128 wire_get_signed(struct wire_reader *reader)
{
    wide folded = get_wide(reader, 128);
    wide magnitude = folded >> 1;
    return (wire_int128)((folded & 1) != 0 ? ~magnitude : magnitude);
}

int64_t wire_get_int64(struct wire_reader *reader)
{
    wire_int128 value = wire_get_signed(reader);
    if (value < INT64_MIN || value > INT64_MAX) {
        wire_fail(reader);
        return 0;
    }
    return (int64_t)value;
}

struct text wire_get_text(struct wire_reader *reader)
{
    uint64_t length = wire_get_unsigned(reader);
    const unsigned char *bytes = take(reader, length);
    if (bytes == NULL)
        return (struct text){0};
    return (struct text){.data = (const char *)bytes, .length = length};
}

uint64_t wire_get_count(struct wire_reader *reader, size_t record_bytes)
{
    uint64_t count = wire_get_unsigned(reader);
    if (count <= reader->left / record_bytes)
        return count;
    wire_fail(reader);
    return 0;
}

bool wire_is_complete(const struct wire_reader *reader)
{
    return !reader->failed && reader->left == 0;
}
