/* SPDX-License-Identifier: Apache-2.0 */
/* What the server sends: one request after another, conditional and compressed answers, sharing. */
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

/* Sends a GET with further header lines (each with its line end) on an open connection. */
static void ask(struct raw_client *client, const char *method, const char *target,
                const char *header_lines, struct raw_response *ret_response)
{
    char request[1024];

    snprintf(request, sizeof(request), "%s %s HTTP/1.1\r\nHost: h\r\n%s\r\n", method, target,
             header_lines);
    raw_send(client, request);
    if (strcmp(method, "HEAD") == 0)
        raw_read_to_head(client, ret_response);
    else
        raw_read(client, ret_response);
}

static void assert_header(const struct raw_response *response, const char *name,
                          const char *expected)
{
    char value[256];

    assert_true(raw_header(response, name, value));
    assert_string_equal(value, expected);
}

static void assert_no_header(const struct raw_response *response, const char *name)
{
    char value[256];

    assert_false(raw_header(response, name, value));
}

static void connection_carries_one_request_after_another(void **state)
{
    struct toy *toy = *state;
    struct raw_client client;

    raw_connect(&client, toy->port);
    for (int i = 0; i < 20; i++) {
        struct raw_response response;
        bool is_known = i % 2 == 0;

        ask(&client, "GET", is_known ? "/hello" : "/nothing", "", &response);
        assert_int_equal(response.status, is_known ? 200 : 404);
        assert_no_header(&response, "Connection");
        raw_response_free(&response);
    }
    raw_close(&client);
}

static void pipelined_requests_are_answered_in_order(void **state)
{
    struct toy *toy = *state;
    struct raw_client client;
    struct raw_response response;
    char request[128];

    raw_connect(&client, toy->port);
    for (int i = 0; i < 20; i++) {
        snprintf(request, sizeof(request), "GET /echo/%d HTTP/1.1\r\nHost: h\r\n\r\n", i);
        raw_send(&client, request);
    }
    raw_send(&client, "GET /overtaken HTTP/1.1\r\nHost: h\r\n\r\n");
    for (int i = 0; i < 20; i++) {
        raw_read(&client, &response);
        snprintf(request, sizeof(request), "GET /echo/%d", i);
        assert_string_equal(response.body, request);
        raw_response_free(&response);
    }
    raw_read(&client, &response);
    assert_string_equal(response.body, "hello");
    raw_response_free(&response);
    raw_close(&client);
}

static void http_1_0_clients_are_closed_unless_they_ask_to_stay(void **state)
{
    struct toy *toy = *state;
    struct raw_client client;
    struct raw_response response;

    raw_connect(&client, toy->port);
    raw_send(&client, "GET /hello HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n");
    raw_read(&client, &response);
    assert_header(&response, "Connection", "Keep-Alive");
    raw_response_free(&response);
    raw_send(&client, "GET /hello HTTP/1.0\r\n\r\n");
    raw_read(&client, &response);
    assert_header(&response, "Connection", "close");
    raw_response_free(&response);
    assert_true(raw_is_closed(&client));
    raw_close(&client);
}

static void head_gets_the_headers_of_get_and_no_body(void **state)
{
    struct toy *toy = *state;
    struct raw_client client;
    struct raw_response response;

    raw_connect(&client, toy->port);
    ask(&client, "HEAD", "/content?tag=1", "", &response);
    assert_int_equal(response.status, 200);
    assert_header(&response, "Content-Length", "3000");
    assert_header(&response, "Content-Type", "application/json");
    assert_header(&response, "ETag", http_content_etag(toy->content));
    raw_response_free(&response);
    toy_wait_observed(toy, 1);
    assert_int_equal(toy->last.bytes, 0);
    ask(&client, "HEAD", "/nothing", "", &response);
    assert_int_equal(response.status, 404);
    assert_header(&response, "Content-Length", "22");
    raw_response_free(&response);
    ask(&client, "GET", "/hello", "", &response);
    assert_string_equal(response.body, "hello");
    raw_response_free(&response);
    raw_close(&client);
    toy_wait_observed(toy, 3);
}

static void gzip_is_sent_to_those_who_accept_it(void **state)
{
    struct toy *toy = *state;
    struct text packed = http_content_gzip(toy->content);
    struct raw_client client;
    struct raw_response response;

    raw_connect(&client, toy->port);
    ask(&client, "GET", "/content?tag=1", "Accept-Encoding: br, gzip\r\n", &response);
    assert_header(&response, "Content-Encoding", "gzip");
    assert_header(&response, "ETag", http_content_gzip_etag(toy->content));
    assert_header(&response, "Vary", "Accept-Encoding");
    assert_true(text_equals(packed, (struct text){response.body, response.body_length}));
    raw_response_free(&response);
    ask(&client, "GET", "/content?tag=1", "Accept-Encoding: gzip;q=0\r\n", &response);
    assert_no_header(&response, "Content-Encoding");
    assert_header(&response, "ETag", http_content_etag(toy->content));
    assert_true(text_equals(http_content_bytes(toy->content),
                            (struct text){response.body, response.body_length}));
    raw_response_free(&response);
    raw_close(&client);
}

static void packed_content_is_unpacked_for_those_who_refuse_gzip(void **state)
{
    struct toy *toy = *state;
    struct http_content *source = toy->content;
    struct raw_client client;
    struct raw_response response;

    toy->content = http_content_create_packed(http_content_gzip(source), "d1", "text/css");
    assert_non_null(toy->content);
    raw_connect(&client, toy->port);
    ask(&client, "GET", "/content", "Accept-Encoding: gzip\r\n", &response);
    assert_header(&response, "Content-Encoding", "gzip");
    assert_header(&response, "Content-Type", "text/css");
    assert_header(&response, "ETag", "\"d1-gzip\"");
    assert_int_equal(http_content_bytes(toy->content).length, 0);
    raw_response_free(&response);
    for (int i = 0; i < 2; i++) { /* unpacked now, and kept from before */
        ask(&client, "GET", "/content", "", &response);
        assert_no_header(&response, "Content-Encoding");
        assert_header(&response, "ETag", "\"d1\"");
        assert_true(text_equals(http_content_bytes(source),
                                (struct text){response.body, response.body_length}));
        raw_response_free(&response);
    }
    ask(&client, "GET", "/content", "If-None-Match: \"d1\"\r\n", &response);
    assert_int_equal(response.status, 304);
    raw_response_free(&response);
    raw_close(&client);
    toy_wait_in_flight(toy, 0);
    http_content_release(toy->content);
    toy->content = source;
}

static void content_that_cannot_be_unpacked_is_a_500(void **state)
{
    static const char no_gzip[] = "this was never compressed by anyone\0\1\0\0";
    struct toy *toy = *state;
    struct http_content *source = toy->content;
    struct raw_client client;
    struct raw_response response;

    toy->content = http_content_create_packed(TEXT(no_gzip), "d2", "text/css");
    assert_non_null(toy->content);
    raw_connect(&client, toy->port);
    ask(&client, "GET", "/content", "", &response);
    assert_int_equal(response.status, 500);
    raw_response_free(&response);
    raw_close(&client);
    toy_wait_in_flight(toy, 0);
    http_content_release(toy->content);
    toy->content = source;
}

static void known_content_is_answered_304(void **state)
{
    struct toy *toy = *state;
    struct raw_client client;
    struct raw_response response;
    char header[128];

    raw_connect(&client, toy->port);
    snprintf(header, sizeof(header), "If-None-Match: \"x\", W/%s\r\n",
             http_content_etag(toy->content));
    ask(&client, "GET", "/content?tag=1", header, &response);
    assert_int_equal(response.status, 304);
    assert_header(&response, "ETag", http_content_etag(toy->content));
    assert_header(&response, "Vary", "Accept-Encoding");
    raw_response_free(&response);
    toy_wait_observed(toy, 1);
    assert_int_equal(toy->last.bytes, 0);
    ask(&client, "HEAD", "/content?tag=1", header, &response);
    assert_int_equal(response.status, 304);
    raw_response_free(&response);

    /* The tag is that of the form sent: this client would get gzip. */
    snprintf(header, sizeof(header), "Accept-Encoding: gzip\r\nIf-None-Match: %s\r\n",
             http_content_etag(toy->content));
    ask(&client, "GET", "/content?tag=1", header, &response);
    assert_int_equal(response.status, 200);
    raw_response_free(&response);
    raw_close(&client);
    toy_wait_observed(toy, 3);
    assert_int_equal(toy->last.bytes, http_content_gzip(toy->content).length);
    assert_string_equal(toy->last.route, "/content");
    assert_string_equal(toy->last.cache_status, "hit");
}

static void answers_with_the_same_tag_and_encoding_share_their_headers(void **state)
{
    static const struct {
        const char *target;
        const char *header;
        unsigned built; /* so far, once this was answered */
    } cases[] = {
        {"/content?tag=1", "", 1},
        {"/content?tag=1", "", 1},
        {"/content?tag=1", "If-None-Match: *\r\n", 1},
        {"/content?tag=1", "Accept-Encoding: gzip\r\n", 2},
        {"/content?tag=1", "Accept-Encoding: *\r\n", 2},
        {"/content?tag=2", "", 3},
        {"/content?tag=1", "", 3}, /* there is room for more tags than one */
        {"/content", "", 4},       /* without a tag nothing is shared */
        {"/content", "", 5},
        {"/content?tag=3", "", 6},
        {"/content?tag=4", "", 7},
        {"/content?tag=4", "", 7},
        {"/content?tag=1", "", 8}, /* pushed out by now */
    };
    struct toy *toy = *state;
    struct raw_client client;

    raw_connect(&client, toy->port);
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct raw_response response;

        ask(&client, "GET", cases[i].target, cases[i].header, &response);
        assert_int_equal(atomic_load(&toy->headers_built), cases[i].built);
        raw_response_free(&response);
    }
    raw_close(&client);
}

static void while_the_server_stops_shared_answers_close_the_connection(void **state)
{
    struct toy *toy = *state;
    struct raw_client client;
    struct raw_response response;

    raw_connect(&client, toy->port);
    ask(&client, "GET", "/content?tag=1", "", &response);
    assert_no_header(&response, "Connection");
    raw_response_free(&response);
    http_server_quiesce(toy->server);
    ask(&client, "GET", "/content?tag=1", "", &response);
    assert_header(&response, "Connection", "close");
    raw_response_free(&response);
    assert_true(raw_is_closed(&client));
    raw_close(&client);
}

static void valid_request_ids_are_kept_and_others_made_up(void **state)
{
    char too_long[160] = "X-Request-ID: ";
    const char *const refused[] = {
        "",
        "X-Request-ID: \r\n",
        "X-Request-ID: a b\r\n",
        "X-Request-ID: a\"b\r\n",
        "X-Request-ID: \xC3\xBC\r\n",
        too_long,
    };
    struct toy *toy = *state;
    struct raw_client client;
    struct raw_response response;
    char before[256] = "";

    memset(too_long + 14, 'x', 129);
    memcpy(too_long + 14 + 129, "\r\n", 3);
    raw_connect(&client, toy->port);
    ask(&client, "GET", "/hello", "X-Request-ID: aZ09._~:/+=@- \r\n", &response);
    assert_header(&response, "X-Request-ID", "aZ09._~:/+=@-");
    raw_response_free(&response);
    for (size_t i = 0; i < ARRAY_LENGTH(refused); i++) {
        char value[256];

        ask(&client, "GET", "/hello", refused[i], &response);
        assert_true(raw_header(&response, "X-Request-ID", value));
        assert_int_equal(strlen(value), 16);
        assert_int_equal(strspn(value, "0123456789abcdef"), 16);
        assert_string_not_equal(value, before);
        memcpy(before, value, sizeof(before));
        raw_response_free(&response);
    }
    raw_close(&client);
}

static void handlers_mistakes_become_500(void **state)
{
    static const char *const targets[] = {"/silent", "/overflow"};
    struct toy *toy = *state;

    for (size_t i = 0; i < ARRAY_LENGTH(targets); i++) {
        struct raw_client client;
        struct raw_response response;

        raw_connect(&client, toy->port);
        ask(&client, "GET", targets[i], "", &response);
        assert_int_equal(response.status, 500);
        assert_string_equal(response.body, "{\"detail\":\"Internal Server Error\"}");
        raw_response_free(&response);
        raw_close(&client);
    }
}

static void observer_is_told_what_was_sent(void **state)
{
    struct toy *toy = *state;
    struct raw_client client;
    struct raw_response response;
    char target[2100] = "/echo/";

    raw_connect(&client, toy->port);
    ask(&client, "GET", "/echo/%C3%BC?secret=1", "X-Request-ID: abc\r\n", &response);
    toy_wait_observed(toy, 1);
    assert_string_equal(toy->last_method, "GET");
    assert_string_equal(toy->last_path, "/echo/%C3%BC");
    assert_string_equal(toy->last_request_id, "abc");
    assert_int_equal(toy->last.status, 200);
    assert_true(toy->last.completed);
    assert_int_equal(toy->last.bytes, response.body_length);
    assert_true(toy->last.duration_ns >= 0);
    assert_null(toy->last.route);
    raw_response_free(&response);

    memset(target + 6, 'x', 2000);
    raw_send(&client, "GET ");
    raw_send(&client, target);
    raw_send(&client, " HTTP/1.1\r\nHost: h\r\n\r\n");
    raw_read(&client, &response);
    raw_response_free(&response);
    toy_wait_observed(toy, 2);
    assert_int_equal(strlen(toy->last_path), 1024);
    raw_close(&client);
}

static void observer_is_told_nothing_of_the_request_before(void **state)
{
    struct toy *toy = *state;
    struct raw_client client;
    struct raw_response response;

    raw_connect(&client, toy->port);
    ask(&client, "GET", "/content?tag=1", "", &response);
    raw_response_free(&response);
    toy_wait_observed(toy, 1);
    assert_string_equal(toy->last_user, "reader");
    assert_non_null(toy->last.route);
    assert_non_null(toy->last.cache_status);
    ask(&client, "GET", "/hello", "", &response);
    raw_response_free(&response);
    toy_wait_observed(toy, 2);
    assert_string_equal(toy->last_user, "");
    assert_null(toy->last.route);
    assert_null(toy->last.cache_status);
    raw_close(&client);
}

static void client_that_leaves_during_the_answer_is_reported_so(void **state)
{
    enum { BODY_BYTES = 16 * 1024 * 1024 };
    struct toy toy;
    struct http_server_options options = toy_options(&toy);
    char *body = calloc(1, BODY_BYTES);
    struct raw_client client;

    (void)state;
    assert_non_null(body);
    toy_init(&toy, body, BODY_BYTES);
    free(body);
    options = toy_options(&toy);
    toy_start(&toy, &options);
    raw_connect(&client, toy.port);
    raw_send(&client, "GET /content?tag=1 HTTP/1.1\r\nHost: h\r\n\r\n");
    raw_wait_for_bytes(&client);
    raw_reset(&client);
    toy_wait_observed(&toy, 1);
    assert_int_equal(toy.last.status, 200);
    assert_false(toy.last.completed);
    toy_stop(&toy);
}

#define REPLY_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        REPLY_TEST(connection_carries_one_request_after_another),
        REPLY_TEST(pipelined_requests_are_answered_in_order),
        REPLY_TEST(http_1_0_clients_are_closed_unless_they_ask_to_stay),
        REPLY_TEST(head_gets_the_headers_of_get_and_no_body),
        REPLY_TEST(gzip_is_sent_to_those_who_accept_it),
        REPLY_TEST(packed_content_is_unpacked_for_those_who_refuse_gzip),
        REPLY_TEST(content_that_cannot_be_unpacked_is_a_500),
        REPLY_TEST(known_content_is_answered_304),
        REPLY_TEST(answers_with_the_same_tag_and_encoding_share_their_headers),
        REPLY_TEST(while_the_server_stops_shared_answers_close_the_connection),
        REPLY_TEST(valid_request_ids_are_kept_and_others_made_up),
        REPLY_TEST(handlers_mistakes_become_500),
        REPLY_TEST(observer_is_told_what_was_sent),
        REPLY_TEST(observer_is_told_nothing_of_the_request_before),
        cmocka_unit_test(client_that_leaves_during_the_answer_is_reported_so),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
