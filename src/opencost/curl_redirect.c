/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Redirects are followed by hand, within the origin (scheme, host, port) of the URL asked for:
 * libcurl's own following would carry the bearer token along a chain that we cannot check.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "curl_request.h"

enum { REDIRECTS_MAX = 5, US_PER_MS = 1000 };

static void free_url(CURLU **url)
{
    curl_url_cleanup(*url);
}

static void free_text(char **text)
{
    curl_free(*text);
}

static bool is_redirect(long status)
{
    return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

/* Absent parts are equal, and compare like empty ones. */
static bool same_part(CURLU *a, CURLU *b, CURLUPart part)
{
    CLEANUP(free_text) char *text_a = NULL;
    CLEANUP(free_text) char *text_b = NULL;
    curl_url_get(a, part, &text_a, CURLU_DEFAULT_PORT);
    curl_url_get(b, part, &text_b, CURLU_DEFAULT_PORT);
    return strcasecmp(text_a != NULL ? text_a : "", text_b != NULL ? text_b : "") == 0;
}

static bool same_origin(CURLU *a, CURLU *b)
{
    return same_part(a, b, CURLUPART_SCHEME) && same_part(a, b, CURLUPART_HOST) &&
           same_part(a, b, CURLUPART_PORT);
}

/* Credentials in the base URL hold for its whole origin; those in an answer are not taken. */
static bool copy_part(CURLU *from, CURLU *to, CURLUPart part)
{
    CLEANUP(free_text) char *text = NULL;
    CURLUcode code = curl_url_get(from, part, &text, 0);
    if (code == CURLUE_OUT_OF_MEMORY)
        return false;
    return curl_url_set(to, part, text, 0) == CURLUE_OK;
}

static enum redirect_verdict prepare_next(struct transfer *transfer, CURLU *origin, CURLU *target,
                                          struct error *reterr)
{
    curl_off_t took_us = 0;
    curl_easy_getinfo(transfer->easy, CURLINFO_TOTAL_TIME_T, &took_us);
    transfer->spent_ms += (int64_t)took_us / US_PER_MS;
    int64_t left_ms = transfer->request.timeout_ms - transfer->spent_ms;
    if (left_ms <= 0) {
        error_set(reterr, ERR_UPSTREAM_TIMEOUT, "timed out among redirects");
        return REDIRECT_FAILED;
    }
    CLEANUP(free_text) char *next = NULL;
    if (!copy_part(origin, target, CURLUPART_USER) ||
        !copy_part(origin, target, CURLUPART_PASSWORD) ||
        curl_url_get(target, CURLUPART_URL, &next, 0) != CURLUE_OK ||
        curl_easy_setopt(transfer->easy, CURLOPT_URL, next) != CURLE_OK ||
        curl_easy_setopt(transfer->easy, CURLOPT_TIMEOUT_MS, (long)left_ms) != CURLE_OK) {
        error_no_memory(reterr);
        return REDIRECT_FAILED;
    }
    transfer->redirects++;
    transfer->rejected_bytes = 0;
    transfer->error_text[0] = '\0';
    return REDIRECT_FOLLOWED;
}

static enum redirect_verdict refuse(CURLU *target, struct error *reterr)
{
    CLEANUP(free_text) char *scheme = NULL;
    CLEANUP(free_text) char *host = NULL;
    curl_url_get(target, CURLUPART_SCHEME, &scheme, 0);
    curl_url_get(target, CURLUPART_HOST, &host, 0);
    error_set(reterr, ERR_UPSTREAM_REFUSED,
              "redirect to %s://%s not followed: another scheme, host or port",
              scheme != NULL ? scheme : "?", host != NULL ? host : "?");
    return REDIRECT_REFUSED;
}

enum redirect_verdict curl_request_redirect(struct transfer *transfer, struct error *reterr)
{
    long status = 0;
    const char *location = NULL; /* absolute; the handle's */
    curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(transfer->easy, CURLINFO_REDIRECT_URL, &location);
    if (!is_redirect(status) || location == NULL)
        return REDIRECT_NONE;
    if (transfer->redirects >= REDIRECTS_MAX) {
        error_set(reterr, ERR_UPSTREAM_REFUSED, "more than %d redirects", REDIRECTS_MAX);
        return REDIRECT_REFUSED;
    }

    CLEANUP(free_url) CURLU *origin = curl_url();
    CLEANUP(free_url) CURLU *target = curl_url();
    if (origin == NULL || target == NULL ||
        curl_url_set(origin, CURLUPART_URL, transfer->url, 0) != CURLUE_OK) {
        error_no_memory(reterr);
        return REDIRECT_FAILED;
    }
    /* Unparsable: the target stays empty, and so is of another origin. */
    curl_url_set(target, CURLUPART_URL, location, CURLU_NON_SUPPORT_SCHEME);
    if (!same_origin(origin, target))
        return refuse(target, reterr);
    return prepare_next(transfer, origin, target, reterr);
}
