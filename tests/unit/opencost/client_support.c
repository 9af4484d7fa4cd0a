/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "client_support.h"

struct client_world *client_world_create(const char *token_file)
{
    struct error error = {0};
    struct client_world *world = calloc(1, sizeof *world);
    assert_non_null(world);
    world->loop = fake_loop_create();
    world->metrics = metrics_create();
    world->log_fd = memfd_create("log", MFD_CLOEXEC);
    world->log = log_create(&(struct log_options){.level = LOG_LEVEL_DEBUG,
                                                  .format = LOG_FORMAT_JSON,
                                                  .fd = world->log_fd,
                                                  .time = fake_loop_time(world->loop)},
                            &error);
    assert_non_null(world->log);
    scripted_engine_init(&world->engine);
    const struct opencost_options options = {
        .base_url = "http://user:secret@opencost:9003/model/",
        .token_file = token_file,
        .timeout_ms = 30000,
        .connect_timeout_ms = 5000,
        .tries = 3,
        .retry_wait_ms = 1000,
        .retry_wait_max_ms = 10000,
        .max_in_flight = 2,
        .max_body_bytes = 1024,
        .scheduler = fake_loop_scheduler(world->loop),
        .engine = &world->engine.engine,
        .time = fake_loop_time(world->loop),
        .log = world->log,
        .metrics = world->metrics,
    };
    world->client = opencost_client_create(&options, &error);
    assert_non_null(world->client);
    return world;
}

void client_world_destroy(struct client_world *world)
{
    opencost_client_destroy(world->client);
    fake_loop_destroy(world->loop);
    log_destroy(world->log);
    metrics_destroy(world->metrics);
    close(world->log_fd);
    free(world);
}

void on_fetched(void *context, struct cost_set *set, const struct error *error)
{
    struct fetched *fetched = context;
    fetched->calls++;
    assert_true((set == NULL) != (error == NULL));
    if (error != NULL)
        fetched->error = *error;
    if (set != NULL)
        (void)!cost_set_pods(set, &fetched->pods);
    cost_set_destroy(set);
    if (fetched->fetches_again != NULL)
        assert_true(opencost_client_fetch(
            fetched->fetches_again,
            &(struct opencost_query){.window = "again", .include_idle = false}, on_fetched,
            fetched->again, NULL));
}

void must_fetch(struct client_world *world, const char *window, struct fetched *fetched)
{
    assert_true(opencost_client_fetch(
        world->client, &(struct opencost_query){.window = window, .include_idle = false},
        on_fetched, fetched, &fetched->error));
    fake_loop_run(world->loop);
}

void feed_spaces(struct client_world *world, size_t bytes)
{
    static char spaces[PIECE_BYTES];
    memset(spaces, ' ', sizeof spaces);
    for (size_t fed = 0; fed < bytes; fed += sizeof spaces)
        assert_true(scripted_body(&world->engine, 0, spaces, sizeof spaces));
}

char *client_world_log(struct client_world *world)
{
    log_flush(world->log);
    off_t length = lseek(world->log_fd, 0, SEEK_END);
    assert_true(length >= 0);
    char *text = calloc(1, (size_t)length + 1);
    assert_non_null(text);
    assert_int_equal(pread(world->log_fd, text, (size_t)length, 0), length);
    return text;
}

bool client_world_counts(struct client_world *world, const char *line)
{
    struct strbuf text;
    strbuf_init(&text, (size_t)1024 * 1024);
    metrics_render(world->metrics, &text);
    bool is_there = strstr(strbuf_text(&text), line) != NULL;
    strbuf_finish(&text);
    return is_there;
}
