/* SPDX-License-Identifier: Apache-2.0 */
/* The decoder and its judge (decode_judge.h) accept the same bodies, with equal rows, and refuse
 * the same. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/strbuf.h"
#include "decode_judge.h"
#include "decode_support.h"
#include "opencost/decode.h"

struct tally {
    size_t accepted, refused, undecided;
};

static void check_against_judge(const char *what, const struct body *body, struct tally *tally)
{
    struct error error = {0};
    struct cost_set *judged;
    enum verdict verdict = judge(body, true, &judged);
    struct cost_set *set = allocation_decode(body->bytes, body->length, true, &error);
    tally->accepted += verdict == VERDICT_ACCEPTED;
    tally->refused += verdict == VERDICT_REFUSED;
    tally->undecided += verdict == VERDICT_HAS_REPEATED_KEYS;
    if (verdict == VERDICT_HAS_REPEATED_KEYS) {
        cost_set_destroy(set);
        return;
    }
    if ((set != NULL) != (judged != NULL))
        fail_msg("%s: decoder says \"%s\", judge %s\n%.*s", what, error.text,
                 judged != NULL ? "accepts" : "refuses", (int)body->length, body->bytes);
    if (set == NULL)
        return;
    char *ours = describe(set, &error);
    char *theirs = describe(judged, &error);
    if (strcmp(ours, theirs) != 0)
        fail_msg("%s: decoder:\n%s\njudge:\n%s\nbody:\n%.*s", what, ours, theirs, (int)body->length,
                 body->bytes);
    free(ours);
    free(theirs);
}

static void check_file(const char *file, const struct body *body, void *context)
{
    check_against_judge(file, body, context);
}

static void fixtures_are_judged_alike(void **state)
{
    struct tally tally = {0};
    (void)state;
    (void)for_each_body(KUBECENT_FIXTURES "/opencost/encoded", check_file, &tally);
    (void)for_each_body(KUBECENT_FIXTURES "/opencost/http", check_file, &tally);
    assert_true(tally.accepted >= 15);
    assert_true(tally.refused >= 6);
    assert_int_equal(tally.undecided, 0);
}

static void captured_answers_are_judged_alike(void **state)
{
    struct tally tally = {0};
    (void)state;
    if (for_each_body(KUBECENT_CAPTURED, check_file, &tally) == 0)
        skip();
    assert_true(tally.accepted > 0);
}

/* Each stands for a value in four places: beside the data, as a set, as a member of a map, and as a
 * figure. */
static const char *const values[] = {
    "null",
    "true",
    "false",
    "nul",
    "nulll",
    "True",
    "undefined",
    "NaN",
    "Infinity",
    "-Infinity",
    "0",
    "-0",
    "-0.0",
    "00",
    "01",
    "-01",
    "1.",
    ".1",
    "-",
    "--1",
    "+1",
    "1e",
    "1e+",
    "1e-",
    "1E5",
    "1e5",
    "1e-5",
    "0.1e1",
    "1.5.5",
    "0x1",
    "1_000",
    "1e308",
    "1.7976931348623157e308",
    "1.7976931348623158e308",
    "1.7976931348623159e308",
    "1.8e308",
    "1e309",
    "-1e400",
    "1e400",
    "1e-400",
    "1e99999999999999999999",
    "1e-99999999999999999999",
    "0e400",
    "0.0e999999999999",
    "999999999999999999",
    "999999999999999999.9999999994",
    "999999999999999999.9999999995",
    "1000000000000000000",
    "-1000000000000000000",
    "1e17",
    "1e18",
    "9223372036854775808",
    "18446744073709551616",
    "0.0000000005",
    "0.00000000051",
    "0.0000000015",
    "1e-9",
    "1e-10",
    "\"\"",
    "\"None\"",
    "\"\\\"\"",
    "\"\\/\\b\\f\\n\\r\\t\\\\\"",
    "\"\\a\"",
    "\"\\u0041\"",
    "\"\\u00\"",
    "\"\\u00zz\"",
    "\"\\u0000\"",
    "\"\\u0007\"",
    "\"\\uD83D\\uDCB0\"",
    "\"\\ud83d\"",
    "\"\\ud83dx\"",
    "\"\\ud83d\\u0041\"",
    "\"\\ud83d\\ud83d\"",
    "\"\\udcb0\"",
    "\"\\uFFFF\"",
    "\"\x7F\"",
    "\"\x1F\"",
    "\"\t\"",
    "\"\n\"",
    "\"\xC2\x80\"",
    "\"\xC1\xBF\"",
    "\"\xC3\"",
    "\"\xE0\xA0\x80\"",
    "\"\xE0\x9F\xBF\"",
    "\"\xED\x9F\xBF\"",
    "\"\xED\xA0\x80\"",
    "\"\xEE\x80\x80\"",
    "\"\xEF\xBF\xBF\"",
    "\"\xF0\x90\x80\x80\"",
    "\"\xF0\x8F\xBF\xBF\"",
    "\"\xF4\x8F\xBF\xBF\"",
    "\"\xF4\x90\x80\x80\"",
    "\"\xF8\x88\x80\x80\x80\"",
    "\"\xFF\"",
    "\"0123456789abcde\xC3\xA9\"",
    "\"0123456789abcdef\xC3\xA9\xC3\"",
    "\"",
    "'x'",
    "x",
    "",
    "[]",
    "[",
    "]",
    "[1",
    "[1,]",
    "[,1]",
    "[1 2]",
    "[1,2]",
    "[[[[]]]]",
    "[{}]",
    "[}",
    "{]",
    "{}",
    "{",
    "}",
    "{\"a\"}",
    "{\"a\":}",
    "{\"a\":1,}",
    "{,}",
    "{1:2}",
    "{\"a\":1 \"b\":2}",
    "{\"a\":{\"b\":{\"c\":[1,{\"d\":\"}]\"}]}}}",
    " \t\r\n1 \t\r\n",
    "\f1",
    "\v1",
    "\302\2401",
    "/*x*/1",
    "1//x",
    "{\"name\":\"a/b\"}",
    "{\"name\":{\"name\":\"a/b\"}}",
    "{\"name\":3}",
    "{\"cpuCost\":1}",
    "{\"cpuCost\":\"1\"}",
    "{\"cpuCost\":null}",
    "{\"cpuCost\":{}}",
    "{\"properties\":{}}",
    "{\"properties\":{\"name\":\"x\"}}",
    "{\"properties\":null}",
    "{\"properties\":{\"namespace\":\"n\",\"pod\":\"p\"}}",
    "{\"window\":{\"start\":\"x\"}}",
    "{\"window\":{\"totalCost\":3}}",
    "{\"start\":\"2026-10-05T00:00:00Z\"}",
    "{\"end\":\"x\"}",
    "{\"\\u0063puCost\":1}",
    "{\"cpuCos\\u0074\":7,\"x/y\":{\"totalCost\":1}}",
    "{\"x/y\":{\"totalCost\":1},\"cpuCost\":7}",
    "{\"lbAllocations\":{},\"totalCost\":2}",
    "{\"lbAllocations\":{\"totalCost\":1},\"totalCost\":2}",
    "{\"a\":1,\"b\":1,\"c\":1,\"d\":1,\"e\":1,\"f\":1,\"g\":1,\"totalCost\":2}",
    "{\"a\":1,\"b\":1,\"c\":1,\"d\":1,\"e\":1,\"f\":1,\"g\":1,\"h\":1,\"totalCost\":2}",
};

/* The template with the value for each @. */
static char *with_value(const char *template, const char *value)
{
    struct strbuf text;
    size_t length;
    strbuf_init(&text, SIZE_MAX);
    for (; *template != '\0'; template ++) {
        if (*template == '@')
            strbuf_append_text(&text, value);
        else
            strbuf_append_char(&text, *template);
    }
    return strbuf_take(&text, &length);
}

static void odd_values_are_judged_alike_wherever_they_stand(void **state)
{
    static const char *const places[] = {
        "@",
        "{\"data\":@}",
        "{\"code\":@,\"data\":[]}",
        "{\"message\":@,\"data\":[]}",
        "{\"code\":@}",
        "{\"code\":200,\"status\":@}",
        "{\"code\":200,\"stat\":@}",
        "{\"meta\":@,\"data\":[{\"a/b\":{\"totalCost\":1}}]}",
        "{\"data\":[null,@]}",
        "{\"data\":[{\"a/b\":@,\"c/d\":{\"totalCost\":1}}]}",
        "{\"data\":{\"a/b\":@}}",
        "{\"data\":[{\"a/b\":{\"totalCost\":@,\"cpuCost\":1}}]}",
        "{\"data\":[{\"totalCost\":@,\"name\":\"a/b\",\"cpuCost\":1}]}",
        "{\"data\":[{\"a/b\":{\"unknown\":@}}]}",
        "{\"data\":[{\"a/b\":{\"name\":@}}]}",
        "{\"data\":[{\"cpuCost\":1,\"name\":@}]}",
        "{\"data\":[{\"a/b\":{\"start\":@}}]}",
        "{\"data\":[{\"a/b\":{\"properties\":@}}]}",
        "{\"data\":[{\"x\":{\"properties\":{\"namespace\":@,\"pod\":\"p\",\"labels\":{}}}}]}",
        "{\"data\":[{\"x\":{\"properties\":{\"namespace\":\"n\",\"labels\":[@],\"pod\":@}}}]}",
    };
    struct tally tally = {0};
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(values); i++) {
        for (size_t j = 0; j < ARRAY_LENGTH(places); j++) {
            char *text = with_value(places[j], values[i]);
            struct body body = body_copy(text, strlen(text));
            check_against_judge(text, &body, &tally);
            free(text);
            body_free(&body);
        }
    }
    assert_true(tally.accepted > 500);
    assert_true(tally.refused > 500);
    assert_int_equal(tally.undecided, 0);
}

/* xorshift64*: the same numbers on every machine. */
static uint64_t next_random(uint64_t *random)
{
    *random ^= *random >> 12;
    *random ^= *random << 25;
    *random ^= *random >> 27;
    return *random * UINT64_C(2685821657736338717);
}

static size_t below(uint64_t *random, size_t bound)
{
    return bound > 0 ? (size_t)(next_random(random) % bound) : 0;
}

/* Replaces `length` bytes at `at`. */
static void splice(struct body *body, size_t at, size_t length, const char *text)
{
    struct strbuf result;
    strbuf_init(&result, SIZE_MAX);
    strbuf_append(&result, body->bytes, at);
    strbuf_append_text(&result, text);
    strbuf_append(&result, body->bytes + at + length, body->length - at - length);
    body_free(body);
    *body = body_copy(strbuf_text(&result), result.length);
    strbuf_finish(&result);
}

/* Finds a scalar or a key: what stands between two delimiters. False when there was none. */
static bool find_token(const struct body *body, uint64_t *random, size_t *ret_at, size_t *ret_end)
{
    static const char delimiters[] = ",:{}[]";
    for (int tries = 0; tries < 100; tries++) {
        size_t at = below(random, body->length);
        while (at < body->length && strchr(delimiters, body->bytes[at]) == NULL)
            at++;
        size_t end = ++at;
        while (end < body->length && strchr(delimiters, body->bytes[end]) == NULL)
            end++;
        *ret_at = at;
        *ret_end = end;
        if (end > at && end < body->length)
            return true;
    }
    return false;
}

/* Replaces a whole value or key by another, so that the body often stays valid. */
static void mutate_token(struct body *body, uint64_t *random)
{
    static const char *const keys[] = {
        "\"name\"",       "\"properties\"", "\"window\"",     "\"start\"",    "\"minutes\"",
        "\"totalCost\"",  "\"ramCost\"",    "\"a/b\"",        "\"c\"",        "\"d\\u0061ta\"",
        "\"memoryCost\"", "\"pod\"",        "\"cod\\u0065\"", "\"idleCost\"", "\"__idle__\"",
    };
    static const char *const plain_values[] = {
        "null",  "0",    "-186.57", "3.2e-7", "123456789012.3456789", "\"None\"", "\"\"",
        "\"a\"", "true", "{}",      "[]",     "\"\\u003cn/\\u003e\"",
    };
    size_t at, end;
    if (!find_token(body, random, &at, &end))
        return;
    const char *replacement = values[below(random, ARRAY_LENGTH(values))];
    if (body->bytes[end] == ':')
        replacement = keys[below(random, ARRAY_LENGTH(keys))];
    else if (below(random, 4) > 0)
        replacement = plain_values[below(random, ARRAY_LENGTH(plain_values))];
    splice(body, at, end - at, replacement);
}

static void mutate_bytes(struct body *body, uint64_t *random)
{
    static const char *const pieces[] = {
        "",          "\"",
        "\\",        "{",
        "}",         "[",
        "]",         ",",
        ":",         " ",
        "\n",        "0",
        "9",         "-",
        ".",         "e",
        "null",      "\\u00",
        "\xC3",      "\xA9",
        "{}",        "[]",
        "\x01",      "\\ud800",
        "\"name\":", "\"totalCost\":",
        "1e400",     "{\"a\":1}",
    };
    size_t at = below(random, body->length + 1);
    size_t rest = body->length - at;
    size_t removed = below(random, rest < 4 ? rest + 1 : 4);
    splice(body, at, removed, pieces[below(random, ARRAY_LENGTH(pieces))]);
}

static void flip_bit(char *byte, size_t bit)
{
    *byte = (char)((unsigned char)*byte ^ 1U << bit);
}

static void mutate(struct body *body, uint64_t *random)
{
    size_t changes = 1 + below(random, 3);
    for (size_t i = 0; i < changes; i++) {
        size_t kind = below(random, 8);
        if (kind == 0 && below(random, 8) == 0)
            body->length = below(random, body->length + 1);
        else if (kind == 1 && body->length > 0)
            flip_bit(&body->bytes[below(random, body->length)], below(random, 8));
        else if (kind <= 3)
            mutate_bytes(body, random);
        else
            mutate_token(body, random);
    }
}

struct mutation_run {
    uint64_t random;
    struct tally tally;
};

static void check_mutations(const char *file, const struct body *body, void *context)
{
    enum { MUTATIONS = 200 };
    struct mutation_run *run = context;
    for (int i = 0; i < MUTATIONS; i++) {
        char what[256];
        struct body mutated = body_copy(body->bytes, body->length);
        mutate(&mutated, &run->random);
        snprintf(what, sizeof(what), "%s, mutation %d", file, i);
        check_against_judge(what, &mutated, &run->tally);
        char *whole = describe_whole(&mutated);
        size_t first = 1 + below(&run->random, mutated.length);
        char *pieces = describe_pieces(&mutated, first, 1 + below(&run->random, 500));
        if (strcmp(whole, pieces) != 0)
            fail_msg("%s: whole:\n%s\nin pieces:\n%s", what, whole, pieces);
        free(whole);
        free(pieces);
        body_free(&mutated);
    }
}

static void mutations_of_fixtures_are_judged_alike(void **state)
{
    struct mutation_run run = {.random = 20261123};
    (void)state;
    (void)for_each_body(KUBECENT_FIXTURES "/opencost/encoded", check_mutations, &run);
    (void)for_each_body(KUBECENT_FIXTURES "/opencost/http", check_mutations, &run);
    print_message("%zu accepted, %zu refused, %zu with repeated keys\n", run.tally.accepted,
                  run.tally.refused, run.tally.undecided);
    assert_true(run.tally.accepted > 900);
    assert_true(run.tally.refused > 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fixtures_are_judged_alike),
        cmocka_unit_test(captured_answers_are_judged_alike),
        cmocka_unit_test(odd_values_are_judged_alike_wherever_they_stand),
        cmocka_unit_test(mutations_of_fixtures_are_judged_alike),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
