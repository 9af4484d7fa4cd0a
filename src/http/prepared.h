/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Prepared answers of a content, so that a cached answer is queued without building anything.
 *
 * A small table: the caller's tag, the representation, whether the connection is to be closed and
 * whether the head is padded find a libmicrohttpd response with all headers in place. Any number of
 * connections may send it at once. New tags push old ones out, so the table holds about a second's
 * worth of variants.
 *
 * No lock: who looks for an answer and who replaces one meet in the slot's `users`. The one counts
 * himself in for as long as it takes to queue the answer; the other takes a slot only while there
 * is nobody in it, and else another or none. Neither ever waits.
 *
 * Threads: any, but prepared_table_finish(): when nobody else has the content any more.
 */
#ifndef HTTP_PREPARED_H
#define HTTP_PREPARED_H

#include <microhttpd.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/attrs.h"

struct representation;

struct prepared_key {
    uint64_t tag; /* not 0 */
    const struct representation *form;
    bool closing; /* carries `Connection: close` */
    bool padded;  /* see head_padding.h */
};

struct prepared {
    atomic_uint users;
    atomic_uint_least64_t tag; /* a hint that saves counting in; the key decides */
    struct prepared_key key;
    struct MHD_Response *response;
};

enum {
    PREPARED_SLOTS = 4,
    PREPARED_ANSWER_BYTES = 1024, /* what libmicrohttpd takes for one with all its headers ... */
    PREPARED_FILE_BYTES = 4672, /* ... and for a buffer and padding, when it is made from a file */
};

struct prepared_table {
    struct prepared slots[PREPARED_SLOTS];
    atomic_uint next; /* the slot to be replaced next */
};

void prepared_table_init(struct prepared_table *table);
void prepared_table_finish(struct prepared_table *table);

/* The answer for this key, which stays until prepared_release(), or NULL. */
struct prepared *prepared_find(struct prepared_table *table,
                               const struct prepared_key *key) NODISCARD;
void prepared_release(struct prepared *prepared);

/* Takes `response` over, to find it by this key from now on. False, and nothing taken, when all
 * slots are in use. */
bool prepared_keep(struct prepared_table *table, const struct prepared_key *key,
                   struct MHD_Response *response) NODISCARD;

#endif
