/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What Redis runs as one step, in its own language, and the commands made of it.
 *
 * Threads: the loop thread only.
 */
#ifndef REDIS_SCRIPT_H
#define REDIS_SCRIPT_H

#include <stdbool.h>
#include <stdint.h>

#include "command.h"

/* Deletes the lease if the token is its holder's, and says `payload` on the channel. */
bool script_add_release(struct command *command, struct text lease_key, struct text token,
                        struct text channel, struct text payload) NODISCARD;

/* Answers 1 and keeps the lease for `lease_ms` from now, also when it is gone (a Redis that was
 * restarted empty); 0 when somebody else has it. With a `value_key` also 0 when it is gone and that
 * key has a value: somebody else may have had the lease, and settled it. */
bool script_add_prolong(struct command *command, struct text lease_key, struct text token,
                        int64_t lease_ms, const struct text *value_key) NODISCARD;

/* A whole number as an argument; `digits` is the caller's memory. */
enum { DIGITS_BYTES = 24 };
struct text number_text(int64_t number, char digits[DIGITS_BYTES]) NODISCARD;

#endif
