/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Content that comes compressed. Nearly every client takes it so; the plain form is made when the
 * first one does not. Threads that come at that moment each unpack, and the first to finish is
 * kept: no lock is held meanwhile, and there are never more copies than threads.
 */
#include <libdeflate.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "http/content.h"
#include "representation.h"

struct http_content *http_content_create_packed(struct text gzip, const char *digest,
                                                const char *type)
{
    struct http_content *content = content_alloc(type);

    if (content == NULL)
        return NULL;
    content->digest = digest;
    content->gzip = representation_create_borrowed(gzip, "gzip");
    if (content->gzip == NULL) {
        http_content_release(content);
        return NULL;
    }
    snprintf(content->gzip->etag, sizeof(content->gzip->etag), "\"%s-gzip\"", digest);
    return content;
}

/* A gzip member ends in its plain length, modulo 2^32. */
static size_t plain_length(const struct representation *gzip)
{
    const unsigned char *end = (const unsigned char *)gzip->data + gzip->length;

    if (gzip->length < 4)
        return 0;
    return (uint32_t)end[-4] | (uint32_t)end[-3] << 8 | (uint32_t)end[-2] << 16 |
           (uint32_t)end[-1] << 24;
}

/* NULL when out of memory, or when this is no gzip. */
static struct representation *unpack(const struct representation *gzip)
{
    struct libdeflate_decompressor *unpacker = libdeflate_alloc_decompressor();
    size_t length = plain_length(gzip);
    char *data = malloc(length + 1);
    bool done = unpacker != NULL && data != NULL &&
                libdeflate_gzip_decompress(unpacker, gzip->data, gzip->length, data, length,
                                           NULL) == LIBDEFLATE_SUCCESS;

    if (unpacker != NULL)
        libdeflate_free_decompressor(unpacker);
    if (!done) {
        free(data);
        return NULL;
    }
    return representation_create(data, length, NULL);
}

struct representation *content_identity(struct http_content *content)
{
    struct representation *kept = atomic_load_explicit(&content->identity, memory_order_acquire);
    struct representation *made;

    if (kept != NULL)
        return kept;
    made = unpack(content->gzip);
    if (made == NULL)
        return NULL;
    snprintf(made->etag, sizeof(made->etag), "\"%s\"", content->digest);
    if (atomic_compare_exchange_strong_explicit(&content->identity, &kept, made,
                                                memory_order_acq_rel, memory_order_acquire))
        return made;
    representation_release(made);
    return kept;
}
