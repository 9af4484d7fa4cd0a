/* SPDX-License-Identifier: Apache-2.0 */
/* Each error as a client sees it, and nothing of what only the log may know. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h needs those above */
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "call.h"
#include "fake_exchange.h"

/* The two ways in which src/api/problem.c answers. */

void call_reply(const struct call *call, int status, const char *type, struct text body,
                const char *extra_name, const char *extra_value)
{
    struct http_headers headers = {.count = 0};
    if (extra_name != NULL)
        http_headers_add(&headers, extra_name, extra_value);
    http_reply(call->exchange, status, type, body, &headers);
}

void call_reply_detail(const struct call *call, int status, const char *detail)
{
    char body[FAKE_BODY_MAX];
    int length = snprintf(body, sizeof(body), "{\"detail\":\"%s\"}", detail);
    call_reply(call, status, "application/json", (struct text){body, (size_t)length}, NULL, NULL);
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
        const struct call call = {.exchange = &exchange};
        struct error error;
        error_set(&error, cases[i].code, "secret \"host\" 10.0.0.7");
        error.http_status = cases[i].http_status;
        call_reply_error(&call, &error);
        assert_int_equal(exchange.status, cases[i].status);
        assert_string_equal(exchange.body, cases[i].body);
        assert_string_equal(exchange.type, "application/json");
        assert_int_equal(fake_answered(&exchange, "Retry-After") != NULL, cases[i].status == 503);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_error_has_its_status_and_its_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
