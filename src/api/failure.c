/* SPDX-License-Identifier: Apache-2.0 */
/* What failed, told in one of two forms: ours, {"detail":...}, or problem details (RFC 9457). */
#include "base/attrs.h"
#include "call.h"
#include "http/negotiate.h"

enum { BODY_LIMIT_BYTES = 256 * 1024, SMALL_BODY_BYTES = 768, ACCEPT_LIMIT_BYTES = 8 * 1024 };

static const char ours[] = "application/json";
static const char problem_details[] = "application/problem+json";

static const char *title_of(int status)
{
    static const struct {
        int status;
        const char *title;
    } titles[] = {
        {400, "Bad Request"},         {401, "Unauthorized"},          {404, "Not Found"},
        {405, "Method Not Allowed"},  {422, "Unprocessable Content"}, {429, "Too Many Requests"},
        {503, "Service Unavailable"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(titles); i++) {
        if (titles[i].status == status)
            return titles[i].title;
    }
    return "Internal Server Error";
}

/* As clients that take either name both, ours wins only where it is wanted more. */
static bool wants_problem_details(const struct call *call)
{
    if (http_exchange_header(call->exchange, "Accept") == NULL)
        return false;
    struct strbuf accept CLEANUP(strbuf_finish);
    strbuf_init(&accept, ACCEPT_LIMIT_BYTES);
    http_exchange_append_headers(call->exchange, "Accept", &accept);
    return !strbuf_failed(&accept) &&
           http_prefers_type(strbuf_text(&accept), problem_details, ours);
}

/* The instance is the request itself, told from others by its id, which the log has. */
static void write_problem(struct strbuf *body, const struct call *call,
                          const struct failure *failure)
{
    strbuf_append_format(body,
                         "{\"type\":\"about:blank\",\"title\":\"%s\",\"status\":%d,"
                         "\"detail\":\"%s\",\"instance\":\"#%s\"",
                         title_of(failure->status), failure->status, failure->detail,
                         call->request->request_id);
    if (failure->faults.length > 0) {
        strbuf_append_text(body, ",\"errors\":");
        strbuf_append(body, failure->faults.data, failure->faults.length);
    }
    strbuf_append_char(body, '}');
}

static void write_ours(struct strbuf *body, const struct failure *failure)
{
    strbuf_append_text(body, "{\"detail\":");
    if (failure->faults.length > 0)
        strbuf_append(body, failure->faults.data, failure->faults.length);
    else
        strbuf_append_format(body, "\"%s\"", failure->detail);
    strbuf_append_char(body, '}');
}

static void send_failure(const struct call *call, const struct failure *failure, const char *type,
                         struct text body)
{
    struct http_headers headers;
    headers.count = 0;
    headers.used = 0;
    headers.overflow = false;
    call_add_common_headers(call, VARIES_BY_ACCEPT, &headers);
    http_headers_add(&headers, "Cache-Control", "no-store");
    for (size_t i = 0; i < ARRAY_LENGTH(failure->headers) && failure->headers[i].name != NULL; i++)
        http_headers_add(&headers, failure->headers[i].name, failure->headers[i].value);
    http_reply(call->exchange, failure->status, type, body, &headers);
}

static void write_and_send(const struct call *call, const struct failure *failure,
                           struct strbuf *body)
{
    bool as_problem = wants_problem_details(call);
    if (as_problem)
        write_problem(body, call, failure);
    else
        write_ours(body, failure);
    if (strbuf_failed(body))
        call_reply_detail(call, 500, "Internal Server Error");
    else
        send_failure(call, failure, as_problem ? problem_details : ours,
                     (struct text){strbuf_text(body), body->length});
}

/* Only a list of faults needs memory. */
void call_reply_failure(const struct call *call, const struct failure *failure)
{
    char space[SMALL_BODY_BYTES];
    struct strbuf body;
    if (failure->faults.length == 0) {
        strbuf_init_fixed(&body, space, sizeof(space));
        write_and_send(call, failure, &body);
        return;
    }
    strbuf_init(&body, BODY_LIMIT_BYTES);
    write_and_send(call, failure, &body);
    strbuf_finish(&body);
}

void call_reply_detail(const struct call *call, int status, const char *detail)
{
    call_reply_failure(call, &(struct failure){.status = status, .detail = detail});
}
