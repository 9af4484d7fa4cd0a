/* SPDX-License-Identifier: Apache-2.0 */
/*
 * OpenCost's allocation answer, read while it arrives: bytes in, in pieces of any size; a cost set
 * out.
 *
 * A validating JSON reader (RFC 8259, UTF-8, at most 512 levels deep) that knows which keys it
 * wants and builds no tree. Both wire shapes are understood: `data` as a list of maps name ->
 * allocation (OpenCost), and as a list of allocations (what the service we port expected). `data`
 * may also be null, or one map. Memory is in proportion to the rows kept and to the largest single
 * allocation (64 MiB at most), not to the body.
 *
 * Nothing counts until the whole body was read and found valid: a truncated, malformed or
 * unsuccessful answer (`code` present and not 200; no `data`, unless it is OpenCost's beyond doubt)
 * yields an error and never a part of the rows.
 *
 * Refused like malformed JSON, wherever they stand: lone surrogates in strings, NUL characters in
 * keys, numbers beyond the range of a double; further a figure of ours of 1e18 or more, and a
 * second `data`. A name that holds a NUL counts as none. Of repeated members of an allocation the
 * last counts; allocations of the same name are added up like any others of the same place.
 *
 * Threads: one at a time; pieces may be fed from different threads in turn.
 */
#ifndef OPENCOST_DECODE_H
#define OPENCOST_DECODE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attrs.h"
#include "base/error.h"
#include "cost/cost_set.h"

struct allocation_decoder;

/* `include_idle`: keep the __idle__ row. NULL only when out of memory. */
struct allocation_decoder *allocation_decoder_create(bool include_idle) NODISCARD;

/* Accepts NULL. */
void allocation_decoder_destroy(struct allocation_decoder *decoder);

/* Reads the next piece; the bytes are borrowed for the call. False: the body cannot become a valid
 * answer any more (ERR_UPSTREAM_BODY, with the place and what was wrong there), or ERR_NO_MEMORY.
 * Every later call then fails likewise. */
bool allocation_decoder_feed(struct allocation_decoder *decoder, const void *bytes, size_t length,
                             struct error *reterr) NODISCARD;

/* The body is complete. New set, or NULL and *reterr. Call once. */
struct cost_set *allocation_decoder_finish(struct allocation_decoder *decoder,
                                           struct error *reterr) NODISCARD;

/* A whole body at once. */
struct cost_set *allocation_decode(const void *bytes, size_t length, bool include_idle,
                                   struct error *reterr) NODISCARD;

#endif
