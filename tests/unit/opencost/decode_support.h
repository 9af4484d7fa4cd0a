/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of the decoder share: bodies out of files, and answers as text to compare. */
#ifndef TESTS_DECODE_SUPPORT_H
#define TESTS_DECODE_SUPPORT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "cost/cost_set.h"

struct body {
    char *bytes;
    size_t length;
};

/* Fails the test when the file cannot be read. */
struct body body_load(const char *folder, const char *file);

/* Nothing lies behind the bytes: a read beyond them is seen by valgrind and the address sanitizer.
 */
struct body body_copy(const char *bytes, size_t length);
void body_free(struct body *body);

/* Calls `check` for every regular file of the folder, in the order of their names, except
 * cases.json, which describes its neighbours. Returns how many there were; 0 also when there is no
 * such folder. */
size_t for_each_body(const char *folder,
                     void (*check)(const char *file, const struct body *body, void *context),
                     void *context);

/* Feeds the first `first` bytes, then the rest in pieces of `piece` bytes (0: all of it). */
struct cost_set *decode_in_pieces(const struct body *body, size_t first, size_t piece,
                                  bool include_idle, struct error *reterr);

/* All rows and figures of a set, or the error: without the quotation of what was found, which
 * depends on how much of the body had arrived. Takes the set. The caller frees the text. */
char *describe(struct cost_set *set, const struct error *error);

char *describe_pieces(const struct body *body, size_t first, size_t piece);
char *describe_whole(const struct body *body);

#endif
