/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Why Redis was of no use: a word for the metrics, a sentence for the log.
 *
 * Threads: plain data.
 */
#ifndef REDIS_FAULT_H
#define REDIS_FAULT_H

#include "base/attrs.h"

enum fault_reason {
    FAULT_CONNECT,   /* could not be reached, or the connection broke */
    FAULT_TLS,       /* handshake or certificate */
    FAULT_TIMEOUT,   /* silent for too long */
    FAULT_AUTH,      /* password, user, or what the user may not do */
    FAULT_FULL,      /* Redis has no memory left to write with */
    FAULT_READ_ONLY, /* a replica, or no longer the master */
    FAULT_LOADING,   /* starting */
    FAULT_REFUSED,   /* any other error that Redis told */
    FAULT_PROTOCOL,  /* not the answer that this question has */
    FAULT_TOO_LARGE, /* an answer, or a value to be stored, beyond our bounds */
    FAULT_FOREIGN,   /* under one of our keys is what we did not write */
    FAULT_BUSY,      /* too much of ours is queued */
    FAULT_NO_MEMORY, /* here */
    FAULT_REASONS
};

struct fault {
    enum fault_reason reason;
    char text[200]; /* one line */
};

void fault_set(struct fault *fault, enum fault_reason reason, const char *format, ...)
    PRINTF_LIKE(3, 4);

/* "connect", "tls", ...: for metrics and logs. */
const char *fault_reason_name(enum fault_reason reason) NODISCARD;

#endif
