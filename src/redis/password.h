/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The password for Redis: given with the URL, or read from a file again whenever that has changed.
 *
 * Logs: redis.password_unreadable.
 *
 * Threads: one at a time.
 */
#ifndef REDIS_PASSWORD_H
#define REDIS_PASSWORD_H

#include "base/attrs.h"
#include "base/log.h"

struct password;

/* `given` and `path` are copied; either may be NULL, and is when the other is not. `log` is
 * borrowed. NULL only when out of memory. */
struct password *password_create(const char *given, const char *path, struct log *log) NODISCARD;

/* Accepts NULL. */
void password_destroy(struct password *password);

/* As the file has it now, or had it when last readable; NULL: none. Borrowed until the next
 * call. */
const char *password_text(struct password *password) NODISCARD;

#endif
