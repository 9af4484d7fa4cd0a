/* SPDX-License-Identifier: Apache-2.0 */
#include "call.h"

enum { MONTHS }; /* the order of the route's parameters */

void get_monthly(struct call *call)
{
    const struct cost_query query = {.kind = COST_VIEW_MONTHLY,
                                     .months = (int)call->params[MONTHS].integer};
    call_reply_cost(call, &query);
}
