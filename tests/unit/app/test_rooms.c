/* SPDX-License-Identifier: Apache-2.0 */
/* The start, each thread of which is refused once, with a client who asks as soon as anybody
 * listens. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h needs those above */
#include <arpa/inet.h>
#include <cmocka.h>
#include <dlfcn.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "http/server.h"
#include "rooms.h"

static char port[8]; /* a free one */

static struct {
    long countdown; /* of the threads that this thread starts; 0: none is refused */
    bool was_hit;
    const struct rooms *rooms;
    int client; /* -1: nobody listened */
} refusal;

static int ask(void)
{
    static const char request[] =
        "GET /api/v1/cost/pods HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";
    const struct sockaddr_in address = {.sin_family = AF_INET,
                                        .sin_port = htons(http_server_port(refusal.rooms->server)),
                                        .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(send(fd, request, strlen(request), MSG_NOSIGNAL), strlen(request));
    while (http_server_in_flight(refusal.rooms->server) == 0)
        (void)poll(NULL, 0, 1);
    return fd;
}

/* In the place of the C library's, for the libraries too. */
int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *),
                   void *argument)
{
    union {
        void *symbol;
        int (*function)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
    } real = {.symbol = dlsym(RTLD_NEXT, "pthread_create")};
    if (refusal.countdown == 0 || --refusal.countdown > 0)
        return real.function(thread, attributes, run, argument);
    refusal.was_hit = true;
    refusal.client = refusal.rooms->server != NULL ? ask() : -1;
    return EAGAIN;
}

static const char *settings(void *context, const char *name)
{
    (void)context;
    static const char *const values[][2] = {
        {"HOST", "127.0.0.1"},
        {"HTTP_THREADS", "1"},
        {"OPENCOST_URL", "http://127.0.0.1:9"},
        {"LOG_LEVEL", "CRITICAL"},
        {"REFRESH_WINDOWS", "7d"},
    };
    if (strcmp(name, "PORT") == 0)
        return port;
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        if (strcmp(name, values[i][0]) == 0)
            return values[i][1];
    }
    return NULL;
}

static int choose_port(void **state)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    (void)state;
    if (bind(fd, (struct sockaddr *)&address, size) != 0 ||
        getsockname(fd, (struct sockaddr *)&address, &size) != 0)
        return -1;
    snprintf(port, sizeof(port), "%u", ntohs(address.sin_port));
    return close(fd);
}

/* Whoever asked meanwhile is answered or cut off. */
static void expect_end(int client)
{
    char answer[4096];
    ssize_t length = 1;
    while (length > 0)
        length = recv(client, answer, sizeof(answer), 0);
    close(client);
}

static void threads_that_cannot_be_had_end_the_start_with_a_reason(void **state)
{
    struct config_report report;
    struct config *config = config_load("/dev/null", settings, NULL, &report);
    bool was_asked = false;
    long refused = 0;
    (void)state;
    assert_non_null(config);
    for (bool hit = true; hit; refused += hit) {
        struct rooms rooms = {.config = config, .time = &time_source_system};
        struct error error = {.code = ERR_NONE};
        refusal.rooms = &rooms;
        refusal.was_hit = false;
        refusal.client = -1;
        refusal.countdown = refused + 1;
        bool started = rooms_start(&rooms, false, &error);
        refusal.countdown = 0;
        hit = refusal.was_hit;
        assert_int_equal(started, !hit);
        rooms_destroy(&rooms);
        assert_int_equal(error.text[0] == '\0', started);
        if (refusal.client >= 0)
            expect_end(refusal.client);
        was_asked = was_asked || refusal.client >= 0;
    }
    assert_true(was_asked);
    assert_true(refused >= 1 + 1 + 1 + 4); /* the log's, HTTP's, the loop's, and those for jobs */
    config_report_finish(&report);
    config_destroy(config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(threads_that_cannot_be_had_end_the_start_with_a_reason),
    };

    return cmocka_run_group_tests(tests, choose_port, NULL);
}
