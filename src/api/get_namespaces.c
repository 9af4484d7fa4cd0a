/* SPDX-License-Identifier: Apache-2.0 */
#include "call.h"

enum { WINDOW, IDLE, DETAIL }; /* the order of the route's parameters */

void get_namespaces(struct call *call)
{
    const struct cost_query query = {
        .kind = COST_VIEW_NAMESPACES,
        .window = call->params[WINDOW].window,
        .window_text = call->params[WINDOW].text,
        .include_idle = call->params[IDLE].boolean,
        .detail = call->params[DETAIL].boolean,
    };
    call_reply_cost(call, &query);
}
