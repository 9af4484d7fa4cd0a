/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What OpenCost says about its answer, beside the data: {"code":200,"message":...,"data":...}.
 *
 * An answer may leave `data` out when there is none to give. It is taken for an empty one only when
 * all of it is OpenCost's: code 200, and not a single member that OpenCost has never sent. Anything
 * else is somebody else's JSON.
 *
 * Threads: one at a time.
 */
#ifndef OPENCOST_DECODE_ENVELOPE_H
#define OPENCOST_DECODE_ENVELOPE_H

#include <stdbool.h>

#include "base/attrs.h"
#include "base/error.h"
#include "json_reader.h"

enum envelope_key {
    ENVELOPE_CODE,
    ENVELOPE_MESSAGE,
    ENVELOPE_DATA,
    ENVELOPE_ASIDE, /* OpenCost's, and of no use to us */
    ENVELOPE_OTHER,
};

struct envelope {
    bool has_data;
    bool has_code;
    bool is_success;   /* the code is 200 */
    bool has_others;   /* members that OpenCost is not known to send */
    char code[24];     /* as sent, shortened */
    char message[160]; /* shortened */
};

/* Which member is it? */
enum envelope_key envelope_key_of(const struct json_string *key) NODISCARD;

/* Reads the value of a member that is not `data`. */
bool envelope_read_value(struct envelope *envelope, struct json_reader *json,
                         enum envelope_key key) NODISCARD;

/* The whole body was read: is it a successful answer? */
bool envelope_check(const struct envelope *envelope, struct error *reterr) NODISCARD;

#endif
