/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bearer tokens (RFC 6750): who sends one of those in a file may ask.
 *
 * The file has one token a line; blank lines, and those that begin with #, do not count. It is read
 * again when it changes; one that cannot be used leaves the tokens as they are. A token that is
 * sent is compared with all there are, in a time that says nothing of them, and never logged: the
 * log has the beginning of its SHA-256 digest.
 *
 * Logs: auth.tokens_reloaded, auth.tokens_unreadable.
 *
 * Threads: any, except create, destroy and upkeep: one at a time.
 */
#ifndef API_AUTH_H
#define API_AUTH_H

#include "base/attrs.h"
#include "base/error.h"
#include "base/log.h"

struct auth;

/* Reads the file, which must have a token. `log` is borrowed. */
struct auth *auth_create(const char *token_file, struct log *log, struct error *reterr) NODISCARD;

/* Accepts NULL. */
void auth_destroy(struct auth *auth);

/* Reads the file again if it has changed. */
void auth_upkeep(struct auth *auth);

enum auth_verdict { AUTH_GRANTED, AUTH_NO_TOKEN, AUTH_WRONG_TOKEN };

enum { AUTH_USER_MAX = 16 }; /* "sha256:" and eight digits, NUL included */

/* `authorization`: the header of that name, or NULL. `ret_user` is whose token it was, if
 * granted. */
enum auth_verdict auth_judge(struct auth *auth, const char *authorization,
                             char ret_user[AUTH_USER_MAX]) NODISCARD;

#endif
