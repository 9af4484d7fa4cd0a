/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A connection as this room sees it: bytes out, bytes in, and an end. An interface: curl_stream.h
 * implements it with libcurl, over TCP, TLS and unix sockets; the tests implement it with scripts.
 *
 * No callback is made from inside a call, but any call may be made from inside a callback.
 *
 * Threads: the loop thread only.
 */
#ifndef REDIS_STREAM_H
#define REDIS_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attrs.h"
#include "redis/fault.h"

struct stream; /* the implementation's own */

struct stream_request {
    const char *unix_path; /* copied, as `host` is; NULL: host and port */
    const char *host;
    uint16_t port;
    bool tls;

    void *context;
    void (*opened)(void *context);              /* once; TLS included */
    void (*sent)(void *context, size_t length); /* so much has left for the peer */
    void (*received)(void *context, const char *bytes, size_t length);
    /* The last callback: it could not be opened, broke, or the peer has closed it. The stream needs
     * closing nevertheless. */
    void (*ended)(void *context, const struct fault *fault);
};

struct stream_engine {
    void *self;
    /* NULL only when out of memory. There is no limit in time: the caller has one. */
    struct stream *(*open)(void *self, const struct stream_request *request);
    /* Queues bytes behind those queued before, once opened. They are taken over, to be freed with
     * free(), also on failure: false when out of memory. */
    bool (*send)(struct stream *stream, char *bytes, size_t length);
    /* Frees the stream. No callback any more. */
    void (*close)(struct stream *stream);
};

#endif
