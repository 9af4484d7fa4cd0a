/* SPDX-License-Identifier: Apache-2.0 */
/* The only place that turns an error into an HTTP status. */
#include <stdio.h>

#include "call.h"

/* What a client is told of an error toward OpenCost; the log has the rest. NULL: it is no such
 * error. */
static const char *origin_reason(const struct error *error, char *space, size_t size)
{
    switch (error->code) {
    case ERR_UPSTREAM_CONNECT:
        return "connection failed";
    case ERR_UPSTREAM_TLS:
        return "TLS handshake failed";
    case ERR_UPSTREAM_TIMEOUT:
        return "timed out";
    case ERR_UPSTREAM_STATUS:
    case ERR_UPSTREAM_REFUSED:
        (void)snprintf(space, size, "HTTP %d", error->http_status);
        return space;
    case ERR_UPSTREAM_BODY:
        return "invalid response";
    case ERR_UPSTREAM_TOO_LARGE:
        return "response too large";
    case ERR_UPSTREAM_UNAVAILABLE:
        return "temporarily unavailable";
    case ERR_DEADLINE:
        return "no answer in time";
    case ERR_BUSY:
        return "too many requests are waiting";
    case ERR_SHUTDOWN:
        return "server is shutting down";
    default:
        return NULL;
    }
}

/* RFC 6750, 3.1: what was wrong is said to those who sent a token. */
void call_reply_unauthorized(const struct call *call, enum auth_verdict verdict)
{
    const char *challenge = verdict == AUTH_WRONG_TOKEN
                                ? "Bearer realm=\"kubecent\", error=\"invalid_token\""
                                : "Bearer realm=\"kubecent\"";
    call_reply_failure(call, &(struct failure){.status = 401,
                                               .detail = "Unauthorized",
                                               .headers = {{"WWW-Authenticate", challenge}}});
}

/* A failed key rests for a second and a background retry comes within ten: no use in asking more
 * often than this. */
static const char retry_after_s[] = "5";

void call_reply_too_many(const struct call *call)
{
    char limit[16];
    (void)snprintf(limit, sizeof(limit), "%u", call->api->options.max_waiting_per_peer);
    call_reply_failure(call, &(struct failure){.status = 429,
                                               .detail = "Too many requests are waiting",
                                               .headers = {{"Retry-After", retry_after_s},
                                                           {"X-RateLimit-Limit", limit},
                                                           {"X-RateLimit-Remaining", "0"}}});
}

void call_reply_error(const struct call *call, const struct error *error)
{
    char space[32];
    char detail[160];
    if (error->code == ERR_UPSTREAM_REJECTED) {
        call_reply_detail(call, 400, "OpenCost rejected the query");
        return;
    }
    const char *reason = origin_reason(error, space, sizeof(space));
    if (reason == NULL) {
        call_reply_detail(call, 500, "Internal Server Error");
        return;
    }
    (void)snprintf(detail, sizeof(detail), "Failed to fetch cost data from OpenCost: %s", reason);
    call_reply_failure(call, &(struct failure){.status = 503,
                                               .detail = detail,
                                               .headers = {{"Retry-After", retry_after_s}}});
}
