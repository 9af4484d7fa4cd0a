/* SPDX-License-Identifier: Apache-2.0 */
#include "tier_world.h"

#include <assert.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

enum { LOG_MAX = 256 * 1024, ENOUGH_MS = 10 };

struct redis_tier_options world_options(struct tier_world *world)
{
    static const struct redis_endpoint endpoint = {"redis", 6379};
    return (struct redis_tier_options){
        .endpoints = &endpoint,
        .endpoint_count = 1,
        .prefix = "k:",
        .timeout_ms = TIMEOUT_MS,
        .shown = "redis://***@redis:6379",
        .engine = &world->redis.engine,
        .scheduler = fake_loop_scheduler(world->loop),
        .time = fake_loop_time(world->loop),
        .log = world->log,
    };
}

struct tier_world *world_create_with(void (*change)(struct redis_tier_options *options))
{
    struct tier_world *world = calloc(1, sizeof *world);
    assert_non_null(world);
    world->loop = fake_loop_create();
    fake_redis_init(&world->redis, world->loop);
    world->log_fd = memfd_create("log", MFD_CLOEXEC);
    world->log = log_create(
        &(struct log_options){.fd = world->log_fd, .time = fake_loop_time(world->loop)}, NULL);
    assert_non_null(world->log);
    for (size_t i = 0; i < REPLICAS; i++) {
        struct replica *replica = &world->replicas[i];
        struct redis_tier_options options = world_options(world);
        replica->metrics = metrics_create();
        options.metrics = replica->metrics;
        if (change != NULL)
            change(&options);
        replica->tier = redis_tier_create(&options);
        assert_non_null(replica->tier);
        replica->door = redis_tier_door(replica->tier);
    }
    return world;
}

struct tier_world *world_create(void)
{
    return world_create_with(NULL);
}

void world_destroy(struct tier_world *world)
{
    for (size_t i = 0; i < REPLICAS; i++) {
        struct replica *replica = &world->replicas[i];
        redis_tier_stop(replica->tier);
        redis_tier_destroy(replica->tier);
        metrics_destroy(replica->metrics);
    }
    assert_int_equal(fake_redis_clients(&world->redis), 0);
    assert_int_equal(fake_loop_next_timer_ms(world->loop), -1);
    fake_redis_finish(&world->redis);
    log_destroy(world->log);
    close(world->log_fd);
    fake_loop_destroy(world->loop);
    free(world);
}

void world_pass(struct tier_world *world, int64_t ms)
{
    for (int64_t i = 0; i < ms; i++)
        fake_loop_advance(world->loop, 1);
}

static bool is_wanted(void *context, const struct tier_value *value)
{
    const struct asked *asked = context;
    return asked->wanted == NULL || text_equals(value->bytes, text_of(asked->wanted));
}

static void take_value(struct asked *asked, const struct tier_value *value)
{
    if (value == NULL)
        return;
    assert_true(value->bytes.length < sizeof asked->value);
    memcpy(asked->value, value->bytes.data, value->bytes.length);
    asked->value[value->bytes.length] = '\0';
    asked->age_ms = value->stored_ms_ago;
}

static void on_claimed(void *context, enum tier_outcome outcome, const struct tier_value *value,
                       struct tier_lease *lease, const struct error *error)
{
    struct asked *asked = context;
    assert_false(asked->in_call);
    assert_true((value != NULL) == (outcome == TIER_FOUND));
    assert_true((lease != NULL) == (outcome == TIER_LEADING));
    assert_true((error != NULL) == (outcome == TIER_FAILED));
    asked->calls++;
    asked->claim = NULL;
    asked->outcome = outcome;
    asked->lease = lease;
    if (error != NULL)
        asked->error = *error;
    take_value(asked, value);
}

static void on_peeked(void *context, const struct tier_value *value)
{
    struct asked *asked = context;
    assert_false(asked->in_call);
    asked->calls++;
    asked->peek = NULL;
    asked->outcome = value != NULL ? TIER_FOUND : TIER_ABSENT;
    take_value(asked, value);
}

void ask(struct replica *replica, struct asked *asked, const char *key)
{
    const struct tier_claim_request request = {
        .key = key,
        .max_wait_ms = asked->max_wait_ms > 0 ? asked->max_wait_ms : PATIENCE_MS,
        .context = asked,
        .is_wanted = is_wanted,
        .done = on_claimed,
    };
    asked->in_call = true;
    asked->claim = tier_claim(replica->door, &request);
    asked->in_call = false;
}

void peek(struct replica *replica, struct asked *asked, const char *key)
{
    asked->in_call = true;
    asked->peek = tier_peek(replica->door, key, on_peeked, asked);
    asked->in_call = false;
}

void settle(struct replica *replica, struct asked *asked, const char *value)
{
    struct tier_lease *lease = asked->lease;
    struct text bytes = value != NULL ? text_of(value) : (struct text){0};
    assert_non_null(lease);
    asked->lease = NULL;
    tier_settle(replica->door, lease, value != NULL ? &bytes : NULL, KEEP_MS, NULL);
}

enum tier_outcome outcome_of(struct tier_world *world, struct replica *replica, struct asked *asked,
                             const char *key)
{
    ask(replica, asked, key);
    assert_non_null(asked->claim);
    world_pass(world, ENOUGH_MS);
    assert_int_equal(asked->calls, 1);
    return asked->outcome;
}

unsigned logged(struct tier_world *world, const char *event)
{
    static char text[LOG_MAX];
    unsigned count = 0;
    log_flush(world->log);
    ssize_t length = pread(world->log_fd, text, sizeof text - 1, 0);
    assert_true(length >= 0);
    text[length] = '\0';
    for (const char *at = strstr(text, event); at != NULL; at = strstr(at + 1, event))
        count++;
    return count;
}

int64_t counted(const struct replica *replica, const char *name)
{
    return metric_value(metrics_counter(replica->metrics, name, "", NULL));
}

int64_t failures(const struct replica *replica, const char *reason)
{
    const struct metric_label labels[] = {{"reason", reason}, {NULL, NULL}};
    return metric_value(
        metrics_counter(replica->metrics, "kubecent_redis_failures_total", "", labels));
}
