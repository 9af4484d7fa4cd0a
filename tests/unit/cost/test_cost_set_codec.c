/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/wire.h"
#include "cost/cost_set_codec.h"
#include "cost/report.h"
#include "sample.h"
#include "support/alloc_fault.h"

enum {
    LIMIT = 1 << 20,
    CHECKSUM_BYTES = 8,
    PREFIX_BYTES = 4 + CHECKSUM_BYTES,
    NOW_S = 1795435200, /* 2026-11-23T12:00:00Z */
};

/* Some of everything: merged rows, a namespace without pods, special rows, defects, a start. */
static struct cost_set *varied_set(void)
{
    struct cost_set_builder *builder = cost_set_builder_create(true);
    assert_non_null(builder);
    struct allocation web = sample_cpu("shop/web-0", "12.345678901");
    sample_set(&web, FIGURE_MINUTES, "1440");
    sample_set(&web, FIGURE_CPU_REQUEST, "0.5");
    sample_set(&web, FIGURE_CPU_USAGE, "0.123456789");
    sample_set(&web, FIGURE_RAM_USAGE, "8589934592.25");
    web.has_start = true;
    web.start_s = 1700000000;
    sample_add(builder, web);
    sample_add(builder, web); /* merged */
    sample_add(builder, sample_cpu("shop/web-1", "-0.000000001"));
    sample_add(builder, sample_cpu("bank/shop-unmounted-pvcs", "999999999999999999"));
    sample_add(builder, sample_cpu("__idle__", "7"));
    sample_add(builder, sample_cpu("nowhere", "1"));
    struct allocation counted = sample_cpu("batch", "3");
    sample_set_properties(&counted, "batch", NULL);
    sample_set(&counted, FIGURE_POD_COUNT, "41");
    sample_set_invalid(&counted, FIGURE_GPU_COST);
    sample_add(builder, counted);
    cost_set_builder_ignore(builder);
    struct cost_set *set = cost_set_builder_finish(builder);
    assert_non_null(set);
    return set;
}

static struct cost_set *empty_set(void)
{
    struct cost_set_builder *builder = cost_set_builder_create(false);
    assert_non_null(builder);
    struct cost_set *set = cost_set_builder_finish(builder);
    assert_non_null(set);
    return set;
}

/* Releases the set. */
static struct strbuf encoded(struct cost_set *set)
{
    struct strbuf buf;
    strbuf_init(&buf, LIMIT);
    cost_set_encode(set, &buf);
    assert_false(strbuf_failed(&buf));
    cost_set_destroy(set);
    return buf;
}

static struct text content(const struct strbuf *buf)
{
    return (struct text){.data = buf->data, .length = buf->length};
}

/* Nothing lies behind the copy: valgrind and the address sanitizer see who reads too far. */
static struct cost_set *decode_copy(struct text bytes, struct error *reterr)
{
    char *copy = malloc(bytes.length + (bytes.length == 0));
    assert_non_null(copy);
    if (bytes.length > 0)
        memcpy(copy, bytes.data, bytes.length);
    struct cost_set *set =
        cost_set_decode((struct text){.data = copy, .length = bytes.length}, reterr);
    free(copy);
    return set;
}

/* Everything the API could say of a set. */
static struct strbuf reports_of(const struct cost_set *set)
{
    struct strbuf out;
    strbuf_init(&out, LIMIT);
    report_namespaces(set, TEXT("7d"), true, &out);
    report_pods(set, TEXT("7d"), NULL, true, &out);
    report_last_30_days(set, NOW_S, &out);
    report_recommendations(set, 50, &out);
    assert_false(strbuf_failed(&out));
    return out;
}

/* The sanitizers look on. */
static void assert_can_be_shown(const struct cost_set *set)
{
    struct strbuf out = reports_of(set);
    assert_true(out.length > 0);
    strbuf_finish(&out);
}

static void assert_same_reports(const struct cost_set *set, const struct cost_set *other)
{
    struct strbuf expected CLEANUP(strbuf_finish) = reports_of(set);
    struct strbuf actual CLEANUP(strbuf_finish) = reports_of(other);
    assert_string_equal(strbuf_text(&actual), strbuf_text(&expected));
}

static void a_set_comes_back_as_it_was(void **state)
{
    struct cost_set *set = varied_set();
    struct strbuf bytes CLEANUP(strbuf_finish) = encoded(varied_set());
    struct error error = {.code = ERR_NONE};
    (void)state;
    struct cost_set *back = decode_copy(content(&bytes), &error);
    assert_non_null(back);
    assert_same_reports(set, back);
    assert_true(cost_set_total(back) == cost_set_total(set));
    assert_memory_equal(cost_set_defects(back), cost_set_defects(set), sizeof(struct cost_defects));
    assert_true(cost_set_includes_idle(back));
    int64_t start_s = 0;
    assert_true(cost_set_data_start(back, &start_s));
    assert_int_equal(start_s, 1700000000);
    assert_non_null(cost_set_find_namespace(back, TEXT("shop")));
    assert_null(cost_set_find_namespace(back, TEXT("none")));
    cost_set_destroy(back);
    cost_set_destroy(set);
}

static void what_comes_back_is_encoded_to_the_same_bytes(void **state)
{
    struct strbuf bytes CLEANUP(strbuf_finish) = encoded(varied_set());
    struct cost_set *back = decode_copy(content(&bytes), NULL);
    (void)state;
    assert_non_null(back);
    struct strbuf again CLEANUP(strbuf_finish) = encoded(back);
    assert_int_equal(again.length, bytes.length);
    assert_memory_equal(again.data, bytes.data, bytes.length);
}

static void a_set_without_rows_idle_and_start_comes_back(void **state)
{
    struct strbuf bytes CLEANUP(strbuf_finish) = encoded(empty_set());
    struct cost_set *back = decode_copy(content(&bytes), NULL);
    int64_t start_s = 0;
    size_t count = 1;
    (void)state;
    assert_non_null(back);
    (void)cost_set_pods(back, &count);
    assert_int_equal(count, 0);
    assert_false(cost_set_includes_idle(back));
    assert_false(cost_set_data_start(back, &start_s));
    cost_set_destroy(back);
}

static void bytes_are_appended_to_what_is_there(void **state)
{
    struct strbuf bytes CLEANUP(strbuf_finish);
    struct cost_set *set = varied_set();
    (void)state;
    strbuf_init(&bytes, LIMIT);
    strbuf_append_text(&bytes, "before");
    cost_set_encode(set, &bytes);
    cost_set_destroy(set);
    struct text appended = {.data = bytes.data + 6, .length = bytes.length - 6};
    struct cost_set *back = decode_copy(appended, NULL);
    assert_non_null(back);
    cost_set_destroy(back);
}

static void a_buffer_too_small_fails_and_nothing_else_happens(void **state)
{
    struct cost_set *set = varied_set();
    (void)state;
    for (size_t limit = 0; limit < 200; limit += 3) {
        struct strbuf bytes CLEANUP(strbuf_finish);
        strbuf_init(&bytes, limit);
        cost_set_encode(set, &bytes);
        assert_true(strbuf_failed(&bytes));
    }
    cost_set_destroy(set);
}

static void assert_refused(struct text bytes, const char *part)
{
    struct error error = {.code = ERR_NONE};
    assert_null(decode_copy(bytes, &error));
    assert_int_equal(error.code, ERR_INVALID);
    if (strstr(error.text, part) == NULL)
        fail_msg("%s: no %s in it", error.text, part);
}

static void flip(struct strbuf *bytes, size_t bit)
{
    bytes->data[bit / 8] = (char)((unsigned char)bytes->data[bit / 8] ^ 1u << (bit % 8));
}

static void every_truncation_is_refused(void **state)
{
    struct strbuf bytes CLEANUP(strbuf_finish) = encoded(varied_set());
    (void)state;
    for (size_t length = 0; length < bytes.length; length++)
        assert_refused((struct text){.data = bytes.data, .length = length}, "cost set");
}

static void every_flipped_bit_is_refused(void **state)
{
    struct strbuf bytes CLEANUP(strbuf_finish) = encoded(varied_set());
    (void)state;
    for (size_t bit = 0; bit < 8 * bytes.length; bit++) {
        flip(&bytes, bit);
        assert_refused(content(&bytes), "cost set");
        flip(&bytes, bit);
    }
}

static void the_refusal_tells_foreign_newer_and_damaged_bytes_apart(void **state)
{
    struct strbuf bytes CLEANUP(strbuf_finish) = encoded(varied_set());
    (void)state;
    assert_refused(TEXT(""), "not a cost set");
    assert_refused(TEXT("{\"code\":200,\"data\":[]}"), "not a cost set");
    bytes.data[3] = 2;
    assert_refused(content(&bytes), "version 2");
    bytes.data[3] = 1;
    bytes.data[bytes.length - 1] ^= 1;
    assert_refused(content(&bytes), "checksum");
}

/* From here on the checksum is no help: the bytes behind it are an adversary's. */

static struct cost_set *decode_content_copy(struct text bytes, struct error *reterr)
{
    char *copy = malloc(bytes.length + (bytes.length == 0));
    assert_non_null(copy);
    if (bytes.length > 0)
        memcpy(copy, bytes.data, bytes.length);
    struct cost_set *set =
        cost_set_decode_content((struct text){.data = copy, .length = bytes.length}, reterr);
    free(copy);
    return set;
}

static struct text behind_checksum(const struct strbuf *buf)
{
    return (struct text){.data = buf->data + PREFIX_BYTES, .length = buf->length - PREFIX_BYTES};
}

static void every_truncation_behind_the_checksum_is_refused(void **state)
{
    struct strbuf bytes CLEANUP(strbuf_finish) = encoded(varied_set());
    struct text whole = behind_checksum(&bytes);
    (void)state;
    for (size_t length = 0; length < whole.length; length++) {
        struct error error = {.code = ERR_NONE};
        struct text part = {.data = whole.data, .length = length};
        assert_null(decode_content_copy(part, &error));
        assert_int_equal(error.code, ERR_INVALID);
    }
}

/* A change that is not refused gives a set that is whole in itself: it can be shown, and its bytes
 * are the changed ones, as there is one spelling of each set. */
static void every_changed_byte_is_refused_or_makes_another_set(void **state)
{
    struct strbuf bytes CLEANUP(strbuf_finish) = encoded(varied_set());
    struct text whole = behind_checksum(&bytes);
    size_t accepted = 0;
    (void)state;
    for (size_t at = PREFIX_BYTES; at < bytes.length; at++) {
        char before = bytes.data[at];
        for (int change = 1; change < 256; change += change < 16 ? 1 : 37) {
            bytes.data[at] = (char)(before ^ change);
            struct cost_set *set = decode_content_copy(whole, NULL);
            if (set == NULL)
                continue;
            accepted++;
            assert_can_be_shown(set);
            struct strbuf again CLEANUP(strbuf_finish) = encoded(set);
            assert_int_equal(again.length, bytes.length);
            assert_memory_equal(again.data + PREFIX_BYTES, whole.data, whole.length);
        }
        bytes.data[at] = before;
    }
    assert_true(accepted > 0);
}

/* The content of a set with one namespace and one pod, put together by hand. */
struct forgery {
    uint64_t flags;
    uint64_t namespaces, pods; /* as claimed; one of each follows */
    const char *namespace_name;
    size_t namespace_length;
    uint64_t allocations;
    wire_int128 figure;     /* of the pod: the total */
    wire_int128 efficiency; /* of CPU */
    wire_int128 usage;      /* of CPU */
    uint64_t place;         /* of the pod: its namespace and whether it is special */
    const char *behind;
};

static const struct forgery genuine = {
    .namespaces = 1,
    .pods = 1,
    .namespace_name = "shop",
    .namespace_length = 4,
    .allocations = 1,
    .behind = "",
};

static void put_zeros(struct strbuf *out, size_t count)
{
    for (size_t i = 0; i < count; i++)
        wire_put_signed(out, 0);
}

static struct cost_set *decode_forgery(const struct forgery *forgery, struct error *reterr)
{
    struct strbuf out CLEANUP(strbuf_finish);
    strbuf_init(&out, LIMIT);
    wire_put_unsigned(&out, forgery->flags);
    put_zeros(&out, 4); /* defects */
    wire_put_unsigned(&out, forgery->namespaces);
    wire_put_text(&out, (struct text){forgery->namespace_name, forgery->namespace_length});
    wire_put_unsigned(&out, 0);
    wire_put_unsigned(&out, forgery->allocations);
    put_zeros(&out, 17);
    wire_put_unsigned(&out, forgery->pods);
    wire_put_text(&out, TEXT("web-0"));
    wire_put_unsigned(&out, forgery->place);
    wire_put_unsigned(&out, forgery->allocations);
    wire_put_signed(&out, forgery->figure);
    put_zeros(&out, 9);
    wire_put_signed(&out, forgery->efficiency);
    put_zeros(&out, 2);
    put_zeros(&out, 1);
    wire_put_signed(&out, forgery->usage);
    put_zeros(&out, 2);
    strbuf_append_text(&out, forgery->behind);
    return decode_content_copy(content(&out), reterr);
}

static void assert_forgery_refused(const struct forgery *forgery, const char *part)
{
    struct error error = {.code = ERR_NONE};
    assert_null(decode_forgery(forgery, &error));
    assert_int_equal(error.code, ERR_INVALID);
    if (strstr(error.text, part) == NULL)
        fail_msg("%s: no %s in it", error.text, part);
}

static void the_genuine_forgery_is_accepted(void **state)
{
    (void)state;
    struct cost_set *set = decode_forgery(&genuine, NULL);
    assert_non_null(set);
    cost_set_destroy(set);
}

static void impossible_contents_are_refused(void **state)
{
    struct forgery forged;
    (void)state;

    forged = genuine;
    forged.flags = 4;
    assert_forgery_refused(&forged, "beginning");
    forged = genuine;
    forged.namespaces = UINT64_MAX;
    assert_forgery_refused(&forged, "number of rows");
    forged = genuine;
    forged.pods = 2;
    assert_forgery_refused(&forged, "number of rows");
    forged = genuine;
    forged.namespaces = 2; /* the pods are read as one */
    assert_forgery_refused(&forged, "cost set");
    forged = genuine;
    forged.pods = 0;
    assert_forgery_refused(&forged, "left over");
    forged = genuine;
    forged.behind = "x";
    assert_forgery_refused(&forged, "left over");
    forged = genuine;
    forged.namespace_length = 0;
    assert_forgery_refused(&forged, "without a name");
    forged = genuine;
    forged.namespace_name = "sh\0p";
    assert_forgery_refused(&forged, "without a name");
    forged = genuine;
    forged.place = 1 << 1;
    assert_forgery_refused(&forged, "no namespace");
    forged = genuine;
    forged.place = UINT64_MAX;
    assert_forgery_refused(&forged, "no namespace");
    forged = genuine;
    forged.allocations = 0;
    assert_forgery_refused(&forged, "allocations");
    forged = genuine;
    forged.allocations = ((uint64_t)1 << 26) + 1;
    assert_forgery_refused(&forged, "allocations");
}

static void figures_are_refused_where_sums_could_overflow_and_not_before(void **state)
{
    const decimal largest = 16 * DECIMAL_READ_LIMIT;
    const struct {
        decimal figure, usage;
        bool accepted;
    } cases[] = {
        {largest, 0, true},
        {-largest, 0, true},
        {largest + 1, 0, false},
        {-largest - 1, 0, false},
        {0, DECIMAL_DIVISOR_LIMIT - 1, true},
        {0, DECIMAL_DIVISOR_LIMIT, false},
        {0, -DECIMAL_DIVISOR_LIMIT, false},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct forgery forged = genuine;
        forged.figure = cases[i].figure;
        forged.usage = cases[i].usage;
        struct cost_set *set = decode_forgery(&forged, NULL);
        assert_true((set != NULL) == cases[i].accepted);
        if (set != NULL)
            assert_can_be_shown(set);
        cost_set_destroy(set);
    }
}

static void any_efficiency_can_be_shown(void **state)
{
    const decimal largest = (decimal)(((decimal)INT64_MAX << 64) | UINT64_MAX);
    const decimal cases[] = {largest, -largest - 1};
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct forgery forged = genuine;
        forged.efficiency = cases[i];
        struct cost_set *set = decode_forgery(&forged, NULL);
        assert_non_null(set);
        assert_can_be_shown(set);
        cost_set_destroy(set);
    }
}

/* Rows of one kind that the builder would have merged. */
static void names_that_come_twice_are_refused(void **state)
{
    struct strbuf bytes CLEANUP(strbuf_finish);
    struct cost_set_builder *builder = cost_set_builder_create(false);
    (void)state;
    assert_non_null(builder);
    sample_add(builder, sample_cpu("aaaa/pod-a", "1"));
    sample_add(builder, sample_cpu("aaaa/pod-b", "1"));
    sample_add(builder, sample_cpu("bbbb/pod-a", "1"));
    bytes = encoded(cost_set_builder_finish(builder));
    const char *const twice[] = {"pod-b", "bbbb"};
    const char *const instead[] = {"pod-a", "aaaa"};
    const char *const refusal[] = {"a pod comes twice", "a namespace comes twice"};
    for (size_t i = 0; i < ARRAY_LENGTH(twice); i++) {
        struct error error = {.code = ERR_NONE};
        char *name = memmem(bytes.data, bytes.length, twice[i], strlen(twice[i]));
        assert_non_null(name);
        memcpy(name, instead[i], strlen(instead[i]));
        assert_null(decode_content_copy(behind_checksum(&bytes), &error));
        assert_non_null(strstr(error.text, refusal[i]));
        memcpy(name, twice[i], strlen(twice[i]));
    }
}

static void a_set_is_encoded_and_decoded_whole_or_not_at_all(void **state)
{
    (void)state;
    if (!alloc_fault_supported())
        skip();
    struct cost_set *set = varied_set();
    struct strbuf bytes CLEANUP(strbuf_finish) = encoded(varied_set());
    for (long nth = 1;; nth++) {
        struct strbuf out CLEANUP(strbuf_finish);
        strbuf_init(&out, LIMIT);
        alloc_fault_arm(nth);
        cost_set_encode(set, &out);
        bool hit = alloc_fault_hit();
        alloc_fault_disarm();
        assert_true(strbuf_failed(&out) == hit);
        if (!hit)
            break;
    }
    for (long nth = 1;; nth++) {
        struct error error = {.code = ERR_NONE};
        alloc_fault_arm(nth);
        struct cost_set *back = cost_set_decode(content(&bytes), &error);
        bool hit = alloc_fault_hit();
        alloc_fault_disarm();
        if (back == NULL) {
            assert_true(hit);
            assert_int_equal(error.code, ERR_NO_MEMORY);
            continue;
        }
        assert_same_reports(set, back); /* a block that could not be shrunk does no harm */
        cost_set_destroy(back);
        if (!hit)
            break;
    }
    cost_set_destroy(set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_set_comes_back_as_it_was),
        cmocka_unit_test(what_comes_back_is_encoded_to_the_same_bytes),
        cmocka_unit_test(a_set_without_rows_idle_and_start_comes_back),
        cmocka_unit_test(bytes_are_appended_to_what_is_there),
        cmocka_unit_test(a_buffer_too_small_fails_and_nothing_else_happens),
        cmocka_unit_test(every_truncation_is_refused),
        cmocka_unit_test(every_flipped_bit_is_refused),
        cmocka_unit_test(the_refusal_tells_foreign_newer_and_damaged_bytes_apart),
        cmocka_unit_test(every_truncation_behind_the_checksum_is_refused),
        cmocka_unit_test(every_changed_byte_is_refused_or_makes_another_set),
        cmocka_unit_test(the_genuine_forgery_is_accepted),
        cmocka_unit_test(impossible_contents_are_refused),
        cmocka_unit_test(figures_are_refused_where_sums_could_overflow_and_not_before),
        cmocka_unit_test(any_efficiency_can_be_shown),
        cmocka_unit_test(names_that_come_twice_are_refused),
        cmocka_unit_test(a_set_is_encoded_and_decoded_whole_or_not_at_all),
    };
    return cmocka_run_group_tests_name("cost_set_codec", tests, NULL, NULL);
}
