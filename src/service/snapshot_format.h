/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Datasets as the bytes of a snapshot file, which says of itself what it is and whether it is
 * whole:
 *
 *     "kubecent" version | origin, time, count | datasets | XXH3-64 of all before
 *
 * with for each dataset its window, idle or not, when it was fetched, how long it keeps, and its
 * cost set (see cost/cost_set_codec.h) deflated, with both lengths. Numbers are those of
 * base/wire.h. The version tells of everything behind it, the cost sets' form included.
 *
 * One dataset in this form is also what replicas share: see dataset_image.h.
 *
 * Threads: any; pure functions.
 */
#ifndef SERVICE_SNAPSHOT_FORMAT_H
#define SERVICE_SNAPSHOT_FORMAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attrs.h"
#include "base/error.h"
#include "base/strbuf.h"
#include "base/text.h"
#include "base/wire.h"
#include "cost/cost_set.h"
#include "cost/window.h"

enum { SNAPSHOT_VERSION = 1 };

/* Times are milliseconds since 1970: the monotonic clock means nothing to the next process. */
struct snapshot_dataset {
    struct window window;
    bool include_idle;
    int64_t fetched_wall_ms;
    int64_t ttl_ms;
};

/* `origin` says whose data these are: a snapshot of another OpenCost is foreign. */
void snapshot_put_head(struct strbuf *out, struct text origin, int64_t created_wall_ms,
                       size_t count);

/* Fails with ERR_NO_MEMORY. */
bool snapshot_put_dataset(struct strbuf *out, const struct snapshot_dataset *dataset,
                          const struct cost_set *set, struct error *reterr) NODISCARD;

/* The last thing; failure is the buffer's. */
void snapshot_put_checksum(struct strbuf *out);

struct snapshot_reader {
    struct wire_reader wire;
    int64_t created_wall_ms;
    size_t left;            /* datasets not read yet */
    size_t raw_length;      /* of the last one's cost set, */
    struct text compressed; /* which still is as in the file */
};

/* Checks the whole, checksum included. The bytes are borrowed for as long as the reader is used.
 * False and *reterr (ERR_INVALID): the text says in a few words why the bytes are no good. */
bool snapshot_open(struct text bytes, struct text origin, struct snapshot_reader *ret_reader,
                   struct error *reterr) NODISCARD;

/* The same without believing more than the head: takes no time, and does not look at the checksum.
 * For judging whether the bytes are worth opening. */
bool snapshot_look(struct text bytes, struct text origin, struct snapshot_reader *ret_reader,
                   struct error *reterr) NODISCARD;

/* The next dataset, of which there are `left`. */
bool snapshot_next(struct snapshot_reader *reader, struct snapshot_dataset *ret_dataset,
                   struct error *reterr) NODISCARD;

/* The cost set of the dataset read last: new. NULL and *reterr: ERR_INVALID or
 * ERR_NO_MEMORY. */
struct cost_set *snapshot_cost_set(const struct snapshot_reader *reader,
                                   const struct snapshot_dataset *dataset,
                                   struct error *reterr) NODISCARD;

#endif
