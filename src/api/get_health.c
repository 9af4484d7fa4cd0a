/* SPDX-License-Identifier: Apache-2.0 */
/* GET /api/v1/health: what is known of OpenCost, never asked while the client waits. */
#include <stdlib.h>

#include "call.h"

/* Before anything is known the answer waits for the first verdict, this long at most. */
enum { FIRST_VERDICT_LIMIT_MS = 1000 };

struct health_reply {
    struct origin_health_waiter waiter;
    struct call call;
};

static void reply_state(const struct call *call)
{
    static const char healthy[] =
        "{\"status\":\"healthy\",\"opencost\":\"connected\",\"service\":\"kubecent-backend\"}";
    static const char degraded[] =
        "{\"status\":\"degraded\",\"opencost\":\"disconnected\",\"service\":\"kubecent-backend\"}";
    bool connected = origin_health_state(call->api->options.health) == ORIGIN_CONNECTED;
    call_reply_json(call, 200, text_of(connected ? healthy : degraded));
}

/* Loop thread. */
static void verdict_known(struct origin_health_waiter *waiter)
{
    http_exchange_resume(CONTAINER_OF(waiter, struct health_reply, waiter)->call.exchange);
}

static void resumed(void *context, struct http_exchange *exchange)
{
    const struct health_reply *reply = context;
    (void)exchange;
    reply_state(&reply->call);
}

void get_health(struct call *call)
{
    struct origin_health *health = call->api->options.health;
    struct health_reply *reply = NULL;
    if (origin_health_state(health) == ORIGIN_UNKNOWN)
        reply = calloc(1, sizeof(*reply));
    if (reply == NULL) {
        reply_state(call);
        return;
    }
    reply->call = *call;
    reply->waiter.done = verdict_known;
    http_exchange_set_state(call->exchange, reply, free);
    http_exchange_park(call->exchange, resumed, reply);
    if (!origin_health_wait(health, &reply->waiter, FIRST_VERDICT_LIMIT_MS))
        http_exchange_resume(call->exchange);
}
