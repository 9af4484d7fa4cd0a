/* SPDX-License-Identifier: Apache-2.0 */
/* How the server reads requests: what it refuses, what it accepts in pieces, where its limits are.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h needs those above */
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "raw_client.h"
#include "toy_server.h"

static int set_up(void **state)
{
    struct toy *toy = malloc(sizeof(*toy));

    assert_non_null(toy);
    toy_setup(toy);
    *state = toy;
    return 0;
}

static int tear_down(void **state)
{
    toy_stop(*state);
    free(*state);
    return 0;
}

struct request {
    const char *text;
    size_t length;
};

#define REQUEST(literal)                                                                           \
    {                                                                                              \
        (literal), sizeof(literal) - 1                                                             \
    }

static void ambiguous_requests_are_answered_400_and_closed(void **state)
{
    static const struct request cases[] = {
        REQUEST("GET /hello HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n"
                "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
        REQUEST(
            "GET /hello HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx"),
        REQUEST(
            "GET /hello HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx"),
        REQUEST("GET /hello HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip\r\n\r\n"),
        REQUEST("GET /hello HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip, chunked\r\n\r\n"),
        REQUEST("GET /hello HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: identity\r\n\r\n"),
        REQUEST("GET /hello HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n"
                "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
        REQUEST("GET /hello HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
        REQUEST("GET /hello HTTP/1.1\r\n\r\n"),
        REQUEST("GET /hello HTTP/1.1\r\nHost: h\r\nHost: h\r\n\r\n"),
        REQUEST("GET /hello HTTP/1.1\r\nHost: h\r\nX-A : b\r\n\r\n"),
        REQUEST("GET /hello HTTP/1.1\r\nHost: h\r\nContent-Length : 1\r\n\r\nx"),
        REQUEST("GET /hello HTTP/1.1\r\nHost: h\r\nX-A: b\rX-B: c\r\n\r\n"),
        REQUEST("GET /hello HTTP/1.1\r\nHost: h\r\nX(A): b\r\n\r\n"),
        REQUEST("GET /hello%00x HTTP/1.1\r\nHost: h\r\n\r\n"),
        REQUEST("GET /hello?a=%00 HTTP/1.1\r\nHost: h\r\n\r\n"),
        REQUEST("GET /hello\0x HTTP/1.1\r\nHost: h\r\n\r\n"),
        REQUEST("GET /hello\0HTTP/1.1 HTTP/1.1\r\nHost: h\r\n\r\n"),
        REQUEST("GET /hello?a=\0b HTTP/1.1\r\nHost: h\r\n\r\n"),
        REQUEST("GET /hello HTTP/1.1\r\nHost: h\0x\r\n\r\n"),
        REQUEST("GET /hello HTTP/1.1\r\nHost: h\r\nX-A: b\0\r\n\r\n"),
        REQUEST("GET /hello HTTP/1.1\r\nHost: h\r\nX-A: b\0\r\nX-B: c\r\n\r\n"),
        REQUEST("GET /hello HTTP/1.1\nHost: h\nX-A: b\0c\n\n"),
        REQUEST("GET /hello HTTP/1.1\r\nHost: h\r\nContent-Length: 0\0 5\r\n\r\n"),
        REQUEST("GET /hello HTTP/1.1\r\nTransfer-Encoding: chunked\0x\r\nHost: h\r\n\r\n"
                "0\r\n\r\n"),
        REQUEST("GET /hello HTTP/1.1\r\nHost: h\r\n: b\r\n\r\n"),
        REQUEST("GET /hello%0d%0aX: y HTTP/1.1\r\nHost: h\r\n\r\n"),
        REQUEST("GET /hello\x01 HTTP/1.1\r\nHost: h\r\n\r\n"),
        REQUEST("GET /hello x HTTP/1.1\r\nHost: h\r\n\r\n"),
        REQUEST("GET  /hello  HTTP/1.1\r\nHost: h\r\n\r\n"),
        REQUEST("GET hello HTTP/1.1\r\nHost: h\r\n\r\n"),
        REQUEST("CONNECT h:80 HTTP/1.1\r\nHost: h\r\n\r\n"),
        REQUEST("G<T /hello HTTP/1.1\r\nHost: h\r\n\r\n"),
    };
    struct toy *toy = *state;

    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct raw_client client;
        struct raw_response response;
        char value[256];

        raw_connect(&client, toy->port);
        raw_send_bytes(&client, cases[i].text, cases[i].length);
        raw_read(&client, &response);
        if (response.status != 400)
            fail_msg("answered %d: %s", response.status, cases[i].text);
        assert_string_equal(response.body, "{\"detail\":\"Bad Request\"}");
        assert_true(raw_header(&response, "Connection", value));
        assert_string_equal(value, "close");
        assert_true(raw_header(&response, "Access-Control-Allow-Origin", value));
        assert_true(raw_header(&response, "Content-Type", value));
        assert_string_equal(value, "application/json");
        assert_true(raw_is_closed(&client));
        raw_response_free(&response);
        raw_close(&client);
    }
    toy_wait_observed(toy, ARRAY_LENGTH(cases));
    assert_int_equal(toy->last.status, 400);
}

/* These the library refuses by itself, in HTML; a broken length even with two heads. */
static void requests_the_library_cannot_read_are_refused_and_closed(void **state)
{
    static const struct {
        const char *request;
        int status;
    } cases[] = {
        {"GET /hello\r\n\r\n", 400},
        {"GET /hello HTTP/1.1 \r\nHost: h\r\n\r\n", 400},
        {"GET /hello HTTP/2.0\r\nHost: h\r\n\r\n", 505},
        {"GET /hello HTTP/1.1\r\nHost\r\n\r\n", 400},
        {"GET /hello HTTP/1.1\r\nHost: h\r\nContent-Length: x\r\n\r\n", 400},
        {"GET /hello HTTP/1.1\r\nHost: h\r\nContent-Length: -1\r\n\r\n", 400},
        {"GET /hello HTTP/1.1\r\nHost: h\r\nContent-Length: 99999999999999999999\r\n\r\n", 413},
    };
    struct toy *toy = *state;

    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct raw_client client;
        struct raw_response response;

        raw_connect(&client, toy->port);
        raw_send(&client, cases[i].request);
        raw_read(&client, &response);
        assert_int_equal(response.status, cases[i].status);
        raw_response_free(&response);
        client.length = 0;
        assert_true(raw_is_closed(&client));
        raw_close(&client);
    }
}

static void other_spellings_of_a_request_are_accepted(void **state)
{
    static const struct {
        const char *request;
        const char *body;
    } cases[] = {
        {"GET http://h/echo/a?b=c HTTP/1.1\r\nHost: h\r\n\r\n", "GET /echo/a b=c"},
        {"GET /echo/%C3%BC?x=a+b&x=%ff HTTP/1.1\r\nHost: h\r\n\r\n",
         "GET /echo/<c3><bc> x=a<20>b x=<ef><bf><bd>"},
        {"GET /echo HTTP/1.1\nHost: h\n\n", "GET /echo"},
        {"\r\nGET /echo HTTP/1.1\r\nHost: h\r\n\r\n", "GET /echo"},
        {"GET /echo HTTP/1.0\r\n\r\n", "GET /echo"},
        {"get /echo HTTP/1.1\r\nHost:\r\n\r\n", "get /echo"},
        {"POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello", "POST /echo"},
        {"POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: Chunked\r\n\r\n"
         "5\r\nhello\r\n0\r\n\r\n",
         "POST /echo"},
        {"GET /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nhi", "GET /echo"},
    };
    struct toy *toy = *state;

    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct raw_client client;
        struct raw_response response;

        raw_connect(&client, toy->port);
        raw_send(&client, cases[i].request);
        raw_read(&client, &response);
        assert_int_equal(response.status, 200);
        assert_string_equal(response.body, cases[i].body);
        raw_response_free(&response);
        raw_close(&client);
    }
}

static void request_sent_byte_by_byte_is_read_like_any_other(void **state)
{
    static const char request[] = "POST /echo?a=b HTTP/1.1\r\nHost: h\r\nX-A: b\r\n"
                                  "Content-Length: 3\r\n\r\nabc";
    struct toy *toy = *state;
    struct raw_client client;
    struct raw_response response;

    raw_connect(&client, toy->port);
    for (size_t i = 0; i < sizeof(request) - 1; i++)
        raw_send_bytes(&client, request + i, 1);
    raw_send(&client, "GET /hello HTTP/1.1\r\nHost: h\r\n\r\n");
    raw_read(&client, &response);
    assert_string_equal(response.body, "POST /echo a=b");
    raw_response_free(&response);
    raw_read(&client, &response);
    assert_string_equal(response.body, "hello");
    raw_response_free(&response);
    raw_close(&client);
}

static void promised_sizes_are_accepted(void **state)
{
    struct toy *toy = *state;
    enum { REQUEST_BYTES = 32 * 1024 };
    char *request = malloc(REQUEST_BYTES);
    int length;

    assert_non_null(request);
    length = sprintf(request, "GET /hello?a=");
    memset(request + length, 'x', 4096);
    sprintf(request + length + 4096, " HTTP/1.1\r\nHost: h\r\n\r\n");
    raw_expect_status(toy->port, request, 200);

    length = sprintf(request, "GET /hello HTTP/1.1\r\nHost: h\r\nCookie: ");
    memset(request + length, 'x', 8192);
    sprintf(request + length + 8192, "\r\n\r\n");
    raw_expect_status(toy->port, request, 200);

    length = sprintf(request, "GET /hello?");
    for (int i = 0; i < 100; i++)
        length += sprintf(request + length, "parameter%d=value%d&", i, i);
    sprintf(request + length, " HTTP/1.1\r\nHost: h\r\n\r\n");
    raw_expect_status(toy->port, request, 200);
    free(request);
}

/* Whatever the size: an answer, and the close when it is a refusal. The client must not wait. */
static void oversize_requests_are_never_left_hanging(void **state)
{
    static const struct {
        const char *before, *piece, *after;
        size_t pieces;
    } cases[] = {
        {"GET /hello?", "a=1&", " HTTP/1.1\r\nHost: h\r\n\r\n", 150},
        {"GET /hello?", "a=1&", " HTTP/1.1\r\nHost: h\r\n\r\n", 999},
        {"GET /hello?", "a=1&", " HTTP/1.1\r\nHost: h\r\n\r\n", 1001},
        {"GET /hello?", "a=1&", " HTTP/1.1\r\nHost: h\r\n\r\n", 4000},
        {"GET /hello?", "a&", " HTTP/1.1\r\nHost: h\r\n\r\n", 7900},
        {"GET /hello?", "a=1&", " HTTP/1.1\r\nHost: h\r\n\r\n", 20000},
        {"GET /", "xxxx", " HTTP/1.1\r\nHost: h\r\n\r\n", 3000},
        {"GET /", "xxxx", " HTTP/1.1\r\nHost: h\r\n\r\n", 4000},
        {"GET /", "xxxx", " HTTP/1.1\r\nHost: h\r\n\r\n", 4080},
        {"GET /", "xxxx", " HTTP/1.1\r\nHost: h\r\n\r\n", 50000},
        {"GET /hello HTTP/1.1\r\nHost: h\r\nX: ", "xxxx", "\r\n\r\n", 4000},
        {"GET /hello HTTP/1.1\r\nHost: h\r\nX: ", "xxxx", "\r\n\r\n", 4070},
        {"GET /hello HTTP/1.1\r\nHost: h\r\nX: ", "xxxx", "\r\n\r\n", 50000},
        {"GET /hello HTTP/1.1\r\nHost: h\r\n", "X: y\r\n", "\r\n", 200},
        {"GET /hello HTTP/1.1\r\nHost: h\r\n", "X: y\r\n", "\r\n", 220},
        {"GET /hello HTTP/1.1\r\nHost: h\r\n", "X: y\r\n", "\r\n", 240},
        {"GET /hello HTTP/1.1\r\nHost: h\r\n", "X: y\r\n", "\r\n", 5000},
        {"", "xxxxxxxx", "\r\n\r\n", 5000},
    };
    struct toy *toy = *state;

    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        size_t size = strlen(cases[i].before) + strlen(cases[i].piece) * cases[i].pieces +
                      strlen(cases[i].after);
        char *request = malloc(size + 1);
        char *end;
        struct raw_client client;
        struct raw_response response;

        assert_non_null(request);
        end = stpcpy(request, cases[i].before);
        for (size_t k = 0; k < cases[i].pieces; k++)
            end = stpcpy(end, cases[i].piece);
        stpcpy(end, cases[i].after);
        raw_connect(&client, toy->port);
        raw_send_as_far_as_taken(&client, request, size);
        if (raw_try_read(&client, false, &response)) {
            char value[256];

            if (raw_header(&response, "Connection", value))
                assert_true(raw_is_closed(&client));
            else
                assert_in_range(response.status, 200, 404);
            raw_response_free(&response);
        }
        raw_close(&client);
        free(request);
    }
}

static void body_up_to_the_limit_is_dropped_and_the_connection_goes_on(void **state)
{
    enum { LIMIT = 64 * 1024 };
    struct toy *toy = *state;
    char *body = calloc(1, LIMIT);
    struct raw_client client;
    struct raw_response response;

    assert_non_null(body);
    raw_connect(&client, toy->port);
    raw_send(&client, "POST /hello HTTP/1.1\r\nHost: h\r\nContent-Length: 65536\r\n\r\n");
    raw_send_as_far_as_taken(&client, body, LIMIT);
    raw_read(&client, &response);
    assert_int_equal(response.status, 200);
    raw_response_free(&response);
    raw_send(&client, "GET /hello HTTP/1.1\r\nHost: h\r\n\r\n");
    raw_read(&client, &response);
    assert_int_equal(response.status, 200);
    raw_response_free(&response);
    raw_close(&client);
    free(body);
}

static void expect_413_and_close(struct raw_client *client)
{
    struct raw_response response;
    char value[256];

    raw_read(client, &response);
    assert_int_equal(response.status, 413);
    assert_string_equal(response.body, "{\"detail\":\"Content Too Large\"}");
    assert_true(raw_header(&response, "Connection", value));
    assert_string_equal(value, "close");
    assert_true(raw_header(&response, "Access-Control-Allow-Origin", value));
    assert_true(raw_is_closed(client));
    raw_response_free(&response);
    raw_close(client);
}

static void announced_body_beyond_the_limit_is_refused_at_once(void **state)
{
    struct toy *toy = *state;
    struct raw_client client;

    raw_connect(&client, toy->port);
    raw_send(&client, "POST /hello HTTP/1.1\r\nHost: h\r\nContent-Length: 65537\r\n\r\n");
    expect_413_and_close(&client);
}

static void body_without_end_is_refused_at_the_limit(void **state)
{
    struct toy *toy = *state;
    struct raw_client client;
    enum { CHUNKS = 17, CHUNK_BYTES = 0x1000 };
    char chunk[6 + CHUNK_BYTES + 3];

    snprintf(chunk, sizeof(chunk), "1000\r\n%0*d\r\n", CHUNK_BYTES, 0);
    raw_connect(&client, toy->port);
    raw_send(&client, "POST /hello HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n");
    for (int i = 0; i < CHUNKS; i++)
        raw_send_as_far_as_taken(&client, chunk, sizeof(chunk) - 1);
    expect_413_and_close(&client);
    toy_wait_observed(toy, 1);
    assert_int_equal(toy->last.status, 413);
}

static void client_that_leaves_in_the_middle_of_its_body_is_over(void **state)
{
    struct toy *toy = *state;
    struct raw_client client;

    raw_connect(&client, toy->port);
    raw_send(&client, "POST /hello HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nabc");
    toy_wait_in_flight(toy, 1);
    raw_close(&client);
    toy_wait_observed(toy, 1);
    assert_int_equal(toy->last.status, 0);
    assert_false(toy->last.completed);
    assert_string_equal(toy->last_path, "/hello");
    assert_true(http_server_drain(toy->server, 10000));
}

#define REQUEST_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        REQUEST_TEST(ambiguous_requests_are_answered_400_and_closed),
        REQUEST_TEST(requests_the_library_cannot_read_are_refused_and_closed),
        REQUEST_TEST(other_spellings_of_a_request_are_accepted),
        REQUEST_TEST(request_sent_byte_by_byte_is_read_like_any_other),
        REQUEST_TEST(promised_sizes_are_accepted),
        REQUEST_TEST(oversize_requests_are_never_left_hanging),
        REQUEST_TEST(body_up_to_the_limit_is_dropped_and_the_connection_goes_on),
        REQUEST_TEST(announced_body_beyond_the_limit_is_refused_at_once),
        REQUEST_TEST(body_without_end_is_refused_at_the_limit),
        REQUEST_TEST(client_that_leaves_in_the_middle_of_its_body_is_over),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
