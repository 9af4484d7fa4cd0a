/* SPDX-License-Identifier: Apache-2.0 */
#include "call.h"

enum { NAMESPACE, WINDOW, IDLE, DETAIL }; /* the order of the route's parameters */

void get_pods(struct call *call)
{
    const struct param_value *filter = &call->params[NAMESPACE];
    const struct cost_query query = {
        .kind = COST_VIEW_PODS,
        .window = call->params[WINDOW].window,
        .window_text = call->params[WINDOW].text,
        .include_idle = call->params[IDLE].boolean,
        .detail = call->params[DETAIL].boolean,
        .has_namespace = filter->text.length > 0,
        .namespace_name = filter->text,
    };
    call_reply_cost(call, &query);
}
