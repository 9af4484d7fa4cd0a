/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every room, created with what it needs and nothing else: rooms.c alone sees the settings.
 *
 * Creation goes bottom-up, destruction top-down.
 *
 * Threads: main.
 */
#ifndef APP_ROOMS_H
#define APP_ROOMS_H

#include <stdbool.h>

#include "base/attrs.h"
#include "base/error.h"
#include "base/scheduler.h"
#include "base/time_source.h"
#include "config/config.h"

struct rooms {
    const struct config *config;
    const struct time_source *time;
    struct log *log;
    struct metrics *metrics;
    struct demo_opencost *demo;
    bool curl_ready;
    struct worker *worker;
    struct curl_transfers *transfers;
    struct opencost_client *client;
    struct curl_streams *streams; /* NULL, as the tier, unless replicas share a cache */
    struct redis_tier *tier;
    struct cache *cache;
    struct origin_health *health;
    struct cost_service *service;
    struct refresher *refresher;
    struct namespace_costs *namespace_costs; /* NULL unless costs are to be metrics */
    struct snapshot *snapshot;               /* NULL unless the cache is to survive restarts */
    struct api *api;
    struct http_server *server;
    struct loop_task start_task;
    struct metric *in_flight;
    struct metric *log_dropped;
};

/* Begins with `config` and `time` set and all else zero. Creates every room and starts the loop
 * thread; from then on requests are answered. False, with *reterr and whatever was created until
 * then: to be destroyed nevertheless. `demo`: with the embedded sample OpenCost. */
bool rooms_start(struct rooms *rooms, bool demo, struct error *reterr) NODISCARD;

/* Releases everybody who waits for the loop, aborts its transfers and joins its thread. May be
 * called again. */
void rooms_stop_loop(struct rooms *rooms);

/* Stops the loop if that has not been done. Accepts rooms of which only some are there. */
void rooms_destroy(struct rooms *rooms);

#endif
