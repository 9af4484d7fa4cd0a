/* SPDX-License-Identifier: Apache-2.0 */
#include "command.h"

#include <assert.h>
#include <hiredis/hiredis.h>
#include <stdlib.h>
#include <string.h>

struct command *command_create(size_t reply_limit, command_done_fn *done, void *context)
{
    struct command *command = calloc(1, sizeof *command);
    if (command == NULL)
        return NULL;
    command->reply_limit = reply_limit;
    command->done = done;
    command->context = context;
    return command;
}

void command_destroy(struct command *command)
{
    if (command == NULL)
        return;
    /* A password may be among them. */
    if (command->bytes != NULL && command->length < REPLY_MAX_BYTES)
        explicit_bzero(command->bytes, command->length);
    free(command->bytes);
    reply_free(command->error);
    free(command);
}

/* The first one, which may be large, is not copied once more. */
static bool append(struct command *command, char *formatted, size_t length)
{
    if (command->bytes == NULL) {
        command->bytes = formatted;
        command->length = length;
        return true;
    }
    char *longer = realloc(command->bytes, command->length + length);
    if (longer != NULL) {
        memcpy(longer + command->length, formatted, length);
        command->bytes = longer;
        command->length += length;
    }
    free(formatted);
    return longer != NULL;
}

bool command_add(struct command *command, const struct text *arguments, size_t count)
{
    const char *pieces[ARGUMENTS_MAX];
    size_t lengths[ARGUMENTS_MAX];
    char *formatted = NULL;
    assert(count > 0 && count <= ARGUMENTS_MAX);
    for (size_t i = 0; i < count; i++) {
        pieces[i] = arguments[i].length > 0 ? arguments[i].data : "";
        lengths[i] = arguments[i].length;
    }
    int length = redisFormatCommandArgv(&formatted, (int)count, pieces, lengths);
    if (length < 0)
        return false;
    command->replies_due++;
    return append(command, formatted, (size_t)length);
}
