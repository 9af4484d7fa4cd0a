/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Prepared answers of a content, so that a cached answer is queued without building anything.
 *
 * A small table: the caller's tag, the representation and whether the connection is to be closed
 * find a libmicrohttpd response with all headers in place. Any number of connections may send it at
 * once. New tags push old ones out, so the table holds about a second's worth of variants.
 *
 * Threads: any. The table's lock is held for a look at its slots, never while anything is called.
 */
#ifndef HTTP_PREPARED_H
#define HTTP_PREPARED_H

#include <microhttpd.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/attrs.h"
#include "base/shared.h"

struct representation;

struct prepared_key {
    uint64_t tag;
    const struct representation *form;
    bool closing; /* carries `Connection: close` */
};

struct prepared {
    struct shared shared;
    struct prepared_key key;
    struct MHD_Response *response;
};

enum { PREPARED_SLOTS = 4 };

struct prepared_table {
    pthread_mutex_t lock;
    struct prepared *slots[PREPARED_SLOTS];
    unsigned next; /* the slot to be replaced next */
};

/* False when the mutex cannot be made. */
bool prepared_table_init(struct prepared_table *table) NODISCARD;
void prepared_table_finish(struct prepared_table *table);

/* Held for the caller, or NULL. */
struct prepared *prepared_find(struct prepared_table *table,
                               const struct prepared_key *key) NODISCARD;

/* The table holds `prepared` too, from now on. */
void prepared_keep(struct prepared_table *table, struct prepared *prepared);

/* Takes `response` over, even on failure. NULL only when out of memory. */
struct prepared *prepared_create(const struct prepared_key *key,
                                 struct MHD_Response *response) NODISCARD;

/* Accepts NULL. */
void prepared_release(struct prepared *prepared);

#endif
