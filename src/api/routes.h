/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The route table: the contents page of the server. Routing, parameter checks, `Allow`, the OpenAPI
 * document and the route labels of the metrics are all made from it.
 *
 * Threads: constant data.
 */
#ifndef API_ROUTES_H
#define API_ROUTES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attrs.h"
#include "base/text.h"
#include "params.h"

struct call;

enum route_group {
    ROUTE_GROUP_COST,    /* cost data */
    ROUTE_GROUP_STATUS,  /* health for people and dashboards */
    ROUTE_GROUP_MACHINE, /* probes and metrics: logged at debug only, never cached */
    ROUTE_GROUP_DOCS,    /* 404 when documentation is off */
};

struct route {
    const char *path;
    void (*get)(struct call *call); /* answers or parks */
    enum route_group group;
    const struct param_spec *params; /* in the order in which faults are reported */
    size_t param_count;
    const char
        *operation_id; /* as the service we port named it; NULL: not in the OpenAPI document */
    const char *summary;
    const char *description;
};

const struct route *routes_all(size_t *ret_count);

/* True for all but what machines ask that have no token to send: probes, and unless `metrics_auth`
 * says otherwise /metrics. */
bool route_needs_token(const struct route *route, bool metrics_auth) NODISCARD;

/* NULL when no route has this path. */
const struct route *routes_find(struct text path) NODISCARD;

/* `path` is a route but for a slash at its end: that route. NULL otherwise. */
const struct route *routes_find_other_slash(struct text path) NODISCARD;

#endif
