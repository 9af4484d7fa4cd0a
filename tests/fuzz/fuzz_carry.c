/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The search for the end of a unit takes the same bytes, however they come, and keeps them as they
 * came.
 *
 * The first byte of the input chooses the goal and how much is kept before the search begins.
 */
#include <stdbool.h>

#include "decode_carry.h"
#include "fuzz.h"

/* Extends byte by byte, as a dripping peer would have it. Returns the bytes taken. */
static size_t extend_slowly(struct carry *carry, enum carry_goal goal, const char *bytes,
                            size_t length, bool *ret_reached)
{
    size_t taken = 0;
    *ret_reached = false;
    for (; taken < length && !*ret_reached; taken++) {
        size_t one;
        FUZZ_CHECK(carry_extend(carry, goal, bytes + taken, 1, &one, ret_reached));
        FUZZ_CHECK(one == 1);
    }
    return taken;
}

static void check_equal(const struct carry *a, const struct carry *b)
{
    FUZZ_CHECK(a->length == b->length);
    FUZZ_CHECK(a->length == 0 || memcmp(a->bytes, b->bytes, a->length) == 0);
    FUZZ_CHECK(a->depth == b->depth && a->in_string == b->in_string);
    FUZZ_CHECK(a->is_escaped == b->is_escaped);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    struct carry fast = {0}, slow = {0};
    enum carry_goal goal = (enum carry_goal)(data[0] % 3);
    size_t kept = 1 + data[0] / 3u; /* the decoder never keeps nothing */
    char *bytes = fuzz_copy(data + 1, size - 1, 0);
    size_t length = size - 1;
    if (kept > length)
        kept = length;
    size_t taken;
    bool reached, reached_slowly;
    FUZZ_CHECK(carry_keep(&fast, bytes, kept) && carry_keep(&slow, bytes, kept));
    FUZZ_CHECK(carry_extend(&fast, goal, bytes + kept, length - kept, &taken, &reached));
    FUZZ_CHECK(extend_slowly(&slow, goal, bytes + kept, length - kept, &reached_slowly) == taken);
    FUZZ_CHECK(reached == reached_slowly && (reached || kept + taken == length));
    check_equal(&fast, &slow);
    FUZZ_CHECK(fast.length == kept + taken);
    FUZZ_CHECK(fast.length == 0 || memcmp(fast.bytes, bytes, fast.length) == 0);

    /* Dropping the front leaves what keeping the rest alone would have left. */
    struct carry rest = {0};
    size_t dropped = fast.length / 2;
    carry_drop(&fast, dropped);
    FUZZ_CHECK(carry_keep(&rest, bytes + dropped, fast.length));
    check_equal(&fast, &rest);
    carry_finish(&fast);
    carry_finish(&slow);
    carry_finish(&rest);
    free(bytes);
    return 0;
}
