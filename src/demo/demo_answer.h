/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What OpenCost would answer to an allocation query: status, type and body, without any HTTP.
 *
 * Threads: any; no shared state.
 */
#ifndef DEMO_ANSWER_H
#define DEMO_ANSWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attrs.h"
#include "base/error.h"

/* Query parameters as decoded text; NULL when absent. Others are ignored, as OpenCost does. */
struct demo_query {
    const char *window;
    const char *aggregate;
    const char *accumulate;
    const char *include_idle;
};

struct demo_answer {
    unsigned status;
    const char *content_type; /* a constant */
    char *body;               /* for free() */
    size_t length;
};

/* `now_s`: Unix time; only its day counts. A query that OpenCost refuses is an answer too; false
 * only for want of memory, with *ret_answer untouched. */
bool demo_answer_allocation(const struct demo_query *query, int64_t now_s,
                            struct demo_answer *ret_answer, struct error *reterr) NODISCARD;

#endif
