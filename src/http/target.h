/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The target of a request line: kept as it was sent, then taken apart and decoded with lengths.
 *
 * libmicrohttpd cuts its own copy at NUL and at `?` while it parses, so the target is copied first.
 * Short targets, nearly all of them, need no allocation.
 *
 * Threads: one at a time.
 */
#ifndef HTTP_TARGET_H
#define HTTP_TARGET_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attrs.h"
#include "http/exchange.h"

enum {
    TARGET_INLINE_BYTES = 512, /* see target_capture(): enough for targets of about 100 bytes */
    TARGET_INLINE_PARAMS = 8,
    TARGET_MAX_PARAMS = 1000, /* each costs 32 bytes; the contract promises 100 */
};

struct target {
    char *block;   /* the target as sent, then room to decode it; `inline_block` or from malloc */
    char *room;    /* the next free byte of that room */
    size_t length; /* as sent */
    const char *path;          /* as sent, without scheme, host and query; NUL-terminated */
    struct http_param *params; /* `inline_params` or from malloc */
    char inline_block[TARGET_INLINE_BYTES];
    struct http_param inline_params[TARGET_INLINE_PARAMS];
};

/* Copies `length` bytes. Needs target_finish(), on failure too. False only when out of memory. */
bool target_capture(struct target *target, const char *sent, size_t length) NODISCARD;

enum target_result { TARGET_OK, TARGET_MALFORMED, TARGET_NO_MEMORY };

/* Fills path, query and parameters of `request`, borrowed from `target`. Accepts origin form,
 * absolute form, and `*` for OPTIONS. Control bytes, spaces and NUL are malformed, sent plainly or
 * percent-encoded. */
enum target_result target_decode(struct target *target, const char *method,
                                 struct http_request *request) NODISCARD;

/* Accepts a zeroed struct. */
void target_finish(struct target *target);

#endif
