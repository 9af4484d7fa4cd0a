/* SPDX-License-Identifier: Apache-2.0 */
#include "connection.h"

#include <stdlib.h>

/* Who is slower than this with what is large is of no use. */
enum { LEAST_BYTES_PER_MS = 4096 };

struct connection {
    struct connection_options options; /* texts are NULL here: not ours to keep */
    struct stream *stream;
    struct reply_reader *reader;
    struct loop_timer *silence;
    struct command *first, **last; /* waiting for their replies, in order */
    size_t pending, pending_bytes;
    size_t reply_bytes;     /* received since the first command became the first, or a push ended */
    size_t moved_bytes;     /* both ways since then */
    int64_t first_since_ms; /* when it did */
    bool was_given_a_turn;  /* the timer has fired, and what has arrived meanwhile is read first */
    bool is_open, has_failed;
    int depth;      /* of callbacks under way; the struct outlives them */
    bool is_closed; /* by its owner */
};

static int64_t now_ms(const struct connection *connection)
{
    return scheduler_now_ms(connection->options.scheduler);
}

static void free_connection(struct connection *connection)
{
    reply_reader_destroy(connection->reader);
    free(connection);
}

/* Around all that comes from below, as what is called above may close the connection. */
static void leave(struct connection *connection)
{
    if (--connection->depth == 0 && connection->is_closed)
        free_connection(connection);
}

static bool goes_on(const struct connection *connection)
{
    return !connection->is_closed && !connection->has_failed;
}

static void fail(struct connection *connection, const struct fault *fault)
{
    connection->has_failed = true;
    loop_timer_stop(connection->options.scheduler, connection->silence);
    connection->options.failed(connection->options.context, fault);
}

/* Something has moved, or something new is waited for. */
static void mind_silence(struct connection *connection)
{
    const struct connection_options *options = &connection->options;
    if (connection->is_open && connection->first == NULL) {
        loop_timer_stop(options->scheduler, connection->silence);
        return;
    }
    int64_t limit_ms =
        options->timeout_ms > COMMAND_MAX_MS ? options->timeout_ms : (int64_t)COMMAND_MAX_MS;
    int64_t most_ms = options->timeout_ms + (int64_t)(connection->moved_bytes / LEAST_BYTES_PER_MS);
    if (most_ms > limit_ms)
        most_ms = limit_ms;
    int64_t left_ms = connection->first_since_ms + most_ms - now_ms(connection);
    int64_t delay_ms = left_ms < options->timeout_ms ? left_ms : options->timeout_ms;
    if (delay_ms > 0) /* else another byte in time would give it another turn, and so on */
        connection->was_given_a_turn = false;
    loop_timer_start(options->scheduler, connection->silence, delay_ms > 0 ? delay_ms : 0);
}

/* When the loop itself was held up, the answer may lie in the socket: one more turn reads it. */
static void on_silence(void *context)
{
    struct connection *connection = context;
    struct fault fault;
    if (!connection->was_given_a_turn) {
        connection->was_given_a_turn = true;
        loop_timer_start(connection->options.scheduler, connection->silence, 1);
        return;
    }
    fault_set(&fault, FAULT_TIMEOUT, "%s within %lld ms",
              !connection->is_open           ? "no connection"
              : connection->reply_bytes == 0 ? "no answer"
                                             : "no whole answer",
              (long long)(now_ms(connection) - connection->first_since_ms));
    connection->depth++;
    fail(connection, &fault);
    leave(connection);
}

static void on_opened(void *context)
{
    struct connection *connection = context;
    connection->is_open = true;
    mind_silence(connection);
    connection->depth++;
    connection->options.opened(connection->options.context);
    leave(connection);
}

static void on_sent(void *context, size_t length)
{
    struct connection *connection = context;
    connection->moved_bytes += length;
    if (!connection->has_failed)
        mind_silence(connection);
}

static void on_ended(void *context, const struct fault *fault)
{
    struct connection *connection = context;
    connection->depth++;
    if (!connection->has_failed)
        fail(connection, fault);
    leave(connection);
}

static struct command *take_first(struct connection *connection)
{
    struct command *command = connection->first;
    connection->first = command->next;
    if (connection->first == NULL)
        connection->last = &connection->first;
    connection->pending--;
    connection->pending_bytes -= command->length;
    connection->reply_bytes = connection->moved_bytes = 0;
    connection->first_since_ms = now_ms(connection);
    return command;
}

static void finish(struct command *command, const struct reply *reply)
{
    if (command->done != NULL)
        command->done(command->context, reply);
    command_destroy(command);
}

/* Takes the reply over. False when nothing is to be done any more. */
static bool take_reply(struct connection *connection, struct reply *reply)
{
    struct command *command = connection->first;
    struct fault fault;
    if (command == NULL && connection->options.pushed == NULL) {
        fault_set(&fault, FAULT_PROTOCOL, "an answer to no question");
        reply_free(reply);
        fail(connection, &fault);
        return false;
    }
    if (command != NULL && --command->replies_due > 0) {
        if (reply->kind == REPLY_ERROR && command->error == NULL)
            command->error = reply;
        else
            reply_free(reply);
        return true;
    }
    if (command != NULL) {
        (void)take_first(connection);
        finish(command, command->error != NULL ? command->error : reply);
    } else {
        connection->reply_bytes = 0;
        connection->options.pushed(connection->options.context, reply);
    }
    reply_free(reply);
    return goes_on(connection);
}

/* False when nothing is to be done any more. */
static bool take_replies(struct connection *connection)
{
    for (;;) {
        struct reply *reply = NULL;
        struct fault fault;
        if (!reply_reader_next(connection->reader, &reply, &fault)) {
            fail(connection, &fault);
            return false;
        }
        if (reply == NULL)
            return true;
        if (!take_reply(connection, reply))
            return false;
    }
}

static void receive(struct connection *connection, const char *bytes, size_t length)
{
    struct fault fault;
    size_t limit = connection->first != NULL ? connection->first->reply_limit : REPLY_MAX_BYTES;
    connection->reply_bytes += length;
    connection->moved_bytes += length;
    /* What lies beyond the first reply is counted for it as well: a buffer's worth. */
    if (connection->reply_bytes > limit + REPLY_MAX_BYTES)
        fault_set(&fault, FAULT_TOO_LARGE, "an answer of more than %zu bytes", limit);
    else if (!reply_reader_feed(connection->reader, bytes, length))
        fault_set(&fault, FAULT_NO_MEMORY, "out of memory");
    else {
        if (take_replies(connection))
            mind_silence(connection);
        return;
    }
    fail(connection, &fault);
}

static void on_received(void *context, const char *bytes, size_t length)
{
    struct connection *connection = context;
    connection->depth++;
    if (!connection->has_failed)
        receive(connection, bytes, length);
    leave(connection);
}

struct connection *connection_open(const struct connection_options *options)
{
    struct connection *connection = calloc(1, sizeof *connection);
    if (connection == NULL)
        return NULL;
    connection->options = *options;
    connection->options.unix_path = connection->options.host = NULL;
    connection->last = &connection->first;
    connection->reader = reply_reader_create();
    connection->silence = loop_timer_create(options->scheduler, on_silence, connection);
    const struct stream_request request = {
        .unix_path = options->unix_path,
        .host = options->host,
        .port = options->port,
        .tls = options->tls,
        .context = connection,
        .opened = on_opened,
        .sent = on_sent,
        .received = on_received,
        .ended = on_ended,
    };
    if (connection->reader != NULL && connection->silence != NULL)
        connection->stream = options->engine->open(options->engine->self, &request);
    if (connection->stream == NULL) {
        connection_close(connection);
        return NULL;
    }
    connection->first_since_ms = now_ms(connection);
    mind_silence(connection);
    return connection;
}

bool connection_send(struct connection *connection, struct command *command)
{
    bool has_room = connection->pending < PENDING_MAX &&
                    command->length <= PENDING_MAX_BYTES - connection->pending_bytes;
    char *bytes = command->bytes;
    if (has_room)
        command->bytes = NULL;
    if (!has_room ||
        !connection->options.engine->send(connection->stream, bytes, command->length)) {
        command_destroy(command);
        return false;
    }
    if (connection->first == NULL) {
        connection->first_since_ms = now_ms(connection);
        connection->reply_bytes = connection->moved_bytes = 0;
    }
    command->next = NULL;
    *connection->last = command;
    connection->last = &command->next;
    connection->pending++;
    connection->pending_bytes += command->length;
    if (!connection->has_failed && connection->first == command)
        mind_silence(connection);
    return true;
}

void connection_close(struct connection *connection)
{
    if (connection == NULL)
        return;
    connection->is_closed = true;
    connection->depth++;
    if (connection->stream != NULL)
        connection->options.engine->close(connection->stream);
    loop_timer_destroy(connection->options.scheduler, connection->silence);
    while (connection->first != NULL)
        finish(take_first(connection), NULL);
    leave(connection);
}
