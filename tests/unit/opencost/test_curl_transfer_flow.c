/* SPDX-License-Identifier: Apache-2.0 */
/* The engine's transfers under way: paused, refused, cancelled, taken along by the end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "curl_world.h"

#define OK_HEAD "HTTP/1.1 200 OK\r\n"
#define MIB     ((size_t)1024 * 1024)

enum { CAP_BYTES = 100000, RECEIVE_BUFFER_BYTES = 131072 };

static bool serve_8_mib(struct tiny_server *server, int fd)
{
    (void)server;
    static const char piece[65536];
    tiny_send_format(fd, OK_HEAD "Content-Length: %zu\r\n\r\n", 8 * MIB);
    for (size_t sent = 0; sent < 8 * MIB; sent += sizeof piece)
        tiny_send(fd, piece, sizeof piece);
    return true;
}

static const struct tiny_route routes[] = {
    {"/ok", serve_text, OK_HEAD "Content-Length: 5\r\n\r\nhello"},
    {"/drip", serve_text_and_wait, OK_HEAD "Content-Length: 50\r\n\r\nh"},
    {"/silence", serve_text_and_wait, ""},
    {"/8-mib", serve_8_mib, NULL},
    {0},
};

static void a_paused_transfer_is_silent_until_resumed_and_loses_nothing(void **state)
{
    (void)state;
    struct curl_world *world = curl_world_create(routes, NULL);
    struct exchange exchange = {.pause_ms = 100, .max_body_bytes = 8 * MIB};
    exchange_run(world, &exchange, "/8-mib");
    assert_int_equal(exchange.outcome.error.code, ERR_NONE);
    assert_int_equal(exchange.body_bytes, 8 * MIB);
    assert_true(exchange.body_bytes_at_resume > 0);
    assert_true(exchange.body_bytes_at_resume <= RECEIVE_BUFFER_BYTES); /* one receive buffer */
    exchange_finish(&exchange);
    curl_world_destroy(world);
}

static void a_limit_passed_in_the_bytes_kept_for_a_paused_transfer_counts(void **state)
{
    (void)state;
    struct curl_world *world = curl_world_create(routes, NULL);
    struct exchange exchange = {.pause_ms = 50, .max_body_bytes = CAP_BYTES};
    exchange_run(world, &exchange, "/8-mib");
    assert_int_equal(exchange.outcome.error.code, ERR_UPSTREAM_TOO_LARGE);
    assert_true(exchange.body_bytes <= CAP_BYTES);
    exchange_finish(&exchange);
    curl_world_destroy(world);
}

static void a_paused_transfer_still_times_out(void **state)
{
    (void)state;
    struct curl_world *world = curl_world_create(routes, NULL);
    struct exchange exchange = {.pause_ms = 60000, .timeout_ms = 150, .max_body_bytes = 8 * MIB};
    exchange_run(world, &exchange, "/8-mib");
    assert_int_equal(exchange.outcome.error.code, ERR_UPSTREAM_TIMEOUT);
    exchange_finish(&exchange);
    curl_world_destroy(world);
}

static void a_receiver_that_refuses_ends_the_transfer(void **state)
{
    (void)state;
    struct curl_world *world = curl_world_create(routes, NULL);
    struct exchange exchange = {.refuses_body = true, .max_body_bytes = 8 * MIB};
    exchange_run(world, &exchange, "/8-mib");
    assert_int_equal(exchange.outcome.error.code, ERR_UPSTREAM_BODY);
    assert_true(exchange.body_bytes <= RECEIVE_BUFFER_BYTES);
    exchange_finish(&exchange);
    curl_world_destroy(world);
}

static void cancel_exchange(void *context)
{
    struct exchange *exchange = context;
    exchange->world->engine->cancel(exchange->transfer);
    loop_timer_destroy(worker_scheduler(exchange->world->worker), exchange->timer);
}

static void after_a_cancel_no_callback_comes(void **state)
{
    (void)state;
    struct curl_world *world = curl_world_create(routes, NULL);
    struct exchange cancelled = {0};
    exchange_start(world, &cancelled, "/silence");
    on_loop(world, cancel_exchange, &cancelled);
    struct exchange next = {0};
    exchange_run(world, &next, "/ok"); /* the loop has turned since */
    assert_string_equal(strbuf_text(&next.body), "hello");
    assert_int_equal(sem_trywait(&cancelled.ended), -1);
    exchange_finish(&next);
    exchange_finish(&cancelled);
    curl_world_destroy(world);
}

static void destroy_timer(void *context)
{
    struct exchange *exchange = context;
    loop_timer_destroy(worker_scheduler(exchange->world->worker), exchange->timer);
}

static void the_engines_end_takes_transfers_under_way_with_it(void **state)
{
    (void)state;
    struct curl_world *world = curl_world_create(routes, NULL);
    struct exchange exchanges[3] = {{0}, {0}, {.pause_ms = 60000, .max_body_bytes = 8 * MIB}};
    exchange_start(world, &exchanges[0], "/drip");
    exchange_start(world, &exchanges[1], "/silence");
    exchange_start(world, &exchanges[2], "/8-mib");
    for (size_t i = 0; i < ARRAY_LENGTH(exchanges); i++)
        on_loop(world, destroy_timer, &exchanges[i]);
    curl_world_destroy(world);
    for (size_t i = 0; i < ARRAY_LENGTH(exchanges); i++)
        exchange_finish(&exchanges[i]);
}

static void destroy_accepts_null(void **state)
{
    (void)state;
    curl_transfers_destroy(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_paused_transfer_is_silent_until_resumed_and_loses_nothing),
        cmocka_unit_test(a_limit_passed_in_the_bytes_kept_for_a_paused_transfer_counts),
        cmocka_unit_test(a_paused_transfer_still_times_out),
        cmocka_unit_test(a_receiver_that_refuses_ends_the_transfer),
        cmocka_unit_test(after_a_cancel_no_callback_comes),
        cmocka_unit_test(the_engines_end_takes_transfers_under_way_with_it),
        cmocka_unit_test(destroy_accepts_null),
    };
    return cmocka_run_group_tests(tests, curl_world_set_up, curl_world_tear_down);
}
