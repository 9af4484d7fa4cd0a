/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A file that is replaced as a whole: whoever reads it finds the old content or the new, whatever
 * happens to the writer meanwhile.
 *
 * Threads: any, one at a time per file. All of this waits for the disk.
 */
#ifndef SERVICE_SNAPSHOT_FILE_H
#define SERVICE_SNAPSHOT_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attrs.h"
#include "base/error.h"
#include "base/text.h"

/* Fails with ERR_IO; the old content is then still there. */
bool snapshot_file_write(const char *path, struct text bytes, struct error *reterr) NODISCARD;

/* Bytes from malloc. False and *reterr: ERR_IO, ERR_LIMIT beyond `limit_bytes`, ERR_INVALID when it
 * is no regular file, or ERR_NO_MEMORY. A file that is not there is no error: *ret_bytes is
 * NULL. */
bool snapshot_file_read(const char *path, size_t limit_bytes, char **ret_bytes, size_t *ret_length,
                        struct error *reterr) NODISCARD;

/* Removes what a writer left beside the file when it was killed. */
void snapshot_file_tidy(const char *path);

#endif
