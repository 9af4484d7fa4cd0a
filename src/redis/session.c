/* SPDX-License-Identifier: Apache-2.0 */
#include "session.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/strbuf.h"
#include "script.h"

enum { REHEARSAL_KEY_LIMIT = 64 * 1024, REHEARSAL_MS = 1000, REHEARSED = 4 };

struct session {
    struct session_options options;
    struct connection *connection;
    unsigned steps_left; /* of the log-in */
    bool has_failed;
};

/* Not while a command is being sent, only from callbacks. */
static void fail(struct session *session, const struct fault *fault)
{
    if (session->has_failed)
        return;
    session->has_failed = true;
    session->options.failed(session->options.context, fault);
}

static void fail_by_protocol(struct session *session, const char *command)
{
    struct fault fault;
    fault_set(&fault, FAULT_PROTOCOL, "an answer to %s that is none", command);
    fail(session, &fault);
}

/* What every answer of the log-in has in common. False when the session is no more. */
static bool is_accepted(struct session *session, const struct reply *reply)
{
    struct fault fault;
    if (reply == NULL || session->has_failed)
        return false; /* the connection's end has been told, or will be */
    if (reply->kind != REPLY_ERROR)
        return true;
    reply_fault(reply, &fault);
    fail(session, &fault);
    return false;
}

static void step_done(struct session *session)
{
    if (--session->steps_left == 0)
        session->options.ready(session->options.context);
}

static void on_status(void *context, const struct reply *reply)
{
    struct session *session = context;
    if (!is_accepted(session, reply))
        return;
    if (reply_is_status(reply, "OK"))
        step_done(session);
    else
        fail_by_protocol(session, "the log-in");
}

static void on_role(void *context, const struct reply *reply)
{
    struct session *session = context;
    if (!is_accepted(session, reply))
        return;
    if (reply->kind != REPLY_ARRAY || reply->count == 0) {
        fail_by_protocol(session, "ROLE");
        return;
    }
    if (!reply_is_string(reply->elements[0], "master")) {
        struct fault fault;
        fault_set(&fault, FAULT_READ_ONLY, "what the Sentinels call the master is none yet");
        fail(session, &fault);
        return;
    }
    step_done(session);
}

static void on_rehearsed(void *context, const struct reply *reply)
{
    struct session *session = context;
    struct fault fault;
    if (!is_accepted(session, reply))
        return;
    /* Of several commands this is the last one's answer: EXEC's. */
    struct reply *const *results = reply_elements(reply, REHEARSED);
    for (size_t i = 0; results != NULL && i < REHEARSED; i++) {
        if (results[i]->kind == REPLY_ERROR) {
            reply_fault(results[i], &fault);
            fail(session, &fault);
            return;
        }
    }
    if (results != NULL)
        step_done(session);
    else
        fail_by_protocol(session, "EXEC");
}

static void on_released(void *context, const struct reply *reply)
{
    struct session *session = context;
    if (!is_accepted(session, reply))
        return;
    if (reply->kind == REPLY_INTEGER)
        step_done(session);
    else
        fail_by_protocol(session, "EVAL");
}

static void on_subscribed(void *context, const struct reply *reply)
{
    struct session *session = context;
    if (!is_accepted(session, reply))
        return;
    struct reply *const *parts = reply_elements(reply, 3);
    if (parts != NULL && reply_is_string(parts[0], "subscribe"))
        step_done(session);
    else
        fail_by_protocol(session, "SUBSCRIBE");
}

static bool send_step(struct session *session, struct command *command, bool is_complete)
{
    if (command == NULL || !is_complete) {
        command_destroy(command);
        return false;
    }
    session->steps_left++;
    return connection_send(session->connection, command);
}

static struct command *step(struct session *session, command_done_fn *done)
{
    return command_create(REPLY_MAX_BYTES, done, session);
}

static bool send_auth(struct session *session)
{
    const struct session_login *login = session->options.login;
    const char *password = password_text(login->password);
    if (password == NULL)
        return true;
    struct command *command = step(session, on_status);
    bool is_complete =
        command != NULL &&
        (login->user != NULL
             ? COMMAND_ADD(command, TEXT("AUTH"), text_of(login->user), text_of(password))
             : COMMAND_ADD(command, TEXT("AUTH"), text_of(password)));
    return send_step(session, command, is_complete);
}

static bool send_select(struct session *session)
{
    char digits[DIGITS_BYTES];
    if (session->options.login->database == 0)
        return true;
    struct command *command = step(session, on_status);
    struct text number = number_text(session->options.login->database, digits);
    return send_step(session, command,
                     command != NULL && COMMAND_ADD(command, TEXT("SELECT"), number));
}

static bool send_role(struct session *session)
{
    if (!session->options.login->must_be_master)
        return true;
    struct command *command = step(session, on_role);
    return send_step(session, command, command != NULL && COMMAND_ADD(command, TEXT("ROLE")));
}

/* With a key of its own, which a moment later is gone. */
static bool send_rehearsal(struct session *session)
{
    const struct session_login *login = session->options.login;
    struct text channel = text_of(login->channel);
    char digits[DIGITS_BYTES];
    struct strbuf name CLEANUP(strbuf_finish);
    strbuf_init(&name, REHEARSAL_KEY_LIMIT);
    strbuf_append_text(&name, login->prefix);
    strbuf_append_text(&name, "rehearsal");
    struct text key = text_of(strbuf_text(&name));
    struct text token = TEXT("rehearsal");

    struct command *command = step(session, on_rehearsed);
    bool is_complete =
        command != NULL && !strbuf_failed(&name) && COMMAND_ADD(command, TEXT("MULTI")) &&
        COMMAND_ADD(command, TEXT("SET"), key, token, TEXT("NX"), TEXT("PX"),
                    number_text(REHEARSAL_MS, digits)) &&
        COMMAND_ADD(command, TEXT("GET"), key) &&
        COMMAND_ADD(command, TEXT("GETRANGE"), key, TEXT("0"), TEXT("1")) &&
        COMMAND_ADD(command, TEXT("PTTL"), key) && COMMAND_ADD(command, TEXT("EXEC"));
    if (!send_step(session, command, is_complete))
        return false;
    command = step(session, on_released);
    is_complete = command != NULL && script_add_release(command, key, token, channel, TEXT(""));
    return send_step(session, command, is_complete);
}

static bool send_subscribe(struct session *session)
{
    struct command *command = step(session, on_subscribed);
    struct text channel = text_of(session->options.login->channel);
    return send_step(session, command,
                     command != NULL && COMMAND_ADD(command, TEXT("SUBSCRIBE"), channel));
}

/* All at once, as the replies come in order: the first that is an error is what counts. */
static void on_opened(void *context)
{
    struct session *session = context;
    bool is_sent = send_auth(session);
    if (is_sent && session->options.kind == SESSION_MESSAGES)
        is_sent = send_subscribe(session);
    else if (is_sent)
        is_sent = send_select(session) && send_role(session) && send_rehearsal(session);
    if (!is_sent) {
        struct fault fault;
        fault_set(&fault, FAULT_NO_MEMORY, "out of memory");
        fail(session, &fault);
    }
}

/* ["message", channel, payload]; whatever else comes unasked is let pass. */
static void on_pushed(void *context, const struct reply *reply)
{
    struct session *session = context;
    struct reply *const *parts = reply_elements(reply, 3);
    if (parts != NULL && reply_is_string(parts[0], "message"))
        session->options.message(session->options.context, reply_text(parts[2]));
}

static void on_failed(void *context, const struct fault *fault)
{
    fail(context, fault);
}

struct session *session_open(const struct session_options *options)
{
    struct session *session = calloc(1, sizeof *session);
    if (session == NULL)
        return NULL;
    session->options = *options;
    struct connection_options connection = options->connection;
    connection.context = session;
    connection.opened = on_opened;
    connection.pushed = options->kind == SESSION_MESSAGES ? on_pushed : NULL;
    connection.failed = on_failed;
    session->connection = connection_open(&connection);
    if (session->connection == NULL) {
        free(session);
        return NULL;
    }
    return session;
}

bool session_send(struct session *session, struct command *command)
{
    return connection_send(session->connection, command);
}

void session_close(struct session *session)
{
    if (session == NULL)
        return;
    session->has_failed = true; /* nobody is to be told any more */
    connection_close(session->connection);
    free(session);
}
