/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bearer token, read from its file again whenever the file has changed (Kubernetes rotates
 * secrets by replacing files).
 *
 * Logs: opencost.token_unreadable.
 *
 * Threads: one at a time.
 */
#ifndef OPENCOST_CLIENT_TOKEN_H
#define OPENCOST_CLIENT_TOKEN_H

#include "base/attrs.h"
#include "base/log.h"

struct client_token;

/* NULL only when out of memory. `path` is copied, `log` borrowed. */
struct client_token *client_token_create(const char *path, struct log *log) NODISCARD;

/* Accepts NULL. */
void client_token_destroy(struct client_token *token);

/* The token as the file has it now, or as it was when last readable; NULL if it never was. Accepts
 * NULL (no token). Borrowed until the next call. */
const char *client_token_text(struct client_token *token) NODISCARD;

#endif
