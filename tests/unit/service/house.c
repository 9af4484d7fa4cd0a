/* SPDX-License-Identifier: Apache-2.0 */
#include "house.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

static void set_clocks(struct house *house, const struct house_options *options)
{
    const struct time_source *time = fake_loop_time(house->loop);
    int64_t wall_s = time_wall_s(time);
    fake_loop_advance(house->loop, options->uptime_ms);
    fake_loop_set_wall(house->loop, wall_s + options->wall_skew_s);
}

void house_build_with(struct house *house, const struct house_options *house_options)
{
    int64_t stale_ms = house_options->stale_ms;
    *house = (struct house){.loop = fake_loop_create(), .origin = scripted_origin_create()};
    set_clocks(house, house_options);
    const struct scheduler *scheduler = fake_loop_scheduler(house->loop);
    const struct opencost_options client_options = {
        .base_url = "http://opencost:9003",
        .timeout_ms = 30 * 1000,
        .connect_timeout_ms = 5 * 1000,
        .tries = 3,
        .retry_wait_ms = HOUSE_RETRY_MS,
        .retry_wait_max_ms = 10 * 1000,
        .max_in_flight = house_options->slots > 0 ? house_options->slots : HOUSE_SLOTS,
        .max_body_bytes = 1 << 20,
        .scheduler = scheduler,
        .engine = scripted_origin_engine(house->origin),
    };
    house->client = opencost_client_create(&client_options, NULL);
    assert_non_null(house->client);
    const struct cache_options cache_options = {
        .max_bytes = 1 << 20, .stale_ms = stale_ms, .revalidate_ms = house_options->revalidate_ms};
    house->cache = cache_create(&cache_options);
    assert_non_null(house->cache);
    const struct origin_health_options health_options = {
        .interval_ms = 10 * 1000,
        .check_timeout_ms = 5 * 1000,
        .client = house->client,
        .scheduler = scheduler,
    };
    house->health = origin_health_create(&health_options);
    assert_non_null(house->health);
    const struct cost_service_options options = {
        .ttl_ms = HOUSE_TTL_MS,
        .stale_if_error_ms = stale_ms,
        .request_deadline_ms = HOUSE_DEADLINE_MS,
        .max_waiting = HOUSE_MAX_WAITING,
        .cache = house->cache,
        .client = house->client,
        .tier = house_options->tier,
        .origin = house_options->origin != NULL ? house_options->origin : "http://opencost:9003",
        .health = house->health,
        .scheduler = scheduler,
        .time = fake_loop_time(house->loop),
    };
    house->service = cost_service_create(&options);
    assert_non_null(house->service);
}

void house_build_revalidating(struct house *house, int64_t stale_ms, int64_t revalidate_ms)
{
    house_build_with(house,
                     &(struct house_options){.stale_ms = stale_ms, .revalidate_ms = revalidate_ms});
}

void house_build(struct house *house, int64_t stale_ms)
{
    house_build_revalidating(house, stale_ms, 0);
}

void house_build_narrow(struct house *house, int64_t stale_ms, int slots)
{
    house_build_with(house, &(struct house_options){.stale_ms = stale_ms, .slots = slots});
}

void house_stop(struct house *house)
{
    origin_health_stop(house->health);
    cost_service_stop(house->service);
    opencost_client_stop(house->client);
    fake_loop_run(house->loop);
}

void house_tear_down(struct house *house)
{
    house_stop(house);
    cost_service_destroy(house->service);
    origin_health_destroy(house->health);
    cache_destroy(house->cache);
    opencost_client_destroy(house->client);
    scripted_origin_destroy(house->origin);
    fake_loop_destroy(house->loop);
}

struct cost_query house_query(enum cost_view_kind kind, const char *window_text)
{
    struct cost_query query = {.kind = kind, .months = 1, .limit = 10};
    if (window_text != NULL) {
        query.window_text = text_of(window_text);
        assert_true(window_parse(query.window_text, &query.window));
    }
    return query;
}

static void answered(struct cost_request *request, const struct cost_answer *answer)
{
    struct asker *asker = CONTAINER_OF(request, struct asker, request);
    asker->answer = *answer;
    asker->done++;
}

void house_ask(struct house *house, const struct cost_query *query, struct asker *asker)
{
    *asker = (struct asker){.done = 0};
    house_ask_with(house, query, asker);
}

void house_ask_with(struct house *house, const struct cost_query *query, struct asker *asker)
{
    asker->request.done = answered;
    asker->accepted =
        cost_service_request(house->service, query, NULL, &asker->request, &asker->answer.error);
    fake_loop_run(house->loop);
}

int64_t house_now_ms(const struct house *house)
{
    return time_monotonic_ms(fake_loop_time(house->loop));
}

bool house_hits(struct house *house, const struct cost_query *query)
{
    struct cost_answer answer;
    if (!cost_service_lookup(house->service, query, house_now_ms(house), &answer))
        return false;
    assert_int_equal(answer.source, COST_SOURCE_HIT);
    http_content_release(answer.content);
    return true;
}

void house_answer(struct house *house, size_t number, const char *body)
{
    scripted_origin_answer(house->origin, number, 200, body);
    fake_loop_run(house->loop);
}

void house_warm(struct house *house, const struct cost_query *query, const char *total)
{
    struct asker asker;
    size_t number = scripted_origin_asked(house->origin);
    house_ask(house, query, &asker);
    house_answer(house, number, one_pod_costing(total));
    assert_non_null(strstr(asker_body(&asker), total));
    asker_release(&asker);
}

const char *asker_body(const struct asker *asker)
{
    assert_int_equal(asker->done, 1);
    assert_non_null(asker->answer.content);
    return http_content_bytes(asker->answer.content).data;
}

void asker_release(struct asker *asker)
{
    http_content_release(asker->answer.content);
    asker->answer.content = NULL;
}

const char *one_pod_costing(const char *total)
{
    static char body[512];
    (void)snprintf(body, sizeof(body),
                   "{\"code\":200,\"data\":[{\"shop/web-0\":{\"name\":\"shop/"
                   "web-0\",\"properties\":{\"namespace\":"
                   "\"shop\",\"pod\":\"web-0\"},\"cpuCost\":%s,\"totalCost\":%s}}]}",
                   total, total);
    return body;
}

void house_fail_fetch(struct house *house, size_t first, enum error_code code)
{
    for (size_t try = 0; try < 3; try++) {
        scripted_origin_fail(house->origin, first + try, code);
        fake_loop_run(house->loop);
        if (try < 2)
            fake_loop_advance(house->loop, HOUSE_RETRY_MS << try);
    }
}
