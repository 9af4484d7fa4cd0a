/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cost sets as bytes: what is read keeps its promises and is spelled in one way only; what OpenCost
 * sent comes back as it was written.
 *
 * An input that begins with a brace is an answer of OpenCost's, to be written and read back; any
 * other is what stands behind the checksum of a written set.
 */
#include "cost/cost_set_codec.h"
#include "cost_claims.h"
#include "fuzz.h"
#include "opencost/decode.h"
#include "unit/opencost/decode_support.h"

enum { PREFIX_BYTES = 12 }; /* what cost_set_encode() puts in front of the content */

/* Takes both. */
static void check_same(struct cost_set *a, struct cost_set *b)
{
    const struct error none = {0};
    char *text_a = describe(a, &none);
    char *text_b = describe(b, &none);
    FUZZ_CHECK(strcmp(text_a, text_b) == 0);
    free(text_a);
    free(text_b);
}

/* Takes the set. */
static void check_written(struct cost_set *set)
{
    struct strbuf bytes;
    struct error error = {0};
    strbuf_init(&bytes, SIZE_MAX);
    cost_set_encode(set, &bytes);
    FUZZ_CHECK(!strbuf_failed(&bytes));
    struct cost_set *again = cost_set_decode((struct text){bytes.data, bytes.length}, &error);
    FUZZ_CHECK(again != NULL);
    check_same(set, again);
    strbuf_finish(&bytes);
}

static void check_content(const char *content, size_t size)
{
    struct strbuf bytes;
    struct error error = {0};
    struct cost_set *set = cost_set_decode_content((struct text){content, size}, &error);
    FUZZ_CHECK((set == NULL) == (error.code == ERR_INVALID));
    if (set == NULL)
        return;
    cost_claims_check(set);
    strbuf_init(&bytes, SIZE_MAX);
    cost_set_encode(set, &bytes);
    FUZZ_CHECK(bytes.length == PREFIX_BYTES + size);
    FUZZ_CHECK(memcmp(bytes.data + PREFIX_BYTES, content, size) == 0);
    strbuf_finish(&bytes);
    check_written(set);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct error error = {0};
    char *input = fuzz_copy(data, size, 0);
    if (size > 0 && input[0] == '{') {
        struct cost_set *set = allocation_decode(input, size, true, &error);
        if (set != NULL)
            check_written(set);
    } else {
        check_content(input, size);
        struct cost_set *set = cost_set_decode((struct text){input, size}, &error);
        cost_set_destroy(set);
    }
    free(input);
    return 0;
}
