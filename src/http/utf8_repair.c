/* SPDX-License-Identifier: Apache-2.0 */
#include "utf8_repair.h"

#include <stdbool.h>
#include <string.h>

#define REPLACEMENT "\xEF\xBF\xBD"

/* What may follow a first byte: how many bytes, and the bounds of the first of them (they keep out
 * overlong forms, surrogates and code points above U+10FFFF). */
struct lead {
    unsigned char first, last;
    unsigned char followers;
    unsigned char low, high;
};

static const struct lead leads[] = {
    {0x00, 0x7F, 0, 0x00, 0x00}, {0xC2, 0xDF, 1, 0x80, 0xBF}, {0xE0, 0xE0, 2, 0xA0, 0xBF},
    {0xE1, 0xEC, 2, 0x80, 0xBF}, {0xED, 0xED, 2, 0x80, 0x9F}, {0xEE, 0xEF, 2, 0x80, 0xBF},
    {0xF0, 0xF0, 3, 0x90, 0xBF}, {0xF1, 0xF3, 3, 0x80, 0xBF}, {0xF4, 0xF4, 3, 0x80, 0x8F},
};

static const struct lead *find_lead(unsigned char byte)
{
    for (size_t i = 0; i < ARRAY_LENGTH(leads); i++) {
        if (byte >= leads[i].first && byte <= leads[i].last)
            return &leads[i];
    }
    return NULL;
}

/* Length of the character at `text`, or of the longest piece that begins one. */
static size_t piece_length(const char *text, size_t length, bool *ret_whole)
{
    const struct lead *lead = find_lead((unsigned char)text[0]);
    size_t taken = 1;

    *ret_whole = false;
    if (lead == NULL)
        return taken;
    while (taken <= lead->followers && taken < length) {
        unsigned char byte = (unsigned char)text[taken];
        unsigned char low = taken == 1 ? lead->low : 0x80;
        unsigned char high = taken == 1 ? lead->high : 0xBF;

        if (byte < low || byte > high)
            return taken;
        taken++;
    }
    *ret_whole = taken == (size_t)lead->followers + 1;
    return taken;
}

size_t utf8_repair(const char *text, size_t length, char *to)
{
    size_t written = 0;

    for (size_t i = 0; i < length;) {
        bool whole;
        size_t piece = piece_length(text + i, length - i, &whole);
        const char *from = whole ? text + i : REPLACEMENT;
        size_t bytes = whole ? piece : sizeof(REPLACEMENT) - 1;

        memcpy(to + written, from, bytes);
        written += bytes;
        i += piece;
    }
    return written;
}
