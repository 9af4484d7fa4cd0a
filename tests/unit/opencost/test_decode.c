/* SPDX-License-Identifier: Apache-2.0 */
/* What the decoder makes of single bodies: shapes, odd values, refusals and their texts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/strbuf.h"
#include "decode_support.h"
#include "opencost/decode.h"

#define PLACE(namespace, pod) "\"properties\":{\"namespace\":\"" namespace "\",\"pod\":\"" pod "\"}"
#define WEB                   "\"shop/web\":{" PLACE("shop", "web") ",\"totalCost\":1.5}"
#define DB                    "\"shop/db\":{" PLACE("shop", "db") ",\"totalCost\":2}"
#define BARE                  "{\"name\":\"shop/web\"," PLACE("shop", "web") ",\"totalCost\":1.5}"

static struct cost_set *decode_text(const char *text, struct error *reterr)
{
    struct body body = body_copy(text, strlen(text));
    struct cost_set *set = allocation_decode(body.bytes, body.length, false, reterr);
    body_free(&body);
    return set;
}

struct accepted_case {
    const char *body;
    size_t pods;
    const char *total;
    uint64_t ignored;
    uint64_t skipped;
};

static const struct accepted_case accepted_cases[] = {
    /* the wire shapes */
    {"{\"code\":200,\"status\":\"success\",\"data\":[{" WEB "," DB "}]}", 2, "3.5", 0, 0},
    {"{\"code\":200,\"data\":[{" WEB "},{" DB "}]}\n", 2, "3.5", 0, 0},
    {"{\"code\":200,\"data\":[" BARE "," BARE "]}", 1, "3.0", 0, 0},
    {"{\"code\":200,\"data\":[{" WEB "}," BARE "]}", 1, "3.0", 0, 0},
    {"{\"code\":200,\"data\":{" WEB "," DB "}}", 2, "3.5", 0, 0},
    {"{\"data\":[{" WEB "}]}", 1, "1.5", 0, 0},
    {"{\"data\":[{" WEB "}],\"code\":200}", 1, "1.5", 0, 0},
    {"{\"code\":200.0,\"data\":[{" WEB "}],\"meta\":{\"a\":[1,{}]},\"warning\":null}", 1, "1.5", 0,
     0},
    {" \t\r\n{ \"data\" : [ { \"a/b\" : { \"totalCost\" : 1 } , \"c/d\" : { } } ] } \r\n", 2, "1.0",
     0, 0},
    {"{\"co\\u0064e\":200,\"d\\u0061ta\":[{" WEB "}]}", 1, "1.5", 0, 0},
    /* nothing there */
    {"{\"code\":200,\"data\":null}", 0, "0.0", 0, 0},
    {"{\"code\":200,\"data\":[]}", 0, "0.0", 0, 0},
    {"{\"code\":200,\"data\":{}}", 0, "0.0", 0, 0},
    {"{\"code\":200,\"data\":[{},null,{}]}", 0, "0.0", 0, 0},
    /* something else where a map or an allocation should be */
    {"{\"data\":[\"None\",1,true,[{" WEB "}]]}", 0, "0.0", 4, 0},
    {"{\"data\":[{\"a\":\"None\"," WEB ",\"b\":null,\"c\":3,\"d\":[]}]}", 1, "1.5", 4, 0},
    {"{\"data\":[{\"a\":\"None\"}]}", 0, "0.0", 1, 0},
    {"{\"data\":{\"step\":86400,\"sets\":[{\"allocations\":{" WEB
     "}}],\"window\":{\"start\":\"x\"}}}",
     0, "0.0", 2, 1},
    /* namespaces with the names of an allocation's members */
    {"{\"data\":[{\"name\":{\"name\":\"name\"," PLACE("name", "a") "}}]}", 1, "0.0", 0, 0},
    {"{\"data\":[{\"window\":{" PLACE("window", "a") ",\"totalCost\":1}}]}", 1, "1.0", 0, 0},
    {"{\"data\":[{\"properties\":{" PLACE("properties", "a") "}}]}", 1, "0.0", 0, 0},
    {"{\"data\":[{\"cpuCost\":{\"totalCost\":1," PLACE("cpuCost", "a") "}}]}", 1, "1.0", 0, 0},
    {"{\"data\":[{\"minutes\":{\"minutes\":1," PLACE("minutes", "a") "}}]}", 1, "0.0", 0, 0},
    /* bare allocations whose first members tell nothing */
    {"{\"data\":[{\"x\":1,\"y\":{},\"z\":[],\"cpuCost\":null," PLACE("a", "b") "}]}", 1, "0.0", 0,
     0},
    {"{\"data\":[{\"name\":null,\"window\":{\"start\":\"x\"}," PLACE("a", "b") "}]}", 1, "0.0", 0,
     0},
    {"{\"data\":[{\"totalCost\":\"1\",\"pvs\":{}," PLACE("a", "b") "}]}", 1, "0.0", 0, 0},
    {"{\"data\":[{\"rawAllocationOnly\":{\"cpuCoreUsageMax\":1}," PLACE("a", "b") "}]}", 1, "0.0",
     0, 0},
    /* a set that tells nothing for too long is a map */
    {"{\"data\":[{\"1\":1,\"2\":1,\"3\":1,\"4\":1,\"5\":1,\"6\":1,\"7\":1,\"8\":1,\"name\":\"x\"}]"
     "}",
     0, "0.0", 9, 0},
    {"{\"data\":[{\"1\":1,\"2\":1,\"3\":1,\"4\":1,\"5\":1,\"6\":1,\"7\":1,\"name\":\"x/y\"}]}", 1,
     "0.0", 0, 0},
    /* numbers */
    {"{\"data\":[{\"a/b\":{\"totalCost\":-0},\"c/d\":{\"totalCost\":-186.57}}]}", 2, "-186.57", 0,
     0},
    {"{\"data\":[{\"a/b\":{\"totalCost\":3.2e-7},\"c/d\":{\"totalCost\":0.000000}}]}", 2,
     "0.00000032", 0, 0},
    {"{\"data\":[{\"a/b\":{\"totalCost\":5E+2},\"c/d\":{\"totalCost\":999999999999999999}}]}", 2,
     "1000000000000000499.0", 0, 0},
    {"{\"data\":[{\"a/b\":{\"totalCost\":0.1},\"c/d\":{\"totalCost\":0.2}}]}", 2, "0.3", 0, 0},
    {"{\"data\":[{\"a/b\":{\"unknown\":1.7976931348623157e308,\"other\":1e-400}}]}", 1, "0.0", 0,
     0},
    /* names */
    {"{\"data\":[{\"\":{\"totalCost\":1}}]}", 0, "0.0", 0, 1},
    {"{\"data\":[{\"a/b/c:d.e\":{" PLACE("a", "b") ",\"totalCost\":1}}]}", 1, "1.0", 0, 0},
    {"{\"data\":[{\"caf\xC3\xA9/\xF0\x9F\x92\xB0\":{\"totalCost\":1}}]}", 1, "1.0", 0, 0},
    {"{\"data\":[{\"a/b\":{\"labels\":{\"json\":\"{\\\"a\\\":[\\\"}\\\"]\"},\"totalCost\":1}}]}", 1,
     "1.0", 0, 0},
    /* properties that are none */
    {"{\"data\":[{\"x\":{\"properties\":null,\"totalCost\":1}}]}", 0, "0.0", 0, 1},
    {"{\"data\":[{\"x\":{\"properties\":{\"namespace\":3,\"pod\":{}},\"totalCost\":1}}]}", 0, "0.0",
     0, 1},
    {"{\"data\":[{\"x\":{\"properties\":{\"namespace\":\"\",\"pod\":\"\"},\"totalCost\":1}}]}", 0,
     "0.0", 0, 1},
    /* of repeated members of an allocation the last counts; repeated names are added up */
    {"{\"data\":[{\"a/b\":{\"totalCost\":1,\"totalCost\":\"x\",\"totalCost\":2}}]}", 1, "2.0", 0,
     0},
    {"{\"data\":[{\"x\":{" PLACE("a", "b") ",\"properties\":{}}}]}", 0, "0.0", 0, 1},
    {"{\"data\":[{" WEB "," WEB "}]}", 1, "3.0", 0, 0},
    {"{\"code\":500,\"data\":[],\"code\":200}", 0, "0.0", 0, 0},
    /* no data at all, in what is OpenCost's beyond doubt */
    {"{\"code\":200}", 0, "0.0", 0, 0},
    {"{\"code\":200,\"status\":\"success\"}", 0, "0.0", 0, 0},
    {"{\"warning\":\"\",\"meta\":{\"a\":[1]},\"message\":\"none\",\"code\":2e2}", 0, "0.0", 0, 0},
};

static void bodies_of_every_shape_give_their_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(accepted_cases); i++) {
        const struct accepted_case *c = &accepted_cases[i];
        struct error error = {0};
        struct cost_set *set = decode_text(c->body, &error);
        if (set == NULL)
            fail_msg("refused: %s: %s", c->body, error.text);
        size_t pods;
        char total[DECIMAL_TEXT_MAX];
        const struct cost_defects *defects = cost_set_defects(set);
        (void)cost_set_pods(set, &pods);
        decimal_format(cost_set_total(set), total);
        if (pods != c->pods || strcmp(total, c->total) != 0 ||
            defects->entries_ignored != c->ignored || defects->rows_skipped != c->skipped)
            fail_msg("%s: %zu pods, total %s, %ju ignored, %ju skipped", c->body, pods, total,
                     (uintmax_t)defects->entries_ignored, (uintmax_t)defects->rows_skipped);
        cost_set_destroy(set);
    }
}

struct refused_case {
    const char *body;
    const char *text;
};

#define IN_LABEL(bytes)  "{\"data\":[{\"a/b\":{\"labels\":{\"x\":\"" bytes "\"}}}]}"
#define AS_MEMBER(value) "{\"x\":" value ",\"data\":[]}"

static const struct refused_case refused_cases[] = {
    /* no answer at all */
    {"", "the body is empty"},
    {" \n", "the body is empty"},
    {"[]", "byte 0: expected a JSON object, found `[]`"},
    {"null", "byte 0: expected a JSON object, found `null`"},
    {"404 page not found\n", "byte 0: expected a JSON object, found `404 page not found?`"},
    {"\xEF\xBB\xBF{\"data\":[]}", "byte 0: expected a JSON object, found `???{\"data\":[]}`"},
    /* no successful answer */
    {"{}", "the answer has no data"},
    {"{\"status\":\"success\"}", "the answer has no data"},
    {"{\"code\":200,\"items\":[]}", "the answer has no data"},
    {"{\"code\":200,\"status\":\"success\",\"Data\":[]}", "the answer has no data"},
    {"{\"code\":200,\"status\":\"success\"", "the body ends after byte "},
    {"{\"code\":500,\"message\":\"Internal Server Error\"}",
     "OpenCost answered code 500: Internal Server Error"},
    {"{\"data\":[{" WEB "}],\"message\":\"no\\nluck \\u00e9\",\"code\":503}",
     "OpenCost answered code 503: no luck \xC3\xA9"},
    {"{\"code\":\"200\",\"data\":[]}", "OpenCost answered code \"200\""},
    {"{\"code\":null,\"data\":[]}", "OpenCost answered code null"},
    {"{\"code\":200,\"code\":201,\"data\":[]}", "OpenCost answered code 201"},
    {"{\"code\":1e300,\"data\":[]}", "OpenCost answered code 1e300"},
    {"{\"data\":[],\"message\":\"first\",\"message\":3,\"code\":[\"a rather long code, "
     "shortened\"]}",
     "OpenCost answered code [\"a rather long code, s"},
    {"{\"data\":\"None\"}", "byte 8: expected a list, an object or null as data"},
    {"{\"data\":7}", "byte 8: expected a list, an object or null as data"},
    {"{\"data\":[],\"data\":[]}", "byte 11: expected no second data"},
    /* cut off */
    {"{", "the body ends after byte 1, before the answer is complete"},
    {"{\"data\":[{" WEB "}]", "the body ends after byte "},
    {"{\"data\":[{" WEB ",", "the body ends after byte "},
    {"{\"data\":[{\"a/b\":{\"totalCost\":1", "the body ends after byte 30, before"},
    {"{\"data\":nul", "the body ends after byte 11, before"},
    /* more than an answer */
    {"{\"data\":[]}{", "byte 11: expected nothing behind the closing brace, found `{`"},
    {"{\"data\":[]} x", "byte 12: expected nothing behind the closing brace, found `x`"},
    /* punctuation */
    {"{,}", "byte 1: expected a key in quotes"},
    {"{\"data\"[]}", "byte 7: expected a colon"},
    {"{\"data\":[],}", "byte 11: expected a key in quotes"},
    {"{\"data\":[] \"x\":1}", "byte 11: expected a comma or a closing brace"},
    {"{\"data\":[{}{}]}", "byte 11: expected a comma or a closing bracket"},
    {"{\"data\":[{},]}", "byte 12: expected a JSON value"},
    {"{\"data\":[,{}]}", "byte 9: expected a JSON value"},
    {"{\"data\":[{" WEB ",}]}", "expected a key in quotes"},
    {"{\"data\":[{" WEB " " DB "}]}", "expected a comma or a closing brace"},
    {"{\"data\":[{\"a\":{\"b\":1]}]}", "byte 20: expected a comma or a closing brace"},
    {"{\"data\":[{\"a\":{\"b\":[1}}]}", "byte 21: expected a comma or a closing bracket"},
    {"{\"data\":[{\"a\":{\"b\"}}]}", "byte 18: expected a colon"},
    {"{\"data\":[{\"a\":{b:1}}]}", "byte 15: expected a key in quotes"},
    /* words and numbers, also where nobody wants them */
    {AS_MEMBER("nULL"), "byte 5: expected a JSON value"},
    {AS_MEMBER("tru"), "byte 5: expected a JSON value"},
    {AS_MEMBER("NaN"), "byte 5: expected a JSON value"},
    {AS_MEMBER("'x'"), "byte 5: expected a JSON value"},
    {AS_MEMBER("01"), "byte 6: expected no digit behind a leading zero"},
    {AS_MEMBER("-"), "byte 6: expected a digit"},
    {AS_MEMBER("-Infinity"), "byte 6: expected a digit"},
    {AS_MEMBER("1."), "byte 7: expected a digit"},
    {AS_MEMBER("1e"), "byte 7: expected a digit"},
    {AS_MEMBER("1e+"), "byte 8: expected a digit"},
    {AS_MEMBER("+1"), "byte 5: expected a JSON value"},
    {AS_MEMBER(".5"), "byte 5: expected a JSON value"},
    {AS_MEMBER("0x10"), "byte 6: expected a comma or a closing brace"},
    {AS_MEMBER("1e400"), "byte 5: expected a number within the range of a double"},
    {AS_MEMBER("[{\"y\":-1.8e308}]"), "byte 11: expected a number within the range of a double"},
    /* a figure that no cluster has */
    {"{\"data\":[{\"a/b\":{\"totalCost\":1000000000000000000}}]}",
     "byte 29: expected a figure below 1e18"},
    {"{\"data\":[{\"name\":\"a/b\",\"ramCost\":-1e30}]}", "byte 33: expected a figure below 1e18"},
    /* strings, also where nobody wants them */
    {IN_LABEL("\t"), "expected no control character in a string"},
    {IN_LABEL("\\x"), "expected a known escape"},
    {IN_LABEL("\\u12g4"), "expected four hexadecimal digits"},
    {IN_LABEL("\\ud800"), "expected the second half of a surrogate pair"},
    {IN_LABEL("\\ud800\\n"), "expected the second half of a surrogate pair"},
    {IN_LABEL("\\ud800\\u0041"), "expected the second half of a surrogate pair"},
    {IN_LABEL("\\udc00"), "expected the first half of a surrogate pair"},
    {IN_LABEL("\x80"), "expected UTF-8"},
    {IN_LABEL("\xC0\xAF"), "expected UTF-8"},
    {IN_LABEL("\xE0\x9F\xBF"), "expected UTF-8"},
    {IN_LABEL("\xED\xA0\x80"), "expected UTF-8"},
    {IN_LABEL("\xF0\x8F\xBF\xBF"), "expected UTF-8"},
    {IN_LABEL("\xF4\x90\x80\x80"), "expected UTF-8"},
    {IN_LABEL("\xF5\x80\x80\x80"), "expected UTF-8"},
    {IN_LABEL("\xE2\x82"), "expected UTF-8"},
    {"{\"data\":[{\"a\\u0000b\":{\"totalCost\":1}}]}", "expected no NUL character in a key"},
    {"{\"data\":[{\"a/b\":{\"x\":{\"y\\u0000\":1}}}]}", "expected no NUL character in a key"},
};

static void bodies_that_are_no_answer_are_refused_with_the_place_and_the_reason(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(refused_cases); i++) {
        const struct refused_case *c = &refused_cases[i];
        struct error error = {0};
        struct cost_set *set = decode_text(c->body, &error);
        if (set != NULL)
            fail_msg("accepted: %s", c->body);
        assert_int_equal(error.code, ERR_UPSTREAM_BODY);
        if (strstr(error.text, c->text) == NULL)
            fail_msg("%s: \"%s\", expected \"%s\"", c->body, error.text, c->text);
    }
}

static void a_nul_byte_is_no_white_space(void **state)
{
    static const char text[] = "{\"data\":[]}\0";
    struct error error;
    (void)state;
    assert_null(allocation_decode(text, sizeof(text), false, &error));
    assert_int_equal(error.code, ERR_UPSTREAM_BODY);
}

static void quotations_are_short_and_printable(void **state)
{
    static const char text[] = "{\"data\":[{\"a\":\x01\xFF\n"
                               "0123456789012345678901234567890123456789";
    struct error error;
    (void)state;
    assert_null(decode_text(text, &error));
    assert_string_equal(error.text, "byte 14: expected a JSON value, found "
                                    "`???0123456789012345678901234567890123456`");
}

static void a_long_message_is_cut_between_characters(void **state)
{
    struct strbuf text;
    struct error error;
    (void)state;
    strbuf_init(&text, SIZE_MAX);
    strbuf_append_text(&text, "{\"code\":500,\"message\":\"");
    for (int i = 0; i < 200; i++)
        strbuf_append_text(&text, i % 2 == 0 ? "\xE2\x82\xAC" : "\\u20ac");
    strbuf_append_text(&text, "\"}");
    assert_null(decode_text(strbuf_text(&text), &error));
    const char *message = strstr(error.text, ": ");
    assert_non_null(message);
    assert_int_equal(strlen(message + 2) % 3, 0);
    assert_in_range(strlen(message + 2), 150, 160);
    strbuf_finish(&text);
}

static void escaped_texts_mean_what_they_spell(void **state)
{
    static const char text[] =
        "{\"data\":[{\"\\u006e/"
        "\\ud83d\\udcb0\":{\"\\u0070roperties\":{\"name\\u0073pace\":\"\\u003cn\\u003e\","
        "\"\\u0070od\":\"\\\"\\\\\\/"
        "\\b\\f\\n\\r\\t\\u00e9\\u20ac\\ud83d\\udcb0\"},\"\\u0063puCost\":1,"
        "\"st\\u0061rt\":\"2026-10-05T00:00:0\\u0030Z\"}}]}";
    struct error error;
    size_t count;
    int64_t start_s;
    (void)state;
    struct cost_set *set = decode_text(text, &error);
    assert_non_null(set);
    const struct pod_cost *pods = cost_set_pods(set, &count);
    assert_int_equal(count, 1);
    assert_string_equal(pods[0].name.data, "\"\\/\b\f\n\r\t\xC3\xA9\xE2\x82\xAC\xF0\x9F\x92\xB0");
    assert_true(pods[0].figures.cpu == DECIMAL_ONE);
    const struct namespace_cost *namespaces = cost_set_namespaces(set, &count);
    assert_string_equal(namespaces[0].name.data, "<n>");
    assert_true(cost_set_data_start(set, &start_s));
    assert_int_equal(start_s, 1791158400);
    cost_set_destroy(set);
}

/* An annotation may hold one, and whoever may create a pod may write annotations. */
static void a_nul_in_a_value_harms_no_row_and_makes_no_name(void **state)
{
    static const char text[] =
        "{\"data\":[{\"a/b\":{\"properties\":{\"pod\":\"p\\u0000q\",\"namespace\":\"n\","
        "\"annotations\":{\"x\":\"y\\u0000z\"}},\"start\":\"\\u0000\",\"cpuCost\":1}},"
        "{\"name\":\"c\\u0000/d\",\"properties\":{\"namespace\":\"m\"},\"cpuCost\":2}]}";
    struct error error;
    size_t count;
    (void)state;
    struct cost_set *set = decode_text(text, &error);
    assert_non_null(set);
    const struct pod_cost *pods = cost_set_pods(set, &count);
    assert_int_equal(count, 1);
    assert_string_equal(pods[0].name.data, "b"); /* of the allocation's own name */
    assert_non_null(cost_set_find_namespace(set, TEXT("n")));
    assert_true(cost_set_total(set) == 3 * DECIMAL_ONE);
    cost_set_destroy(set);
}

static void start_is_unknown_unless_it_is_a_time(void **state)
{
    static const char *const starts[] = {
        "\"null\"",
        "null",
        "\"\"",
        "{}",
        "\"2026-10-05\"",
        "\"2026-10-05T00:00:00Z and a tail that is longer than any time can ever be\"",
        "\"2026-10-05T00:00:00Z\",\"start\":null",
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(starts); i++) {
        char text[256];
        struct error error;
        int64_t start_s;
        snprintf(text, sizeof(text), "{\"data\":[{\"a/b\":{\"start\":%s}}]}", starts[i]);
        struct cost_set *set = decode_text(text, &error);
        assert_non_null(set);
        assert_false(cost_set_data_start(set, &start_s));
        cost_set_destroy(set);
    }
}

/* Each of the figures in its own place, by a value of its own. */
static void every_figure_lands_in_its_place(void **state)
{
    static const char text[] =
        "{\"data\":[{\"a/b\":{\"cpuCost\":1,\"cpuCostAdjustment\":0.5,\"ramCost\":2,"
        "\"ramCostAdjustment\":0.25,\"pvCost\":3,\"pvCostAdjustment\":0.125,\"networkCost\":4,"
        "\"networkCostAdjustment\":0.1,\"gpuCost\":5,\"gpuCostAdjustment\":0.2,"
        "\"loadBalancerCost\":6,\"loadBalancerCostAdjustment\":0.3,\"sharedCost\":7,"
        "\"externalCost\":8,\"totalCost\":9,\"idleCost\":10,\"minutes\":2,\"cpuEfficiency\":0.6,"
        "\"ramEfficiency\":0.7,\"totalEfficiency\":0.8,\"cpuCoreRequestAverage\":11,"
        "\"cpuCoreUsageAverage\":12,\"ramByteRequestAverage\":13,\"ramByteUsageAverage\":14},"
        "\"c/d\":{\"memoryAllocatableCost\":15,\"storageAllocatableCost\":16},"
        "\"e/f\":{\"memoryCost\":17,\"storageCost\":18},"
        "\"n\":{\"properties\":{\"namespace\":\"n\"},\"podCount\":19}}]}";
    struct body body = body_copy(text, strlen(text));
    (void)state;
    char *rows = describe_whole(&body);
    static const char *const expected[] = {
        "pod \"b\" 9.0 1.5 2.25 3.125 4.1 5.2 6.3 7.0 8.0 10.0 0.6 0.7 0.8 22.0 24.0 26.0 28.0 ",
        "pod \"d\" 31.0 0.0 15.0 16.0 ",
        "pod \"f\" 35.0 0.0 17.0 18.0 ",
        " pods 19 ",
    };
    for (size_t i = 0; i < ARRAY_LENGTH(expected); i++)
        if (strstr(rows, expected[i]) == NULL)
            fail_msg("%s is missing in %s", expected[i], rows);
    free(rows);
    body_free(&body);
}

/* A value at the given depth: the envelope is the first level. */
static bool accepts_depth(int levels)
{
    struct strbuf text;
    struct error error;
    strbuf_init(&text, SIZE_MAX);
    strbuf_append_text(&text, "{\"data\":[],\"x\":");
    for (int i = 1; i < levels; i++)
        strbuf_append_char(&text, '[');
    for (int i = 1; i < levels; i++)
        strbuf_append_char(&text, ']');
    strbuf_append_char(&text, '}');
    struct cost_set *set = decode_text(strbuf_text(&text), &error);
    strbuf_finish(&text);
    bool accepted = set != NULL;
    cost_set_destroy(set);
    return accepted;
}

static void nesting_has_a_limit(void **state)
{
    (void)state;
    assert_true(accepts_depth(512));
    assert_false(accepts_depth(513));
    assert_false(accepts_depth(100000));
}

static void an_allocation_without_end_is_refused_before_it_fills_the_memory(void **state)
{
    enum { PIECE = 1 << 20, MOST_PIECES = 65 };
    struct allocation_decoder *decoder = allocation_decoder_create(false);
    struct error error = {0};
    char *piece = malloc(PIECE);
    (void)state;
    assert_non_null(decoder);
    assert_non_null(piece);
    memset(piece, 'x', PIECE);
    assert_true(allocation_decoder_feed(decoder, "{\"data\":[{\"", 11, &error));
    int pieces = 0;
    while (pieces < MOST_PIECES && allocation_decoder_feed(decoder, piece, PIECE, &error))
        pieces++;
    assert_in_range(pieces, 60, 64);
    assert_int_equal(error.code, ERR_UPSTREAM_BODY);
    assert_string_equal(error.text, "byte 9: a single allocation exceeds 64 MiB");
    free(piece);
    allocation_decoder_destroy(decoder);
}

static void a_failure_is_the_answer_to_every_later_call(void **state)
{
    struct error first = {0};
    struct error later = {0};
    struct error last = {0};
    struct allocation_decoder *decoder = allocation_decoder_create(false);
    (void)state;
    assert_non_null(decoder);
    assert_false(allocation_decoder_feed(decoder, "{]", 2, &first));
    assert_false(allocation_decoder_feed(decoder, "{\"data\":[]}", 11, &later));
    assert_null(allocation_decoder_finish(decoder, &last));
    assert_int_equal(first.code, ERR_UPSTREAM_BODY);
    assert_string_equal(first.text, later.text);
    assert_string_equal(first.text, last.text);
    allocation_decoder_destroy(decoder);
}

static void idle_is_kept_only_when_asked_for(void **state)
{
    static const char text[] = "{\"data\":[{\"__idle__\":{\"totalCost\":5}," WEB "}]}";
    struct error error;
    (void)state;
    struct cost_set *without = allocation_decode(text, strlen(text), false, &error);
    struct cost_set *with = allocation_decode(text, strlen(text), true, &error);
    assert_non_null(without);
    assert_non_null(with);
    assert_int_equal(cost_set_defects(without)->idle_dropped, 1);
    assert_non_null(cost_set_find_namespace(with, TEXT("__idle__")));
    cost_set_destroy(without);
    cost_set_destroy(with);
}

static void a_decoder_may_be_destroyed_at_any_time(void **state)
{
    struct allocation_decoder *decoder = allocation_decoder_create(true);
    (void)state;
    assert_non_null(decoder);
    assert_true(allocation_decoder_feed(decoder, "{\"data\":[{" WEB ",\"b", 12, NULL));
    allocation_decoder_destroy(decoder);
    allocation_decoder_destroy(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bodies_of_every_shape_give_their_rows),
        cmocka_unit_test(bodies_that_are_no_answer_are_refused_with_the_place_and_the_reason),
        cmocka_unit_test(a_nul_byte_is_no_white_space),
        cmocka_unit_test(quotations_are_short_and_printable),
        cmocka_unit_test(a_long_message_is_cut_between_characters),
        cmocka_unit_test(escaped_texts_mean_what_they_spell),
        cmocka_unit_test(a_nul_in_a_value_harms_no_row_and_makes_no_name),
        cmocka_unit_test(start_is_unknown_unless_it_is_a_time),
        cmocka_unit_test(every_figure_lands_in_its_place),
        cmocka_unit_test(nesting_has_a_limit),
        cmocka_unit_test(an_allocation_without_end_is_refused_before_it_fills_the_memory),
        cmocka_unit_test(a_failure_is_the_answer_to_every_later_call),
        cmocka_unit_test(idle_is_kept_only_when_asked_for),
        cmocka_unit_test(a_decoder_may_be_destroyed_at_any_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
