/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <libdeflate.h>
#include <stdlib.h>

#include "cost/cost_set_codec.h"
#include "sample.h"
#include "snapshot_format.h"
#include "support/alloc_fault.h"

enum { LIMIT = 1 << 20, NOW_MS = 1000 * 1000, TTL_MS = 300 * 1000 };

#define ORIGIN TEXT("http://opencost:9003")

static struct cost_set *set_costing(const char *cost)
{
    return sample_set_of(sample_cpu("shop/web-0", cost)); /* with idle, as samples are */
}

static struct text content(const struct strbuf *buf)
{
    return (struct text){.data = buf->data, .length = buf->length};
}

static struct snapshot_dataset head_of(const char *window_text, int64_t fetched_wall_ms)
{
    struct snapshot_dataset head = {
        .include_idle = true, .fetched_wall_ms = fetched_wall_ms, .ttl_ms = TTL_MS};
    assert_true(window_parse(text_of(window_text), &head.window));
    return head;
}

static const char *const windows[] = {"7d", "2026-01-01T00:00:00Z,2026-02-01T00:00:00Z", "30d"};
static const char *const costs[] = {"1.5", "20", "0.000000001"};

static struct strbuf sample_snapshot(void)
{
    struct strbuf out;
    strbuf_init(&out, LIMIT);
    snapshot_put_head(&out, ORIGIN, NOW_MS, ARRAY_LENGTH(windows));
    for (size_t i = 0; i < ARRAY_LENGTH(windows); i++) {
        struct snapshot_dataset head = head_of(windows[i], NOW_MS - (int64_t)i);
        struct cost_set *set = set_costing(costs[i]);
        assert_true(snapshot_put_dataset(&out, &head, set, NULL));
        cost_set_destroy(set);
    }
    snapshot_put_checksum(&out);
    assert_false(strbuf_failed(&out));
    return out;
}

/* Reads everything; nothing lies behind the bytes. The number of datasets, or -1 and *reterr. */
static int read_whole(struct text bytes, struct error *reterr)
{
    struct snapshot_reader reader;
    int count = 0;
    char *copy = malloc(bytes.length + (bytes.length == 0));
    assert_non_null(copy);
    if (bytes.length > 0)
        memcpy(copy, bytes.data, bytes.length);
    struct text copied = {.data = copy, .length = bytes.length};
    bool good = snapshot_open(copied, ORIGIN, &reader, reterr);
    while (good && reader.left > 0) {
        struct snapshot_dataset head;
        good = snapshot_next(&reader, &head, reterr);
        struct cost_set *set = good ? snapshot_cost_set(&reader, &head, reterr) : NULL;
        good = set != NULL;
        count += good;
        cost_set_destroy(set);
    }
    free(copy);
    return good ? count : -1;
}

static void assert_refused(struct text bytes, const char *part)
{
    struct error error = {.code = ERR_NONE};
    assert_int_equal(read_whole(bytes, &error), -1);
    assert_int_equal(error.code, ERR_INVALID);
    if (strstr(error.text, part) == NULL)
        fail_msg("%s: no %s in it", error.text, part);
}

static void datasets_come_back_in_their_order_as_they_were(void **state)
{
    struct strbuf bytes CLEANUP(strbuf_finish) = sample_snapshot();
    struct snapshot_reader reader;
    (void)state;
    assert_true(snapshot_open(content(&bytes), ORIGIN, &reader, NULL));
    assert_int_equal(reader.left, ARRAY_LENGTH(windows));
    assert_int_equal(reader.created_wall_ms, NOW_MS);
    for (size_t i = 0; i < ARRAY_LENGTH(windows); i++) {
        struct snapshot_dataset head;
        assert_true(snapshot_next(&reader, &head, NULL));
        assert_string_equal(head.window.canonical, windows[i]);
        assert_int_equal(head.window.is_absolute, i == 1);
        assert_true(head.include_idle);
        assert_int_equal(head.fetched_wall_ms, NOW_MS - (int64_t)i);
        assert_int_equal(head.ttl_ms, TTL_MS);
        struct cost_set *set = snapshot_cost_set(&reader, &head, NULL);
        assert_non_null(set);
        assert_decimal_equal(cost_set_total(set), i == 1 ? "20.0" : costs[i]);
        cost_set_destroy(set);
    }
    assert_int_equal(reader.left, 0);
}

static void snapshot_of_nothing_is_one(void **state)
{
    struct strbuf bytes CLEANUP(strbuf_finish);
    (void)state;
    strbuf_init(&bytes, LIMIT);
    snapshot_put_head(&bytes, ORIGIN, NOW_MS, 0);
    snapshot_put_checksum(&bytes);
    assert_int_equal(read_whole(content(&bytes), NULL), 0);
}

static void every_truncation_is_refused(void **state)
{
    struct strbuf bytes CLEANUP(strbuf_finish) = sample_snapshot();
    (void)state;
    for (size_t length = 0; length < bytes.length; length++)
        assert_refused((struct text){.data = bytes.data, .length = length}, "");
}

static void flip(struct strbuf *bytes, size_t bit)
{
    bytes->data[bit / 8] = (char)((unsigned char)bytes->data[bit / 8] ^ 1u << (bit % 8));
}

static void every_flipped_bit_is_refused(void **state)
{
    struct strbuf bytes CLEANUP(strbuf_finish) = sample_snapshot();
    (void)state;
    for (size_t bit = 0; bit < 8 * bytes.length; bit++) {
        flip(&bytes, bit);
        assert_refused(content(&bytes), "");
        flip(&bytes, bit);
    }
}

static void the_refusal_tells_what_is_wrong(void **state)
{
    struct strbuf bytes CLEANUP(strbuf_finish) = sample_snapshot();
    struct snapshot_reader reader;
    struct error error = {.code = ERR_NONE};
    (void)state;
    assert_refused(TEXT(""), "not a snapshot");
    assert_refused(TEXT("# some other file\n"), "not a snapshot");
    assert_refused(TEXT("kubecent"), "damaged");
    assert_refused(TEXT("kubecent\x01"), "damaged");
    assert_refused(TEXT("kubecent\x02 whatever comes then"), "newer version (format 2, ours is 1)");
    assert_refused((struct text){.data = bytes.data, .length = bytes.length - 1}, "checksum");
    assert_false(snapshot_open(content(&bytes), TEXT("http://other:9003"), &reader, &error));
    assert_string_equal(error.text, "of another OpenCost");
}

/* A snapshot with a valid checksum that no writer of ours would write. */
struct forgery {
    uint64_t claimed; /* datasets, of which one follows */
    const char *window;
    uint64_t idle;
    int64_t fetched_wall_ms, ttl_ms;
    int64_t length_error; /* added to the cost set's length */
    uint64_t length;      /* or said instead, unless 0 */
    bool garbage;         /* instead of the deflated cost set */
    bool bare;            /* no cost set in what is deflated */
    const char *behind;
};

static const struct forgery genuine = {
    .claimed = 1, .window = "7d", .idle = 1, .fetched_wall_ms = 1, .ttl_ms = 1, .behind = ""};

static size_t deflate(struct text raw, char *packed, size_t room)
{
    struct libdeflate_compressor *compressor = libdeflate_alloc_compressor(1);
    assert_non_null(compressor);
    size_t length = libdeflate_deflate_compress(compressor, raw.data, raw.length, packed, room);
    libdeflate_free_compressor(compressor);
    assert_true(length > 0);
    return length;
}

static struct strbuf forge(const struct forgery *forgery)
{
    struct strbuf out;
    struct strbuf raw CLEANUP(strbuf_finish);
    char packed[1024] = {0};
    struct cost_set *set = set_costing("1");
    strbuf_init(&raw, LIMIT);
    strbuf_init(&out, LIMIT);
    if (forgery->bare)
        strbuf_append_text(&raw, "something else altogether");
    else
        cost_set_encode(set, &raw);
    cost_set_destroy(set);
    size_t packed_length = deflate(content(&raw), packed, sizeof(packed));
    if (forgery->garbage)
        memset(packed, 0xff, packed_length);
    snapshot_put_head(&out, ORIGIN, NOW_MS, forgery->claimed);
    wire_put_text(&out, text_of(forgery->window));
    wire_put_unsigned(&out, forgery->idle);
    wire_put_signed(&out, forgery->fetched_wall_ms);
    wire_put_signed(&out, forgery->ttl_ms);
    wire_put_unsigned(&out, forgery->length != 0
                                ? forgery->length
                                : (uint64_t)((int64_t)raw.length + forgery->length_error));
    wire_put_text(&out, (struct text){.data = packed, .length = packed_length});
    strbuf_append_text(&out, forgery->behind);
    snapshot_put_checksum(&out);
    return out;
}

static void assert_forgery_refused(const struct forgery *forgery, const char *part)
{
    struct strbuf bytes CLEANUP(strbuf_finish) = forge(forgery);
    assert_refused(content(&bytes), part);
}

static void the_genuine_forgery_is_read(void **state)
{
    struct strbuf bytes CLEANUP(strbuf_finish) = forge(&genuine);
    (void)state;
    assert_int_equal(read_whole(content(&bytes), NULL), 1);
}

static void what_makes_no_sense_is_refused_though_the_checksum_matches(void **state)
{
    struct forgery forged;
    (void)state;
    forged = genuine;
    forged.claimed = 0;
    assert_forgery_refused(&forged, "damaged");
    forged = genuine;
    forged.claimed = 2;
    assert_forgery_refused(&forged, "damaged");
    forged = genuine;
    forged.claimed = UINT64_MAX;
    assert_forgery_refused(&forged, "damaged");
    forged = genuine; /* canonically 7d */
    forged.window = "1w";
    assert_forgery_refused(&forged, "no sense");
    forged = genuine;
    forged.window = "for ever";
    assert_forgery_refused(&forged, "no sense");
    forged = genuine;
    forged.window = "";
    assert_forgery_refused(&forged, "no sense");
    forged = genuine;
    forged.idle = 2;
    assert_forgery_refused(&forged, "no sense");
    forged = genuine;
    forged.idle = 0;
    assert_forgery_refused(&forged, "not what it says");
    forged = genuine;
    forged.fetched_wall_ms = -1;
    assert_forgery_refused(&forged, "no sense");
    forged = genuine;
    forged.ttl_ms = 0;
    assert_forgery_refused(&forged, "no sense");
    forged = genuine;
    forged.ttl_ms = INT64_MAX;
    assert_forgery_refused(&forged, "no sense");
    forged = genuine;
    forged.length_error = 1;
    assert_forgery_refused(&forged, "decompressed");
    forged = genuine;
    forged.length_error = -1;
    assert_forgery_refused(&forged, "decompressed");
    forged = genuine;
    forged.length = (uint64_t)1 << 30;
    assert_forgery_refused(&forged, "impossible length");
    forged = genuine;
    forged.length = UINT64_MAX;
    assert_forgery_refused(&forged, "impossible length");
    forged = genuine;
    forged.garbage = true;
    assert_forgery_refused(&forged, "decompressed");
    forged = genuine;
    forged.bare = true;
    assert_forgery_refused(&forged, "not a cost set");
    forged = genuine;
    forged.behind = "x";
    assert_forgery_refused(&forged, "damaged");
}

static void writing_and_reading_survive_any_failing_allocation(void **state)
{
    struct snapshot_dataset head = head_of("7d", NOW_MS);
    (void)state;
    if (!alloc_fault_supported())
        skip();
    struct strbuf bytes CLEANUP(strbuf_finish) = sample_snapshot();
    struct cost_set *set = set_costing("1");
    for (long nth = 1;; nth++) {
        struct strbuf out CLEANUP(strbuf_finish);
        struct error error = {.code = ERR_NONE};
        strbuf_init(&out, LIMIT);
        alloc_fault_arm(nth);
        bool done = snapshot_put_dataset(&out, &head, set, &error);
        bool hit = alloc_fault_hit();
        alloc_fault_disarm();
        assert_true(done != hit);
        if (done)
            break;
        assert_int_equal(error.code, ERR_NO_MEMORY);
    }
    cost_set_destroy(set);
    for (long nth = 2;; nth++) { /* the first is this test's own copy */
        struct error error = {.code = ERR_NONE};
        alloc_fault_arm(nth);
        int count = read_whole(content(&bytes), &error);
        bool hit = alloc_fault_hit();
        alloc_fault_disarm();
        if (count < 0)
            assert_int_equal(error.code, ERR_NO_MEMORY);
        if (!hit)
            break;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(datasets_come_back_in_their_order_as_they_were),
        cmocka_unit_test(snapshot_of_nothing_is_one),
        cmocka_unit_test(every_truncation_is_refused),
        cmocka_unit_test(every_flipped_bit_is_refused),
        cmocka_unit_test(the_refusal_tells_what_is_wrong),
        cmocka_unit_test(the_genuine_forgery_is_read),
        cmocka_unit_test(what_makes_no_sense_is_refused_though_the_checksum_matches),
        cmocka_unit_test(writing_and_reading_survive_any_failing_allocation),
    };
    return cmocka_run_group_tests_name("snapshot_format", tests, NULL, NULL);
}
