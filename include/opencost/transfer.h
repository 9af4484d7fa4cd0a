/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One HTTP GET toward OpenCost, as an interface: the client decides, a transfer engine carries it
 * out.
 *
 * curl_transfer.h implements it with libcurl's multi interface on the loop; the tests implement it
 * with scripts.
 *
 * Threads: the loop thread only. No callback is ever made from inside start().
 */
#ifndef OPENCOST_TRANSFER_H
#define OPENCOST_TRANSFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/trace.h"

struct transfer; /* the engine's own */

/* How a transfer ended. */
struct transfer_outcome {
    /* ERR_NONE when an HTTP answer came, and, if its status is 200, came complete; else
     * ERR_UPSTREAM_CONNECT, _TLS, _TIMEOUT, _TOO_LARGE, _BODY (compression broken, or refused by
     * `body`), _REFUSED (redirect not followed) or ERR_NO_MEMORY. */
    struct error error;
    int http_status;        /* 0 when none came */
    int64_t retry_after_ms; /* from Retry-After (seconds or a date); -1 when there was none */
};

struct transfer_request {
    const char *url;                   /* borrowed during start() */
    const char *bearer_token;          /* borrowed during start(); NULL: none */
    const struct trace_context *trace; /* likewise */
    int64_t timeout_ms;                /* for the whole transfer */
    int64_t connect_timeout_ms;
    uint64_t max_body_bytes; /* counted after decompression */
    void *context;

    /* The next bytes of the body; only called for status 200. False aborts the transfer: `done`
     * follows, with whatever error. Other statuses' bodies go to `rejected_body`. */
    bool (*body)(void *context, const void *bytes, size_t length);

    /* The first bytes (at most 2,048) of an answer with another status than 200, once, before
     * `done`. May be NULL. */
    void (*rejected_body)(void *context, const void *bytes, size_t length);

    /* Exactly once, unless cancelled. The transfer is gone when it returns. */
    void (*done)(void *context, const struct transfer_outcome *outcome);
};

struct transfer_engine {
    void *self;
    /* NULL only when out of memory. The request is copied. */
    struct transfer *(*start)(void *self, const struct transfer_request *request,
                              struct error *reterr);
    /* Stops reading until resumed: back-pressure for a body that comes faster than it is decoded.
     */
    void (*pause)(struct transfer *transfer);
    void (*resume)(struct transfer *transfer);
    /* No callback comes after it. */
    void (*cancel)(struct transfer *transfer);
};

#endif
