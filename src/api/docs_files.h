/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The files that the documentation's page loads, as they were built into the binary.
 *
 * Threads: constant data.
 */
#ifndef API_DOCS_FILES_H
#define API_DOCS_FILES_H

#include <stddef.h>

#include "base/attrs.h"

struct docs_file {
    const char *path;
    const char *type;
    const char *digest; /* changes with the file */
    const char *gzip;   /* the file, compressed, up to gzip_end */
    const char *gzip_end;
};

/* None in a binary that was built without them. */
const struct docs_file *docs_files_all(size_t *ret_count) NODISCARD;

#endif
