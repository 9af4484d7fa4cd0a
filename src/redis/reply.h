/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What Redis answers, as hiredis' reader takes it off the wire, within bounds: hiredis itself would
 * make room for as many elements as the other side announces.
 *
 * Threads: one at a time.
 */
#ifndef REDIS_REPLY_H
#define REDIS_REPLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attrs.h"
#include "base/text.h"
#include "redis/fault.h"

enum reply_kind { REPLY_NIL, REPLY_INTEGER, REPLY_STATUS, REPLY_ERROR, REPLY_STRING, REPLY_ARRAY };

struct reply {
    enum reply_kind kind;
    int64_t integer;
    char *bytes; /* of a status, an error or a string; a NUL behind them */
    size_t length;
    struct reply **elements; /* of an array */
    size_t count;
};

/* Accepts NULL. */
void reply_free(struct reply *reply);

bool reply_is_status(const struct reply *reply, const char *text) NODISCARD;
bool reply_is_string(const struct reply *reply, const char *text) NODISCARD;

/* NULL when it is no array of that many. */
struct reply *const *reply_elements(const struct reply *reply, size_t count) NODISCARD;

/* Its bytes; empty unless it is a string. */
struct text reply_text(const struct reply *reply) NODISCARD;

/* What an error reply means. */
void reply_fault(const struct reply *error, struct fault *ret_fault);

struct reply_reader;

/* NULL only when out of memory. */
struct reply_reader *reply_reader_create(void) NODISCARD;
void reply_reader_destroy(struct reply_reader *reader); /* accepts NULL */

/* False when out of memory, or after a fault. */
bool reply_reader_feed(struct reply_reader *reader, const char *bytes, size_t length) NODISCARD;

/* True: *ret_reply is the next whole reply, the caller's, or NULL when more bytes are needed.
 * False: what came is no reply, or there is no memory. */
bool reply_reader_next(struct reply_reader *reader, struct reply **ret_reply,
                       struct fault *ret_fault) NODISCARD;

#endif
