/* SPDX-License-Identifier: Apache-2.0 */
#include "toy_server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h needs those above */
#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/strbuf.h"

static void add_content_headers(void *context, struct http_headers *headers)
{
    struct toy *toy = context;

    atomic_fetch_add(&toy->headers_built, 1);
    http_headers_add(headers, "Vary", "Accept-Encoding");
    http_headers_add_format(headers, "X-Built", "%u", atomic_load(&toy->headers_built));
}

static void reply_hello(void *context, struct http_exchange *exchange)
{
    struct http_headers headers = {.count = 0};

    (void)context;
    http_headers_add(&headers, "X-Request-ID", http_exchange_request(exchange)->request_id);
    http_reply(exchange, 200, "text/plain", TEXT("hello"), &headers);
}

static void append_escaped(struct strbuf *out, struct text text)
{
    for (size_t i = 0; i < text.length; i++) {
        unsigned char c = (unsigned char)text.data[i];

        if (c > 0x20 && c < 0x7f)
            strbuf_append_char(out, (char)c);
        else
            strbuf_append_format(out, "<%02x>", c);
    }
}

static void reply_echo(struct http_exchange *exchange)
{
    const struct http_request *request = http_exchange_request(exchange);
    struct strbuf out CLEANUP(strbuf_finish);

    strbuf_init(&out, 1 << 20);
    strbuf_append_format(&out, "%s ", request->method);
    append_escaped(&out, request->path);
    for (size_t i = 0; i < request->param_count; i++) {
        strbuf_append_text(&out, " ");
        append_escaped(&out, request->params[i].name);
        strbuf_append_text(&out, "=");
        append_escaped(&out, request->params[i].value);
    }
    http_reply(exchange, 200, "text/plain",
               (struct text){.data = strbuf_text(&out), .length = out.length}, NULL);
}

static void reply_toy_content(struct toy *toy, struct http_exchange *exchange)
{
    const struct http_param *tag = http_request_param(http_exchange_request(exchange), "tag");
    uint64_t share_tag = tag == NULL ? 0 : strtoul(tag->value.data, NULL, 10);

    http_exchange_note_route(exchange, "/content");
    http_exchange_note_cache(exchange, "hit");
    http_exchange_note_user(exchange, "reader");
    http_reply_content(exchange, toy->content, share_tag, add_content_headers, toy);
}

static void destroy_state(void *state)
{
    struct toy *toy = state;

    atomic_fetch_add(&toy->states_destroyed, 1);
}

static void park(struct toy *toy, struct http_exchange *exchange)
{
    http_exchange_set_state(exchange, toy, destroy_state);
    http_exchange_park(exchange, reply_hello, toy);
    pthread_mutex_lock(&toy->lock);
    toy->parked[toy->parked_count++] = exchange;
    pthread_cond_broadcast(&toy->changed);
    pthread_mutex_unlock(&toy->lock);
}

static void count_left(void *context)
{
    struct toy *toy = context;

    atomic_fetch_add(&toy->left, 1);
}

static void park_again(void *context, struct http_exchange *exchange)
{
    http_exchange_park(exchange, reply_hello, context);
    http_exchange_resume(exchange);
}

static void reply_overflowing(struct http_exchange *exchange)
{
    struct http_headers headers = {.count = 0};

    for (int i = 0; i <= HTTP_MAX_HEADERS; i++)
        http_headers_add(&headers, "X-More", "value");
    http_reply(exchange, 200, "text/plain", TEXT("never sent"), &headers);
}

static bool path_is(const struct http_exchange *exchange, const char *path)
{
    return text_equals(http_exchange_request(exchange)->path, text_of(path));
}

static void handle(void *context, struct http_exchange *exchange)
{
    struct toy *toy = context;
    const struct text echo = TEXT("/echo");
    struct text path = http_exchange_request(exchange)->path;

    if (path_is(exchange, "/hello")) {
        reply_hello(NULL, exchange);
    } else if (path_is(exchange, "/content")) {
        reply_toy_content(toy, exchange);
    } else if (path_is(exchange, "/park")) {
        park(toy, exchange);
    } else if (path_is(exchange, "/watched")) {
        http_exchange_on_left(exchange, count_left);
        park(toy, exchange);
    } else if (path_is(exchange, "/overtaken")) {
        http_exchange_park(exchange, reply_hello, toy);
        http_exchange_resume(exchange);
    } else if (path_is(exchange, "/twice")) {
        http_exchange_park(exchange, park_again, toy);
        http_exchange_resume(exchange);
    } else if (path_is(exchange, "/overflow")) {
        reply_overflowing(exchange);
    } else if (path.length >= echo.length && memcmp(path.data, echo.data, echo.length) == 0) {
        reply_echo(exchange);
    } else if (!path_is(exchange, "/silent")) {
        http_reply(exchange, 404, "application/json", TEXT("{\"detail\":\"Not Found\"}"), NULL);
    }
}

static void observe(void *context, const struct http_summary *summary)
{
    struct toy *toy = context;

    pthread_mutex_lock(&toy->lock);
    toy->observed++;
    toy->last = *summary;
    snprintf(toy->last_method, sizeof(toy->last_method), "%s", summary->method);
    snprintf(toy->last_path, sizeof(toy->last_path), "%s", summary->path);
    snprintf(toy->last_user, sizeof(toy->last_user), "%s",
             summary->user == NULL ? "" : summary->user);
    snprintf(toy->last_request_id, sizeof(toy->last_request_id), "%s", summary->request_id);
    pthread_cond_broadcast(&toy->changed);
    pthread_mutex_unlock(&toy->lock);
}

static void add_error_headers(void *context, struct http_exchange *exchange,
                              struct http_headers *headers)
{
    (void)context;
    (void)exchange;
    http_headers_add(headers, "Access-Control-Allow-Origin", "*");
}

struct http_server_options toy_options(struct toy *toy)
{
    return (struct http_server_options){
        .host = "127.0.0.1",
        .threads = 2,
        .connection_limit = 256,
        .idle_timeout_s = 60,
        .connection_memory = 20480,
        .time = &time_source_system,
        .handle = handle,
        .observe = observe,
        .add_error_headers = add_error_headers,
        .context = toy,
    };
}

void toy_init(struct toy *toy, const char *body, size_t body_length)
{
    char *copy = malloc(body_length);

    assert_non_null(copy);
    memcpy(copy, body, body_length);
    memset(toy, 0, sizeof(*toy));
    pthread_mutex_init(&toy->lock, NULL);
    pthread_cond_init(&toy->changed, NULL);
    toy->content = http_content_create(copy, body_length, "application/json");
    assert_non_null(toy->content);
}

void toy_start(struct toy *toy, const struct http_server_options *options)
{
    struct error error = {.code = ERR_NONE};

    toy->server = http_server_start(options, &error);
    if (toy->server == NULL)
        fail_msg("%s", error.text);
    toy->port = http_server_port(toy->server);
}

void toy_setup(struct toy *toy)
{
    struct http_server_options options = toy_options(toy);
    char body[3000];

    memset(body, 'a', sizeof(body));
    toy_init(toy, body, sizeof(body));
    toy_start(toy, &options);
}

void toy_stop(struct toy *toy)
{
    http_server_stop(toy->server);
    http_content_release(toy->content);
    pthread_cond_destroy(&toy->changed);
    pthread_mutex_destroy(&toy->lock);
}

static void wait_for(struct toy *toy, const unsigned *counter, unsigned count)
{
    struct timespec deadline;
    int waited = 0;

    clock_gettime(CLOCK_REALTIME, &deadline);
    deadline.tv_sec += 10;
    pthread_mutex_lock(&toy->lock);
    while (*counter < count && waited != ETIMEDOUT)
        waited = pthread_cond_timedwait(&toy->changed, &toy->lock, &deadline);
    pthread_mutex_unlock(&toy->lock);
    assert_int_not_equal(waited, ETIMEDOUT);
}

void toy_wait_parked(struct toy *toy, unsigned count)
{
    wait_for(toy, &toy->parked_count, count);
}

void toy_wait_observed(struct toy *toy, unsigned count)
{
    wait_for(toy, &toy->observed, count);
}

void toy_wait_in_flight(struct toy *toy, unsigned count)
{
    int64_t deadline_ms = time_monotonic_ms(&time_source_system) + 10000;

    while (http_server_in_flight(toy->server) != count) {
        assert_true(time_monotonic_ms(&time_source_system) < deadline_ms);
        sched_yield();
    }
}

void toy_resume_all(struct toy *toy)
{
    struct http_exchange *parked[TOY_MAX_PARKED];
    unsigned count;

    pthread_mutex_lock(&toy->lock);
    count = toy->parked_count;
    memcpy(parked, toy->parked, sizeof(parked));
    toy->parked_count = 0;
    pthread_mutex_unlock(&toy->lock);
    for (unsigned i = 0; i < count; i++)
        http_exchange_resume(parked[i]);
}

unsigned toy_descriptors(void)
{
    DIR *folder = opendir("/proc/self/fd");
    unsigned count = 0;

    assert_non_null(folder);
    while (readdir(folder) != NULL)
        count++;
    closedir(folder);
    return count;
}
