/* SPDX-License-Identifier: Apache-2.0 */
#include "curl_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/curl_loop.h"

enum { KEPT_BYTES = 4096, PLENTY_MS = 60000, MIB = 1024 * 1024 };

static void must(bool truth, const char *what)
{
    if (truth)
        return;
    fprintf(stderr, "curl_world: %s\n", what);
    abort();
}

int curl_world_set_up(void **state)
{
    (void)state;
    static const char *const proxies[] = {"http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy",
                                          "ALL_PROXY",  "no_proxy",    "NO_PROXY"};
    for (size_t i = 0; i < ARRAY_LENGTH(proxies); i++)
        unsetenv(proxies[i]);
    return curl_loop_global_init(NULL) ? 0 : -1;
}

int curl_world_tear_down(void **state)
{
    (void)state;
    curl_loop_global_finish();
    return 0;
}

struct curl_world *curl_world_create(const struct tiny_route *routes, const char *ca_file)
{
    struct error error = {0};
    struct curl_world *world = calloc(1, sizeof *world);
    must(world != NULL, "calloc");
    world->worker = worker_create(&time_source_system, &error);
    must(world->worker != NULL, error.text);
    world->transfers = curl_transfers_create(
        &(struct curl_transfer_options){
            .loop = worker_loop(world->worker), .ca_file = ca_file, .user_agent = "kubecent/test"},
        &error);
    must(world->transfers != NULL, error.text);
    world->engine = curl_transfers_engine(world->transfers);
    if (routes != NULL)
        world->server = tiny_server_start(routes);
    must(worker_start(world->worker, &error), error.text);
    return world;
}

void curl_world_destroy(struct curl_world *world)
{
    worker_stop(world->worker, NULL, NULL);
    curl_transfers_destroy(world->transfers);
    worker_destroy(world->worker);
    if (world->server != NULL)
        tiny_server_stop(world->server);
    free(world);
}

static void on_resume(void *context)
{
    struct exchange *exchange = context;
    exchange->body_bytes_at_resume = exchange->body_bytes;
    exchange->world->engine->resume(exchange->transfer);
}

static bool on_body(void *context, const void *bytes, size_t length)
{
    struct exchange *exchange = context;
    bool is_first = exchange->body_bytes == 0;
    exchange->body_bytes += length;
    if (exchange->body.length + length <= KEPT_BYTES)
        strbuf_append(&exchange->body, bytes, length);
    if (is_first && exchange->pause_ms > 0) {
        exchange->world->engine->pause(exchange->transfer);
        loop_timer_start(worker_scheduler(exchange->world->worker), exchange->timer,
                         exchange->pause_ms);
    }
    return !exchange->refuses_body;
}

static void on_rejected(void *context, const void *bytes, size_t length)
{
    struct exchange *exchange = context;
    exchange->rejected_calls++;
    strbuf_append(&exchange->rejected, bytes, length);
}

static void on_done(void *context, const struct transfer_outcome *outcome)
{
    struct exchange *exchange = context;
    exchange->outcome = *outcome;
    loop_timer_destroy(worker_scheduler(exchange->world->worker), exchange->timer);
    sem_post(&exchange->ended);
}

static void start(struct loop_task *task)
{
    struct exchange *exchange = CONTAINER_OF(task, struct exchange, start);
    struct error error = {0};
    const struct transfer_request request = {
        .url = exchange->url,
        .bearer_token = exchange->bearer_token,
        .timeout_ms = exchange->timeout_ms > 0 ? exchange->timeout_ms : PLENTY_MS,
        .connect_timeout_ms = exchange->timeout_ms > 0 ? exchange->timeout_ms : PLENTY_MS,
        .max_body_bytes = exchange->max_body_bytes > 0 ? exchange->max_body_bytes : MIB,
        .context = exchange,
        .body = on_body,
        .rejected_body = on_rejected,
        .done = on_done,
    };
    exchange->timer =
        loop_timer_create(worker_scheduler(exchange->world->worker), on_resume, exchange);
    exchange->transfer =
        exchange->world->engine->start(exchange->world->engine->self, &request, &error);
    must(exchange->transfer != NULL, error.text);
}

void exchange_start(struct curl_world *world, struct exchange *exchange, const char *url)
{
    exchange->world = world;
    exchange->start.run = start;
    if (url[0] == '/')
        snprintf(exchange->url, sizeof exchange->url, "http://127.0.0.1:%d%s",
                 tiny_server_port(world->server), url);
    else
        snprintf(exchange->url, sizeof exchange->url, "%s", url);
    sem_init(&exchange->ended, 0, 0);
    strbuf_init(&exchange->body, KEPT_BYTES);
    strbuf_init(&exchange->rejected, KEPT_BYTES);
    must(scheduler_post(worker_scheduler(world->worker), &exchange->start), "post");
}

void exchange_wait(struct exchange *exchange)
{
    sem_wait(&exchange->ended);
}

void exchange_finish(struct exchange *exchange)
{
    strbuf_finish(&exchange->body);
    strbuf_finish(&exchange->rejected);
    sem_destroy(&exchange->ended);
}

void exchange_run(struct curl_world *world, struct exchange *exchange, const char *url)
{
    exchange_start(world, exchange, url);
    exchange_wait(exchange);
}

struct call {
    struct loop_task task;
    void (*function)(void *context);
    void *context;
    sem_t returned;
};

static void make_call(struct loop_task *task)
{
    struct call *call = CONTAINER_OF(task, struct call, task);
    call->function(call->context);
    sem_post(&call->returned);
}

void on_loop(struct curl_world *world, void (*task)(void *context), void *context)
{
    struct call call = {.task.run = make_call, .function = task, .context = context};
    sem_init(&call.returned, 0, 0);
    must(scheduler_post(worker_scheduler(world->worker), &call.task), "post");
    sem_wait(&call.returned);
    sem_destroy(&call.returned);
}
