/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What stands in Redis under our keys, beside leases (which are bare tokens):
 *
 *     value     "kubecent" 0x01 | lifetime ms | length | the caller's bytes
 *     failure   "kubecent" 0x02 | token of the lease | error code's name | HTTP status | text
 *
 * Numbers and texts as in base/wire.h. A value's age is its lifetime less the time to live that
 * Redis has left for it: by Redis' clock alone. Others may write under our keys, or a newer release
 * of ourselves: what does not read exactly so is as good as nothing.
 *
 * Threads: any; pure functions.
 */
#ifndef REDIS_RECORD_H
#define REDIS_RECORD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attrs.h"
#include "base/error.h"
#include "base/strbuf.h"
#include "base/text.h"
#include "cache/shared_tier.h"

/* Nothing is kept so long: CACHE_TTL and the stale times end much earlier. */
#define RECORD_KEEP_MAX_MS ((int64_t)366 * 24 * 3600 * 1000)

enum {
    TOKEN_LENGTH = 32,    /* 128 random bits, in hexadecimal digits */
    RECORD_HEAD_MAX = 64, /* of a value: what stands before the caller's bytes */
};

/* Appends what stands before the bytes of a value. */
void record_put_value_head(struct strbuf *out, size_t length, int64_t keep_ms);

/* `ttl_ms` is what PTTL said. The value's bytes are borrowed from the record. */
bool record_get_value(struct text record, int64_t ttl_ms, struct tier_value *ret_value) NODISCARD;

void record_put_failure(struct strbuf *out, struct text token, const struct error *error);

/* Only of the lease with that token. */
bool record_get_failure(struct text record, struct text token, struct error *ret_error) NODISCARD;

#endif
