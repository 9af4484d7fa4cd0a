/* SPDX-License-Identifier: Apache-2.0 */
/* Each error as a client sees it, and nothing of what only the log may know. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h needs those above */
#include <cmocka.h>
#include <string.h>

#include "call.h"
#include "fake_exchange.h"

/* In place of src/api/reply.c: which request headers it depends on. */
void call_add_common_headers(const struct call *call, unsigned varies, struct http_headers *headers)
{
    (void)call;
    assert_int_equal(varies, VARIES_BY_ACCEPT);
    http_headers_add(headers, "Vary", "Accept");
}

#define FAILED(reason) "{\"detail\":\"Failed to fetch cost data from OpenCost: " reason "\"}"
#define UNFORESEEN     "{\"detail\":\"Internal Server Error\"}"

static const struct {
    enum error_code code;
    int http_status;
    int status;
    const char *body;
} cases[] = {
    {ERR_UPSTREAM_CONNECT, 0, 503, FAILED("connection failed")},
    {ERR_UPSTREAM_TLS, 0, 503, FAILED("TLS handshake failed")},
    {ERR_UPSTREAM_TIMEOUT, 0, 503, FAILED("timed out")},
    {ERR_UPSTREAM_STATUS, 502, 503, FAILED("HTTP 502")},
    {ERR_UPSTREAM_REFUSED, 401, 503, FAILED("HTTP 401")},
    {ERR_UPSTREAM_BODY, 200, 503, FAILED("invalid response")},
    {ERR_UPSTREAM_TOO_LARGE, 200, 503, FAILED("response too large")},
    {ERR_UPSTREAM_UNAVAILABLE, 0, 503, FAILED("temporarily unavailable")},
    {ERR_DEADLINE, 0, 503, FAILED("no answer in time")},
    {ERR_BUSY, 0, 503, FAILED("too many requests are waiting")},
    {ERR_SHUTDOWN, 0, 503, FAILED("server is shutting down")},
    {ERR_UPSTREAM_REJECTED, 400, 400, "{\"detail\":\"OpenCost rejected the query\"}"},
    {ERR_NO_MEMORY, 0, 500, UNFORESEEN},
    {ERR_INVALID, 0, 500, UNFORESEEN},
    {ERR_IO, 0, 500, UNFORESEEN},
    {ERR_LIMIT, 0, 500, UNFORESEEN},
};

static void every_error_has_its_status_and_its_words(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct http_exchange exchange = {.status = 0};
        const struct call call = {.exchange = &exchange, .request = &exchange.request};
        struct error error;
        error_set(&error, cases[i].code, "secret \"host\" 10.0.0.7");
        error.http_status = cases[i].http_status;
        call_reply_error(&call, &error);
        assert_int_equal(exchange.status, cases[i].status);
        assert_string_equal(exchange.body, cases[i].body);
        assert_string_equal(exchange.type, "application/json");
        assert_int_equal(fake_answered(&exchange, "Retry-After") != NULL, cases[i].status == 503);
        assert_string_equal(fake_answered(&exchange, "Cache-Control"), "no-store");
        assert_string_equal(fake_answered(&exchange, "Vary"), "Accept");
    }
}

static struct http_exchange exchange_accepting(const struct http_header *headers)
{
    return (struct http_exchange){.request = {.request_id = "the-id"}, .headers = headers};
}

static void who_prefers_problem_details_gets_them(void **state)
{
    static const struct http_header headers[] = {
        {"Accept", "application/json;q=0.5"}, {"Accept", "application/problem+json"}, {NULL, NULL}};
    struct http_exchange exchange = exchange_accepting(headers);
    const struct call call = {.exchange = &exchange, .request = &exchange.request};
    struct error error;
    (void)state;
    error_set(&error, ERR_UPSTREAM_TIMEOUT, "secret");
    call_reply_error(&call, &error);
    assert_int_equal(exchange.status, 503);
    assert_string_equal(exchange.type, "application/problem+json");
    assert_string_equal(
        exchange.body, "{\"type\":\"about:blank\",\"title\":\"Service Unavailable\",\"status\":503,"
                       "\"detail\":\"Failed to fetch cost data from OpenCost: timed out\","
                       "\"instance\":\"#the-id\"}");
    assert_string_equal(fake_answered(&exchange, "Retry-After"), "5");
}

static void faults_are_the_detail_or_the_errors(void **state)
{
    static const struct http_header headers[] = {{"Accept", "application/problem+json"},
                                                 {NULL, NULL}};
    const struct failure failure = {
        .status = 422, .detail = "Parameters are invalid", .faults = TEXT_INIT("[{}]")};
    struct http_exchange usual = exchange_accepting(NULL);
    struct http_exchange problem = exchange_accepting(headers);
    (void)state;
    call_reply_failure(&(struct call){.exchange = &usual, .request = &usual.request}, &failure);
    assert_string_equal(usual.body, "{\"detail\":[{}]}");
    call_reply_failure(&(struct call){.exchange = &problem, .request = &problem.request}, &failure);
    assert_string_equal(
        problem.body,
        "{\"type\":\"about:blank\",\"title\":\"Unprocessable Content\",\"status\":422,"
        "\"detail\":\"Parameters are invalid\",\"instance\":\"#the-id\",\"errors\":[{}]}");
}

static void who_waits_too_often_is_told_the_limit(void **state)
{
    struct api api = {.options = {.max_waiting_per_peer = 128}};
    struct http_exchange exchange = exchange_accepting(NULL);
    (void)state;
    call_reply_too_many(
        &(struct call){.api = &api, .exchange = &exchange, .request = &exchange.request});
    assert_int_equal(exchange.status, 429);
    assert_string_equal(exchange.body, "{\"detail\":\"Too many requests are waiting\"}");
    assert_string_equal(fake_answered(&exchange, "Retry-After"), "5");
    assert_string_equal(fake_answered(&exchange, "X-RateLimit-Limit"), "128");
    assert_string_equal(fake_answered(&exchange, "X-RateLimit-Remaining"), "0");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_error_has_its_status_and_its_words),
        cmocka_unit_test(who_prefers_problem_details_gets_them),
        cmocka_unit_test(faults_are_the_detail_or_the_errors),
        cmocka_unit_test(who_waits_too_often_is_told_the_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
