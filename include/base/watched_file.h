/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A file that others replace while we run, such as a token or a certificate: read once, and again
 * when it has changed.
 *
 * Whether it has is told by its identity, size and times, so that replacing a symbolic link on the
 * way to it (which is how Kubernetes renews a mounted Secret) is noticed too. What is read may be
 * secret: it is wiped before its memory is freed.
 *
 * Threads: one at a time.
 */
#ifndef BASE_WATCHED_FILE_H
#define BASE_WATCHED_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attrs.h"
#include "base/error.h"

struct watched_file;

/* `path` is copied; nothing is opened yet. NULL only when out of memory. */
struct watched_file *watched_file_create(const char *path) NODISCARD;

/* Accepts NULL. */
void watched_file_destroy(struct watched_file *file);

const char *watched_file_path(const struct watched_file *file) NODISCARD;

/* False when the file is the one that was read last, unchanged. True as long as it could not be
 * read, or cannot be asked about. */
bool watched_file_has_changed(const struct watched_file *file) NODISCARD;

/* Reads the whole file, which must be a regular one of at most `limit_bytes`. Returns it with a NUL
 * behind, to be freed with watched_file_free(); NULL on failure, and the error names the reason but
 * not the file. */
char *watched_file_read(struct watched_file *file, size_t limit_bytes, size_t *ret_length,
                        struct error *reterr) NODISCARD;

/* Wipes and frees what was read. Accepts NULL. */
void watched_file_free(char *text, size_t length);

#endif
