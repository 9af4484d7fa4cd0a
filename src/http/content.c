/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <libdeflate.h>
#include <stdio.h>
#include <stdlib.h>
#include <xxhash.h>

#include "body_file.h"
#include "head_padding.h"
#include "http/content.h"
#include "representation.h"

enum {
    GZIP_MIN_BYTES = 1024, /* below, the gain is lost in the packet anyway */
    GZIP_LEVEL = 6,        /* the usual balance; content is compressed once and sent often */
};

static void representation_destroy(struct shared *shared)
{
    struct representation *form = CONTAINER_OF(shared, struct representation, shared);

    if (form->file >= 0)
        body_file_destroy(form->file, form->data, form->length);
    else if (!form->is_borrowed)
        free(form->data);
    free(form);
}

struct representation *representation_create(char *data, size_t length, const char *encoding)
{
    struct representation *form = malloc(sizeof(*form));

    if (form == NULL) {
        free(data);
        return NULL;
    }
    *form =
        (struct representation){.data = data, .file = -1, .length = length, .encoding = encoding};
    shared_init(&form->shared, representation_destroy);
    return form;
}

struct representation *representation_create_borrowed(struct text data, const char *encoding)
{
    struct representation *form = malloc(sizeof(*form));

    if (form == NULL)
        return NULL;
    /* Never written to, though libmicrohttpd's door does not say const. */
    *form = (struct representation){.data = (char *)data.data,
                                    .is_borrowed = true,
                                    .file = -1,
                                    .length = data.length,
                                    .encoding = encoding};
    shared_init(&form->shared, representation_destroy);
    return form;
}

void representation_move_to_file(struct representation *form)
{
    struct text bytes = {.data = form->data, .length = form->length};

    if (body_file_create(bytes, &form->file, &form->data))
        free((char *)bytes.data);
}

struct representation *representation_hold(struct representation *form)
{
    shared_hold(&form->shared);
    return form;
}

void representation_release(struct representation *form)
{
    if (form != NULL)
        shared_release(&form->shared);
}

/* Compressed bytes from malloc, shrunk to size; NULL when there is no gain or no memory: both mean
 * that the content goes out as it is. */
static char *gzip_bytes(const char *data, size_t length, size_t *ret_length)
{
    struct libdeflate_compressor *compressor = libdeflate_alloc_compressor(GZIP_LEVEL);
    char *packed = malloc(length); /* no room for a result that does not pay */
    char *shrunk = NULL;
    size_t packed_length = 0;

    if (compressor != NULL && packed != NULL)
        packed_length = libdeflate_gzip_compress(compressor, data, length, packed, length - 1);
    if (packed_length != 0)
        shrunk = realloc(packed, packed_length);
    if (shrunk == NULL)
        free(packed);
    if (compressor != NULL)
        libdeflate_free_compressor(compressor);
    *ret_length = packed_length;
    return shrunk;
}

static struct representation *gzip_representation(const struct representation *identity)
{
    size_t length;
    char *data;

    if (identity->length < GZIP_MIN_BYTES)
        return NULL;
    data = gzip_bytes(identity->data, identity->length, &length);
    return data == NULL ? NULL : representation_create(data, length, "gzip");
}

static void name_representations(struct representation *identity, struct representation *gzip)
{
    uint64_t digest = XXH3_64bits(identity->data, identity->length);

    snprintf(identity->etag, sizeof(identity->etag), "\"%016" PRIx64 "\"", digest);
    if (gzip != NULL)
        snprintf(gzip->etag, sizeof(gzip->etag), "\"%016" PRIx64 "-gzip\"", digest);
}

static struct representation *plain_form(const struct http_content *content)
{
    return atomic_load_explicit(&content->identity, memory_order_acquire);
}

static void content_destroy(struct shared *shared)
{
    struct http_content *content = CONTAINER_OF(shared, struct http_content, shared);

    prepared_table_finish(&content->prepared);
    representation_release(plain_form(content));
    representation_release(content->gzip);
    free(content);
}

struct http_content *content_alloc(const char *type)
{
    struct http_content *content = malloc(sizeof(*content));

    if (content == NULL)
        return NULL;
    prepared_table_init(&content->prepared);
    shared_init(&content->shared, content_destroy);
    content->type = type;
    content->digest = NULL;
    content->gzip = NULL;
    atomic_init(&content->identity, NULL);
    return content;
}

struct http_content *http_content_create(char *bytes, size_t length, const char *type)
{
    struct representation *identity = representation_create(bytes, length, NULL);
    struct http_content *content = identity == NULL ? NULL : content_alloc(type);

    if (content == NULL) {
        representation_release(identity);
        return NULL;
    }
    content->gzip = gzip_representation(identity);
    name_representations(identity, content->gzip);
    representation_move_to_file(identity);
    if (content->gzip != NULL)
        representation_move_to_file(content->gzip);
    atomic_init(&content->identity, identity);
    return content;
}

struct http_content *http_content_hold(struct http_content *content)
{
    shared_hold(&content->shared);
    return content;
}

void http_content_release(struct http_content *content)
{
    if (content != NULL)
        shared_release(&content->shared);
}

static struct text representation_text(const struct representation *form)
{
    return (struct text){.data = form->data, .length = form->length};
}

struct text http_content_bytes(const struct http_content *content)
{
    const struct representation *form = plain_form(content);

    return form == NULL ? TEXT("") : representation_text(form);
}

struct text http_content_gzip(const struct http_content *content)
{
    return content->gzip == NULL ? (struct text){.data = NULL, .length = 0}
                                 : representation_text(content->gzip);
}

const char *http_content_etag(const struct http_content *content)
{
    const struct representation *form = plain_form(content);

    return form == NULL ? "" : form->etag;
}

const char *http_content_gzip_etag(const struct http_content *content)
{
    return content->gzip == NULL ? "" : content->gzip->etag;
}

static size_t form_memory(const struct representation *form)
{
    if (form == NULL)
        return 0;
    return sizeof(*form) + (form->is_borrowed ? 0 : form->length) +
           (form->file < 0 ? 0 : PADDED_HEAD_BYTES);
}

static bool is_in_file(const struct representation *form)
{
    return form != NULL && form->file >= 0;
}

size_t http_content_memory(const struct http_content *content)
{
    const struct representation *identity = plain_form(content);
    bool has_file = is_in_file(identity) || is_in_file(content->gzip);
    size_t answer = (size_t)PREPARED_ANSWER_BYTES + (has_file ? PREPARED_FILE_BYTES : 0);

    /* Of a small content the answers prepared for it are the larger part. */
    return sizeof(*content) + PREPARED_SLOTS * answer + form_memory(identity) +
           form_memory(content->gzip);
}
