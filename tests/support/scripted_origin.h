/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An OpenCost for tests that move time by hand: a transfer engine which notes what is asked and
 * answers when told.
 *
 * Threads: the test's.
 */
#ifndef SUPPORT_SCRIPTED_ORIGIN_H
#define SUPPORT_SCRIPTED_ORIGIN_H

#include <stdbool.h>
#include <stddef.h>

#include "opencost/transfer.h"

struct scripted_origin;

/* Never NULL: a test without its origin aborts. */
struct scripted_origin *scripted_origin_create(void);
void scripted_origin_destroy(struct scripted_origin *origin);

const struct transfer_engine *scripted_origin_engine(struct scripted_origin *origin);

/* Transfers begun so far; they are numbered from 0. */
size_t scripted_origin_asked(const struct scripted_origin *origin);

/* Borrowed. */
const char *scripted_origin_url(const struct scripted_origin *origin, size_t number);

/* Neither ended nor cancelled. */
bool scripted_origin_is_open(const struct scripted_origin *origin, size_t number);

/* Ends a transfer with a whole answer. */
void scripted_origin_answer(struct scripted_origin *origin, size_t number, int status,
                            const char *body);

/* Ends a transfer without one. */
void scripted_origin_fail(struct scripted_origin *origin, size_t number, enum error_code code);

#endif
