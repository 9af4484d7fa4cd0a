/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is counted of every request: by method, route and status.
 *
 * A series is registered when its first request comes (all combinations would be hundreds, mostly
 * zero), but for those that alerts look for, and found by index afterwards, without a lock.
 *
 * Threads: any, except create and destroy.
 */
#ifndef API_REQUEST_METRICS_H
#define API_REQUEST_METRICS_H

#include "base/attrs.h"
#include "base/metrics.h"
#include "http/server.h"

struct request_metrics;

struct request_metrics *request_metrics_create(struct metrics *metrics) NODISCARD;

/* Accepts NULL. */
void request_metrics_destroy(struct request_metrics *request_metrics);

void request_metrics_count(struct request_metrics *request_metrics,
                           const struct http_summary *summary);

#endif
