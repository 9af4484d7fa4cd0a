/* SPDX-License-Identifier: Apache-2.0 */
#include "call.h"

#define METRICS_LIMIT_BYTES ((size_t)8 << 20)

void get_metrics(struct call *call)
{
    struct strbuf text;
    strbuf_init(&text, METRICS_LIMIT_BYTES);
    metrics_render(call->api->options.metrics, &text);
    if (strbuf_failed(&text))
        call_reply_detail(call, 500, "Internal Server Error");
    else
        call_reply(call, 200, "text/plain; version=0.0.4; charset=utf-8",
                   (struct text){strbuf_text(&text), text.length}, NULL, NULL);
    strbuf_finish(&text);
}
