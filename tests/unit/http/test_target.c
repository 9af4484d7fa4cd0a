/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h needs those above */
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "target.h"

#define BROKEN "\xEF\xBF\xBD" /* U+FFFD */

static enum target_result decode(struct target *target, const char *method, const char *sent,
                                 struct http_request *request)
{
    *request = (struct http_request){.method = method};
    assert_true(target_capture(target, sent, strlen(sent)));
    return target_decode(target, method, request);
}

static void paths_are_decoded(void **state)
{
    static const struct {
        const char *method;
        const char *sent;
        const char *path;
        const char *query;
    } cases[] = {
        {"GET", "/", "/", ""},
        {"GET", "/a/b", "/a/b", ""},
        {"GET", "/a?", "/a", ""},
        {"GET", "/a?b=c?d", "/a", "b=c?d"},
        {"GET", "/a%20b", "/a b", ""},
        {"GET", "/a+b", "/a+b", ""}, /* `+` is a space in queries only */
        {"GET", "/a%2Fb", "/a/b", ""},
        {"GET", "/%C3%BC", "/\xC3\xBC", ""},
        {"GET", "/\xC3\xBC", "/\xC3\xBC", ""},
        {"GET", "/%", "/%", ""}, /* no escape: stays */
        {"GET", "/%4", "/%4", ""},
        {"GET", "/%zz", "/%zz", ""},
        {"GET", "/%254", "/%4", ""}, /* decoded once */
        {"GET", "/%3Fa", "/?a", ""},
        {"GET", "http://h/a?b", "/a", "b"},
        {"GET", "HTTPS://h:1/a", "/a", ""},
        {"GET", "http://h", "/", ""},
        {"GET", "http://h?b", "/", "b"},
        {"OPTIONS", "*", "*", ""},
        /* Broken UTF-8: what Python's errors="replace" makes of it. */
        {"GET", "/%FF", "/" BROKEN, ""},
        {"GET", "/%C3", "/" BROKEN, ""},
        {"GET", "/%C3/", "/" BROKEN "/", ""},
        {"GET", "/%C0%AF", "/" BROKEN BROKEN, ""}, /* overlong */
        {"GET", "/%E2%82", "/" BROKEN, ""},        /* cut off: one for the piece */
        {"GET", "/%E2%82x", "/" BROKEN "x", ""},
        {"GET", "/%ED%A0%80", "/" BROKEN BROKEN BROKEN, ""}, /* surrogate */
        {"GET", "/%F4%90%80%80", "/" BROKEN BROKEN BROKEN BROKEN, ""},
        {"GET", "/%F0%9F%92%A9%F0%9F", "/\xF0\x9F\x92\xA9" BROKEN, ""},
        {"GET", "/\x80", "/" BROKEN, ""},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct target target;
        struct http_request request;

        if (decode(&target, cases[i].method, cases[i].sent, &request) != TARGET_OK ||
            !text_equals(request.path, text_of(cases[i].path)) ||
            !text_equals(request.query, text_of(cases[i].query)))
            fail_msg("wrong about `%s`: `%.*s`", cases[i].sent, (int)request.path.length,
                     request.path.data);
        target_finish(&target);
    }
}

static void what_is_no_target_of_ours_is_malformed(void **state)
{
    static const char *const cases[] = {
        "",         "a",      "*",         "h:443",  "http://",    "http:///a", "ftp://h/a",
        "/a b",     "/a ",    "/a%00b",    "/a\tb",  "/a%0ab",     "/a%7F",     "/a\x01",
        "/a?b=%00", "/a?%0d", "/a?b=\x7f", "/a?b c", "/a?x&y=%1f",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct target target;
        struct http_request request;

        if (decode(&target, "GET", cases[i], &request) != TARGET_MALFORMED)
            fail_msg("let through: `%s`", cases[i]);
        target_finish(&target);
    }
}

static void parameters_are_split_then_decoded(void **state)
{
    static const struct {
        const char *sent;
        const char *params; /* name=value, each ended by `;` */
    } cases[] = {
        {"/?a=b", "a=b;"},
        {"/?a", "a=;"},
        {"/?a=", "a=;"},
        {"/?=b", "=b;"},
        {"/?a=b=c", "a=b=c;"},
        {"/?&&a=1&", "a=1;"},
        {"/?a=1&a=2", "a=1;a=2;"},
        {"/?a=1;b=2", "a=1;b=2;"}, /* one parameter: only `&` separates */
        {"/?a=b+c%2Bd", "a=b c+d;"},
        {"/?a%3Db=c%26d", "a=b=c&d;"},
        {"/?%C3%A4=%FFx%C3", "\xC3\xA4=" BROKEN "x" BROKEN ";"},
        {"/?a=1&b=2&c=3&d=4&e=5&f=6&g=7&h=8&i=9", "a=1;b=2;c=3;d=4;e=5;f=6;g=7;h=8;i=9;"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct target target;
        struct http_request request;
        char seen[256] = "";
        int length = 0;

        assert_int_equal(decode(&target, "GET", cases[i].sent, &request), TARGET_OK);
        for (size_t k = 0; k < request.param_count; k++)
            length += snprintf(seen + length, sizeof(seen) - (size_t)length, "%.*s=%.*s;",
                               (int)request.params[k].name.length, request.params[k].name.data,
                               (int)request.params[k].value.length, request.params[k].value.data);
        assert_string_equal(seen, cases[i].params);
        target_finish(&target);
    }
}

static void last_of_repeated_parameters_is_found(void **state)
{
    struct target target;
    struct http_request request;

    (void)state;
    assert_int_equal(decode(&target, "GET", "/?a=1&b=2&a=3&ab=4", &request), TARGET_OK);
    assert_true(text_equals(http_request_param(&request, "a")->value, TEXT("3")));
    assert_true(text_equals(http_request_param(&request, "b")->value, TEXT("2")));
    assert_null(http_request_param(&request, "c"));
    target_finish(&target);
}

/* Every byte broken and every parameter in use: the most room decoding can need. */
static void long_broken_targets_fit(void **state)
{
    enum { LENGTH = 20000 };
    char *sent = malloc(LENGTH + 1);
    struct target target;
    struct http_request request;

    (void)state;
    assert_non_null(sent);
    memset(sent, '\xFF', LENGTH);
    memcpy(sent, "/", 1);
    sent[LENGTH / 2] = '?';
    sent[LENGTH] = '\0';
    assert_int_equal(decode(&target, "GET", sent, &request), TARGET_OK);
    assert_int_equal(request.path.length, 1 + 3 * (LENGTH / 2 - 1));
    assert_int_equal(request.params[0].name.length, 3 * (LENGTH / 2 - 1));
    target_finish(&target);
    free(sent);
}

static void number_of_parameters_is_bounded(void **state)
{
    char sent[2 * TARGET_MAX_PARAMS + 8] = "/?";
    struct target target;
    struct http_request request;

    (void)state;
    for (size_t i = 0; i < TARGET_MAX_PARAMS; i++)
        memcpy(sent + 2 + 2 * i, "a&", 3);
    assert_int_equal(decode(&target, "GET", sent, &request), TARGET_MALFORMED);
    target_finish(&target);
    sent[2 + 2 * TARGET_MAX_PARAMS - 1] = '\0';
    assert_int_equal(decode(&target, "GET", sent, &request), TARGET_OK);
    assert_int_equal(request.param_count, TARGET_MAX_PARAMS);
    target_finish(&target);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths_are_decoded),
        cmocka_unit_test(what_is_no_target_of_ours_is_malformed),
        cmocka_unit_test(parameters_are_split_then_decoded),
        cmocka_unit_test(last_of_repeated_parameters_is_found),
        cmocka_unit_test(long_broken_targets_fit),
        cmocka_unit_test(number_of_parameters_is_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
