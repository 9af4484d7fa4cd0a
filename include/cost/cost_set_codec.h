/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A cost set as bytes, for files and for other processes.
 *
 *     "KCS" version | XXH3-64 of the rest | flags [data start] defects | namespaces | pods
 *
 * Numbers are written as base/wire.h does. Rows keep their order; a pod names its namespace by its
 * row. What follows from the rows (the total, the lists of a namespace's pods, their count, which
 * namespace is special) is not written but worked out again.
 *
 * The decoder believes nothing: the bytes may be damaged, or made by somebody else. It takes time
 * and memory in proportion to the bytes, and a set it returns is one that the builder could have
 * built: no figure is so large that summing up could overflow.
 *
 * Threads: any; pure functions.
 */
#ifndef COST_COST_SET_CODEC_H
#define COST_COST_SET_CODEC_H

#include "base/attrs.h"
#include "base/error.h"
#include "base/strbuf.h"
#include "base/text.h"
#include "cost/cost_set.h"

/* Appends the set; failure is the buffer's. */
void cost_set_encode(const struct cost_set *set, struct strbuf *out);

/* New set, equal to the one encoded. NULL and *reterr: ERR_INVALID (the text
 * says whether the bytes are foreign, of a newer version, or damaged) or ERR_NO_MEMORY. */
struct cost_set *cost_set_decode(struct text bytes, struct error *reterr) NODISCARD;

/* The same for what stands behind the checksum. For tests and fuzzers, which would hardly ever
 * guess one. */
struct cost_set *cost_set_decode_content(struct text content, struct error *reterr) NODISCARD;

#endif
