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

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/attrs.h"
#include "base/shared.h"
#include "http/content.h"
#include "prepared.h"

struct representation {
    struct shared shared;
    char *data;
    bool is_borrowed; /* `data` is not ours to free */
    int file;         /* that `data` is mapped from, or -1 */
    size_t length;
    const char *encoding; /* of Content-Encoding, or NULL */
    char etag[HTTP_ETAG_MAX];
};

struct http_content {
    struct shared shared;
    const char *type;
    const char *digest; /* of packed content, else NULL */
    /* NULL while packed content is only packed; set once, so what was read stays valid. */
    _Atomic(struct representation *) identity;
    struct representation *gzip; /* NULL when compressing does not pay */
    struct prepared_table prepared;
};

/* Takes `data` over, even on failure. NULL only when out of memory. */
struct representation *representation_create(char *data, size_t length,
                                             const char *encoding) NODISCARD;
/* Likewise, but `data` stays the caller's and must outlive all. */
struct representation *representation_create_borrowed(struct text data,
                                                      const char *encoding) NODISCARD;
/* Before anybody else has it: its bytes go into a file, if that pays. */
void representation_move_to_file(struct representation *form);
struct representation *representation_hold(struct representation *form);

/* Accepts NULL. */
void representation_release(struct representation *form);

/* Content without representations yet, or NULL. */
struct http_content *content_alloc(const char *type) NODISCARD;

/* The plain form, borrowed; unpacks it if need be. NULL when out of memory. */
struct representation *content_identity(struct http_content *content) NODISCARD;

#endif
