/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Asks the Sentinels where the master is: one after the other, beginning with the one that knew it
 * last.
 *
 * Threads: the loop thread only.
 */
#ifndef REDIS_LOCATOR_H
#define REDIS_LOCATOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "connection.h"
#include "redis/redis_tier.h"

struct locator;

struct locator_options {
    struct connection_options connection; /* without address, callbacks and context */
    const struct redis_endpoint *sentinels;
    size_t sentinel_count;
    const char *master;
    void *context;
    /* One of them, once for each locator_ask(), not from inside it. */
    void (*found)(void *context, const char *host, uint16_t port);
    void (*failed)(void *context, const struct fault *fault); /* of the Sentinel asked last */
};

/* Everything is borrowed. NULL only when out of memory. */
struct locator *locator_create(const struct locator_options *options) NODISCARD;

/* False when out of memory. Not while one is under way. */
bool locator_ask(struct locator *locator) NODISCARD;

/* Neither of the callbacks comes any more for what was asked. */
void locator_cancel(struct locator *locator);

/* Accepts NULL. */
void locator_destroy(struct locator *locator);

#endif
