/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hears on Redis' channel which leases were settled, on a connection of its own that is there while
 * somebody listens, and a little longer. Messages may be lost, with a connection or before it
 * stands: who listens polls as well.
 *
 * Threads: the loop thread only.
 */
#ifndef REDIS_MESSAGES_H
#define REDIS_MESSAGES_H

#include <stdbool.h>

#include "base/text.h"
#include "link.h"

enum {
    MESSAGES_LINGER_MS = 10 * 1000, /* nobody listens any more */
    MESSAGES_RETRY_MS = 1000,       /* the connection failed */
};

struct messages;

/* Embed it. */
struct listener {
    struct listener *next, *previous;
    struct text key;                         /* borrowed while it listens */
    void (*told)(struct listener *listener); /* that key's lease is settled, or it may be */
};

/* Both are borrowed. NULL only when out of memory. */
struct messages *messages_create(struct link *link, const struct scheduler *scheduler) NODISCARD;

/* Accepts NULL. */
void messages_destroy(struct messages *messages);

/* Closes the connection. */
void messages_stop(struct messages *messages);

void messages_listen(struct messages *messages, struct listener *listener);
void messages_leave(struct messages *messages, struct listener *listener);

/* Whether messages arrive, as far as one can know. */
bool messages_arrive(const struct messages *messages) NODISCARD;

#endif
