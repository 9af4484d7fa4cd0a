/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A question to Redis: one command, or several that belong together, and who wants the answer.
 *
 * Threads: the loop thread only.
 */
#ifndef REDIS_COMMAND_H
#define REDIS_COMMAND_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attrs.h"
#include "base/text.h"
#include "reply.h"

enum {
    /* The largest value that is stored or read. */
    VALUE_MAX_BYTES = 64 * 1024 * 1024,
    /* An answer without a value. */
    REPLY_MAX_BYTES = 64 * 1024,
};

/* `reply` is borrowed: of several commands the first error, else the last reply. NULL: there will
 * be none, the connection is gone. */
typedef void command_done_fn(void *context, const struct reply *reply);

struct command {
    struct command *next;
    char *bytes; /* as they go over the wire */
    size_t length;
    unsigned replies_due;
    size_t reply_limit; /* in bytes, of all replies together */
    struct reply *error;
    command_done_fn *done; /* NULL: nobody wants to know */
    void *context;
};

/* NULL only when out of memory. */
struct command *command_create(size_t reply_limit, command_done_fn *done, void *context) NODISCARD;

/* Accepts NULL. */
void command_destroy(struct command *command);

enum { ARGUMENTS_MAX = 12 };

/* Adds one command with its arguments. False when out of memory. */
bool command_add(struct command *command, const struct text *arguments, size_t count) NODISCARD;

#define COMMAND_ADD(command, ...)                                                                  \
    command_add((command), (const struct text[]){__VA_ARGS__},                                     \
                sizeof((const struct text[]){__VA_ARGS__}) / sizeof(struct text))

#endif
