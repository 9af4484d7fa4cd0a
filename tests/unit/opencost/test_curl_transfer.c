/* SPDX-License-Identifier: Apache-2.0 */
/* The engine against a server that behaves in every way it can: what each transfer comes to. */
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <libdeflate.h>

#include "curl_world.h"

#define OK_HEAD "HTTP/1.1 200 OK\r\n"

enum { CAP_BYTES = 100000, ANY_STATUS = -1, TIMEOUT_MS = 150 };

#define MIB ((size_t)1024 * 1024)

/* Routes that need more than a text. */

static bool serve_endless(struct tiny_server *server, int fd)
{
    (void)server;
    static const char piece[65536];
    tiny_send_format(fd, OK_HEAD "\r\n"); /* no length: until the connection closes */
    for (int i = 0; i < 64; i++)
        tiny_send(fd, piece, sizeof piece);
    return false;
}

static bool serve_long_header(struct tiny_server *server, int fd)
{
    (void)server;
    static char value[MIB];
    memset(value, 'x', sizeof value);
    tiny_send_format(fd, OK_HEAD "X-Long: ");
    tiny_send(fd, value, sizeof value);
    return false;
}

static bool serve_long_404(struct tiny_server *server, int fd)
{
    (void)server;
    static char page[MIB];
    memset(page, 'x', sizeof page);
    tiny_send_format(fd, "HTTP/1.1 404 Not Found\r\nContent-Length: %zu\r\n\r\n", MIB);
    tiny_send(fd, page, sizeof page);
    return false;
}

static void send_gzip(int fd, const void *bytes, size_t length)
{
    struct libdeflate_compressor *compressor = libdeflate_alloc_compressor(9);
    size_t room = libdeflate_gzip_compress_bound(compressor, length);
    void *packed = malloc(room);
    size_t size = libdeflate_gzip_compress(compressor, bytes, length, packed, room);
    tiny_send_format(fd, OK_HEAD "Content-Encoding: gzip\r\nContent-Length: %zu\r\n\r\n", size);
    tiny_send(fd, packed, size);
    free(packed);
    libdeflate_free_compressor(compressor);
}

static bool serve_gzip(struct tiny_server *server, int fd)
{
    (void)server;
    send_gzip(fd, "hello", 5);
    return true;
}

/* An empty member, whole, and bytes behind it. */
static bool serve_gzip_and_more(struct tiny_server *server, int fd)
{
    static const unsigned char packed[] =
        "\x1f\x8b\x08\0\0\0\0\0\0\x03\x03\0\0\0\0\0\0\0\0\0junk, and more of it";
    (void)server;
    tiny_send_format(fd, OK_HEAD "Content-Encoding: gzip\r\nContent-Length: %zu\r\n\r\n",
                     sizeof packed);
    tiny_send(fd, packed, sizeof packed);
    return true;
}

static bool serve_bomb(struct tiny_server *server, int fd)
{
    (void)server;
    char *zeros = calloc(1, 64 * MIB); /* 64 KiB when packed: far below the cap */
    send_gzip(fd, zeros, 64 * MIB);
    free(zeros);
    return false;
}

/* Packed it fits into one receive buffer; unpacked libcurl does not keep it for a paused transfer.
 */
static bool serve_bomb_in_one_piece(struct tiny_server *server, int fd)
{
    (void)server;
    char *zeros = calloc(1, 96 * MIB);
    send_gzip(fd, zeros, 96 * MIB);
    free(zeros);
    return false;
}

static bool redirect_to(struct tiny_server *server, int fd, const char *scheme, const char *host,
                        int port_offset)
{
    tiny_send_format(fd,
                     "HTTP/1.1 301 Moved Permanently\r\nLocation: %s://%s:%d/ok\r\n"
                     "Content-Length: 4\r\n\r\nmore",
                     scheme, host, tiny_server_port(server) + port_offset);
    return true;
}

static bool serve_redirect_absolute(struct tiny_server *server, int fd)
{
    return redirect_to(server, fd, "HTTP", "127.0.0.1", 0);
}

static bool serve_redirect_user(struct tiny_server *server, int fd)
{
    return redirect_to(server, fd, "http", "eve:pw@127.0.0.1", 0);
}

static bool serve_redirect_host(struct tiny_server *server, int fd)
{
    return redirect_to(server, fd, "http", "localhost", 0);
}

static bool serve_redirect_port(struct tiny_server *server, int fd)
{
    return redirect_to(server, fd, "http", "127.0.0.1", 1);
}

static bool serve_redirect_scheme(struct tiny_server *server, int fd)
{
    return redirect_to(server, fd, "https", "127.0.0.1", 0);
}

#define REDIRECT(location)                                                                         \
    "HTTP/1.1 302 Found\r\nLocation: " location "\r\nContent-Length: 0\r\n\r\n"
#define UNAVAILABLE(retry_after)                                                                   \
    "HTTP/1.1 503 Busy\r\nRetry-After: " retry_after "\r\nContent-Length: 0\r\n\r\n"

/* Each within the time-out, but not all of those that may be followed. */
static bool serve_redirect_slowly(struct tiny_server *server, int fd)
{
    (void)server;
    (void)poll(NULL, 0, TIMEOUT_MS * 2 / 5);
    tiny_send_format(fd, "%s", REDIRECT("/redirect-slowly"));
    return true;
}

static const struct tiny_route routes[] = {
    {"/ok", serve_text, OK_HEAD "Content-Length: 5\r\n\r\nhello"},
    {"/empty", serve_text, OK_HEAD "Content-Length: 0\r\n\r\n"},
    {"/chunked", serve_text,
     OK_HEAD "Transfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n"},
    {"/until-close", serve_text_and_close, OK_HEAD "\r\nhello"},
    {"/gzip", serve_gzip, NULL},
    {"/gzip-broken", serve_text,
     OK_HEAD "Content-Encoding: gzip\r\nContent-Length: 5\r\n\r\nhello"},
    {"/gzip-bomb", serve_bomb, NULL},
    {"/gzip-bomb-in-one-piece", serve_bomb_in_one_piece, NULL},
    {"/gzip-and-more", serve_gzip_and_more, NULL},
    {"/400", serve_text, "HTTP/1.1 400 Bad Request\r\nContent-Length: 5\r\n\r\nwrong"},
    {"/404-long", serve_long_404, NULL},
    {"/500-short", serve_text_and_close, "HTTP/1.1 500 Oops\r\nContent-Length: 50\r\n\r\nwrong"},
    {"/500-huge", serve_text_and_wait,
     "HTTP/1.1 500 Oops\r\nContent-Length: 999999999\r\n\r\nwrong"},
    {"/100", serve_text, "HTTP/1.1 100 Continue\r\n\r\n" OK_HEAD "Content-Length: 5\r\n\r\nhello"},
    {"/204", serve_text, "HTTP/1.1 204 No Content\r\n\r\n"},
    {"/304", serve_text, "HTTP/1.1 304 Not Modified\r\n\r\n"},
    {"/reset", serve_text_and_reset, OK_HEAD "Content-Length: 50\r\n\r\nhel"},
    {"/short", serve_text_and_close, OK_HEAD "Content-Length: 50\r\n\r\nhel"},
    {"/short-chunked", serve_text_and_close, OK_HEAD "Transfer-Encoding: chunked\r\n\r\n5\r\nhel"},
    {"/no-reply", serve_text_and_close, ""},
    {"/garbage", serve_text_and_close, "SSH-2.0-OpenSSH_9.2\r\nnot HTTP\r\n\r\n"},
    {"/half-head", serve_text_and_close, "HTTP/1.1 200 OK\r\nContent-Le"},
    {"/long-header", serve_long_header, NULL},
    {"/announced", serve_text_and_wait, OK_HEAD "Content-Length: 209715200\r\n\r\nhello"},
    {"/endless", serve_endless, NULL},
    {"/drip", serve_text_and_wait, OK_HEAD "Content-Length: 50\r\n\r\nh"},
    {"/silence", serve_text_and_wait, ""},
    {"/redirect", serve_text, REDIRECT("/ok")},
    {"/redirect/deep", serve_text, REDIRECT("../chunked")},
    {"/redirect-absolute", serve_redirect_absolute, NULL},
    {"/redirect-user", serve_redirect_user, NULL},
    {"/redirect-host", serve_redirect_host, NULL},
    {"/redirect-port", serve_redirect_port, NULL},
    {"/redirect-scheme", serve_redirect_scheme, NULL},
    {"/redirect-file", serve_text, REDIRECT("file:///etc/passwd")},
    {"/redirect-loop", serve_text, REDIRECT("/redirect-loop")},
    {"/redirect-nowhere", serve_text, REDIRECT("http://[")},
    {"/redirect-bare", serve_text, "HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n"},
    {"/redirect-silence", serve_text, REDIRECT("/silence")},
    {"/redirect-slowly", serve_redirect_slowly, NULL},
    {"/after-7", serve_text, UNAVAILABLE("7")},
    {"/after-0", serve_text, UNAVAILABLE("0")},
    {"/after-past", serve_text, UNAVAILABLE("Mon, 23 Nov 2020 12:00:00 GMT")},
    {"/after-soon", serve_text, UNAVAILABLE("soon")},
    {"/after-minus", serve_text, UNAVAILABLE("-5")},
    {"/after-future", serve_text, UNAVAILABLE("Fri, 31 Dec 9999 23:59:59 GMT")},
    {0},
};

/* What each route comes to. */

struct outcome_case {
    const char *path;
    enum error_code code;
    int status;
    const char *body;     /* of a 200; what was handed on */
    const char *rejected; /* of another status; NULL: nothing */
    int64_t retry_after_ms;
};

static const struct outcome_case outcomes[] = {
    {"/ok", ERR_NONE, 200, "hello", NULL, -1},
    {"/empty", ERR_NONE, 200, "", NULL, -1},
    {"/chunked", ERR_NONE, 200, "hello", NULL, -1},
    {"/until-close", ERR_NONE, 200, "hello", NULL, -1},
    {"/gzip", ERR_NONE, 200, "hello", NULL, -1},
    {"/100", ERR_NONE, 200, "hello", NULL, -1},
    {"/400", ERR_NONE, 400, "", "wrong", -1},
    {"/204", ERR_NONE, 204, "", NULL, -1},
    {"/304", ERR_NONE, 304, "", NULL, -1},
    {"/500-short", ERR_NONE, 500, "", "wrong", -1}, /* the status is the answer */
    {"/500-huge", ERR_NONE, 500, "", NULL, -1},
    {"/gzip-broken", ERR_UPSTREAM_BODY, 200, "", NULL, -1},
    {"/reset", ERR_UPSTREAM_CONNECT, ANY_STATUS, NULL, NULL, -1}, /* it may overtake the head */
    {"/short", ERR_UPSTREAM_CONNECT, 200, "hel", NULL, -1},
    {"/short-chunked", ERR_UPSTREAM_CONNECT, 200, "hel", NULL, -1},
    {"/no-reply", ERR_UPSTREAM_CONNECT, 0, "", NULL, -1},
    {"/garbage", ERR_UPSTREAM_CONNECT, 0, "", NULL, -1},
    {"/half-head", ERR_NONE, 200, "", NULL,
     -1}, /* libcurl sees an empty body: the decoder refuses it */
    {"/long-header", ERR_UPSTREAM_BODY, ANY_STATUS, "", NULL, -1},
    {"/announced", ERR_UPSTREAM_TOO_LARGE, 200, "", NULL, -1},
    {"/endless", ERR_UPSTREAM_TOO_LARGE, 200, NULL, NULL, -1},
    {"/gzip-bomb", ERR_UPSTREAM_TOO_LARGE, 200, NULL, NULL, -1},
    {"/redirect", ERR_NONE, 200, "hello", NULL, -1},
    {"/redirect/deep", ERR_NONE, 200, "hello", NULL, -1},
    {"/redirect-absolute", ERR_NONE, 200, "hello", NULL, -1},
    {"/redirect-user", ERR_NONE, 200, "hello", NULL, -1},
    {"/redirect-host", ERR_UPSTREAM_REFUSED, 301, "", "more", -1},
    {"/redirect-port", ERR_UPSTREAM_REFUSED, 301, "", "more", -1},
    {"/redirect-scheme", ERR_UPSTREAM_REFUSED, 301, "", "more", -1},
    {"/redirect-file", ERR_UPSTREAM_REFUSED, 302, "", NULL, -1},
    {"/redirect-loop", ERR_UPSTREAM_REFUSED, 302, "", NULL, -1},
    {"/redirect-nowhere", ERR_UPSTREAM_REFUSED, 302, "", NULL, -1},
    {"/redirect-bare", ERR_NONE, 302, "", NULL, -1},
    {"/after-7", ERR_NONE, 503, "", NULL, 7000},
    {"/after-0", ERR_NONE, 503, "", NULL, 0},
    {"/after-past", ERR_NONE, 503, "", NULL, 0},
    {"/after-soon", ERR_NONE, 503, "", NULL, -1},
    {"/after-minus", ERR_NONE, 503, "", NULL, -1},
    {"/after-future", ERR_NONE, 503, "", NULL, 86400000},
};

static void check_outcome(struct curl_world *world, const struct outcome_case *expected)
{
    struct exchange exchange = {.max_body_bytes = CAP_BYTES};
    exchange_run(world, &exchange, expected->path);
    assert_int_equal(exchange.outcome.error.code, expected->code);
    if (expected->status != ANY_STATUS)
        assert_int_equal(exchange.outcome.http_status, expected->status);
    assert_int_equal(exchange.outcome.retry_after_ms, expected->retry_after_ms);
    assert_true((exchange.outcome.error.text[0] != '\0') == (expected->code != ERR_NONE));
    if (expected->body != NULL)
        assert_string_equal(strbuf_text(&exchange.body), expected->body);
    assert_int_equal(exchange.rejected_calls, expected->rejected != NULL ? 1 : 0);
    if (expected->rejected != NULL)
        assert_string_equal(strbuf_text(&exchange.rejected), expected->rejected);
    assert_true(exchange.body_bytes <= CAP_BYTES);
    exchange_finish(&exchange);
}

static void each_way_to_answer_has_its_outcome(void **state)
{
    (void)state;
    struct curl_world *world = curl_world_create(routes, NULL);
    for (size_t i = 0; i < ARRAY_LENGTH(outcomes); i++) {
        print_message("    %s\n", outcomes[i].path);
        check_outcome(world, &outcomes[i]);
    }
    curl_world_destroy(world);
}

/* Whether all of it comes with one read is the kernel's to say: mostly it does, and it goes off. */
static void a_bomb_that_goes_off_while_paused_is_too_large_and_not_want_of_memory(void **state)
{
    enum { ATTEMPTS_MAX = 20 };
    (void)state;
    struct curl_world *world = curl_world_create(routes, NULL);
    bool has_gone_off = false;
    for (int i = 0; i < ATTEMPTS_MAX && !has_gone_off; i++) {
        struct exchange exchange = {.pause_ms = 100, .max_body_bytes = 1024 * MIB};
        exchange_run(world, &exchange, "/gzip-bomb-in-one-piece");
        const struct error *error = &exchange.outcome.error;
        has_gone_off = error->code != ERR_NONE;
        assert_true(!has_gone_off || error->code == ERR_UPSTREAM_TOO_LARGE);
        assert_true(!has_gone_off ||
                    strstr(error->text, "the body unpacks to more than can be held") != NULL);
        exchange_finish(&exchange);
    }
    assert_true(has_gone_off);
    curl_world_destroy(world);
}

static void a_body_that_cannot_be_unpacked_is_called_that(void **state)
{
    (void)state;
    static const char *const paths[] = {"/gzip-broken", "/gzip-and-more"};
    struct curl_world *world = curl_world_create(routes, NULL);
    for (size_t i = 0; i < ARRAY_LENGTH(paths); i++) {
        struct exchange exchange = {.max_body_bytes = CAP_BYTES};
        exchange_run(world, &exchange, paths[i]);
        assert_int_equal(exchange.outcome.error.code, ERR_UPSTREAM_BODY);
        assert_null(strstr(exchange.outcome.error.text, "disk/application"));
        exchange_finish(&exchange);
    }
    curl_world_destroy(world);
}

static void peers_that_drip_or_are_silent_run_into_the_timeout(void **state)
{
    (void)state;
    static const char *const paths[] = {"/drip", "/silence", "/redirect-silence",
                                        "/redirect-slowly"};
    struct curl_world *world = curl_world_create(routes, NULL);
    for (size_t i = 0; i < ARRAY_LENGTH(paths); i++) {
        struct exchange exchange = {.timeout_ms = TIMEOUT_MS};
        exchange_run(world, &exchange, paths[i]);
        assert_int_equal(exchange.outcome.error.code, ERR_UPSTREAM_TIMEOUT);
        exchange_finish(&exchange);
    }
    curl_world_destroy(world);
}

static void of_a_long_error_page_only_the_beginning_is_read(void **state)
{
    (void)state;
    struct curl_world *world = curl_world_create(routes, NULL);
    struct exchange exchange = {.max_body_bytes = 2 * MIB};
    exchange_run(world, &exchange, "/404-long");
    assert_int_equal(exchange.outcome.error.code, ERR_NONE);
    assert_int_equal(exchange.outcome.http_status, 404);
    assert_int_equal(exchange.rejected_calls, 1);
    assert_int_equal(exchange.rejected.length, 2048);
    assert_int_equal(exchange.body_bytes, 0);
    exchange_finish(&exchange);
    curl_world_destroy(world);
}

static void a_port_where_nobody_listens_is_a_connection_fault(void **state)
{
    (void)state;
    struct curl_world *world = curl_world_create(routes, NULL);
    char url[64];
    snprintf(url, sizeof url, "http://127.0.0.1:%d/", tiny_server_port(world->server));
    tiny_server_stop(world->server);
    world->server = NULL;
    struct exchange exchange = {0};
    exchange_run(world, &exchange, url);
    assert_int_equal(exchange.outcome.error.code, ERR_UPSTREAM_CONNECT);
    assert_int_equal(exchange.outcome.http_status, 0);
    exchange_finish(&exchange);
    curl_world_destroy(world);
}

static void tls_that_fails_is_a_tls_fault(void **state)
{
    (void)state;
    static const struct tiny_route plain[] = {
        {NULL, serve_text_and_close, "HTTP/1.1 400 Bad Request\r\n\r\nplain HTTP here"}, {0}};
    static const char *const ca_files[] = {NULL, "/nonexistent/ca.pem"};
    for (size_t i = 0; i < ARRAY_LENGTH(ca_files); i++) {
        struct curl_world *world = curl_world_create(plain, ca_files[i]);
        char url[64];
        snprintf(url, sizeof url, "https://127.0.0.1:%d/", tiny_server_port(world->server));
        struct exchange exchange = {0};
        exchange_run(world, &exchange, url);
        assert_int_equal(exchange.outcome.error.code, ERR_UPSTREAM_TLS);
        exchange_finish(&exchange);
        curl_world_destroy(world);
    }
}

static void other_schemes_are_not_spoken(void **state)
{
    (void)state;
    static const char *const urls[] = {"file:///etc/passwd", "ftp://127.0.0.1/",
                                       "gopher://127.0.0.1/"};
    struct curl_world *world = curl_world_create(NULL, NULL);
    for (size_t i = 0; i < ARRAY_LENGTH(urls); i++) {
        struct exchange exchange = {0};
        exchange_run(world, &exchange, urls[i]);
        assert_int_equal(exchange.outcome.error.code, ERR_UPSTREAM_CONNECT);
        assert_int_equal(exchange.body_bytes, 0);
        exchange_finish(&exchange);
    }
    curl_world_destroy(world);
}

/* What the server sees. */

static void the_request_names_itself_and_carries_the_token(void **state)
{
    (void)state;
    struct curl_world *world = curl_world_create(routes, NULL);
    struct exchange exchange = {.bearer_token = "abc.def"};
    exchange_run(world, &exchange, "/redirect"); /* within the origin, the token goes along */
    const char *head = tiny_server_last_head(world->server);
    assert_ptr_equal(strstr(head, "GET /ok HTTP/1.1\r\n"), head);
    assert_non_null(strstr(head, "\r\nAuthorization: Bearer abc.def\r\n"));
    assert_non_null(strstr(head, "\r\nUser-Agent: kubecent/test\r\n"));
    assert_non_null(strstr(head, "\r\nAccept: application/json\r\n"));
    assert_non_null(strstr(head, "\r\nAccept-Encoding: gzip\r\n"));
    exchange_finish(&exchange);
    curl_world_destroy(world);
}

static void
credentials_of_the_base_url_survive_a_redirect_and_those_of_the_answer_do_not(void **state)
{
    (void)state;
    struct curl_world *world = curl_world_create(routes, NULL);
    char url[128];
    snprintf(url, sizeof url, "http://user:pw@127.0.0.1:%d/redirect-user",
             tiny_server_port(world->server));
    struct exchange exchange = {0};
    exchange_run(world, &exchange, url);
    assert_int_equal(exchange.outcome.http_status, 200);
    assert_non_null(strstr(tiny_server_last_head(world->server),
                           "\r\nAuthorization: Basic dXNlcjpwdw==\r\n")); /* user:pw */
    exchange_finish(&exchange);
    curl_world_destroy(world);
}

static void connections_are_reused(void **state)
{
    (void)state;
    struct curl_world *world = curl_world_create(routes, NULL);
    static const char *const paths[] = {"/ok", "/chunked", "/400", "/redirect", "/ok"};
    for (size_t i = 0; i < ARRAY_LENGTH(paths); i++) {
        struct exchange exchange = {0};
        exchange_run(world, &exchange, paths[i]);
        assert_int_equal(exchange.outcome.error.code, ERR_NONE);
        exchange_finish(&exchange);
    }
    assert_int_equal(tiny_server_connections(world->server), 1);
    curl_world_destroy(world);
}

static void proxies_of_the_environment_are_used(void **state)
{
    (void)state;
    static const struct tiny_route proxy[] = {
        {"http://opencost.test/ok", serve_text, OK_HEAD "Content-Length: 5\r\n\r\nproxy"}, {0}};
    struct tiny_server *server = tiny_server_start(proxy);
    char url[64];
    snprintf(url, sizeof url, "http://127.0.0.1:%d", tiny_server_port(server));
    setenv("http_proxy", url, 1); /* no other thread of ours reads the environment now */
    struct curl_world *world = curl_world_create(NULL, NULL);
    struct exchange exchange = {0};
    exchange_run(world, &exchange, "http://opencost.test/ok");
    unsetenv("http_proxy");
    assert_string_equal(strbuf_text(&exchange.body), "proxy");
    exchange_finish(&exchange);
    curl_world_destroy(world);
    tiny_server_stop(server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_way_to_answer_has_its_outcome),
        cmocka_unit_test(a_bomb_that_goes_off_while_paused_is_too_large_and_not_want_of_memory),
        cmocka_unit_test(a_body_that_cannot_be_unpacked_is_called_that),
        cmocka_unit_test(peers_that_drip_or_are_silent_run_into_the_timeout),
        cmocka_unit_test(of_a_long_error_page_only_the_beginning_is_read),
        cmocka_unit_test(a_port_where_nobody_listens_is_a_connection_fault),
        cmocka_unit_test(tls_that_fails_is_a_tls_fault),
        cmocka_unit_test(other_schemes_are_not_spoken),
        cmocka_unit_test(the_request_names_itself_and_carries_the_token),
        cmocka_unit_test(
            credentials_of_the_base_url_survive_a_redirect_and_those_of_the_answer_do_not),
        cmocka_unit_test(connections_are_reused),
        cmocka_unit_test(proxies_of_the_environment_are_used),
    };
    return cmocka_run_group_tests(tests, curl_world_set_up, curl_world_tear_down);
}
