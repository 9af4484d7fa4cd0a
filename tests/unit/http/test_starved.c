/* SPDX-License-Identifier: Apache-2.0 */
/* What happens when memory runs out: an error, an answer, or a closed connection; never a crash. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h needs those above */
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "raw_client.h"
#include "support/alloc_fault.h"
#include "toy_server.h"

static void content_is_made_whole_or_not_at_all(void **state)
{
    (void)state;
    if (!alloc_fault_supported())
        skip();
    for (long nth = 1;; nth++) {
        char *bytes = calloc(1, 5000);
        struct http_content *content;
        bool hit;

        assert_non_null(bytes);
        alloc_fault_arm(nth);
        content = http_content_create(bytes, 5000, "text/plain");
        hit = alloc_fault_hit();
        alloc_fault_disarm();
        if (content != NULL) /* compressing is only a gain: without memory for it we go on */
            assert_int_equal(http_content_bytes(content).length, 5000);
        http_content_release(content);
        if (!hit)
            break;
    }
}

static void server_starts_or_says_why_not(void **state)
{
    struct toy toy;
    struct http_server_options options = toy_options(&toy);
    long failures = 0;

    (void)state;
    if (!alloc_fault_supported())
        skip();
    for (long nth = 1;; nth++) {
        struct error error = {.code = ERR_NONE};
        struct http_server *server;
        bool hit;

        alloc_fault_arm(nth);
        server = http_server_start(&options, &error);
        hit = alloc_fault_hit();
        alloc_fault_disarm();
        if (server == NULL) {
            assert_int_not_equal(error.code, ERR_NONE);
            failures++;
        }
        http_server_stop(server);
        if (!hit)
            break;
    }
    assert_true(failures > 0);
}

static atomic_long fail_nth; /* of the allocations that answering takes */
static atomic_bool was_hit;

static void add_header(void *context, struct http_headers *headers)
{
    (void)context;
    http_headers_add(headers, "X-A", "b");
}

static void reply_starved(void *context, struct http_exchange *exchange)
{
    struct toy *toy = context;
    struct text path = http_exchange_request(exchange)->path;

    alloc_fault_arm(atomic_load(&fail_nth));
    if (text_equals(path, TEXT("/content")))
        http_reply_content(exchange, toy->content, 0, add_header, NULL);
    else
        http_reply(exchange, 200, "text/plain", TEXT("hello"), NULL);
    atomic_store(&was_hit, alloc_fault_hit());
    alloc_fault_disarm();
}

/* Without memory for an answer from a file there may yet be enough for one from memory. */
static void starved_answer_is_500_or_the_close(size_t body_bytes, bool is_in_file)
{
    static const char *const requests[] = {
        "GET /content HTTP/1.1\r\nHost: h\r\n\r\n",
        "GET /hello HTTP/1.1\r\nHost: h\r\n\r\n",
    };
    char *body = calloc(1, body_bytes);
    unsigned descriptors = toy_descriptors();
    struct toy toy;
    struct http_server_options options;

    assert_non_null(body);
    toy_init(&toy, body, body_bytes);
    free(body);
    options = toy_options(&toy);
    options.handle = reply_starved;
    toy_start(&toy, &options);
    for (size_t i = 0; i < ARRAY_LENGTH(requests); i++) {
        bool hit = true;

        for (long nth = 1; hit; nth++) {
            struct raw_client client;
            struct raw_response response;

            atomic_store(&fail_nth, nth);
            raw_connect(&client, toy.port);
            raw_send(&client, requests[i]);
            if (raw_try_read(&client, false, &response)) {
                hit = atomic_load(&was_hit);
                if (!is_in_file || response.status != 200)
                    assert_int_equal(response.status, hit ? 500 : 200);
                raw_response_free(&response);
            }
            raw_close(&client);
        }
    }
    assert_true(http_server_drain(toy.server, 10000));
    toy_stop(&toy);
    assert_int_equal(toy_descriptors(), descriptors);
}

static void starved_answer_from_memory_is_500_or_the_close(void **state)
{
    (void)state;
    if (!alloc_fault_supported())
        skip();
    starved_answer_is_500_or_the_close(1, false);
}

static void starved_answer_from_a_file_is_500_or_the_close(void **state)
{
    (void)state;
    if (!alloc_fault_supported())
        skip();
    starved_answer_is_500_or_the_close((size_t)100 * 1024, true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(content_is_made_whole_or_not_at_all),
        cmocka_unit_test(server_starts_or_says_why_not),
        cmocka_unit_test(starved_answer_from_memory_is_500_or_the_close),
        cmocka_unit_test(starved_answer_from_a_file_is_500_or_the_close),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
