/* SPDX-License-Identifier: Apache-2.0 */
/* Where the server listens, and what it says when it cannot. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h needs those above */
#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "raw_client.h"
#include "toy_server.h"

#define HELLO "GET /hello HTTP/1.1\r\nHost: h\r\n\r\n"

static bool has_ipv6(void)
{
    struct raw_client client;
    int fd = socket(AF_INET6, SOCK_STREAM, 0);

    if (fd < 0)
        return false;
    close(fd);
    /* Refused for want of a listener is fine; what matters is that ::1 can be named. */
    if (raw_try_connect(&client, "::1", 1))
        raw_close(&client);
    return access("/proc/net/if_inet6", R_OK) == 0;
}

static bool answers_at(const char *address, uint16_t port)
{
    struct raw_client client;
    struct raw_response response;
    bool is_answered;

    if (!raw_try_connect(&client, address, port))
        return false;
    raw_send(&client, HELLO);
    raw_read(&client, &response);
    is_answered = response.status == 200;
    raw_response_free(&response);
    raw_close(&client);
    return is_answered;
}

static void hosts_may_be_addresses_or_names(void **state)
{
    static const struct {
        const char *host;
        bool needs_ipv6;
        bool takes_ipv4;
        bool takes_ipv6;
    } cases[] = {
        {"127.0.0.1", false, true, false},
        {"0.0.0.0", false, true, false},
        {"::1", true, false, true},
        {"::", true, true, true},
    };
    bool ipv6 = has_ipv6();

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct toy toy;
        struct http_server_options options;

        if (cases[i].needs_ipv6 && !ipv6)
            continue;
        toy_init(&toy, "x", 1);
        options = toy_options(&toy);
        options.host = cases[i].host;
        toy_start(&toy, &options);
        assert_int_equal(answers_at("127.0.0.1", toy.port), cases[i].takes_ipv4);
        if (ipv6)
            assert_int_equal(answers_at("::1", toy.port), cases[i].takes_ipv6);
        toy_stop(&toy);
    }
}

static void name_is_resolved(void **state)
{
    struct toy toy;
    struct http_server_options options;

    (void)state;
    toy_init(&toy, "x", 1);
    options = toy_options(&toy);
    options.host = "localhost";
    options.threads = 1;
    toy_start(&toy, &options);
    assert_true(answers_at("127.0.0.1", toy.port) || answers_at("::1", toy.port));
    toy_stop(&toy);
}

static void port_in_use_is_said_so(void **state)
{
    struct toy toy;
    struct http_server_options options;
    struct error error = {.code = ERR_NONE};
    char expected[128];

    (void)state;
    toy_setup(&toy);
    options = toy_options(&toy);
    options.port = toy.port;
    assert_null(http_server_start(&options, &error));
    snprintf(expected, sizeof(expected), "cannot listen on 127.0.0.1:%u: address already in use",
             toy.port);
    assert_string_equal(error.text, expected);
    assert_int_equal(error.code, ERR_IO);
    assert_true(answers_at("127.0.0.1", toy.port));
    toy_stop(&toy);
}

static void port_can_be_taken_again_at_once(void **state)
{
    struct toy toy;
    struct http_server_options options;
    uint16_t port;

    (void)state;
    toy_setup(&toy);
    port = toy.port;
    assert_true(answers_at("127.0.0.1", port));
    toy_stop(&toy);
    toy_init(&toy, "x", 1);
    options = toy_options(&toy);
    options.port = port;
    toy_start(&toy, &options);
    assert_true(answers_at("127.0.0.1", port));
    toy_stop(&toy);
}

static void hosts_that_are_not_ours_are_refused(void **state)
{
    static const struct {
        const char *host;
        const char *text;
    } cases[] = {
        {"192.0.2.1", "cannot listen on 192.0.2.1:80: cannot assign requested address"},
        {"no such name", "cannot listen on no such name:80: "},
        {"", "cannot listen on :80: "},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct toy toy;
        struct http_server_options options = toy_options(&toy);
        struct error error = {.code = ERR_NONE};

        options.host = cases[i].host;
        options.port = 80;
        assert_null(http_server_start(&options, &error));
        if (strncmp(error.text, cases[i].text, strlen(cases[i].text)) != 0)
            fail_msg("%s", error.text);
    }
}

static void too_few_descriptors_are_an_error_and_no_abort(void **state)
{
    struct toy toy;
    struct http_server_options options = toy_options(&toy);
    struct rlimit usual;
    int next_fd = dup(0);

    (void)state;
    assert_true(next_fd >= 0);
    close(next_fd);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &usual), 0);
    for (unsigned threads = 1; threads <= 2; threads++) {
        for (unsigned spare = 0; spare <= 3; spare++) {
            struct rlimit tight = usual;
            struct error error = {.code = ERR_NONE};
            struct http_server *server;

            tight.rlim_cur = (rlim_t)next_fd + spare;
            options.threads = threads;
            assert_int_equal(setrlimit(RLIMIT_NOFILE, &tight), 0);
            server = http_server_start(&options, &error);
            assert_int_equal(setrlimit(RLIMIT_NOFILE, &usual), 0);
            assert_null(server);
            assert_int_equal(error.code, ERR_IO);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hosts_may_be_addresses_or_names),
        cmocka_unit_test(name_is_resolved),
        cmocka_unit_test(port_in_use_is_said_so),
        cmocka_unit_test(port_can_be_taken_again_at_once),
        cmocka_unit_test(hosts_that_are_not_ours_are_refused),
        cmocka_unit_test(too_few_descriptors_are_an_error_and_no_abort),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
