/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Views of cost sets as the JSON the API answers with (shapes and key order: docs/API_QUICKREF.md).
 *
 * All functions append one complete JSON object to `out`; failure is the buffer's (strbuf_failed).
 * Money is plain decimal with one to nine decimals, quotients are rounded half-even to nine.
 *
 * Threads: any; pure functions.
 */
#ifndef COST_REPORT_H
#define COST_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/strbuf.h"
#include "base/text.h"
#include "cost/cost_set.h"

/* GET /api/v1/cost/namespaces. `window` is echoed as the caller spelled it; `detail` adds the
 * further parts and the efficiencies to each row. */
void report_namespaces(const struct cost_set *set, struct text window, bool detail,
                       struct strbuf *out);

/* GET /api/v1/cost/pods. `filter` NULL means all namespaces; else only rows of that namespace, and
 * the name is echoed. */
void report_pods(const struct cost_set *set, struct text window, const struct text *filter,
                 bool detail, struct strbuf *out);

/* GET /api/v1/cost/monthly with months=1: the set of `window=30d`, labelled with the current UTC
 * month. */
void report_last_30_days(const struct cost_set *set, int64_t now_s, struct strbuf *out);

/* One calendar month of the trend. */
struct report_month {
    const struct cost_set *set;
    int64_t start_s; /* Unix seconds, the 1st at 00:00Z */
    int64_t end_s;   /* the 1st of the next month; of the current one anything after `now_s` */
};

/* GET /api/v1/cost/monthly with months=2..12, oldest first. Months without any row are left out. A
 * month is partial when it is not over at `now_s` or OpenCost's data begin after its start. Daily
 * average over the days elapsed, the current one included. `asked` is the number in "period". */
void report_months(const struct report_month *months, size_t count, int asked, int64_t now_s,
                   struct strbuf *out);

/* GET /api/v1/savings/recommendations: from the set of `window=7d`. `limit` 1 to 50. */
void report_recommendations(const struct cost_set *set, int limit, struct strbuf *out);

#endif
