/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What went wrong: a code that says what the caller can do about it, and one line of text.
 *
 * A function that can fail returns bool or a pointer and fills its last argument, `struct error
 * *reterr`, which the caller owns (usually on its stack) and which may be NULL when the caller does
 * not care. Nothing to free. Lower rooms return errors, upper rooms decide; only api/problem.c
 * turns a code into an HTTP status. A failure is either logged or returned, never both.
 *
 * Threads: plain data; no shared state.
 */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#include <stdbool.h>

#include "base/attrs.h"

enum error_code {
    ERR_NONE,
    ERR_NO_MEMORY,
    ERR_INVALID,  /* the caller's input is wrong; the text names the field and what was expected */
    ERR_IO,       /* a file, socket or system call failed */
    ERR_LIMIT,    /* a bound of ours was reached */
    ERR_BUSY,     /* too many requests are waiting already; try again later */
    ERR_DEADLINE, /* the waiting request ran out of time; the fetch may still succeed */
    ERR_SHUTDOWN, /* the process is stopping */
    ERR_UPSTREAM_CONNECT,   /* OpenCost could not be reached, or the connection broke */
    ERR_UPSTREAM_TLS,       /* the TLS handshake or certificate check failed */
    ERR_UPSTREAM_TIMEOUT,   /* no complete answer in time */
    ERR_UPSTREAM_STATUS,    /* an HTTP status that may pass: 408, 429, 5xx; `http_status` has it */
    ERR_UPSTREAM_REJECTED,  /* OpenCost refused the query: its 400 */
    ERR_UPSTREAM_REFUSED,   /* any other 4xx, or a redirect not followed: a retry is no use */
    ERR_UPSTREAM_BODY,      /* 2xx, but the body is not a complete, successful allocation answer */
    ERR_UPSTREAM_TOO_LARGE, /* the body exceeds OPENCOST_MAX_BODY_MB */
    ERR_UPSTREAM_UNAVAILABLE, /* not asked: too much has failed lately; the text says until when */
};

struct error {
    enum error_code code;
    int http_status; /* of OpenCost's answer, where the code speaks of one; else 0 */
    /* One line, no trailing newline. May hold inner host names: for the log, not for clients. */
    char text[240];
};

/* Fills *reterr (NULL is accepted); text longer than the buffer is cut at a character boundary,
 * control characters become spaces. Always returns false, so that `return error_set(...)` reads
 * well. */
bool error_set(struct error *reterr, enum error_code code, const char *format, ...)
    PRINTF_LIKE(3, 4);

/* The same for running out of memory: needs no formatting and cannot fail. Always returns false. */
bool error_no_memory(struct error *reterr);

/* True when they say the same: what is logged once a fault asks for it. */
bool error_equals(const struct error *a, const struct error *b) NODISCARD;

/* A stable lower-case word for the code ("upstream_timeout"), for logs and metrics. Never NULL. */
const char *error_code_name(enum error_code code) NODISCARD;

#endif
