/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Out of memory at every allocation there is: the program is linked with --wrap, so that all calls
 * of our rooms to the allocator come by here.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/strbuf.h"
#include "decode_support.h"
#include "opencost/decode.h"

static const long never = -1;

/* Allocations that still succeed before one fails; `never` turns the fault off. */
static long allocations_left = -1;

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *block, size_t size);
void *__real_reallocarray(void *block, size_t count, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *block, size_t size);
void *__wrap_reallocarray(void *block, size_t count, size_t size);

static bool fails(void)
{
    return allocations_left != never && allocations_left-- == 0;
}

void *__wrap_malloc(size_t size)
{
    return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *block, size_t size)
{
    return fails() ? NULL : __real_realloc(block, size);
}

void *__wrap_reallocarray(void *block, size_t count, size_t size)
{
    return fails() ? NULL : __real_reallocarray(block, count, size);
}

/* Like decode_in_pieces(), which needs memory of its own. */
static struct cost_set *decode(const struct strbuf *text, size_t piece, struct error *reterr)
{
    struct cost_set *set = NULL;
    struct allocation_decoder *decoder = allocation_decoder_create(true);
    if (decoder == NULL) {
        error_no_memory(reterr);
        return NULL;
    }
    bool ok = true;
    for (size_t at = 0; at < text->length && ok; at += piece) {
        size_t length = text->length - at < piece ? text->length - at : piece;
        ok = allocation_decoder_feed(decoder, text->data + at, length, reterr);
    }
    if (ok)
        set = allocation_decoder_finish(decoder, reterr);
    allocation_decoder_destroy(decoder);
    return set;
}

/* Enough rows for every table to grow, names with escapes, and a long allocation. */
static void write_body(struct strbuf *text)
{
    strbuf_init(text, SIZE_MAX);
    strbuf_append_text(text, "{\"data\":[{");
    for (int i = 0; i < 300; i++)
        strbuf_append_format(text,
                             "\"x\\u0020%d\":{\"properties\":{\"namespace\":\"n\\/%d\",\"pod\":"
                             "\"p\\u00e9%d\"},\"totalCost\":1},",
                             i, i % 40, i);
    strbuf_append_text(text, "\"long\":{\"labels\":{\"a\":\"");
    for (int i = 0; i < 10000; i++)
        strbuf_append_char(text, 'a');
    strbuf_append_text(text, "\"},\"properties\":{\"namespace\":\"n\"}}}]}");
    assert_false(strbuf_failed(text));
}

static void every_failing_allocation_is_reported_and_nothing_leaks(void **state)
{
    struct strbuf text;
    struct cost_set *set = NULL;
    long count = 0;
    (void)state;
    write_body(&text);
    for (; set == NULL; count++) {
        struct error error = {0};
        allocations_left = count;
        set = decode(&text, 1000, &error);
        allocations_left = never;
        if (set == NULL)
            assert_int_equal(error.code, ERR_NO_MEMORY);
        assert_true(count < 10000);
    }
    assert_true(count > 10);
    cost_set_destroy(set);
    strbuf_finish(&text);
}

static void a_decode_that_cannot_begin_says_so(void **state)
{
    struct error error = {0};
    (void)state;
    allocations_left = 0;
    struct cost_set *set = allocation_decode("{}", 2, false, &error);
    allocations_left = never;
    assert_null(set);
    assert_int_equal(error.code, ERR_NO_MEMORY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_failing_allocation_is_reported_and_nothing_leaks),
        cmocka_unit_test(a_decode_that_cannot_begin_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
