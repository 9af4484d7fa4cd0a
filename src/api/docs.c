/* SPDX-License-Identifier: Apache-2.0 */
#include "docs.h"

#include <stdlib.h>
#include <string.h>

#include "docs_files.h"
#include "openapi.h"

struct docs {
    struct http_content *page;
    size_t file_count;
    struct http_content *files[]; /* in the order of docs_files_all() */
};

static struct http_content *content_of(const struct docs_file *file)
{
    struct text gzip = {file->gzip, (size_t)(file->gzip_end - file->gzip)};
    return http_content_create_packed(gzip, file->digest, file->type);
}

struct docs *docs_create(void)
{
    size_t count;
    const struct docs_file *files = docs_files_all(&count);
    struct docs *docs = calloc(1, sizeof(*docs) + count * sizeof(struct http_content *));
    if (docs == NULL)
        return NULL;
    docs->file_count = count;
    docs->page = openapi_docs_page(count > 0);
    bool complete = docs->page != NULL;
    for (size_t i = 0; complete && i < count; i++) {
        docs->files[i] = content_of(&files[i]);
        complete = docs->files[i] != NULL;
    }
    if (!complete) {
        docs_destroy(docs);
        return NULL;
    }
    return docs;
}

void docs_destroy(struct docs *docs)
{
    if (docs == NULL)
        return;
    http_content_release(docs->page);
    for (size_t i = 0; i < docs->file_count; i++)
        http_content_release(docs->files[i]);
    free(docs);
}

bool docs_has_files(const struct docs *docs)
{
    return docs->file_count > 0;
}

struct http_content *docs_page(const struct docs *docs)
{
    return docs->page;
}

struct http_content *docs_file(const struct docs *docs, const char *path)
{
    size_t count;
    const struct docs_file *files = docs_files_all(&count);
    for (size_t i = 0; i < count; i++) {
        if (strcmp(files[i].path, path) == 0)
            return docs->files[i];
    }
    return NULL;
}
