/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A body ready to be sent: made once, shared by any number of answers.
 *
 * Holds the bytes as they are, the same compressed by gzip (if that is at least 1 KiB and
 * compressing pays), and a strong ETag for each. Immutable to the outside and reference counted;
 * inside it remembers prepared responses, so that a cached answer is sent without building anything
 * (see http/exchange.h). Forms of 64 to 128 KB are kept in files without names, for the kernel to
 * send, unless they are built into the binary; each takes descriptors, of which all together leave
 * most for connections.
 *
 * Threads: any.
 */
#ifndef HTTP_CONTENT_H
#define HTTP_CONTENT_H

#include <stddef.h>

#include "base/attrs.h"
#include "base/text.h"

struct http_content;

enum {
    HTTP_ETAG_MAX = 40, /* bytes of an ETag with its quotes, NUL included */
    /* Files and answers made from them take at most one of so many that the process may have. */
    HTTP_CONTENT_SHARE_OF_DESCRIPTORS = 8,
};

/* Takes `bytes` (from malloc) over, even on failure. `type` is a static string
 * ("application/json"). Compresses at once, so big bodies belong in a job thread. NULL only when
 * out of memory. */
struct http_content *http_content_create(char *bytes, size_t length, const char *type) NODISCARD;

/* Content that exists compressed, such as a file built into the binary: `gzip` (one member) is
 * borrowed for good, `digest` is the static text that ETags are made of, at most 32 characters. The
 * plain bytes are made when the first client refuses gzip, and kept from then on. NULL only when
 * out of memory. */
struct http_content *http_content_create_packed(struct text gzip, const char *digest,
                                                const char *type) NODISCARD;

struct http_content *http_content_hold(struct http_content *content);

/* Accepts NULL. */
void http_content_release(struct http_content *content);

/* Borrowed. Length 0 while packed content is only packed; its ETag is then empty. */
struct text http_content_bytes(const struct http_content *content) NODISCARD;

/* Length 0 when there is no compressed form. */
struct text http_content_gzip(const struct http_content *content) NODISCARD;

const char *http_content_etag(const struct http_content *content) NODISCARD;
const char *http_content_gzip_etag(const struct http_content *content) NODISCARD;

/* Memory it keeps, for the cache's budget; the answers that will be prepared for it included. */
size_t http_content_memory(const struct http_content *content) NODISCARD;

#endif
