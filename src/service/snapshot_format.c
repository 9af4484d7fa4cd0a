/* SPDX-License-Identifier: Apache-2.0 */
#include "snapshot_format.h"

#include <libdeflate.h>
#include <stdlib.h>
#include <xxhash.h>

#include "cost/cost_set_codec.h"

enum {
    CHECKSUM_BYTES = 8,
    DEFLATE_LEVEL = 6,
    DEFLATE_RATIO_MAX = 1032, /* no stream of bits yields more */
    DATASET_MIN_BYTES = 8,
    TTL_MAX_MS = 24 * 3600 * 1000, /* CACHE_TTL's limit, and that of closed months */
};

/* A million pods are a tenth of it. */
#define COST_SET_LIMIT_BYTES ((size_t)1 << 31)

static const struct text magic = TEXT_INIT("kubecent");

static uint64_t hash_of(struct text text)
{
    return XXH3_64bits(text.data, text.length);
}

void snapshot_put_head(struct strbuf *out, struct text origin, int64_t created_wall_ms,
                       size_t count)
{
    strbuf_append(out, magic.data, magic.length);
    wire_put_unsigned(out, SNAPSHOT_VERSION);
    wire_put_fixed64(out, hash_of(origin));
    wire_put_signed(out, created_wall_ms);
    wire_put_unsigned(out, count);
}

static bool put_compressed(struct strbuf *out, struct text raw, struct error *reterr)
{
    struct libdeflate_compressor *compressor = libdeflate_alloc_compressor(DEFLATE_LEVEL);
    size_t room =
        compressor != NULL ? libdeflate_deflate_compress_bound(compressor, raw.length) : 0;
    char *packed = compressor != NULL ? malloc(room) : NULL;
    if (packed != NULL) {
        size_t length = libdeflate_deflate_compress(compressor, raw.data, raw.length, packed, room);
        wire_put_unsigned(out, raw.length);
        wire_put_text(out, (struct text){.data = packed, .length = length});
    }
    bool done = packed != NULL && !strbuf_failed(out);
    free(packed);
    if (compressor != NULL)
        libdeflate_free_compressor(compressor);
    return done || error_no_memory(reterr);
}

bool snapshot_put_dataset(struct strbuf *out, const struct snapshot_dataset *dataset,
                          const struct cost_set *set, struct error *reterr)
{
    struct strbuf raw CLEANUP(strbuf_finish);
    strbuf_init(&raw, COST_SET_LIMIT_BYTES);
    cost_set_encode(set, &raw);
    if (strbuf_failed(&raw))
        return error_no_memory(reterr);
    wire_put_text(out, text_of(dataset->window.canonical));
    wire_put_unsigned(out, dataset->include_idle);
    wire_put_signed(out, dataset->fetched_wall_ms);
    wire_put_signed(out, dataset->ttl_ms);
    return put_compressed(out, (struct text){.data = raw.data, .length = raw.length}, reterr);
}

void snapshot_put_checksum(struct strbuf *out)
{
    if (!strbuf_failed(out))
        wire_put_fixed64(out, hash_of((struct text){.data = out->data, .length = out->length}));
}

static bool damaged(struct error *reterr, const char *what)
{
    return error_set(reterr, ERR_INVALID, "damaged: %s", what);
}

/* What comes before the version can be read by all; what is behind it, checksum included, only
 * where the version is known. */
static bool check_version(struct text bytes, struct wire_reader *ret_wire, struct error *reterr)
{
    if (bytes.length < magic.length || memcmp(bytes.data, magic.data, magic.length) != 0)
        return error_set(reterr, ERR_INVALID, "not a snapshot of this program");
    *ret_wire = wire_reader_of(
        (struct text){.data = bytes.data + magic.length, .length = bytes.length - magic.length});
    uint64_t version = wire_get_unsigned(ret_wire);
    if (!ret_wire->failed && version > SNAPSHOT_VERSION)
        return error_set(reterr, ERR_INVALID,
                         "written by a newer version (format %llu, ours is %d)",
                         (unsigned long long)version, SNAPSHOT_VERSION);
    if (ret_wire->failed || version != SNAPSHOT_VERSION || ret_wire->left < CHECKSUM_BYTES)
        return damaged(reterr, "its beginning breaks off");
    return true;
}

static bool check_sum(struct text bytes, struct error *reterr)
{
    size_t length = bytes.length - CHECKSUM_BYTES;
    struct wire_reader end =
        wire_reader_of((struct text){.data = bytes.data + length, .length = CHECKSUM_BYTES});
    if (wire_get_fixed64(&end) != hash_of((struct text){.data = bytes.data, .length = length}))
        return damaged(reterr, "its checksum does not match");
    return true;
}

/* The rest of the head, behind the version; takes the checksum off the end. */
static bool read_head(struct wire_reader wire, struct text origin,
                      struct snapshot_reader *ret_reader, struct error *reterr)
{
    struct snapshot_reader reader = {.wire = wire};
    reader.wire.left -= CHECKSUM_BYTES;
    if (wire_get_fixed64(&reader.wire) != hash_of(origin))
        return error_set(reterr, ERR_INVALID, "of another OpenCost");
    reader.created_wall_ms = wire_get_int64(&reader.wire);
    reader.left = wire_get_count(&reader.wire, DATASET_MIN_BYTES);
    if (reader.wire.failed || (reader.left == 0 && reader.wire.left > 0))
        return damaged(reterr, "its beginning makes no sense");
    *ret_reader = reader;
    return true;
}

bool snapshot_open(struct text bytes, struct text origin, struct snapshot_reader *ret_reader,
                   struct error *reterr)
{
    struct wire_reader wire;
    return check_version(bytes, &wire, reterr) && check_sum(bytes, reterr) &&
           read_head(wire, origin, ret_reader, reterr);
}

bool snapshot_look(struct text bytes, struct text origin, struct snapshot_reader *ret_reader,
                   struct error *reterr)
{
    struct wire_reader wire;
    return check_version(bytes, &wire, reterr) && read_head(wire, origin, ret_reader, reterr);
}

/* Only a window's canonical form identifies it. */
static bool is_canonical(struct text text, struct window *ret_window)
{
    return window_parse(text, ret_window) && text_equals(text, text_of(ret_window->canonical));
}

bool snapshot_next(struct snapshot_reader *reader, struct snapshot_dataset *ret_dataset,
                   struct error *reterr)
{
    struct wire_reader *wire = &reader->wire;
    struct snapshot_dataset dataset;
    struct text window = wire_get_text(wire);
    uint64_t idle = wire_get_unsigned(wire);
    dataset.fetched_wall_ms = wire_get_int64(wire);
    dataset.ttl_ms = wire_get_int64(wire);
    reader->raw_length = wire_get_unsigned(wire);
    reader->compressed = wire_get_text(wire);
    reader->left--;
    if (wire->failed || (reader->left == 0 && wire->left > 0))
        return damaged(reterr, "its datasets do not end where it does");
    if (!is_canonical(window, &dataset.window) || idle > 1 || dataset.fetched_wall_ms < 0 ||
        dataset.ttl_ms <= 0 || dataset.ttl_ms > TTL_MAX_MS)
        return damaged(reterr, "a dataset makes no sense");
    dataset.include_idle = idle == 1;
    *ret_dataset = dataset;
    return true;
}

/* The bytes from malloc, or NULL. */
static char *inflate(const struct snapshot_reader *reader, struct error *reterr)
{
    size_t length = reader->raw_length;
    struct text packed = reader->compressed;
    if (length == 0 || length > COST_SET_LIMIT_BYTES ||
        length / DEFLATE_RATIO_MAX > packed.length) {
        (void)damaged(reterr, "a dataset claims an impossible length");
        return NULL;
    }
    struct libdeflate_decompressor *decompressor = libdeflate_alloc_decompressor();
    char *raw = malloc(length);
    bool inflated = false;
    if (decompressor == NULL || raw == NULL)
        (void)error_no_memory(reterr);
    else
        inflated = libdeflate_deflate_decompress(decompressor, packed.data, packed.length, raw,
                                                 length, NULL) == LIBDEFLATE_SUCCESS ||
                   damaged(reterr, "a dataset cannot be decompressed");
    if (decompressor != NULL)
        libdeflate_free_decompressor(decompressor);
    if (!inflated) {
        free(raw);
        return NULL;
    }
    return raw;
}

struct cost_set *snapshot_cost_set(const struct snapshot_reader *reader,
                                   const struct snapshot_dataset *dataset, struct error *reterr)
{
    char *raw = inflate(reader, reterr);
    if (raw == NULL)
        return NULL;
    struct cost_set *set =
        cost_set_decode((struct text){.data = raw, .length = reader->raw_length}, reterr);
    free(raw);
    if (set == NULL || cost_set_includes_idle(set) == dataset->include_idle)
        return set;
    (void)damaged(reterr, "a dataset is not what it says");
    cost_set_destroy(set);
    return NULL;
}
