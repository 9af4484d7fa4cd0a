/* SPDX-License-Identifier: Apache-2.0 */
/* --healthcheck against a listener that answers in every way a port can. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h needs those above */
#include <arpa/inet.h>
#include <cmocka.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "healthcheck.h"

/* Takes one connection, reads the request and answers it. */
struct listener {
    int fd;
    uint16_t port;
    const char *answer;
    char request[256];
    pthread_t thread;
};

static void *answer_one(void *context)
{
    struct listener *listener = context;
    int fd = accept(listener->fd, NULL, NULL);
    size_t have = 0;
    while (fd >= 0 && strstr(listener->request, "\r\n\r\n") == NULL) {
        ssize_t got = recv(fd, listener->request + have, sizeof(listener->request) - 1 - have, 0);
        if (got <= 0)
            break;
        have += (size_t)got;
    }
    /* In two pieces, as a network may bring it. */
    size_t length = strlen(listener->answer);
    (void)!send(fd, listener->answer, length / 3, MSG_NOSIGNAL);
    (void)!send(fd, listener->answer + length / 3, length - length / 3, MSG_NOSIGNAL);
    (void)close(fd);
    return NULL;
}

static void listener_open(struct listener *listener, const char *answer)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);
    *listener =
        (struct listener){.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), .answer = answer};
    assert_true(listener->fd >= 0);
    assert_int_equal(bind(listener->fd, (struct sockaddr *)&address, size), 0);
    assert_int_equal(getsockname(listener->fd, (struct sockaddr *)&address, &size), 0);
    listener->port = ntohs(address.sin_port);
}

static bool check(const char *host, uint16_t port, struct error *error)
{
    char no_file[] = "";
    struct config config = {.host = (char *)host, .port = port, .tls_cert_file = no_file};
    *error = (struct error){.code = ERR_NONE};
    return healthcheck_run(&config, error);
}

/* Asks `host` while a listener on loopback answers. */
static bool check_answered(const char *host, const char *answer, struct error *error)
{
    struct listener listener;
    listener_open(&listener, answer);
    assert_int_equal(listen(listener.fd, 1), 0);
    assert_int_equal(pthread_create(&listener.thread, NULL, answer_one, &listener), 0);
    bool alive = check(host, listener.port, error);
    pthread_join(listener.thread, NULL);
    (void)close(listener.fd);
    assert_memory_equal(listener.request, "GET /livez HTTP/1.1\r\n", 21);
    return alive;
}

static void a_200_is_alive_wherever_the_service_listens(void **state)
{
    static const char *const hosts[] = {"127.0.0.1", "0.0.0.0"};
    struct error error;
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(hosts); i++)
        assert_true(check_answered(hosts[i], "HTTP/1.1 200 OK\r\n\r\n", &error));
}

static void anything_else_is_not(void **state)
{
    static const struct {
        const char *answer, *end_of_error;
    } cases[] = {
        {"HTTP/1.1 503 Service Unavailable\r\n\r\n", " answered 503"},
        {"HTTP/1.1 307 Temporary Redirect\r\nLocation: /\r\n\r\n", " answered 307"},
        {"SSH-2.0-OpenSSH\r\n", ": Received HTTP/0.9 when not allowed"},
        {"HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n{", " bytes remaining to read"},
        {"", ": Empty reply from server"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct error error;
        assert_false(check_answered("127.0.0.1", cases[i].answer, &error));
        const char *end = strstr(error.text, cases[i].end_of_error);
        if (end == NULL || strcmp(end, cases[i].end_of_error) != 0)
            fail_msg("%s", error.text);
        assert_int_equal(error.code, ERR_IO);
    }
}

static void a_port_where_nobody_listens_is_refused(void **state)
{
    struct listener listener;
    struct error error;
    (void)state;
    listener_open(&listener, ""); /* keeps the port, and does not listen */
    assert_false(check("127.0.0.1", listener.port, &error));
    assert_non_null(strstr(error.text, "no answer at http://127.0.0.1:"));
    assert_non_null(strstr(error.text, ": Failed to connect to 127.0.0.1 port "));
    (void)close(listener.fd);
}

static void a_host_that_is_no_address_and_no_name_is_told(void **state)
{
    struct error error;
    (void)state;
    assert_false(check("host.invalid", 80, &error));
    assert_string_equal(error.text,
                        "no answer at http://host.invalid:80/livez: Could not resolve host: "
                        "host.invalid");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_200_is_alive_wherever_the_service_listens),
        cmocka_unit_test(anything_else_is_not),
        cmocka_unit_test(a_port_where_nobody_listens_is_refused),
        cmocka_unit_test(a_host_that_is_no_address_and_no_name_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
