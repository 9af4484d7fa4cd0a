/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The policy of retrying, as pure functions: what a try's end means, whether it is worth another,
 * and after how long.
 *
 * Threads: any.
 */
#ifndef OPENCOST_FETCH_VERDICT_H
#define OPENCOST_FETCH_VERDICT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attrs.h"
#include "base/error.h"

enum { EXCERPT_MAX = 192 };

/* Why a try failed, as the metrics count it. */
enum failure_reason {
    FAILURE_TIMEOUT,
    FAILURE_CONNECT,
    FAILURE_TLS,
    FAILURE_HTTP_4XX,
    FAILURE_HTTP_5XX,
    FAILURE_DECODE,
    FAILURE_TOO_LARGE,
    FAILURE_OTHER, /* odd statuses, redirects, want of memory */
    FAILURE_REASONS
};

struct retry_policy {
    int tries;
    int64_t wait_ms;     /* after the first try; doubled after each further one */
    int64_t wait_max_ms; /* of any wait */
};

/* The beginning of what OpenCost said for itself: the `message` of its JSON, else the text. */
void excerpt_of(const void *bytes, size_t length, char excerpt[EXCERPT_MAX]);

/* Fills *reterr for any status but 200; `excerpt` may be empty. True for 200. */
bool status_verdict(int http_status, const char *excerpt, struct error *reterr) NODISCARD;

bool is_worth_retrying(const struct error *error) NODISCARD;

/* How long to wait after try number `attempt` (from 1). `retry_after_ms` is -1 when OpenCost named
 * none; it counts for 429 and 503 only. */
int64_t retry_wait_ms(const struct retry_policy *policy, int attempt, const struct error *error,
                      int64_t retry_after_ms) NODISCARD;

enum failure_reason failure_reason_of(const struct error *error) NODISCARD;

#endif
