/* SPDX-License-Identifier: Apache-2.0 */
/*
 * OpenCost's answer in one piece and in many is the same answer, or the same error, and what comes
 * of it keeps its promises.
 *
 * The input is a body, so captured answers are seeds. A first byte of 0x80 or more, with which no
 * JSON begins, is instead the first of two that say how the rest is cut.
 */
#include <stdbool.h>

#include "cost_claims.h"
#include "fuzz.h"
#include "opencost/decode.h"
#include "unit/opencost/decode_support.h"

/* Lengths of pieces, from 1 byte to `longest`. */
struct cutter {
    uint32_t state;
    size_t longest;
};

static size_t next_length(struct cutter *cutter)
{
    cutter->state = cutter->state * 1664525 + 1013904223;
    return 1 + (cutter->state >> 8) % cutter->longest;
}

static char *describe_cut(const char *body, size_t length, struct cutter cutter, bool include_idle)
{
    struct error error = {0};
    struct allocation_decoder *decoder = allocation_decoder_create(include_idle);
    FUZZ_CHECK(decoder != NULL);
    for (size_t at = 0, piece; at < length; at += piece) {
        piece = next_length(&cutter);
        if (piece > length - at)
            piece = length - at;
        char *copy = fuzz_copy(body + at, piece, 0);
        /* A failure is sticky, so finishing tells it again. */
        (void)!allocation_decoder_feed(decoder, copy, piece, &error);
        free(copy);
    }
    struct cost_set *set = allocation_decoder_finish(decoder, &error);
    allocation_decoder_destroy(decoder);
    return describe(set, &error);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct error error = {0};
    struct cutter cutter = {.state = (uint32_t)size, .longest = 16};
    bool include_idle = true;
    if (size >= 2 && data[0] >= 0x80) {
        include_idle = (data[0] & 1) != 0;
        cutter = (struct cutter){.state = data[1], .longest = (size_t)1 << (data[0] >> 1) % 13};
        data += 2;
        size -= 2;
    }
    char *body = fuzz_copy(data, size, 0);
    struct cost_set *set = allocation_decode(body, size, include_idle, &error);
    FUZZ_CHECK((set == NULL) == (error.code != ERR_NONE));
    if (set != NULL) {
        cost_claims_check(set);
        cost_claims_check_sums(set);
    }
    char *whole = describe(set, &error);
    char *cut = describe_cut(body, size, cutter, include_idle);
    if (strcmp(whole, cut) != 0)
        (void)fprintf(stderr, "whole:\n%s\ncut:\n%s\n", whole, cut);
    FUZZ_CHECK(strcmp(whole, cut) == 0);
    free(whole);
    free(cut);
    free(body);
    return 0;
}
