/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A cost query made to last: owns its texts, knows its cache key, shared by the request, the flight
 * and the cached view.
 *
 * Threads: immutable once made, and counted; any thread.
 */
#ifndef SERVICE_VIEW_SPEC_H
#define SERVICE_VIEW_SPEC_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attrs.h"
#include "base/shared.h"
#include "service/cost_service.h"

enum { VIEW_KEY_MAX = 512, DATASET_KEY_MAX = 96 };

/* Tells the keys of datasets from those of views. */
#define DATASET_KEY_PREFIX "opencost:allocation:"

struct view_spec {
    struct shared shared;
    struct cost_query query; /* its texts point into this block */
    bool cacheable; /* false: the key is this query's own, its view is not worth remembering */
    char key[VIEW_KEY_MAX]; /* NUL-terminated */
    char texts[];
};

/* Writes the key that equal queries share: the one the service we port logged
 * (`cost:namespaces:7d:idle=False`), and for what that service did not know a suffix. False when
 * the query has none: its namespace filter is longer than any name in Kubernetes, or would read
 * like the absence of a filter. */
bool view_key_format(const struct cost_query *query, char key[VIEW_KEY_MAX]) NODISCARD;

/* The key of a dataset of OpenCost's: one per canonical window and idle. */
void dataset_key_format(const char *canonical_window, bool include_idle, char key[DATASET_KEY_MAX]);

/* New, with one reference; NULL only when out of memory. `serial` makes the key of a query without
 * one. */
struct view_spec *view_spec_create(const struct cost_query *query,
                                   unsigned long long serial) NODISCARD;

struct view_spec *view_spec_hold(struct view_spec *spec);

/* Accepts NULL. */
void view_spec_release(struct view_spec *spec);

#endif
