/* SPDX-License-Identifier: Apache-2.0 */
#include "locator.h"

#include <stdlib.h>

#include "base/parse.h"

enum { PORT_MAX = 65535 };

struct locator {
    struct locator_options options;
    struct connection *connection; /* NULL: nothing is being asked */
    size_t current;                /* of the Sentinels */
    size_t tries_left;
};

static bool ask_current(struct locator *locator);

static void give_up(struct locator *locator)
{
    struct connection *connection = locator->connection;
    locator->connection = NULL;
    connection_close(connection);
}

/* This Sentinel is of no use; `fault` says why. */
static void try_next(struct locator *locator, const struct fault *fault)
{
    struct fault kept = *fault;
    give_up(locator);
    locator->current = (locator->current + 1) % locator->options.sentinel_count;
    if (--locator->tries_left == 0) {
        locator->options.failed(locator->options.context, &kept);
        return;
    }
    if (!ask_current(locator)) {
        fault_set(&kept, FAULT_NO_MEMORY, "out of memory");
        locator->options.failed(locator->options.context, &kept);
    }
}

static void on_failed(void *context, const struct fault *fault)
{
    struct locator *locator = context;
    struct fault told;
    fault_set(&told, fault->reason, "Sentinel: %s", fault->text);
    try_next(locator, &told);
}

/* Host and port, as texts. */
static bool read_address(const struct reply *reply, const char **ret_host, uint16_t *ret_port)
{
    struct reply *const *parts = reply_elements(reply, 2);
    int64_t port = 0;
    if (parts == NULL || reply_text(parts[0]).length == 0 ||
        strlen(parts[0]->bytes) != parts[0]->length)
        return false;
    struct text digits = reply_text(parts[1]);
    if (!parse_digits(digits.data, digits.length, PORT_MAX, &port) || port == 0)
        return false;
    *ret_host = parts[0]->bytes;
    *ret_port = (uint16_t)port;
    return true;
}

static void on_answer(void *context, const struct reply *reply)
{
    struct locator *locator = context;
    struct fault fault;
    const char *host = NULL;
    uint16_t port = 0;
    if (reply == NULL) /* the connection's end is told in its own way */
        return;
    if (read_address(reply, &host, &port)) {
        /* The reply lives until we return. */
        give_up(locator);
        locator->options.found(locator->options.context, host, port);
        return;
    }
    if (reply->kind == REPLY_ERROR)
        reply_fault(reply, &fault);
    else if (reply->kind == REPLY_NIL)
        fault_set(&fault, FAULT_REFUSED, "no master of the name %s", locator->options.master);
    else
        fault_set(&fault, FAULT_PROTOCOL, "no address");
    on_failed(locator, &fault);
}

static void on_opened(void *context)
{
    struct locator *locator = context;
    struct fault fault;
    struct command *command = command_create(REPLY_MAX_BYTES, on_answer, locator);
    bool is_complete =
        command != NULL && COMMAND_ADD(command, TEXT("SENTINEL"), TEXT("GET-MASTER-ADDR-BY-NAME"),
                                       text_of(locator->options.master));
    if (!is_complete)
        command_destroy(command);
    if (is_complete && connection_send(locator->connection, command))
        return;
    fault_set(&fault, FAULT_NO_MEMORY, "out of memory");
    on_failed(locator, &fault);
}

static bool ask_current(struct locator *locator)
{
    const struct redis_endpoint *sentinel = &locator->options.sentinels[locator->current];
    struct connection_options options = locator->options.connection;
    options.host = sentinel->host;
    options.port = sentinel->port;
    options.context = locator;
    options.opened = on_opened;
    options.failed = on_failed;
    locator->connection = connection_open(&options);
    return locator->connection != NULL;
}

struct locator *locator_create(const struct locator_options *options)
{
    struct locator *locator = calloc(1, sizeof *locator);
    if (locator != NULL)
        locator->options = *options;
    return locator;
}

bool locator_ask(struct locator *locator)
{
    locator->tries_left = locator->options.sentinel_count;
    return ask_current(locator);
}

void locator_cancel(struct locator *locator)
{
    give_up(locator);
}

void locator_destroy(struct locator *locator)
{
    if (locator == NULL)
        return;
    give_up(locator);
    free(locator);
}
