/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <dirent.h>

#include "base/strbuf.h"
#include "decode_support.h"
#include "opencost/decode.h"

struct body body_copy(const char *bytes, size_t length)
{
    struct body body = {.bytes = malloc(length > 0 ? length : 1), .length = length};
    assert_non_null(body.bytes);
    if (length > 0)
        memcpy(body.bytes, bytes, length);
    return body;
}

void body_free(struct body *body)
{
    free(body->bytes);
    *body = (struct body){0};
}

struct body body_load(const char *folder, const char *file)
{
    enum { FILE_MAX_BYTES = 1 << 20 };
    char path[4096];
    snprintf(path, sizeof(path), "%s/%s", folder, file);
    FILE *stream = fopen(path, "rb");
    if (stream == NULL)
        fail_msg("cannot open %s", path);
    char *bytes = malloc(FILE_MAX_BYTES);
    assert_non_null(bytes);
    size_t length = fread(bytes, 1, FILE_MAX_BYTES, stream);
    assert_true(length < FILE_MAX_BYTES);
    fclose(stream);
    struct body body = body_copy(bytes, length);
    free(bytes);
    return body;
}

static int is_body(const struct dirent *entry)
{
    return entry->d_name[0] != '.' && strcmp(entry->d_name, "cases.json") != 0;
}

size_t for_each_body(const char *folder,
                     void (*check)(const char *file, const struct body *body, void *context),
                     void *context)
{
    struct dirent **entries;
    int count = scandir(folder, &entries, is_body, alphasort);
    if (count < 0)
        return 0;
    for (int i = 0; i < count; i++) {
        struct body body = body_load(folder, entries[i]->d_name);
        check(entries[i]->d_name, &body, context);
        body_free(&body);
        free(entries[i]);
    }
    free(entries);
    return (size_t)count;
}

struct cost_set *decode_in_pieces(const struct body *body, size_t first, size_t piece,
                                  bool include_idle, struct error *reterr)
{
    struct allocation_decoder *decoder = allocation_decoder_create(include_idle);
    assert_non_null(decoder);
    size_t length = first;
    for (size_t at = 0; at < body->length; at += length, length = piece) {
        if (length == 0 || length > body->length - at)
            length = body->length - at;
        struct body copy = body_copy(body->bytes + at, length);
        /* A failure is sticky, so finishing tells it again. */
        (void)!allocation_decoder_feed(decoder, copy.bytes, copy.length, reterr);
        body_free(&copy);
    }
    struct cost_set *set = allocation_decoder_finish(decoder, reterr);
    allocation_decoder_destroy(decoder);
    return set;
}

static void describe_decimal(struct strbuf *buf, decimal value)
{
    char text[DECIMAL_TEXT_MAX];
    strbuf_append_char(buf, ' ');
    strbuf_append(buf, text, decimal_format(value, text));
}

static void describe_row(struct strbuf *buf, struct text name, bool is_special,
                         const struct cost_figures *figures, const struct cost_usage *usage)
{
    const decimal values[] = {
        figures->total,          figures->cpu,          figures->memory,
        figures->storage,        figures->network,      figures->gpu,
        figures->load_balancer,  figures->shared,       figures->external,
        figures->idle,           usage->cpu_efficiency, usage->memory_efficiency,
        usage->total_efficiency, usage->cpu_request,    usage->cpu_usage,
        usage->memory_request,   usage->memory_usage,
    };
    strbuf_append_char(buf, '"');
    strbuf_append(buf, name.data, name.length);
    strbuf_append_text(buf, is_special ? "\" special" : "\"");
    for (size_t i = 0; i < ARRAY_LENGTH(values); i++)
        describe_decimal(buf, values[i]);
    strbuf_append_format(buf, " of %" PRIu32, usage->allocations);
}

static void describe_rows(struct strbuf *buf, const struct cost_set *set)
{
    size_t count;
    const struct namespace_cost *namespaces = cost_set_namespaces(set, &count);
    for (size_t i = 0; i < count; i++) {
        const struct namespace_cost *row = &namespaces[i];
        strbuf_append_text(buf, "namespace ");
        describe_row(buf, row->name, row->is_special, &row->figures, &row->usage);
        strbuf_append_format(buf, " pods %" PRIu64 " from %" PRIu32 " to %" PRIu32 "\n",
                             row->pod_count, row->first_pod, row->last_pod);
    }
    const struct pod_cost *pods = cost_set_pods(set, &count);
    for (size_t i = 0; i < count; i++) {
        const struct pod_cost *row = &pods[i];
        strbuf_append_text(buf, "pod ");
        describe_row(buf, row->name, row->is_special, &row->figures, &row->usage);
        strbuf_append_format(buf, " in %" PRIu32 " then %" PRIu32 "\n", row->namespace_index,
                             row->next_in_namespace);
    }
}

char *describe(struct cost_set *set, const struct error *error)
{
    struct strbuf buf;
    strbuf_init(&buf, SIZE_MAX);
    if (set == NULL) {
        const char *quotation = strstr(error->text, ", found `");
        size_t length = quotation != NULL ? (size_t)(quotation - error->text) : strlen(error->text);
        strbuf_append_format(&buf, "%s: %.*s", error_code_name(error->code), (int)length,
                             error->text);
    } else {
        int64_t start_s = 0;
        const struct cost_defects *defects = cost_set_defects(set);
        bool has_start = cost_set_data_start(set, &start_s);
        describe_rows(&buf, set);
        strbuf_append_format(&buf,
                             "defects: figures %" PRIu64 " skipped %" PRIu64 " idle %" PRIu64
                             " ignored %" PRIu64 "\nstart: %s%" PRId64 "\ntotal:",
                             defects->figures, defects->rows_skipped, defects->idle_dropped,
                             defects->entries_ignored, has_start ? "" : "none ", start_s);
        describe_decimal(&buf, cost_set_total(set));
        cost_set_destroy(set);
    }
    size_t length;
    char *text = strbuf_take(&buf, &length);
    assert_non_null(text);
    return text;
}

char *describe_pieces(const struct body *body, size_t first, size_t piece)
{
    struct error error = {0};
    return describe(decode_in_pieces(body, first, piece, true, &error), &error);
}

char *describe_whole(const struct body *body)
{
    struct error error = {0};
    return describe(allocation_decode(body->bytes, body->length, true, &error), &error);
}
