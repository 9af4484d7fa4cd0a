/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bytes of a large body in a file without a name (memfd_create(2)), which the kernel sends by
 * reference (sendfile(2)), where from memory it would copy them for each answer. They begin
 * PADDED_HEAD_BYTES into it (head_padding.h).
 *
 * Each takes a descriptor, and so does each answer prepared from it. They keep to a share of what
 * the process may have, by their numbers, as the kernel always gives the lowest that is free: where
 * descriptors run short, there are no more of these files, and bodies are copied. Nor are there
 * more than a process may have mappings, by far.
 *
 * Threads: any.
 */
#ifndef HTTP_BODY_FILE_H
#define HTTP_BODY_FILE_H

#include <stdbool.h>

#include "base/attrs.h"
#include "base/text.h"

/* A new file with a copy of the bytes, and them mapped from it, to be read only. False when they
 * are too few or too many to gain by it, or descriptors or memory are short: nothing has changed
 * then. */
bool body_file_create(struct text bytes, int *ret_file, char **ret_mapped) NODISCARD;
void body_file_destroy(int file, char *mapped, size_t length);

/* Another descriptor of the file, the caller's to close, or -1. */
int body_file_share(int file) NODISCARD;

#endif
