/* SPDX-License-Identifier: Apache-2.0 */
#include "script.h"

#include <inttypes.h>
#include <stdio.h>

/* pcall: what somebody else has put in a lease's place may be no string, and is not ours then. */

static const struct text release =
    TEXT_INIT("if redis.pcall('get', KEYS[1]) == ARGV[1] then redis.call('del', KEYS[1]) end "
              "return redis.call('publish', ARGV[2], ARGV[3])");

static const struct text prolong =
    TEXT_INIT("local holder = redis.pcall('get', KEYS[1]) "
              "if holder and holder ~= ARGV[1] then return 0 end "
              "if not holder and KEYS[2] and redis.call('pttl', KEYS[2]) ~= -2 then return 0 end "
              "redis.call('set', KEYS[1], ARGV[1], 'PX', ARGV[2]) "
              "return 1");

bool script_add_release(struct command *command, struct text lease_key, struct text token,
                        struct text channel, struct text payload)
{
    return COMMAND_ADD(command, TEXT("EVAL"), release, TEXT("1"), lease_key, token, channel,
                       payload);
}

bool script_add_prolong(struct command *command, struct text lease_key, struct text token,
                        int64_t lease_ms, const struct text *value_key)
{
    char digits[DIGITS_BYTES];
    struct text lasting = number_text(lease_ms, digits);
    if (value_key == NULL)
        return COMMAND_ADD(command, TEXT("EVAL"), prolong, TEXT("1"), lease_key, token, lasting);
    return COMMAND_ADD(command, TEXT("EVAL"), prolong, TEXT("2"), lease_key, *value_key, token,
                       lasting);
}

struct text number_text(int64_t number, char digits[DIGITS_BYTES])
{
    int length = snprintf(digits, DIGITS_BYTES, "%" PRId64, number);
    return (struct text){digits, (size_t)length};
}
