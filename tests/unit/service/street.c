/* SPDX-License-Identifier: Apache-2.0 */
#include "street.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

void street_build(struct street *street, const struct street_options *options)
{
    *street = (struct street){.tier_loop = fake_loop_create(), .count = options->count};
    assert_in_range(options->count, 1, STREET_MAX);
    street->tier = scripted_tier_create(street->tier_loop, options->latency_ms);
    for (size_t i = 0; i < street->count; i++) {
        const struct house_options house_options = {
            .stale_ms = options->stale_ms,
            .revalidate_ms = options->revalidate_ms,
            .slots = options->slots,
            .tier = options->without_tier ? NULL : scripted_tier_door(street->tier, i),
            .uptime_ms = (int64_t)i * STREET_UPTIME_STEP_MS,
            .wall_skew_s = (int64_t)i * options->skew_s,
        };
        house_build_with(&street->houses[i], &house_options);
    }
}

void street_tear_down(struct street *street)
{
    for (size_t i = 0; i < street->count; i++) {
        if (street->refreshers[i] != NULL)
            refresher_stop(street->refreshers[i]);
        house_stop(&street->houses[i]);
        refresher_destroy(street->refreshers[i]);
        house_tear_down(&street->houses[i]);
    }
    scripted_tier_destroy(street->tier);
    fake_loop_destroy(street->tier_loop);
}

/* Milliseconds until something is to be done; INT64_MAX: never. */
static int64_t next_ms(const struct street *street)
{
    int64_t next = INT64_MAX;
    for (size_t i = 0; i <= street->count; i++) {
        const struct fake_loop *loop =
            i < street->count ? street->houses[i].loop : street->tier_loop;
        int64_t delay_ms = fake_loop_next_timer_ms(loop);
        if (delay_ms >= 0 && delay_ms < next)
            next = delay_ms;
    }
    return next;
}

static bool can_run(const struct street *street)
{
    bool any = fake_loop_can_run(street->tier_loop);
    for (size_t i = 0; i < street->count; i++)
        any |= fake_loop_can_run(street->houses[i].loop);
    return any;
}

void street_run(struct street *street)
{
    do {
        for (size_t i = 0; i < street->count; i++)
            fake_loop_run(street->houses[i].loop);
        fake_loop_run(street->tier_loop);
    } while (can_run(street));
}

void street_advance(struct street *street, int64_t ms)
{
    street_run(street);
    while (ms > 0) {
        int64_t next = next_ms(street);
        int64_t step_ms = next < ms ? next : ms;
        for (size_t i = 0; i < street->count; i++)
            fake_loop_advance(street->houses[i].loop, step_ms);
        fake_loop_advance(street->tier_loop, step_ms);
        street_run(street);
        ms -= step_ms;
    }
}

void street_ask(struct street *street, size_t house, const struct cost_query *query,
                struct asker *asker)
{
    house_ask(&street->houses[house], query, asker);
    street_run(street);
}

size_t street_asked(const struct street *street)
{
    size_t count = 0;
    for (size_t i = 0; i < street->count; i++)
        count += scripted_origin_asked(street->houses[i].origin);
    return count;
}

bool street_find_question(const struct street *street, size_t *ret_house, size_t *ret_number)
{
    for (size_t i = 0; i < street->count; i++) {
        const struct scripted_origin *origin = street->houses[i].origin;
        for (size_t number = 0; number < scripted_origin_asked(origin); number++) {
            if (!scripted_origin_is_open(origin, number))
                continue;
            *ret_house = i;
            *ret_number = number;
            return true;
        }
    }
    return false;
}

bool street_answer(struct street *street, const char *body)
{
    size_t house = 0;
    size_t number = 0;
    if (!street_find_question(street, &house, &number))
        return false;
    scripted_origin_answer(street->houses[house].origin, number, 200, body);
    street_run(street);
    return true;
}

void street_add_refresher(struct street *street, size_t house, int64_t interval_ms)
{
    struct window window;
    assert_true(window_parse(TEXT("7d"), &window));
    const struct refresher_options options = {
        .windows = &window,
        .window_count = 1,
        .interval_ms = interval_ms,
        .ttl_ms = HOUSE_TTL_MS,
        .cleanup_interval_ms = 3600 * 1000,
        .service = street->houses[house].service,
        .scheduler = fake_loop_scheduler(street->houses[house].loop),
        .time = fake_loop_time(street->houses[house].loop),
    };
    street->refreshers[house] = refresher_create(&options);
    assert_non_null(street->refreshers[house]);
}
