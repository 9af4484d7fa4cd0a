/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One request as libcurl sees it: the easy handle, what comes in through its callbacks, and how its
 * end reads. Knows nothing of the loop.
 *
 * Threads: the loop thread only.
 */
#ifndef OPENCOST_CURL_REQUEST_H
#define OPENCOST_CURL_REQUEST_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attrs.h"
#include "base/error.h"
#include "opencost/transfer.h"

enum { REJECTED_BODY_MAX = 2048 };

/* Also what `struct transfer *` of transfer.h points to. */
struct transfer {
    struct curl_transfers *owner;
    struct transfer *next, *previous;

    CURL *easy;
    struct curl_slist *headers;
    char error_text[CURL_ERROR_SIZE];
    struct transfer_request request; /* what was borrowed is NULL here */
    char *url;                       /* the one asked for: redirects may not leave its origin */
    int redirects;
    int64_t spent_ms; /* in the requests before the last redirect */

    uint64_t body_bytes;
    char rejected[REJECTED_BODY_MAX]; /* the beginning of a body whose status is not 200 */
    size_t rejected_bytes;            /* of the whole of it so far, kept or not */

    bool must_pause;     /* told to; the next bytes are handed back to libcurl */
    bool is_paused;      /* libcurl keeps bytes for us */
    bool must_resume;    /* told to, not done yet */
    bool is_in_callback; /* libcurl is calling us */
    bool is_too_large;
};

struct curl_request_defaults {
    const char *ca_file; /* or NULL */
    const char *user_agent;
    bool without_proxy;
};

/* NULL only when out of memory. */
struct transfer *curl_request_create(const struct transfer_request *request,
                                     const struct curl_request_defaults *defaults,
                                     struct error *reterr) NODISCARD;

/* The easy handle must not be in a multi. Accepts NULL. */
void curl_request_destroy(struct transfer *transfer);

enum redirect_verdict {
    REDIRECT_NONE,     /* the answer is none */
    REDIRECT_FOLLOWED, /* the handle is ready to be added to the multi again */
    REDIRECT_REFUSED,  /* elsewhere, too many, or nowhere: *reterr says so */
    REDIRECT_FAILED,   /* out of memory or out of time: *reterr says so */
};

/* Looks at a finished request, and prepares the next one if the answer sends us on within the same
 * origin. */
enum redirect_verdict curl_request_redirect(struct transfer *transfer,
                                            struct error *reterr) NODISCARD;

/* How a finished request reads, redirects aside. */
void curl_request_outcome(const struct transfer *transfer, CURLcode code,
                          struct transfer_outcome *ret_outcome);

#endif
