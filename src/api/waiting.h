/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How many requests of each client wait, so that one client cannot take all places.
 *
 * Threads: any; each call takes one short lock.
 */
#ifndef API_WAITING_H
#define API_WAITING_H

#include <stdbool.h>

#include "base/attrs.h"
#include "http/exchange.h"

struct waiting;

/* `limit` 0: none. NULL only when out of memory. */
struct waiting *waiting_create(unsigned limit) NODISCARD;

/* Accepts NULL. Nobody may be waiting. */
void waiting_destroy(struct waiting *waiting);

/* One more request of `peer`'s waits. False, and nothing is counted, when as many as may do
 * already, or no memory is left to count in. */
bool waiting_enter(struct waiting *waiting, const struct http_peer *peer) NODISCARD;

/* Once for each request that entered. */
void waiting_leave(struct waiting *waiting, const struct http_peer *peer);

#endif
