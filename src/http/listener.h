/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The listening socket: our own, so that the error of a failed bind is ours to word.
 *
 * Threads: one at a time.
 */
#ifndef HTTP_LISTENER_H
#define HTTP_LISTENER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attrs.h"
#include "base/error.h"

struct listener {
    int fd;
    uint16_t port; /* the one bound */
};

/* `host` is an address or a name, of which the first address that can be bound is taken. `::` takes
 * IPv4 too. The error names host, port and reason. */
bool listener_open(struct listener *listener, const char *host, uint16_t port,
                   struct error *reterr) NODISCARD;

/* The kernel refuses connections from now on; the descriptor stays. */
void listener_shutdown(struct listener *listener);

/* Accepts a listener that never opened (fd -1). */
void listener_close(struct listener *listener);

#endif
