/* SPDX-License-Identifier: Apache-2.0 */
/*
 * As many connections ready at once as libmicrohttpd takes events at a time: 128 (mhd_epoll.h tells
 * why that matters).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "http/server.h"
#include "raw_client.h"

enum { BATCH = 128 };

/* A server of one thread, which the path /hold keeps busy until it is let go. */
struct held_server {
    struct http_server *server;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool is_holding;
    bool may_go_on;
};

static void hold(struct held_server *held)
{
    pthread_mutex_lock(&held->lock);
    held->is_holding = true;
    pthread_cond_broadcast(&held->changed);
    while (!held->may_go_on)
        pthread_cond_wait(&held->changed, &held->lock);
    held->is_holding = false;
    held->may_go_on = false;
    pthread_mutex_unlock(&held->lock);
}

static void handle(void *context, struct http_exchange *exchange)
{
    const struct http_headers none = {.count = 0};
    if (text_equals(http_exchange_request(exchange)->path, TEXT("/hold")))
        hold(context);
    http_reply(exchange, 200, "text/plain", TEXT("here"), &none);
}

static void wait_until_held(struct held_server *held)
{
    pthread_mutex_lock(&held->lock);
    while (!held->is_holding)
        pthread_cond_wait(&held->changed, &held->lock);
    pthread_mutex_unlock(&held->lock);
}

static void let_go(struct held_server *held)
{
    pthread_mutex_lock(&held->lock);
    held->may_go_on = true;
    pthread_cond_broadcast(&held->changed);
    pthread_mutex_unlock(&held->lock);
}

static void expect_here(struct raw_client *client)
{
    struct raw_response response;
    raw_read(client, &response);
    assert_int_equal(response.status, 200);
    raw_response_free(&response);
}

static void ask(struct raw_client *client, const char *path)
{
    char request[64];
    (void)snprintf(request, sizeof(request), "GET %s HTTP/1.1\r\nHost: h\r\n\r\n", path);
    raw_send(client, request);
}

/* All are connected and known to the server's thread before it is kept busy. */
static void everyone_is_answered_when_ready_at_once(struct held_server *held, int count)
{
    static struct raw_client clients[2 * BATCH];
    struct raw_client holder;
    for (int i = 0; i < count; i++) {
        raw_connect(&clients[i], http_server_port(held->server));
        ask(&clients[i], "/");
        expect_here(&clients[i]);
    }
    raw_connect(&holder, http_server_port(held->server));
    ask(&holder, "/hold");
    wait_until_held(held);
    for (int i = 0; i < count; i++)
        ask(&clients[i], "/");
    let_go(held);
    for (int i = 0; i < count; i++) {
        expect_here(&clients[i]);
        raw_close(&clients[i]);
    }
    expect_here(&holder);
    raw_close(&holder);
}

static int setup(void **state)
{
    static struct held_server held;
    held = (struct held_server){.lock = PTHREAD_MUTEX_INITIALIZER,
                                .changed = PTHREAD_COND_INITIALIZER};
    const struct http_server_options options = {
        .host = "127.0.0.1",
        .threads = 1,
        .connection_limit = 1000,
        .idle_timeout_s = 60,
        .connection_memory = 16 * 1024,
        .time = &time_source_system,
        .handle = handle,
        .context = &held,
    };
    held.server = http_server_start(&options, NULL);
    *state = &held;
    return held.server == NULL;
}

static int teardown(void **state)
{
    struct held_server *held = *state;
    http_server_quiesce(held->server);
    http_server_stop(held->server);
    return 0;
}

static void a_batch_of_exactly_128_is_answered(void **state)
{
    everyone_is_answered_when_ready_at_once(*state, BATCH);
}

static void two_such_batches_are_answered(void **state)
{
    everyone_is_answered_when_ready_at_once(*state, 2 * BATCH);
}

static void sizes_around_it_are_answered(void **state)
{
    everyone_is_answered_when_ready_at_once(*state, BATCH - 1);
    everyone_is_answered_when_ready_at_once(*state, BATCH + 1);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_batch_of_exactly_128_is_answered),
        CASE(two_such_batches_are_answered),
        CASE(sizes_around_it_are_answered),
    };
    return cmocka_run_group_tests_name("full batches of events", tests, NULL, NULL);
}
