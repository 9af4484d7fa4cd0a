/* SPDX-License-Identifier: Apache-2.0 */
#include "call.h"

enum { LIMIT }; /* the order of the route's parameters */

void get_recommendations(struct call *call)
{
    const struct cost_query query = {.kind = COST_VIEW_RECOMMENDATIONS,
                                     .limit = (int)call->params[LIMIT].integer};
    call_reply_cost(call, &query);
}
