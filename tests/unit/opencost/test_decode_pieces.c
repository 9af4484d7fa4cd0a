/* SPDX-License-Identifier: Apache-2.0 */
/* However a body is cut into pieces, the answer is the same, also when it is an error. */
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

static void check_cut(const char *what, const struct body *body, const char *whole, size_t first,
                      size_t piece)
{
    char *cut = describe_pieces(body, first, piece);
    if (strcmp(cut, whole) != 0)
        fail_msg("%s cut at %zu, then every %zu:\n%s\nwhole:\n%s", what, first, piece, cut, whole);
    free(cut);
}

/* Long bodies are cut at every 41st byte only. */
static void check_all_cuts(const char *what, const struct body *body, void *context)
{
    enum { SHORT_BODY = 3000, STRIDE = 41 };
    char *whole = describe_whole(body);
    (void)context;
    for (size_t first = 1; first<body->length; first += body->length> SHORT_BODY ? STRIDE : 1)
        check_cut(what, body, whole, first, 0);
    for (size_t piece = 1; piece < 5; piece++)
        check_cut(what, body, whole, piece, piece);
    check_cut(what, body, whole, 1000, 1000);
    free(whole);
}

static void encoded_fixtures_read_the_same_in_pieces(void **state)
{
    (void)state;
    assert_true(for_each_body(KUBECENT_FIXTURES "/opencost/encoded", check_all_cuts, NULL) > 0);
}

static void http_fixtures_read_the_same_in_pieces(void **state)
{
    (void)state;
    assert_true(for_each_body(KUBECENT_FIXTURES "/opencost/http", check_all_cuts, NULL) > 0);
}

static void captured_answers_read_the_same_in_pieces(void **state)
{
    (void)state;
    if (for_each_body(KUBECENT_CAPTURED, check_all_cuts, NULL) == 0)
        skip();
}

static void odd_bodies_read_the_same_in_pieces(void **state)
{
    static const char *const texts[] = {
        " { \"code\" : 200 , \"data\" : [ null , { } , { \"a/b\" : { \"totalCost\" : 12.5e-1 } } ] "
        "} ",
        "{\"data\":[{\"x\":[1,2,{\"y\":\"]},\\\"\"}],\"a/b\":{\"totalCost\":1}}]}",
        "{\"data\":[[1,[2,3],{\"a\":1,\"b\":2}],{\"u\":1,\"v\":{},\"name\":\"a/"
        "b\",\"totalCost\":1}]}",
        "{\"data\":[{\"1\":1,\"2\":1,\"3\":1,\"4\":1,\"5\":1,\"6\":1,\"7\":1,\"8\":1,\"name\":"
        "\"x\"}]}",
        "{\"data\":{\"a\\\\\":{},\"\\ud83d\\udcb0/\xF0\x9F\x92\xB0\":{\"totalCost\":-0.5}}}",
        "{\"data\":[{\"a/"
        "b\":{\"totalCost\":1}}],\"message\":\"\\\\\\\"\",\"meta\":[true,false,null]}",
        "{\"data\":[{\"a\":{\"b\":1]}]}",
        "{\"data\":[{\"a\":}]}",
        "{\"data\" \"x\",\"y\":1}",
        "{\"data\":[{\"a\":tru}]}",
        "{\"data\":[{\"a\":\"\\u12x4\"}]}",
        "{\"data\":[{\"a\":\"\xE2\x82\"}]}",
        "{\"data\":[{\"a\":1e999}]}",
        "{\"data\":[{\"a/b\":{\"cpuCost\":1e18}}]}",
        "{\"data\":[]},",
        "{\"data\":[{\"a\":{\"b\":\"",
        "{\"da",
        "{\"data\":[1,2",
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(texts); i++) {
        struct body body = body_copy(texts[i], strlen(texts[i]));
        check_all_cuts(texts[i], &body, NULL);
        body_free(&body);
    }
}

/* Bodies that a reader which starts over with every piece, or with every comma, would need hours
 * for. */
static void a_dripping_body_takes_time_in_proportion_to_its_length(void **state)
{
    enum { LENGTH = 100000 };
    static const struct {
        const char *start, *item, *end;
    } drips[] = {
        {"{\"data\":[{\"a/b\":{\"pvs\":{", "\"x\":{\"y\":[1,2]},", "\"z\":0}}}]}"},
        {"{\"data\":[{\"name\":\"a/b\",\"pvs\":{", "\"x\":{\"y\":[1,2]},", "\"z\":0}}]}"},
        {"{\"data\":[{\"a/b\":{\"labels\":{\"x\":\"", "\\\"y\\\\,", "\"}}}]}"},
        {"{\"data\":[[", "1,", "1]]}"},
        {"{\"data\":[{", "\"x\":1,", "\"y\":1}]}"},
        {"{\"data\":[", "null,", "null]}"},
        {"{\"meta\":[", "{\"a\":[],\"b\":1},", "1],\"data\":[]}"},
        {"{\"data\":[],", "\"m\":1,", "\"n\":{}}"},
        {"{\"data\":[", "   ", "]}"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(drips); i++) {
        struct strbuf text;
        struct error error = {0};
        strbuf_init(&text, SIZE_MAX);
        strbuf_append_text(&text, drips[i].start);
        while (text.length < LENGTH)
            strbuf_append_text(&text, drips[i].item);
        strbuf_append_text(&text, drips[i].end);
        struct body body = {.bytes = text.data, .length = text.length};
        struct cost_set *set = decode_in_pieces(&body, 1, 1, false, &error);
        if (set == NULL)
            fail_msg("%s...: %s", drips[i].start, error.text);
        cost_set_destroy(set);
        strbuf_finish(&text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(encoded_fixtures_read_the_same_in_pieces),
        cmocka_unit_test(http_fixtures_read_the_same_in_pieces),
        cmocka_unit_test(captured_answers_read_the_same_in_pieces),
        cmocka_unit_test(odd_bodies_read_the_same_in_pieces),
        cmocka_unit_test(a_dripping_body_takes_time_in_proportion_to_its_length),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
