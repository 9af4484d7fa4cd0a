/* SPDX-License-Identifier: Apache-2.0 */
/* Parked exchanges, and how the server comes to its end. */
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

#define HELLO      "GET /hello HTTP/1.1\r\nHost: h\r\n\r\n"
#define PARK       "GET /park HTTP/1.1\r\nHost: h\r\n\r\n"
#define NEVER_MIND 10000 /* ms: a limit that is not meant to be reached */

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
    struct toy *toy = *state;

    toy_stop(toy);
    free(toy);
    return 0;
}

static void expect_hello(struct raw_client *client)
{
    struct raw_response response;

    raw_read(client, &response);
    assert_int_equal(response.status, 200);
    assert_string_equal(response.body, "hello");
    raw_response_free(&response);
}

static void others_are_answered_while_more_clients_wait_than_threads_exist(void **state)
{
    enum { WAITING = 50 };
    struct toy *toy = *state;
    struct raw_client waiting[WAITING];

    for (int i = 0; i < WAITING; i++) {
        raw_connect(&waiting[i], toy->port);
        raw_send(&waiting[i], PARK);
    }
    toy_wait_parked(toy, WAITING);
    assert_int_equal(http_server_in_flight(toy->server), WAITING);
    for (int i = 0; i < 10; i++)
        raw_expect_status(toy->port, HELLO, 200);
    toy_resume_all(toy);
    for (int i = 0; i < WAITING; i++) {
        expect_hello(&waiting[i]);
        raw_send(&waiting[i], HELLO);
        expect_hello(&waiting[i]);
        raw_close(&waiting[i]);
    }
    assert_true(http_server_drain(toy->server, NEVER_MIND));
    assert_int_equal(atomic_load(&toy->states_destroyed), WAITING);
}

static void resume_may_overtake_the_handler(void **state)
{
    struct toy *toy = *state;
    struct raw_client client;

    raw_connect(&client, toy->port);
    for (int i = 0; i < 100; i++) {
        raw_send(&client, "GET /overtaken HTTP/1.1\r\nHost: h\r\n\r\n");
        expect_hello(&client);
    }
    raw_close(&client);
}

static void resumed_exchange_may_park_again(void **state)
{
    struct toy *toy = *state;
    struct raw_client client;

    raw_connect(&client, toy->port);
    raw_send(&client, "GET /twice HTTP/1.1\r\nHost: h\r\n\r\n");
    expect_hello(&client);
    raw_close(&client);
}

static void exchange_parks_after_a_body_too(void **state)
{
    struct toy *toy = *state;
    struct raw_client client;

    raw_connect(&client, toy->port);
    raw_send(&client, "POST /park HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc" HELLO);
    toy_wait_parked(toy, 1);
    toy_resume_all(toy);
    expect_hello(&client);
    expect_hello(&client);
    raw_close(&client);
}

static void client_that_leaves_while_parked_is_released_once(void **state)
{
    struct toy *toy = *state;
    struct raw_client client;

    raw_connect(&client, toy->port);
    raw_send(&client, PARK);
    toy_wait_parked(toy, 1);
    raw_reset(&client);
    raw_expect_status(toy->port, HELLO, 200);
    toy_wait_observed(toy, 1);
    assert_int_equal(atomic_load(&toy->states_destroyed), 0);
    toy_resume_all(toy);
    assert_true(http_server_drain(toy->server, NEVER_MIND));
    toy_wait_observed(toy, 2);
    assert_false(toy->last.completed);
    assert_int_equal(atomic_load(&toy->states_destroyed), 1);
}

/* Looks until so many are known to have left: the kernel may take its time to say so. */
static void look_for_left(struct toy *toy, unsigned count)
{
    enum { LOOKS = 10000 };

    for (int i = 0; i < LOOKS && atomic_load(&toy->left) < count; i++) {
        http_server_upkeep(toy->server);
        raw_expect_status(toy->port, HELLO, 200);
    }
    assert_int_equal(atomic_load(&toy->left), count);
}

static void clients_that_leave_while_parked_are_noticed_each_once(void **state)
{
    struct toy *toy = *state;
    struct raw_client clients[4];
    struct raw_client unwatched;

    for (int i = 0; i < 4; i++) {
        raw_connect(&clients[i], toy->port);
        raw_send(&clients[i], "GET /watched HTTP/1.1\r\nHost: h\r\n\r\n");
    }
    raw_connect(&unwatched, toy->port);
    raw_send(&unwatched, PARK);
    toy_wait_parked(toy, 5);
    look_for_left(toy, 0);
    http_server_upkeep(toy->server);
    assert_int_equal(atomic_load(&toy->left), 0);

    raw_close(&clients[0]);
    look_for_left(toy, 1);
    raw_reset(&clients[1]);
    look_for_left(toy, 2);
    raw_send(&clients[2], HELLO HELLO); /* what is unread does not hide its leaving */
    raw_close(&clients[2]);
    raw_close(&unwatched);
    look_for_left(toy, 3);
    for (int i = 0; i < 3; i++)
        http_server_upkeep(toy->server);
    assert_int_equal(atomic_load(&toy->left), 3);

    toy_resume_all(toy);
    expect_hello(&clients[3]);
    raw_close(&clients[3]);
    for (int i = 0; i < 3; i++)
        http_server_upkeep(toy->server);
    assert_true(http_server_drain(toy->server, NEVER_MIND));
    assert_int_equal(atomic_load(&toy->left), 3);
    assert_int_equal(atomic_load(&toy->states_destroyed), 5);
}

/* An exchange that parks again, in a later request of the same connection, is watched only if it
 * says so anew. */
static void watching_ends_with_the_request(void **state)
{
    struct toy *toy = *state;
    struct raw_client client;

    raw_connect(&client, toy->port);
    raw_send(&client, "GET /watched HTTP/1.1\r\nHost: h\r\n\r\n");
    toy_wait_parked(toy, 1);
    toy_resume_all(toy);
    expect_hello(&client);
    raw_send(&client, PARK);
    toy_wait_parked(toy, 1);
    raw_close(&client);
    for (int i = 0; i < 20; i++) {
        http_server_upkeep(toy->server);
        raw_expect_status(toy->port, HELLO, 200);
    }
    assert_int_equal(atomic_load(&toy->left), 0);
    toy_resume_all(toy);
}

static void quiesced_server_answers_what_it_has_and_takes_nothing_new(void **state)
{
    struct toy *toy = *state;
    struct raw_client parked;
    struct raw_client idle;
    struct raw_client late;
    struct raw_response response;
    char value[256];

    raw_connect(&idle, toy->port);
    raw_send(&idle, HELLO);
    expect_hello(&idle);
    raw_connect(&parked, toy->port);
    raw_send(&parked, PARK);
    toy_wait_parked(toy, 1);

    http_server_quiesce(toy->server);
    http_server_quiesce(toy->server);
    assert_false(raw_try_connect(&late, "127.0.0.1", toy->port));
    assert_false(http_server_drain(toy->server, 0));

    raw_send(&idle, "GET /content?tag=1 HTTP/1.1\r\nHost: h\r\n\r\n");
    raw_read(&idle, &response);
    assert_true(raw_header(&response, "Connection", value));
    assert_string_equal(value, "close");
    raw_response_free(&response);
    assert_true(raw_is_closed(&idle));

    toy_resume_all(toy);
    assert_true(http_server_drain(toy->server, NEVER_MIND));
    raw_read(&parked, &response);
    assert_true(raw_header(&response, "Connection", value));
    assert_string_equal(value, "close");
    raw_response_free(&response);
    raw_close(&idle);
    raw_close(&parked);
}

static void *resume_from_another_thread(void *context)
{
    toy_resume_all(context);
    return NULL;
}

static void drain_wakes_up_when_the_last_exchange_ends(void **state)
{
    struct toy *toy = *state;
    struct raw_client client;
    pthread_t thread;

    raw_connect(&client, toy->port);
    raw_send(&client, PARK);
    toy_wait_parked(toy, 1);
    http_server_quiesce(toy->server);
    assert_int_equal(pthread_create(&thread, NULL, resume_from_another_thread, toy), 0);
    assert_true(http_server_drain(toy->server, NEVER_MIND));
    pthread_join(thread, NULL);
    expect_hello(&client);
    raw_close(&client);
}

static void draining_waits_for_an_answer_on_its_way(void **state)
{
    enum { BODY_BYTES = 16 * 1024 * 1024 };
    struct toy toy;
    struct http_server_options options;
    char *body = calloc(1, BODY_BYTES);
    struct raw_client client;
    struct raw_response response;

    (void)state;
    assert_non_null(body);
    toy_init(&toy, body, BODY_BYTES);
    options = toy_options(&toy);
    toy_start(&toy, &options);
    raw_connect(&client, toy.port);
    raw_send(&client, "GET /content?tag=1 HTTP/1.1\r\nHost: h\r\n\r\n");
    raw_wait_for_bytes(&client);
    http_server_quiesce(toy.server);
    assert_false(http_server_drain(toy.server, 1));

    /* The answer owns the bytes it still has to send. */
    http_content_release(toy.content);
    toy.content = NULL;
    raw_read(&client, &response);
    assert_int_equal(response.body_length, BODY_BYTES);
    assert_memory_equal(response.body, body, BODY_BYTES);
    assert_true(http_server_drain(toy.server, NEVER_MIND));
    raw_response_free(&response);
    raw_close(&client);
    toy_stop(&toy);
    free(body);
}

static void stop_closes_idle_connections(void **state)
{
    enum { IDLE = 5 };
    struct toy toy;
    struct raw_client idle[IDLE];

    (void)state;
    toy_setup(&toy);
    for (int i = 0; i < IDLE; i++) {
        raw_connect(&idle[i], toy.port);
        raw_send(&idle[i], i == 0 ? "GET /hel" : HELLO);
        if (i > 0)
            expect_hello(&idle[i]);
    }
    toy_stop(&toy);
    for (int i = 0; i < IDLE; i++) {
        assert_true(raw_is_closed(&idle[i]));
        raw_close(&idle[i]);
    }
}

static void stop_right_after_resuming_is_safe(void **state)
{
    struct toy toy;
    struct raw_client client;

    (void)state;
    toy_setup(&toy);
    raw_connect(&client, toy.port);
    raw_send(&client, PARK);
    toy_wait_parked(&toy, 1);
    toy_resume_all(&toy);
    toy_stop(&toy);
    assert_int_equal(atomic_load(&toy.states_destroyed), 1);
    raw_close(&client);
    http_server_stop(NULL);
}

#define PARKING_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        PARKING_TEST(others_are_answered_while_more_clients_wait_than_threads_exist),
        PARKING_TEST(resume_may_overtake_the_handler),
        PARKING_TEST(resumed_exchange_may_park_again),
        PARKING_TEST(exchange_parks_after_a_body_too),
        PARKING_TEST(client_that_leaves_while_parked_is_released_once),
        PARKING_TEST(clients_that_leave_while_parked_are_noticed_each_once),
        PARKING_TEST(watching_ends_with_the_request),
        PARKING_TEST(quiesced_server_answers_what_it_has_and_takes_nothing_new),
        PARKING_TEST(drain_wakes_up_when_the_last_exchange_ends),
        cmocka_unit_test(draining_waits_for_an_answer_on_its_way),
        cmocka_unit_test(stop_closes_idle_connections),
        cmocka_unit_test(stop_right_after_resuming_is_safe),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
