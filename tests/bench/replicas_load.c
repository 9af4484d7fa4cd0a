/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What replicas ask of OpenCost in an hour, with and without a tier that they share.
 *
 * The service itself, as many times as there are replicas, on a clock that is moved by hand;
 * OpenCost, the tier and the clients are scripted. A simulation, then, of the traffic and not of
 * the decisions. Settings are the defaults; OpenCost takes two seconds for a query, the tier two
 * milliseconds.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "unit/service/street.h"

enum {
    HOUR_MS = 3600 * 1000,
    STEP_MS = 100,
    OPENCOST_MS = 2000,
    TIER_MS = 2,
    INTERVAL_MS = 240 * 1000,
    WINDOWS = 20,               /* that people look at, besides those kept warm */
    ASKED_EVERY_MS = 10 * 1000, /* each of them, at any replica */
    OPEN_MAX = 16,
    ASKERS_MAX = 512,
};

/* Questions to one replica's OpenCost: which are open, and until when. */
struct questions {
    size_t seen;
    size_t count;
    struct {
        size_t number;
        int64_t due_ms;
    } open[OPEN_MAX];
};

struct simulation {
    struct street street;
    struct questions questions[STREET_MAX];
    struct asker *askers[ASKERS_MAX];
    size_t asker_count;
    int64_t now_ms;
    size_t at_once; /* questions of all replicas, at most */
    unsigned seed;
};

static void give_up(const char *what)
{
    (void)fprintf(stderr, "replicas_load: %s\n", what);
    abort();
}

static void note_new_questions(struct simulation *simulation, size_t house)
{
    const struct scripted_origin *origin = simulation->street.houses[house].origin;
    struct questions *questions = &simulation->questions[house];
    while (questions->seen < scripted_origin_asked(origin)) {
        if (questions->count == OPEN_MAX)
            give_up("too many questions at once");
        questions->open[questions->count].number = questions->seen++;
        questions->open[questions->count++].due_ms = simulation->now_ms + OPENCOST_MS;
    }
}

static void answer_due_questions(struct simulation *simulation, size_t house)
{
    struct questions *questions = &simulation->questions[house];
    while (questions->count > 0 && questions->open[0].due_ms <= simulation->now_ms) {
        size_t number = questions->open[0].number;
        questions->count--;
        for (size_t i = 0; i < questions->count; i++)
            questions->open[i] = questions->open[i + 1];
        house_answer(&simulation->street.houses[house], number, one_pod_costing("1.5"));
        note_new_questions(simulation, house);
    }
}

static void be_opencost(struct simulation *simulation)
{
    size_t open = 0;
    for (size_t house = 0; house < simulation->street.count; house++) {
        note_new_questions(simulation, house);
        answer_due_questions(simulation, house);
        open += simulation->questions[house].count;
    }
    simulation->at_once = open > simulation->at_once ? open : simulation->at_once;
}

static void release_answered(struct simulation *simulation)
{
    size_t kept = 0;
    for (size_t i = 0; i < simulation->asker_count; i++) {
        struct asker *asker = simulation->askers[i];
        if (asker->done == 0) {
            simulation->askers[kept++] = asker;
            continue;
        }
        asker_release(asker);
        free(asker);
    }
    simulation->asker_count = kept;
}

/* As the HTTP side does: what is in the cache is served, for the rest there is a request. */
static void ask(struct simulation *simulation, size_t house, const char *window)
{
    struct cost_query query = house_query(COST_VIEW_NAMESPACES, window);
    struct cost_answer answer;
    if (cost_service_lookup(simulation->street.houses[house].service, &query, &answer)) {
        http_content_release(answer.content);
        return;
    }
    struct asker *asker = calloc(1, sizeof(*asker));
    if (asker == NULL || simulation->asker_count == ASKERS_MAX)
        give_up("too many clients");
    simulation->askers[simulation->asker_count++] = asker;
    house_ask(&simulation->street.houses[house], &query, asker);
}

static void be_clients(struct simulation *simulation)
{
    char window[16];
    for (int i = 0; i < WINDOWS; i++) {
        if (rand_r(&simulation->seed) % (ASKED_EVERY_MS / STEP_MS) != 0)
            continue;
        (void)snprintf(window, sizeof(window), "%dh", i + 2);
        ask(simulation, (size_t)rand_r(&simulation->seed) % simulation->street.count, window);
    }
    release_answered(simulation);
}

static void start_refresher(struct street *street, size_t house)
{
    struct window windows[2];
    if (!window_parse(TEXT("7d"), &windows[0]) || !window_parse(TEXT("30d"), &windows[1]))
        give_up("no window");
    const struct refresher_options options = {
        .windows = windows,
        .window_count = ARRAY_LENGTH(windows),
        .interval_ms = INTERVAL_MS,
        .ttl_ms = HOUSE_TTL_MS,
        .cleanup_interval_ms = HOUSE_TTL_MS,
        .service = street->houses[house].service,
        .scheduler = fake_loop_scheduler(street->houses[house].loop),
        .time = fake_loop_time(street->houses[house].loop),
    };
    street->refreshers[house] = refresher_create(&options);
    if (street->refreshers[house] == NULL)
        give_up("out of memory");
    refresher_start(street->refreshers[house]);
}

static void live(struct simulation *simulation, int64_t duration_ms)
{
    for (int64_t passed_ms = 0; passed_ms < duration_ms; passed_ms += STEP_MS) {
        be_clients(simulation);
        be_opencost(simulation);
        street_advance(&simulation->street, STEP_MS);
        simulation->now_ms += STEP_MS;
    }
}

/* Questions in an hour, and how many were open at once at most; after replicas have come up one by
 * one. */
static size_t run(size_t replicas, bool without_tier, size_t *ret_at_once)
{
    struct simulation *simulation = calloc(1, sizeof(*simulation));
    if (simulation == NULL)
        give_up("out of memory");
    simulation->seed = 1;
    street_build(&simulation->street, &(struct street_options){.count = replicas,
                                                               .without_tier = without_tier,
                                                               .latency_ms = TIER_MS,
                                                               .slots = 2});
    for (size_t i = 0; i < replicas; i++) {
        start_refresher(&simulation->street, i);
        live(simulation, 7 * 1000);
    }
    live(simulation, INTERVAL_MS);
    size_t before = street_asked(&simulation->street);
    simulation->at_once = 0;
    live(simulation, HOUR_MS);
    size_t count = street_asked(&simulation->street) - before;
    *ret_at_once = simulation->at_once;
    street_tear_down(&simulation->street);
    release_answered(simulation);
    free(simulation);
    return count;
}

int main(void)
{
    static const size_t replicas[] = {1, 2, 3, 5, 10, 20, 50};
    (void)puts(
        "| Replicas | Queries an hour | at once, at most | with the tier | at once, at most |");
    (void)puts("|---|---|---|---|---|");
    for (size_t i = 0; i < ARRAY_LENGTH(replicas); i++) {
        size_t alone_at_once = 0;
        size_t shared_at_once = 0;
        size_t alone = run(replicas[i], true, &alone_at_once);
        size_t shared = run(replicas[i], false, &shared_at_once);
        (void)printf("| %zu | %zu | %zu | %zu | %zu |\n", replicas[i], alone, alone_at_once, shared,
                     shared_at_once);
        (void)fflush(stdout);
    }
    return 0;
}
