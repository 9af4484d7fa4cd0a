/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One form of a content: its bytes, and the answers prepared for it.
 *
 * Reference counted apart from the content, because an answer on its way out owns the bytes it
 * borrows to libmicrohttpd: if it owned the content, and the content its prepared answers, neither
 * would ever be freed.
 *
 * Threads: any; the bytes never change.
 */
#ifndef HTTP_REPRESENTATION_H
#define HTTP_REPRESENTATION_H

#include <stddef.h>

#include "base/attrs.h"
#include "base/shared.h"
#include "http/content.h"
#include "prepared.h"

struct representation {
    struct shared shared;
    char *data;
    size_t length;
    const char *encoding; /* of Content-Encoding, or NULL */
    char etag[HTTP_ETAG_MAX];
};

struct http_content {
    struct shared shared;
    const char *type;
    struct representation *identity;
    struct representation *gzip; /* NULL when compressing does not pay */
    struct prepared_table prepared;
};

/* Takes `data` over, even on failure. NULL only when out of memory. */
struct representation *representation_create(char *data, size_t length,
                                             const char *encoding) NODISCARD;
struct representation *representation_hold(struct representation *form);

/* Accepts NULL. */
void representation_release(struct representation *form);

#endif
