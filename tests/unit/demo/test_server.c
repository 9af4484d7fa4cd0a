/* SPDX-License-Identifier: Apache-2.0 */
/* The look-alike over real sockets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/civil_time.h"
#include "base/strbuf.h"
#include "demo/demo.h"

static int64_t noon_us(void *context)
{
    (void)context;
    return (civil_midnight(2026, 11, 23) + (int64_t)12 * SECONDS_PER_HOUR) * 1000000;
}

static int64_t no_ns(void *context)
{
    (void)context;
    return 0;
}

static const struct time_source fixed_time = {.monotonic_ns = no_ns, .wall_us = noon_us};

static int start_demo(void **state)
{
    *state = demo_opencost_start(&fixed_time, NULL);
    return *state != NULL ? 0 : -1;
}

static int stop_demo(void **state)
{
    demo_opencost_stop(*state);
    return 0;
}

static void assert_starts_with(const char *text, const char *start)
{
    if (strncmp(text, start, strlen(start)) != 0)
        fail_msg("expected \"%s\", got \"%.60s\"", start, text);
}

/* A connected socket, to be closed. */
static int connect_to(const struct demo_opencost *demo)
{
    static const char before_port[] = "http://127.0.0.1:";
    const char *url = demo_opencost_url(demo);
    assert_starts_with(url, before_port);
    const unsigned long port = strtoul(url + strlen(before_port), NULL, 10);
    assert_in_range(port, 1, UINT16_MAX);
    const struct sockaddr_in address = {.sin_family = AF_INET,
                                        .sin_port = htons((uint16_t)port),
                                        .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const struct timeval patience = {.tv_sec = 20};
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)), 0);
    assert_int_equal(connect(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
    return fd;
}

static void send_text(int fd, const char *text)
{
    assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

/* Everything up to the end of the connection. */
static void receive_all(int fd, struct strbuf *answer)
{
    char piece[16384];
    ssize_t count;
    while ((count = recv(fd, piece, sizeof(piece), 0)) > 0)
        strbuf_append(answer, piece, (size_t)count);
    assert_int_equal(count, 0);
}

/* The whole answer to one request, head and body; needs strbuf_finish(). */
static struct strbuf ask(const struct demo_opencost *demo, const char *method, const char *target)
{
    struct strbuf request CLEANUP(strbuf_finish);
    struct strbuf answer;
    strbuf_init(&request, 4096);
    strbuf_init(&answer, 1 << 24);
    strbuf_append_format(&request, "%s %s HTTP/1.1\r\nHost: demo\r\nConnection: close\r\n\r\n",
                         method, target);
    const int fd = connect_to(demo);
    send_text(fd, strbuf_text(&request));
    receive_all(fd, &answer);
    close(fd);
    return answer;
}

static const char *body_of(const struct strbuf *answer)
{
    const char *end_of_head = strstr(strbuf_text(answer), "\r\n\r\n");
    assert_non_null(end_of_head);
    return end_of_head + 4;
}

static void each_request_gets_its_status_type_and_body(void **state)
{
    static const struct {
        const char *method, *target, *status, *type, *body;
    } cases[] = {
        {"GET", "/healthz", "HTTP/1.1 200 ", NULL, ""},
        {"GET", "/allocation?window=1d&aggregate=namespace", "HTTP/1.1 200 ", "application/json",
         "{\"code\":200,\"data\":[{\"__unmounted__\":{"},
        {"GET", "/allocation/compute?window=1d&aggregate=namespace%2Cpod&includeIdle=true&step=x",
         "HTTP/1.1 200 ", "application/json", "{\"code\":200,\"data\":[{\"__idle__\":{"},
        /* As a client encodes a pair of times. */
        {"GET",
         "/allocation/compute?window=2026-10-01T00%3A00%3A00Z%2C2026-11-01T00:00:00Z&aggregate="
         "namespace,pod&accumulate=true",
         "HTTP/1.1 200 ", "application/json", "{\"code\":200,\"data\":[{\"__unmounted__/"},
        {"GET", "/allocation?window=foo", "HTTP/1.1 400 ", "text/plain; charset=utf-8",
         "Invalid 'window' parameter: illegal window: foo\n{"},
        {"GET", "/allocation?window=1d&window=foo&aggregate=namespace", "HTTP/1.1 200 ",
         "application/json", "{"},
        {"GET", "/nope", "HTTP/1.1 404 ", "text/plain; charset=utf-8", "404 page not found\n"},
        {"POST", "/nope", "HTTP/1.1 404 ", "text/plain; charset=utf-8", "404 page not found\n"},
        {"POST", "/healthz", "HTTP/1.1 405 ", "text/plain; charset=utf-8", "Method Not Allowed\n"},
        {"HEAD", "/healthz", "HTTP/1.1 405 ", "text/plain; charset=utf-8", ""},
        {"DELETE", "/allocation", "HTTP/1.1 405 ", "text/plain; charset=utf-8", "Method Not"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct strbuf answer CLEANUP(strbuf_finish) = ask(*state, cases[i].method, cases[i].target);
        assert_starts_with(strbuf_text(&answer), cases[i].status);
        const char *type = strcasestr(strbuf_text(&answer), "\r\nContent-Type: ");
        if (cases[i].type == NULL)
            assert_null(type);
        else
            assert_starts_with(type + strlen("\r\nContent-Type: "), cases[i].type);
        assert_starts_with(body_of(&answer), cases[i].body);
        if (cases[i].body[0] == '\0')
            assert_string_equal(body_of(&answer), "");
    }
}

static void a_connection_serves_one_request_after_another(void **state)
{
    static const char request[] = "GET /healthz HTTP/1.1\r\nHost: demo\r\n\r\n";
    const int fd = connect_to(*state);
    for (int i = 0; i < 3; i++) {
        char answer[1024] = "";
        size_t length = 0;
        send_text(fd, request);
        while (strstr(answer, "\r\n\r\n") == NULL) {
            const ssize_t count = recv(fd, answer + length, sizeof(answer) - 1 - length, 0);
            assert_true(count > 0);
            length += (size_t)count;
            answer[length] = '\0';
        }
        assert_starts_with(answer, "HTTP/1.1 200 ");
    }
    close(fd);
}

static void a_body_is_read_and_dropped(void **state)
{
    struct strbuf answer CLEANUP(strbuf_finish);
    strbuf_init(&answer, 4096);
    const int fd = connect_to(*state);
    send_text(fd, "POST /allocation HTTP/1.1\r\nHost: demo\r\nConnection: close\r\n"
                  "Content-Length: 5\r\n\r\nhello");
    receive_all(fd, &answer);
    close(fd);
    assert_starts_with(strbuf_text(&answer), "HTTP/1.1 405 ");
}

static void two_demos_have_different_ports(void **state)
{
    struct demo_opencost *other = demo_opencost_start(&fixed_time, NULL);
    assert_non_null(other);
    assert_string_not_equal(demo_opencost_url(*state), demo_opencost_url(other));
    demo_opencost_stop(other);
}

/* One client idle, one in the middle of its request, one that has not fetched its answer. */
static void stopping_closes_the_connections_of_all_clients(void **state)
{
    (void)state;
    struct demo_opencost *demo = demo_opencost_start(&fixed_time, NULL);
    assert_non_null(demo);
    const int fds[] = {connect_to(demo), connect_to(demo), connect_to(demo)};
    send_text(fds[1], "GET /heal");
    send_text(fds[2], "GET /allocation?window=366d&aggregate=namespace,pod HTTP/1.1\r\n"
                      "Host: demo\r\n\r\n");
    char first;
    assert_int_equal(recv(fds[2], &first, 1, 0), 1); /* the answer is on its way */
    demo_opencost_stop(demo);
    for (size_t i = 0; i < ARRAY_LENGTH(fds); i++) {
        char piece[16384];
        ssize_t count;
        while ((count = recv(fds[i], piece, sizeof(piece), 0)) > 0)
            ;
        /* 0 or a reset, but no time-out: the connection is gone. */
        assert_true(count == 0 || errno == ECONNRESET);
        close(fds[i]);
    }
}

static void stop_accepts_null(void **state)
{
    (void)state;
    demo_opencost_stop(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_request_gets_its_status_type_and_body),
        cmocka_unit_test(a_connection_serves_one_request_after_another),
        cmocka_unit_test(a_body_is_read_and_dropped),
        cmocka_unit_test(two_demos_have_different_ports),
        cmocka_unit_test(stopping_closes_the_connections_of_all_clients),
        cmocka_unit_test(stop_accepts_null),
    };
    return cmocka_run_group_tests(tests, start_demo, stop_demo);
}
