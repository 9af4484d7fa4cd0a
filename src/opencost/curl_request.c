/* SPDX-License-Identifier: Apache-2.0 */
#include "curl_request.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    STATUS_OK = 200,
    /* Of a rejected body nothing beyond this is waited for, at the price of the connection. */
    REJECTED_BODY_PATIENCE_BYTES = 64 * 1024,
    /* An eighth of the system calls that libcurl's own 16 KiB cost. Four times as much gained
     * nothing in CPU time (68 MB on loopback), and a paused transfer keeps a buffer full, which may
     * be far more once it is unpacked. */
    RECEIVE_BUFFER_BYTES = 128 * 1024
};

static size_t take_rejected(struct transfer *transfer, const char *bytes, size_t length)
{
    if (transfer->rejected_bytes < REJECTED_BODY_MAX) {
        size_t room = REJECTED_BODY_MAX - transfer->rejected_bytes;
        memcpy(transfer->rejected + transfer->rejected_bytes, bytes, length < room ? length : room);
    }
    transfer->rejected_bytes += length;
    return transfer->rejected_bytes > REJECTED_BODY_PATIENCE_BYTES ? 0 : length;
}

static size_t take_body(struct transfer *transfer, const char *bytes, size_t length)
{
    /* Checked before the addition, which therefore cannot overflow. */
    if (length > transfer->request.max_body_bytes - transfer->body_bytes) {
        transfer->is_too_large = true;
        return 0;
    }
    transfer->body_bytes += length;
    transfer->is_in_callback = true;
    bool goes_on = transfer->request.body(transfer->request.context, bytes, length);
    transfer->is_in_callback = false;
    return goes_on ? length : 0;
}

/* Any return other than `length` (or the order to pause) makes libcurl end the transfer. */
static size_t on_write(char *bytes, size_t size, size_t count, void *context)
{
    struct transfer *transfer = context;
    size_t length = size * count;
    long status = 0;
    curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
    if (status != STATUS_OK)
        return take_rejected(transfer, bytes, length);
    if (transfer->must_pause) {
        transfer->is_paused = true;
        return CURL_WRITEFUNC_PAUSE;
    }
    return take_body(transfer, bytes, length);
}

static bool append_header(struct curl_slist **list, const char *line)
{
    struct curl_slist *longer = curl_slist_append(*list, line);
    if (longer != NULL)
        *list = longer;
    return longer != NULL;
}

/* The line is wiped: it may hold a secret. */
static bool make_header(struct curl_slist **list, const char *name, const char *value)
{
    char *line = NULL;
    if (asprintf(&line, "%s%s", name, value) < 0)
        return false;
    bool is_made = append_header(list, line);
    explicit_bzero(line, strlen(line));
    free(line);
    return is_made;
}

static bool make_trace_headers(struct curl_slist **list, const struct trace_context *trace)
{
    return make_header(list, "traceparent: ", trace->traceparent) &&
           (trace->tracestate[0] == '\0' || make_header(list, "tracestate: ", trace->tracestate));
}

static bool make_headers(struct curl_slist **list, const struct transfer_request *request)
{
    return append_header(list, "Accept: application/json") &&
           (request->bearer_token == NULL ||
            make_header(list, "Authorization: Bearer ", request->bearer_token)) &&
           (request->trace == NULL || make_trace_headers(list, request->trace));
}

/* Each returns the first failure, which can only be want of memory: the options exist since
 * libcurl 7.85 at the latest. */

static CURLcode set_all(CURLcode first, CURLcode second)
{
    return first != CURLE_OK ? first : second;
}

static CURLcode set_limits(CURL *easy, const struct transfer_request *request)
{
    long timeout_ms = request->timeout_ms > 0 ? (long)request->timeout_ms : 1; /* 0 means none */
    long connect_ms = request->connect_timeout_ms > 0 ? (long)request->connect_timeout_ms : 1;
    CURLcode code = curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, timeout_ms);
    code = set_all(code, curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, connect_ms));
    code = set_all(code, curl_easy_setopt(easy, CURLOPT_MAXFILESIZE_LARGE,
                                          request->max_body_bytes > INT64_MAX
                                              ? (curl_off_t)INT64_MAX
                                              : (curl_off_t)request->max_body_bytes));
    code = set_all(code, curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, (long)RECEIVE_BUFFER_BYTES));
#if LIBCURL_VERSION_NUM >= 0x075700
    /* Without it, the end of a handle waits for its name look-up, and with it the whole loop. The
     * resolver's thread cleans up after itself. */
    code = set_all(code, curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L));
#endif
    return set_all(code, curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L));
}

static CURLcode set_protocol(CURL *easy, const struct curl_request_defaults *defaults)
{
    CURLcode code = curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    code = set_all(code, curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L));
    code = set_all(code, curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1));
    code = set_all(code, curl_easy_setopt(easy, CURLOPT_USERAGENT, defaults->user_agent));
    if (defaults->without_proxy)
        code = set_all(code, curl_easy_setopt(easy, CURLOPT_NOPROXY, "*"));
    code = set_all(code, curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2));
    if (defaults->ca_file != NULL)
        code = set_all(code, curl_easy_setopt(easy, CURLOPT_CAINFO, defaults->ca_file));
    if ((curl_version_info(CURLVERSION_NOW)->features & CURL_VERSION_LIBZ) != 0)
        code = set_all(code, curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "gzip"));
    return code;
}

static CURLcode set_callbacks(struct transfer *transfer)
{
    CURL *easy = transfer->easy;
    CURLcode code = curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_write);
    code = set_all(code, curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer));
    code = set_all(code, curl_easy_setopt(easy, CURLOPT_PRIVATE, transfer));
    code = set_all(code, curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer->error_text));
    code = set_all(code, curl_easy_setopt(easy, CURLOPT_HTTPHEADER, transfer->headers));
    return set_all(code, curl_easy_setopt(easy, CURLOPT_URL, transfer->url));
}

struct transfer *curl_request_create(const struct transfer_request *request,
                                     const struct curl_request_defaults *defaults,
                                     struct error *reterr)
{
    struct transfer *transfer = calloc(1, sizeof(*transfer));
    if (transfer == NULL) {
        error_no_memory(reterr);
        return NULL;
    }
    transfer->request = *request;
    transfer->request.url = NULL;
    transfer->request.bearer_token = NULL;
    transfer->request.trace = NULL;
    transfer->url = strdup(request->url);
    transfer->easy = curl_easy_init();
    if (transfer->url == NULL || transfer->easy == NULL ||
        !make_headers(&transfer->headers, request) ||
        set_limits(transfer->easy, request) != CURLE_OK ||
        set_protocol(transfer->easy, defaults) != CURLE_OK || set_callbacks(transfer) != CURLE_OK) {
        curl_request_destroy(transfer);
        error_no_memory(reterr);
        return NULL;
    }
    return transfer;
}

void curl_request_destroy(struct transfer *transfer)
{
    if (transfer == NULL)
        return;
    curl_easy_cleanup(transfer->easy);
    curl_slist_free_all(transfer->headers);
    free(transfer->url);
    free(transfer);
}
