/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Several replicas: houses that share a tier, each with a loop, an OpenCost and a clock of its own,
 * whose times move together.
 */
#ifndef TESTS_SERVICE_STREET_H
#define TESTS_SERVICE_STREET_H

#include "house.h"
#include "support/scripted_tier.h"

enum {
    STREET_MAX = 50,
    STREET_UPTIME_STEP_MS = 12345, /* each house has been up that much longer than the one before */
};

struct street {
    struct fake_loop *tier_loop;
    struct scripted_tier *tier;
    size_t count;
    struct house houses[STREET_MAX];
    struct refresher *refreshers[STREET_MAX]; /* NULL: none */
};

struct street_options {
    size_t count;
    bool without_tier;
    int64_t latency_ms; /* of the tier */
    int64_t stale_ms;
    int64_t revalidate_ms;
    int slots;      /* queries to OpenCost at once, of each house; 0: HOUSE_SLOTS */
    int64_t skew_s; /* each house's wall clock is ahead of the one before */
};

void street_build(struct street *street, const struct street_options *options);
void street_tear_down(struct street *street);

/* Lets everything happen that is due everywhere. */
void street_run(struct street *street);

/* Moves everybody's time, running what becomes due in its order. */
void street_advance(struct street *street, int64_t ms);

/* Asks at one house, as house_ask() does. */
void street_ask(struct street *street, size_t house, const struct cost_query *query,
                struct asker *asker);

/* Questions to OpenCost so far, of all houses. */
size_t street_asked(const struct street *street);

/* Whose question to OpenCost is open, and its number there; false when there is none. */
bool street_find_question(const struct street *street, size_t *ret_house, size_t *ret_number);

/* Answers one of those; false when there is none. */
bool street_answer(struct street *street, const char *body);

/* A refresher a house, for 7d. */
void street_add_refresher(struct street *street, size_t house, int64_t interval_ms);

#endif
