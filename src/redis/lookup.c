/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "script.h"
#include "tier_internal.h"

/* What PTTL says of a key that is not there, or just went. */
enum { TTL_OF_NOTHING = -2 };

static struct text put(char **at, const char *prefix, const char *kind, const char *key)
{
    char *start = *at;
    char *end = stpcpy(stpcpy(stpcpy(start, prefix), kind), key);
    *at = end + 1;
    return (struct text){start, (size_t)(end - start)};
}

bool tier_keys_init(struct tier_keys *keys, const struct redis_tier *tier, const char *key)
{
    const char *prefix = tier->options.prefix;
    size_t each = strlen(prefix) + sizeof "v:" + strlen(key);
    keys->memory = malloc(3 * each);
    if (keys->memory == NULL)
        return false;
    char *at = keys->memory;
    keys->value = put(&at, prefix, "v:", key);
    keys->lease = put(&at, prefix, "l:", key);
    keys->failure = put(&at, prefix, "f:", key);
    size_t length = strlen(key);
    keys->key = (struct text){keys->value.data + keys->value.length - length, length};
    return true;
}

void tier_keys_finish(struct tier_keys *keys)
{
    free(keys->memory);
    keys->memory = NULL;
}

/* Not more than a value of ours can have: somebody else's may be of any size, and is to be replaced
 * like any other that is not ours. */
static bool add_read(struct command *command, struct text key, int64_t most_bytes)
{
    char digits[DIGITS_BYTES];
    return COMMAND_ADD(command, TEXT("GETRANGE"), key, TEXT("0"),
                       number_text(most_bytes - 1, digits));
}

/* One byte more than a token has: what is longer is none. */
bool holder_add(struct command *command, const struct tier_keys *keys)
{
    return add_read(command, keys->lease, TOKEN_LENGTH + 1);
}

bool lookup_add(struct command *command, const struct tier_keys *keys)
{
    return add_read(command, keys->failure, FAILURE_MAX_BYTES) &&
           add_read(command, keys->value, VALUE_MAX_BYTES) &&
           COMMAND_ADD(command, TEXT("PTTL"), keys->value);
}

struct command *lookup_command(const struct tier_keys *keys, command_done_fn *done, void *context)
{
    struct command *command = command_create(VALUE_MAX_BYTES, done, context);
    if (command != NULL && COMMAND_ADD(command, TEXT("MULTI")) && lookup_add(command, keys) &&
        COMMAND_ADD(command, TEXT("EXEC")))
        return command;
    command_destroy(command);
    return NULL;
}

void lookup_read_elements(const struct redis_tier *tier, struct reply *const *elements,
                          struct lookup *ret_lookup)
{
    const struct reply *value = elements[1];
    const struct reply *ttl = elements[2];
    *ret_lookup = (struct lookup){.failure = reply_text(elements[0])};
    bool has_expired = ttl->kind == REPLY_INTEGER && ttl->integer == TTL_OF_NOTHING;
    bool is_nothing = value->kind == REPLY_STRING && value->length == 0;
    ret_lookup->has_bytes = !is_nothing;
    if (is_nothing || has_expired)
        return;
    ret_lookup->has_value = ttl->kind == REPLY_INTEGER &&
                            record_get_value(reply_text(value), ttl->integer, &ret_lookup->value);
    if (!ret_lookup->has_value)
        link_count(tier->link, FAULT_FOREIGN);
}

bool lookup_read(const struct redis_tier *tier, const struct reply *reply,
                 struct lookup *ret_lookup, struct fault *ret_fault)
{
    struct reply *const *elements = reply_elements(reply, 3);
    if (elements != NULL)
        lookup_read_elements(tier, elements, ret_lookup);
    else if (reply->kind == REPLY_ERROR)
        reply_fault(reply, ret_fault);
    else
        fault_set(ret_fault, FAULT_PROTOCOL, "an answer to EXEC that is none");
    return elements != NULL;
}
