/* SPDX-License-Identifier: Apache-2.0 */
#include "fetch_verdict.h"

#include <string.h>

enum {
    STATUS_OK = 200,
    STATUS_BAD_REQUEST = 400,
    STATUS_REQUEST_TIMEOUT = 408,
    STATUS_TOO_MANY_REQUESTS = 429,
    STATUS_SERVICE_UNAVAILABLE = 503
};

void excerpt_of(const void *bytes, size_t length, char excerpt[EXCERPT_MAX])
{
    static const char key[] = "\"message\":\"";
    const char *text = bytes;
    const char *message = memmem(text, length, key, sizeof(key) - 1);
    if (message != NULL) {
        message += sizeof(key) - 1;
        length -= (size_t)(message - text);
        text = message;
    }
    size_t kept = length < EXCERPT_MAX - 1 ? length : EXCERPT_MAX - 1;
    memcpy(excerpt, text, kept);
    excerpt[kept] = '\0';
}

static enum error_code code_of_status(int http_status)
{
    if (http_status == STATUS_BAD_REQUEST)
        return ERR_UPSTREAM_REJECTED;
    if (http_status == STATUS_REQUEST_TIMEOUT || http_status == STATUS_TOO_MANY_REQUESTS)
        return ERR_UPSTREAM_STATUS;
    if (http_status >= 300 && http_status < 500)
        return ERR_UPSTREAM_REFUSED;
    /* 5xx; and the odd ones (204 from a proxy that is starting, 600), which are no answer to our
     * question either and may pass. */
    return ERR_UPSTREAM_STATUS;
}

bool status_verdict(int http_status, const char *excerpt, struct error *reterr)
{
    if (http_status == STATUS_OK)
        return true;
    error_set(reterr, code_of_status(http_status), "OpenCost answered %d%s%s", http_status,
              excerpt[0] != '\0' ? ": " : "", excerpt);
    if (reterr != NULL)
        reterr->http_status = http_status;
    return false;
}

bool is_worth_retrying(const struct error *error)
{
    switch (error->code) {
    case ERR_UPSTREAM_CONNECT:
    case ERR_UPSTREAM_TLS:
    case ERR_UPSTREAM_TIMEOUT:
    case ERR_UPSTREAM_STATUS:
    case ERR_UPSTREAM_BODY:
        return true;
    default:
        /* A body that is too large will be so again, and was dear to find out. */
        return false;
    }
}

static int64_t doubled_wait_ms(const struct retry_policy *policy, int attempt)
{
    int64_t wait_ms = policy->wait_ms;
    for (int i = 1; i < attempt && wait_ms < policy->wait_max_ms; i++)
        wait_ms *= 2; /* below the maximum before, so far from overflowing */
    return wait_ms;
}

int64_t retry_wait_ms(const struct retry_policy *policy, int attempt, const struct error *error,
                      int64_t retry_after_ms)
{
    bool may_name_wait = error->http_status == STATUS_TOO_MANY_REQUESTS ||
                         error->http_status == STATUS_SERVICE_UNAVAILABLE;
    int64_t wait_ms =
        may_name_wait && retry_after_ms >= 0 ? retry_after_ms : doubled_wait_ms(policy, attempt);
    return wait_ms < policy->wait_max_ms ? wait_ms : policy->wait_max_ms;
}

enum failure_reason failure_reason_of(const struct error *error)
{
    if (error->http_status >= 400 && error->http_status < 500)
        return FAILURE_HTTP_4XX;
    if (error->http_status >= 500 && error->http_status < 600)
        return FAILURE_HTTP_5XX;
    switch (error->code) {
    case ERR_UPSTREAM_TIMEOUT:
        return FAILURE_TIMEOUT;
    case ERR_UPSTREAM_CONNECT:
        return FAILURE_CONNECT;
    case ERR_UPSTREAM_TLS:
        return FAILURE_TLS;
    case ERR_UPSTREAM_BODY:
        return FAILURE_DECODE;
    case ERR_UPSTREAM_TOO_LARGE:
        return FAILURE_TOO_LARGE;
    default:
        return FAILURE_OTHER;
    }
}
