/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A connection that has logged in: user and password, database, for Redis behind Sentinels the
 * question whether it is the master, and a rehearsal of whatever will be asked of it, so that what
 * Redis or its access rules refuse shows here.
 *
 *     connecting -> logging in -> ready -> failed
 *          '------------'-----------------^
 *
 * Threads: the loop thread only.
 */
#ifndef REDIS_SESSION_H
#define REDIS_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "connection.h"
#include "password.h"

struct session;

/* What all sessions of a tier have in common. Borrowed. */
struct session_login {
    const char *user;          /* NULL: the default one */
    struct password *password; /* asked at each log-in */
    int64_t database;
    const char *prefix;
    const char *channel; /* where settled leases are told */
    bool must_be_master;
};

enum session_kind {
    SESSION_COMMANDS,
    SESSION_MESSAGES, /* subscribed to the channel: `message` tells what is said there */
};

struct session_options {
    struct connection_options connection; /* without callbacks and context */
    const struct session_login *login;
    enum session_kind kind;
    void *context;
    void (*ready)(void *context);
    void (*message)(void *context, struct text payload); /* NULL for commands */
    /* Once; nothing comes after it. Not from inside any call. */
    void (*failed)(void *context, const struct fault *fault);
};

/* NULL only when out of memory. */
struct session *session_open(const struct session_options *options) NODISCARD;

/* As connection_send(); once ready, and for commands. */
bool session_send(struct session *session, struct command *command) NODISCARD;

/* As connection_close(). Accepts NULL. */
void session_close(struct session *session);

#endif
