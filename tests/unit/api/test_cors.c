/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h needs those above */
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "cors.h"
#include "fake_exchange.h"
#include "support/alloc_fault.h"

#define ORIGIN                                                                                     \
    {                                                                                              \
        "Origin", "https://a.example"                                                              \
    }
#define COOKIE                                                                                     \
    {                                                                                              \
        "Cookie", "session=1"                                                                      \
    }
#define WANTS(method)                                                                              \
    {                                                                                              \
        "Access-Control-Request-Method", (method)                                                  \
    }
#define LAST                                                                                       \
    {                                                                                              \
        NULL, NULL                                                                                 \
    }

static const char *const everyone[] = {"https://b.example", "*"};
static const char *const listed[] = {"https://a.example", "https://b.example"};
static const char *const second[] = {"https://b.example", "https://a.example"};
static const char *const all_and_it[] = {"*", "https://a.example"};
static const char *const others[] = {"https://b.example", "https://A.example"};

static struct cors_policy policy_of(const char *const *origins, size_t count)
{
    struct cors_policy policy;
    assert_true(cors_policy_init(&policy, origins, count));
    return policy;
}

static void a_grant_follows_origin_cookie_and_list(void **state)
{
    static const struct http_header nothing[] = {LAST}, plain[] = {ORIGIN, LAST},
                                    cookie[] = {ORIGIN, COOKIE, LAST}, no_origin[] = {COOKIE, LAST};
    static const struct {
        const char *const *origins;
        size_t count;
        const struct http_header *headers;
        enum cors_grant grant;
        size_t number;
        const char *allow_origin, *allow_credentials;
        bool varies;
    } cases[] = {
        {everyone, 2, nothing, CORS_NOT_ASKED, 0, NULL, NULL, false},
        {everyone, 2, no_origin, CORS_NOT_ASKED, 0, NULL, NULL, false},
        {everyone, 2, plain, CORS_ANY, 0, "*", "true", false},
        {everyone, 2, cookie, CORS_ECHO, 0, "https://a.example", "true", true},
        {listed, 2, nothing, CORS_NOT_ASKED, 0, NULL, NULL, true},
        {listed, 2, plain, CORS_ECHO, 1, "https://a.example", "true", true},
        {listed, 2, cookie, CORS_ECHO, 1, "https://a.example", "true", true},
        {second, 2, cookie, CORS_ECHO, 2, "https://a.example", "true", true},
        {all_and_it, 2, cookie, CORS_ECHO, 2, "https://a.example", "true", true},
        {others, 2, plain, CORS_UNLISTED, 0, NULL, "true", true}, /* byte for byte */
        {NULL, 0, plain, CORS_UNLISTED, 0, NULL, "true", true},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct cors_policy policy = policy_of(cases[i].origins, cases[i].count);
        struct http_exchange exchange = {.headers = cases[i].headers};
        struct http_headers headers = {.count = 0};
        size_t number;
        enum cors_grant grant = cors_judge(&policy, &exchange, &number);
        assert_int_equal(grant, cases[i].grant);
        assert_int_equal(number, cases[i].number);
        assert_int_equal(cors_varies(&policy, grant), cases[i].varies);
        cors_add_headers(grant, &exchange, &headers);
        http_reply(&exchange, 200, NULL, TEXT(""), &headers);
        const char *origin = fake_answered(&exchange, "Access-Control-Allow-Origin");
        const char *credentials = fake_answered(&exchange, "Access-Control-Allow-Credentials");
        assert_string_equal(origin ? origin : "",
                            cases[i].allow_origin ? cases[i].allow_origin : "");
        assert_int_equal(credentials != NULL, cases[i].allow_credentials != NULL);
        cors_policy_finish(&policy);
    }
}

static void a_preflight_has_a_method_an_origin_and_a_wish(void **state)
{
    static const struct http_header whole[] = {ORIGIN, WANTS("GET"), LAST},
                                    no_wish[] = {ORIGIN, LAST}, no_origin[] = {WANTS("GET"), LAST};
    static const struct {
        const char *method;
        const struct http_header *headers;
        bool is_preflight;
    } cases[] = {
        {"OPTIONS", whole, true}, {"OPTIONS", no_wish, false}, {"OPTIONS", no_origin, false},
        {"GET", whole, false},    {"options", whole, false},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        const struct http_exchange exchange = {.request.method = cases[i].method,
                                               .headers = cases[i].headers};
        assert_int_equal(cors_is_preflight(&exchange), cases[i].is_preflight);
    }
}

static void a_preflight_is_granted_or_told_what_is_disallowed(void **state)
{
    static const struct http_header get[] = {ORIGIN, WANTS("GET"), LAST},
                                    trace[] = {ORIGIN, WANTS("TRACE"), LAST};
    static const struct {
        const char *const *origins;
        const struct http_header *headers;
        int status;
        const char *body, *allow_origin;
    } cases[] = {
        {everyone, get, 200, "OK", "https://a.example"},
        {listed, get, 200, "OK", "https://a.example"},
        {others, get, 400, "Disallowed CORS origin", NULL},
        {listed, trace, 400, "Disallowed CORS method", "https://a.example"},
        {others, trace, 400, "Disallowed CORS origin, method", NULL},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct cors_policy policy = policy_of(cases[i].origins, 2);
        struct http_exchange exchange = {.request.method = "OPTIONS", .headers = cases[i].headers};
        struct http_headers headers = {.count = 0};
        cors_reply_preflight(&policy, &exchange, &headers);
        const char *origin = fake_answered(&exchange, "Access-Control-Allow-Origin");
        assert_int_equal(exchange.status, cases[i].status);
        assert_string_equal(exchange.body, cases[i].body);
        assert_string_equal(exchange.type, "text/plain; charset=utf-8");
        assert_string_equal(origin ? origin : "",
                            cases[i].allow_origin ? cases[i].allow_origin : "");
        assert_string_equal(fake_answered(&exchange, "Vary"), "Origin");
        assert_string_equal(fake_answered(&exchange, "Access-Control-Max-Age"), "600");
        assert_null(fake_answered(&exchange, "Access-Control-Allow-Headers"));
        cors_policy_finish(&policy);
    }
}

static void requested_headers_are_allowed_as_they_were_asked_for(void **state)
{
    static const struct http_header headers_of[] = {
        ORIGIN, WANTS("POST"), {"Access-Control-Request-Headers", "X-A,  content-type"}, LAST};
    struct cors_policy policy = policy_of(everyone, 2);
    struct http_exchange exchange = {.request.method = "OPTIONS", .headers = headers_of};
    struct http_headers headers = {.count = 0};
    (void)state;
    cors_reply_preflight(&policy, &exchange, &headers);
    assert_string_equal(fake_answered(&exchange, "Access-Control-Allow-Headers"),
                        "X-A,  content-type");
    cors_policy_finish(&policy);
}

static void what_holds_control_bytes_is_not_sent_back(void **state)
{
    static const char *const odd[] = {"a\rb",
                                      "a\x0b"
                                      "b",
                                      "\x01", "a\x7f"};
    struct cors_policy policy = policy_of(everyone, 2);
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(odd); i++) {
        const struct http_header origin[] = {{"Origin", odd[i]}, COOKIE, WANTS("GET"), LAST};
        const struct http_header requested[] = {
            ORIGIN, WANTS("GET"), {"Access-Control-Request-Headers", odd[i]}, LAST};
        struct http_exchange exchange = {.request.method = "OPTIONS", .headers = origin};
        struct http_headers headers = {.count = 0};
        size_t number = 1;
        assert_int_equal(cors_judge(&policy, &exchange, &number), CORS_UNLISTED);
        assert_int_equal(number, 0);
        cors_reply_preflight(&policy, &exchange, &headers);
        assert_int_equal(exchange.status, 400);
        assert_null(fake_answered(&exchange, "Access-Control-Allow-Origin"));

        exchange = (struct http_exchange){.request.method = "OPTIONS", .headers = requested};
        headers = (struct http_headers){.count = 0};
        cors_reply_preflight(&policy, &exchange, &headers);
        assert_int_equal(exchange.status, 200);
        assert_null(fake_answered(&exchange, "Access-Control-Allow-Headers"));
    }
    cors_policy_finish(&policy);
}

static void want_of_memory_leaves_a_policy_to_be_finished(void **state)
{
    (void)state;
    if (!alloc_fault_supported())
        skip();
    for (long nth = 1;; nth++) {
        struct cors_policy policy;
        alloc_fault_arm(nth);
        bool made = cors_policy_init(&policy, listed, 2);
        bool hit = alloc_fault_hit();
        alloc_fault_disarm();
        cors_policy_finish(&policy);
        assert_int_equal(made, !hit);
        if (!hit)
            break;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_grant_follows_origin_cookie_and_list),
        cmocka_unit_test(a_preflight_has_a_method_an_origin_and_a_wish),
        cmocka_unit_test(a_preflight_is_granted_or_told_what_is_disallowed),
        cmocka_unit_test(requested_headers_are_allowed_as_they_were_asked_for),
        cmocka_unit_test(what_holds_control_bytes_is_not_sent_back),
        cmocka_unit_test(want_of_memory_leaves_a_policy_to_be_finished),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
