/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Probes for Kubernetes: status codes for machines, `?verbose` lines for people.
 *
 * Alive: an HTTP thread answers, and the loop thread has turned lately. Ready: the first warm-up
 * was attempted and the server is not stopping. Neither depends on OpenCost: a restart would not
 * mend it, and being unready would hide what we still know.
 */
#include "call.h"

/* The loop shows a sign of life once a second. */
enum { LOOP_STALLED_MS = 30 * 1000 };

struct check {
    const char *name;
    bool ok;
};

static void reply_checks(const struct call *call, const struct check *checks, size_t count)
{
    struct strbuf body;
    strbuf_init(&body, 1024);
    bool ok = true;
    for (size_t i = 0; i < count; i++)
        ok = ok && checks[i].ok;
    bool verbose = http_request_param(call->request, "verbose") != NULL;
    for (size_t i = 0; verbose && i < count; i++)
        strbuf_append_format(&body, "[%c]%s %s\n", checks[i].ok ? '+' : '-', checks[i].name,
                             checks[i].ok ? "ok" : "failed");
    if (verbose)
        strbuf_append_format(&body, "%s check %s\n", call->route->path + 1,
                             ok ? "passed" : "failed");
    else
        strbuf_append_text(&body, ok ? "{\"status\":\"ok\"}" : "{\"status\":\"unavailable\"}");
    struct text text = {strbuf_text(&body), body.length};
    call_reply(call, ok ? 200 : 503, verbose ? "text/plain; charset=utf-8" : "application/json",
               text, NULL, NULL);
    strbuf_finish(&body);
}

void get_livez(struct call *call)
{
    const struct api_options *options = &call->api->options;
    const struct check checks[] = {
        {"http", true},
        {"refresh-loop", options->loop_age_ms(options->loop_context) < LOOP_STALLED_MS},
    };
    reply_checks(call, checks, ARRAY_LENGTH(checks));
}

void get_readyz(struct call *call)
{
    struct api *api = call->api;
    const struct check checks[] = {
        {"warm-up", refresher_is_warmed_up(api->options.refresher)},
        {"shutdown", !atomic_load_explicit(&api->stopping, memory_order_relaxed)},
    };
    reply_checks(call, checks, ARRAY_LENGTH(checks));
}
