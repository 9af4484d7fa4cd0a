/* SPDX-License-Identifier: Apache-2.0 */
/* What the end of a request means. */
#include <string.h>

#include "base/parse.h"
#include "curl_request.h"
#include "net/curl_code.h"

enum { STATUS_FIRST_FINAL = 200, STATUS_OK = 200, MS_PER_S = 1000 };

/* Beyond a day nobody waits, and the milliseconds stay far from overflowing. */
static const int64_t retry_after_max_s = 86400;

static enum error_code code_of(CURLcode code)
{
    switch (code) {
    case CURLE_OPERATION_TIMEDOUT:
        return ERR_UPSTREAM_TIMEOUT;
    case CURLE_FILESIZE_EXCEEDED:
        return ERR_UPSTREAM_TOO_LARGE;
    case CURLE_OUT_OF_MEMORY:
        return ERR_NO_MEMORY;
    case CURLE_BAD_CONTENT_ENCODING:
    case CURLE_WRITE_ERROR: /* the receiver of the body had enough of it */
        return ERR_UPSTREAM_BODY;
    default:
        /* Look-up, connection, reset, short body, empty reply, something that is not HTTP: all
         * of them say that no answer came over this connection. */
        return curl_code_is_tls(code) ? ERR_UPSTREAM_TLS : ERR_UPSTREAM_CONNECT;
    }
}

/* libcurl takes no header line of more than 100 KiB, and keeps no more than 64 MiB of a paused
 * body; it reports either as want of memory. Once the peer has spoken, the peer is the likelier
 * reason. */
static bool is_too_much_to_hold(CURL *easy, CURLcode code)
{
    curl_off_t first_byte_us = 0;
    curl_easy_getinfo(easy, CURLINFO_STARTTRANSFER_TIME_T, &first_byte_us);
    return code == CURLE_OUT_OF_MEMORY && first_byte_us > 0;
}

static void tell_too_much_to_hold(const struct transfer *transfer, struct error *reterr)
{
    if (transfer->body_bytes > 0)
        error_set(reterr, ERR_UPSTREAM_TOO_LARGE,
                  "the body unpacks to more than can be held, after %llu bytes",
                  (unsigned long long)transfer->body_bytes);
    else
        error_set(reterr, ERR_UPSTREAM_BODY, "the answer has a header that is too large");
}

/* Of a body that its receiver refuses the receiver knows why; else it is the unpacking that failed.
 */
static const char *words_of(const struct transfer *transfer, CURLcode code)
{
    if (code == CURLE_WRITE_ERROR)
        return "the body's content coding is damaged";
    return transfer->error_text[0] != '\0' ? transfer->error_text : curl_easy_strerror(code);
}

static int64_t retry_after_ms(CURL *easy)
{
    struct curl_header *header = NULL;
    if (curl_easy_header(easy, "Retry-After", 0, CURLH_HEADER, -1, &header) != CURLHE_OK)
        return -1;
    int64_t seconds = 0;
    if (parse_digits(header->value, strlen(header->value), retry_after_max_s, &seconds))
        return seconds * MS_PER_S;
    /* A date, or seconds beyond the bound: libcurl does the sum with the clock. For what is neither
     * it says 0, which must not read as "at once". */
    curl_off_t left_s = 0;
    curl_easy_getinfo(easy, CURLINFO_RETRY_AFTER, &left_s);
    if (left_s > 0)
        return (int64_t)(left_s < retry_after_max_s ? left_s : retry_after_max_s) * MS_PER_S;
    return curl_getdate(header->value, NULL) != -1 ? 0 : -1;
}

void curl_request_outcome(const struct transfer *transfer, CURLcode code,
                          struct transfer_outcome *ret_outcome)
{
    long status = 0;
    curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
    *ret_outcome = (struct transfer_outcome){.retry_after_ms = -1};
    if (status >= STATUS_FIRST_FINAL) {
        ret_outcome->http_status = (int)status;
        ret_outcome->retry_after_ms = retry_after_ms(transfer->easy);
    }
    /* A status other than 200 is the answer, however its body ended. */
    if (code == CURLE_OK || (status >= STATUS_FIRST_FINAL && status != STATUS_OK))
        return;
    if (transfer->is_too_large || code == CURLE_FILESIZE_EXCEEDED)
        error_set(&ret_outcome->error, ERR_UPSTREAM_TOO_LARGE,
                  "the body exceeds %llu bytes (OPENCOST_MAX_BODY_MB)",
                  (unsigned long long)transfer->request.max_body_bytes);
    else if (is_too_much_to_hold(transfer->easy, code))
        tell_too_much_to_hold(transfer, &ret_outcome->error);
    else
        error_set(&ret_outcome->error, code_of(code), "%s", words_of(transfer, code));
}
