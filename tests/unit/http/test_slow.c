/* SPDX-License-Identifier: Apache-2.0 */
/* Requests that are long in coming, on a clock moved by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h needs those above */
#include <cmocka.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "raw_client.h"
#include "toy_server.h"

#define HELLO "GET /hello HTTP/1.1\r\nHost: h\r\n\r\n"

enum { LIMIT_S = 30, IDLE_S = 75, CONTENT_BYTES = 32 * 1024 * 1024 };

static atomic_int_fast64_t clock_s;

static int64_t monotonic_ns(void *context)
{
    (void)context;
    return atomic_load(&clock_s) * 1000000000;
}

static int64_t wall_us(void *context)
{
    (void)context;
    return atomic_load(&clock_s) * 1000000;
}

static const struct time_source moved_by_hand = {.monotonic_ns = monotonic_ns, .wall_us = wall_us};

static int set_up_with(void **state, unsigned request_timeout_s, unsigned idle_timeout_s)
{
    struct toy *toy = malloc(sizeof(*toy));
    char *body = malloc(CONTENT_BYTES);
    struct http_server_options options;

    assert_non_null(toy);
    assert_non_null(body);
    memset(body, 'a', CONTENT_BYTES);
    toy_init(toy, body, CONTENT_BYTES);
    free(body);
    options = toy_options(toy);
    options.time = &moved_by_hand;
    options.request_timeout_s = request_timeout_s;
    options.idle_timeout_s = idle_timeout_s;
    toy_start(toy, &options);
    *state = toy;
    return 0;
}

static int set_up(void **state)
{
    return set_up_with(state, LIMIT_S, 0);
}

static int set_up_idle(void **state)
{
    return set_up_with(state, 0, IDLE_S);
}

static int tear_down(void **state)
{
    struct toy *toy = *state;

    toy_stop(toy);
    free(toy);
    return 0;
}

static bool has_ended(struct raw_client *client)
{
    struct pollfd end = {.fd = client->fd, .events = POLLIN};

    return poll(&end, 1, 0) == 1;
}

static void expect_hello(struct raw_client *client)
{
    struct raw_response response;

    raw_read(client, &response);
    assert_int_equal(response.status, 200);
    assert_string_equal(response.body, "hello");
    raw_response_free(&response);
}

/* Seconds on the moved clock until the connection ends, while the client sends a byte in each. */
static int drip(struct toy *toy, struct raw_client *client, const char *byte)
{
    enum { FOREVER_S = 100 * LIMIT_S }; /* the thread that accepts may be late */
    int elapsed_s = 0;

    while (!has_ended(client)) {
        raw_send(client, byte);
        http_server_upkeep(toy->server);
        atomic_fetch_add(&clock_s, 1);
        assert_true(++elapsed_s < FOREVER_S);
        (void)poll(NULL, 0, 1);
    }
    return elapsed_s;
}

static void request_that_drips_in_is_cut_off(void **state)
{
    static const struct {
        const char *begin;
        const char *byte;
    } cases[] = {
        {"GET /hello", "o"},
        {"GET /hello HTTP/1.1\r\nHost: h\r\nX: y", "y"},
        {"\r\n\r\n", "\n"},
        {"POST /hello HTTP/1.1\r\nHost: h\r\nContent-Length: 60000\r\n\r\n", "x"},
        {"POST /hello HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nEA60\r\n", "x"},
    };
    struct toy *toy = *state;

    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        for (int earlier = 0; earlier < 2; earlier++) {
            struct raw_client client;

            raw_connect(&client, toy->port);
            for (int j = 0; j < earlier; j++) {
                raw_send(&client, HELLO);
                expect_hello(&client);
            }
            raw_send(&client, cases[i].begin);
            assert_true(drip(toy, &client, cases[i].byte) > LIMIT_S);
            assert_true(raw_is_closed(&client));
            raw_close(&client);
        }
    }
    assert_true(http_server_drain(toy->server, 10000));
}

static void request_cut_off_in_its_body_is_observed_as_left(void **state)
{
    struct toy *toy = *state;
    struct raw_client client;

    raw_connect(&client, toy->port);
    raw_send(&client, "POST /hello HTTP/1.1\r\nHost: h\r\nContent-Length: 60000\r\n\r\n");
    toy_wait_in_flight(toy, 1);
    drip(toy, &client, "x");
    toy_wait_observed(toy, 1);
    assert_int_equal(toy->last.status, 0);
    assert_false(toy->last.completed);
    raw_close(&client);
}

static void time_that_a_body_takes_is_not_counted_as_ours(void **state)
{
    struct toy *toy = *state;
    struct raw_client client;

    raw_connect(&client, toy->port);
    raw_send(&client, "POST /hello HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\n");
    toy_wait_in_flight(toy, 1);
    atomic_fetch_add(&clock_s, LIMIT_S / 2);
    raw_send(&client, "body");
    expect_hello(&client);
    toy_wait_observed(toy, 1);
    assert_int_equal(toy->last.duration_ns, 0);
    raw_close(&client);
}

static void let_an_hour_pass(struct toy *toy)
{
    for (int minutes = 0; minutes < 60; minutes++) {
        atomic_fetch_add(&clock_s, 60);
        http_server_upkeep(toy->server);
    }
}

static void connection_without_a_request_is_left_to_the_idle_timeout(void **state)
{
    struct toy *toy = *state;
    struct raw_client fresh;
    struct raw_client used;

    raw_connect(&fresh, toy->port);
    raw_connect(&used, toy->port);
    raw_send(&used, HELLO);
    expect_hello(&used);
    let_an_hour_pass(toy);
    raw_send(&used, HELLO);
    expect_hello(&used);
    raw_send(&fresh, HELLO);
    expect_hello(&fresh);
    raw_close(&fresh);
    raw_close(&used);
}

static void request_after_a_long_silence_has_its_time(void **state)
{
    struct toy *toy = *state;
    struct raw_client client;
    struct raw_client later;

    raw_connect(&client, toy->port);
    raw_connect(&later, toy->port);
    raw_send(&later, HELLO);
    expect_hello(&later); /* so the other is accepted, too */
    for (int i = 0; i < 3; i++) {
        let_an_hour_pass(toy);
        raw_send(&client, "GET /hello HTTP/1.1\r\n");
        for (int seconds = 1; seconds < LIMIT_S; seconds++) {
            http_server_upkeep(toy->server);
            atomic_fetch_add(&clock_s, 1);
        }
        raw_send(&client, "Host: h\r\n\r\n");
        expect_hello(&client);
    }
    raw_close(&later);
    raw_close(&client);
}

static void parked_request_is_left_to_who_resumes_it(void **state)
{
    struct toy *toy = *state;
    struct raw_client client;

    raw_connect(&client, toy->port);
    for (int i = 0; i < 2; i++) {
        raw_send(&client, "GET /park HTTP/1.1\r\nHost: h\r\n\r\n" HELLO);
        toy_wait_parked(toy, 1);
        let_an_hour_pass(toy);
        toy_resume_all(toy);
        expect_hello(&client);
        expect_hello(&client);
    }
    raw_close(&client);
}

static void answer_under_way_is_left_to_the_idle_timeout(void **state)
{
    struct toy *toy = *state;
    struct raw_client client;
    struct raw_response response;

    raw_connect(&client, toy->port);
    raw_send(&client, "GET /content HTTP/1.1\r\nHost: h\r\n\r\n");
    raw_wait_for_bytes(&client);
    let_an_hour_pass(toy);
    raw_read(&client, &response);
    assert_int_equal(response.body_length, CONTENT_BYTES);
    raw_response_free(&response);
    raw_close(&client);
}

static void let_pass(struct toy *toy, int seconds)
{
    for (int i = 0; i < seconds; i++) {
        atomic_fetch_add(&clock_s, 1);
        http_server_upkeep(toy->server);
    }
}

static void idle_connections_are_closed_and_others_are_not(void **state)
{
    struct toy *toy = *state;
    struct raw_client fresh;
    struct raw_client used;
    struct raw_client busy;

    raw_connect(&fresh, toy->port);
    raw_connect(&used, toy->port);
    raw_send(&used, HELLO);
    expect_hello(&used);
    raw_connect(&busy, toy->port);
    raw_send(&busy, HELLO);
    expect_hello(&busy);
    let_pass(toy, IDLE_S - 2);
    assert_false(has_ended(&fresh));
    assert_false(has_ended(&used));
    while (!has_ended(&fresh) || !has_ended(&used)) {
        raw_send(&busy, HELLO);
        expect_hello(&busy);
        let_pass(toy, 1);
    }
    assert_true(raw_is_closed(&fresh));
    assert_true(raw_is_closed(&used));
    raw_send(&busy, HELLO);
    expect_hello(&busy);
    raw_close(&fresh);
    raw_close(&used);
    raw_close(&busy);
}

/* Returns once the kernel at the other end has all that was sent. */
static void wait_delivered(struct raw_client *client)
{
    int waiting = 1;

    while (waiting > 0) {
        assert_int_equal(ioctl(client->fd, SIOCOUTQ, &waiting), 0);
        (void)poll(NULL, 0, 1);
    }
}

/* The end comes in the segment of the last byte, and libmicrohttpd looks no further than that. */
static void send_and_leave(struct raw_client *client, const char *request)
{
    int on = 1;

    assert_int_equal(setsockopt(client->fd, IPPROTO_TCP, TCP_CORK, &on, sizeof(on)), 0);
    raw_send(client, request);
    assert_int_equal(shutdown(client->fd, SHUT_WR), 0);
}

static void client_that_sends_nothing_more_is_soon_let_go(void **state)
{
    static const char *const requests[] = {HELLO, "GET /hello HTTP/1.1\r\nHost: h\r\n"};
    struct toy *toy = *state;

    for (size_t i = 0; i < ARRAY_LENGTH(requests); i++) {
        struct raw_client client;
        int quiet_s = 0;

        raw_connect(&client, toy->port);
        raw_send(&client, HELLO);
        expect_hello(&client);
        send_and_leave(&client, requests[i]);
        if (i == 0)
            expect_hello(&client);
        wait_delivered(&client);
        for (; !has_ended(&client); quiet_s++) {
            let_pass(toy, 1);
            (void)poll(NULL, 0, 50); /* the server's thread may be late */
        }
        assert_true(quiet_s < IDLE_S - 10);
        assert_true(raw_is_closed(&client));
        raw_close(&client);
    }
}

static void request_that_stops_half_way_is_idle(void **state)
{
    struct toy *toy = *state;
    struct raw_client client;
    int quiet_s = 0;

    raw_connect(&client, toy->port);
    raw_send(&client, "GET /hello HTTP/1.1\r\nHost: h\r\nX: y");
    for (int i = 0; i < 6; i++) {
        wait_delivered(&client);
        let_pass(toy, IDLE_S / 2);
        assert_false(has_ended(&client));
        raw_send(&client, "y");
    }
    wait_delivered(&client);
    for (; !has_ended(&client); quiet_s++) {
        let_pass(toy, 1);
        (void)poll(NULL, 0, 1); /* the thread that accepts may be late */
    }
    assert_true(quiet_s >= IDLE_S);
    assert_true(raw_is_closed(&client));
    raw_close(&client);
}

static void answer_that_nobody_takes_is_given_up(void **state)
{
    struct toy *toy = *state;
    struct raw_client client;

    raw_connect(&client, toy->port);
    raw_send(&client, "GET /content HTTP/1.1\r\nHost: h\r\n\r\n");
    raw_wait_for_bytes(&client);
    assert_int_equal(http_server_in_flight(toy->server), 1);
    while (http_server_in_flight(toy->server) > 0)
        let_pass(toy, 1);
    toy_wait_observed(toy, 1);
    assert_false(toy->last.completed);
    raw_close(&client);
}

static void answer_that_is_taken_by_drops_is_given_up(void **state)
{
    enum { DROP_BYTES = 256, LONG_S = 20 * IDLE_S };
    struct toy *toy = *state;
    struct raw_client client;
    char drop[DROP_BYTES];
    int elapsed_s = 0;

    raw_connect_with_little_room(&client, toy->port);
    raw_send(&client, "GET /content HTTP/1.1\r\nHost: h\r\n\r\n");
    raw_wait_for_bytes(&client);
    while (recv(client.fd, drop, sizeof(drop), 0) > 0) {
        raw_send_as_far_as_taken(&client, "GET", 3); /* as if it had the next question */
        let_pass(toy, 1);
        assert_true(++elapsed_s < LONG_S);
    }
    assert_true(elapsed_s >= IDLE_S);
    toy_wait_observed(toy, 1);
    assert_false(toy->last.completed);
    raw_close(&client);
}

static void answer_that_is_taken_slowly_is_sent_whole(void **state)
{
    enum { PIECE_BYTES = 64 * 1024 };
    struct toy *toy = *state;
    struct raw_client client;
    char *piece = malloc(PIECE_BYTES);
    size_t received = 0;

    assert_non_null(piece);
    raw_connect(&client, toy->port);
    raw_send(&client, "GET /content HTTP/1.1\r\nHost: h\r\n\r\n");
    while (received < CONTENT_BYTES) {
        ssize_t length = recv(client.fd, piece, PIECE_BYTES, 0);

        assert_true(length > 0);
        received += (size_t)length;
        let_pass(toy, 1);
    }
    free(piece);
    raw_close(&client);
}

static void nothing_is_cut_off_without_a_limit(void **state)
{
    struct toy toy;
    struct http_server_options options;
    struct raw_client client;

    (void)state;
    toy_init(&toy, "x", 1);
    options = toy_options(&toy);
    options.time = &moved_by_hand;
    options.idle_timeout_s = 0;
    toy_start(&toy, &options);
    raw_connect(&client, toy.port);
    raw_send(&client, "GET /hello HTTP/1.1\r\nHost: h\r\nX: ");
    let_an_hour_pass(&toy);
    raw_send(&client, "y\r\n\r\n");
    expect_hello(&client);
    raw_close(&client);
    toy_stop(&toy);
}

enum { CLIENTS = 4, REQUESTS = 300 };

struct hurried {
    pthread_t thread;
    uint16_t port;
    unsigned answered;
};

/* Requests in two pieces, while the clock runs away. */
static void *ask_in_pieces(void *context)
{
    struct hurried *hurried = context;

    for (int i = 0; i < REQUESTS; i++) {
        struct raw_client client;
        struct raw_response response;

        raw_connect(&client, hurried->port);
        raw_send_as_far_as_taken(&client, HELLO "GET /hel", sizeof(HELLO "GET /hel") - 1);
        raw_send_as_far_as_taken(&client, "lo HTTP/1.1\r\nHost: h\r\n\r\n",
                                 sizeof("lo HTTP/1.1\r\nHost: h\r\n\r\n") - 1);
        while (raw_try_read(&client, false, &response)) {
            assert_int_equal(response.status, 200);
            assert_string_equal(response.body, "hello");
            raw_response_free(&response);
            if (++hurried->answered % 2 == 0)
                break;
        }
        raw_close(&client);
    }
    return NULL;
}

static void request_is_answered_whole_or_cut_off_at_any_moment(void **state)
{
    struct toy *toy = *state;
    struct hurried clients[CLIENTS];

    for (int i = 0; i < CLIENTS; i++) {
        clients[i] = (struct hurried){.port = toy->port};
        assert_int_equal(pthread_create(&clients[i].thread, NULL, ask_in_pieces, &clients[i]), 0);
    }
    for (int i = 0; i < 2000; i++) {
        atomic_fetch_add(&clock_s, LIMIT_S);
        http_server_upkeep(toy->server);
    }
    for (int i = 0; i < CLIENTS; i++) {
        pthread_join(clients[i].thread, NULL);
        assert_true(clients[i].answered > 0);
    }
    assert_true(http_server_drain(toy->server, 10000));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(request_that_drips_in_is_cut_off, set_up, tear_down),
        cmocka_unit_test_setup_teardown(request_cut_off_in_its_body_is_observed_as_left, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(time_that_a_body_takes_is_not_counted_as_ours, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(connection_without_a_request_is_left_to_the_idle_timeout,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(request_after_a_long_silence_has_its_time, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(parked_request_is_left_to_who_resumes_it, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(answer_under_way_is_left_to_the_idle_timeout, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(idle_connections_are_closed_and_others_are_not, set_up_idle,
                                        tear_down),
        cmocka_unit_test_setup_teardown(parked_request_is_left_to_who_resumes_it, set_up_idle,
                                        tear_down),
        cmocka_unit_test_setup_teardown(client_that_sends_nothing_more_is_soon_let_go, set_up_idle,
                                        tear_down),
        cmocka_unit_test_setup_teardown(request_that_stops_half_way_is_idle, set_up_idle,
                                        tear_down),
        cmocka_unit_test_setup_teardown(answer_that_nobody_takes_is_given_up, set_up_idle,
                                        tear_down),
        cmocka_unit_test_setup_teardown(answer_that_is_taken_by_drops_is_given_up, set_up_idle,
                                        tear_down),
        cmocka_unit_test_setup_teardown(answer_that_is_taken_slowly_is_sent_whole, set_up_idle,
                                        tear_down),
        cmocka_unit_test(nothing_is_cut_off_without_a_limit),
        cmocka_unit_test_setup_teardown(request_is_answered_whole_or_cut_off_at_any_moment, set_up,
                                        tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
