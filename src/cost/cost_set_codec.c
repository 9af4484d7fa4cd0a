/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading goes through the builder's own rows, so that a decoded set is put together like any
 * other: it finds names that come twice, and nothing is allocated but for rows that are there.
 */
#include "cost/cost_set_codec.h"

#include <xxhash.h>

#include "base/wire.h"
#include "cost_set_rows.h"
#include "merge.h"

enum {
    VERSION = 1,
    MAGIC_BYTES = 3,
    PREFIX_BYTES = MAGIC_BYTES + 1 + 8, /* magic, version, checksum */

    FLAG_INCLUDES_IDLE = 1,
    FLAG_HAS_DATA_START = 2,

    FIGURES = sizeof(struct cost_figures) / sizeof(decimal),
    USAGES = 7,
    EFFICIENCIES = 3, /* the first of the usages */
    /* A name of one letter, three small numbers, and a byte for each decimal. */
    ROW_MIN_BYTES = 2 + 2 + FIGURES + USAGES,

    /* With more allocations than any answer holds, sums of what they could bring at most would
     * leave room neither for percentages (a factor of 100) nor for a divisor. */
    ALLOCATIONS_MAX = 1 << 26,
};

static const char magic[MAGIC_BYTES] = {'K', 'C', 'S'};

/* A total can be the sum of eight parts of a cost and an adjustment each. */
#define FIGURE_OF_ONE_LIMIT (16 * DECIMAL_READ_LIMIT)

/* The decimals of a row in the order in which they are written. */
struct row_decimals {
    decimal *figures[FIGURES];
    decimal *usages[USAGES];
};

static struct row_decimals decimals_of(struct cost_figures *figures, struct cost_usage *usage)
{
    return (struct row_decimals){
        .figures = {&figures->total, &figures->cpu, &figures->memory, &figures->storage,
                    &figures->network, &figures->gpu, &figures->load_balancer, &figures->shared,
                    &figures->external, &figures->idle},
        .usages = {&usage->cpu_efficiency, &usage->memory_efficiency, &usage->total_efficiency,
                   &usage->cpu_request, &usage->cpu_usage, &usage->memory_request,
                   &usage->memory_usage},
    };
}

static void put_money(struct strbuf *out, struct cost_figures figures, struct cost_usage usage)
{
    struct row_decimals row = decimals_of(&figures, &usage);
    wire_put_unsigned(out, usage.allocations);
    for (size_t i = 0; i < FIGURES; i++)
        wire_put_signed(out, *row.figures[i]);
    for (size_t i = 0; i < USAGES; i++)
        wire_put_signed(out, *row.usages[i]);
}

/* The pods of which OpenCost told only the number. */
static uint64_t pods_without_row(const struct cost_set *set, const struct namespace_cost *row)
{
    uint64_t count = row->pod_count;
    for (uint32_t pod = row->first_pod; pod != POD_NONE; pod = set->pods[pod].next_in_namespace)
        count -= cost_set_counts_pod(&set->pods[pod]);
    return count;
}

static void put_namespaces(const struct cost_set *set, struct strbuf *out)
{
    wire_put_unsigned(out, set->namespace_count);
    for (uint32_t i = 0; i < set->namespace_count; i++) {
        const struct namespace_cost *row = &set->namespaces[i];
        wire_put_text(out, row->name);
        wire_put_unsigned(out, pods_without_row(set, row));
        put_money(out, row->figures, row->usage);
    }
}

static void put_pods(const struct cost_set *set, struct strbuf *out)
{
    wire_put_unsigned(out, set->pod_count);
    for (uint32_t i = 0; i < set->pod_count; i++) {
        const struct pod_cost *row = &set->pods[i];
        wire_put_text(out, row->name);
        wire_put_unsigned(out, (uint64_t)row->namespace_index << 1 | row->is_special);
        put_money(out, row->figures, row->usage);
    }
}

static void put_content(const struct cost_set *set, struct strbuf *out)
{
    wire_put_unsigned(out, (set->includes_idle ? FLAG_INCLUDES_IDLE : 0u) |
                               (set->has_data_start ? FLAG_HAS_DATA_START : 0u));
    if (set->has_data_start)
        wire_put_signed(out, set->data_start_s);
    wire_put_unsigned(out, set->defects.figures);
    wire_put_unsigned(out, set->defects.rows_skipped);
    wire_put_unsigned(out, set->defects.idle_dropped);
    wire_put_unsigned(out, set->defects.entries_ignored);
    put_namespaces(set, out);
    put_pods(set, out);
}

void cost_set_encode(const struct cost_set *set, struct strbuf *out)
{
    strbuf_append(out, magic, sizeof(magic));
    strbuf_append_char(out, VERSION);
    size_t checksum_at = out->length;
    wire_put_fixed64(out, 0); /* to be filled in */
    size_t content_at = out->length;
    put_content(set, out);
    if (strbuf_failed(out))
        return;
    struct strbuf checksum;
    char bytes[sizeof(uint64_t) + 1];
    strbuf_init_fixed(&checksum, bytes, sizeof(bytes));
    wire_put_fixed64(&checksum, XXH3_64bits(out->data + content_at, out->length - content_at));
    memcpy(out->data + checksum_at, bytes, sizeof(uint64_t));
}

/* A set on its way in. */
struct decoding {
    struct wire_reader reader;
    struct cost_set_builder *builder;
    struct cost_set *set; /* the builder's */
    struct error *reterr;
};

static bool fail(struct decoding *decoding, const char *what)
{
    return error_set(decoding->reterr, ERR_INVALID, "damaged cost set: %s", what);
}

static bool is_within(decimal value, decimal limit)
{
    return value <= limit && value >= -limit;
}

/* What the builder's own limits make sure of (see decimal.h), so that sums and quotients of the
 * rows cannot overflow. Efficiencies are never summed, and multiplied with care. */
static bool money_is_possible(const struct row_decimals *row, uint64_t allocations)
{
    bool possible = true;
    for (size_t i = 0; i < FIGURES; i++)
        possible &= is_within(*row->figures[i], (decimal)allocations * FIGURE_OF_ONE_LIMIT);
    for (size_t i = EFFICIENCIES; i < USAGES; i++)
        possible &= usage_is_bounded(*row->usages[i]);
    return possible;
}

/* `allocations` counts those of all rows of a kind. */
static bool get_money(struct decoding *decoding, struct cost_figures *figures,
                      struct cost_usage *usage, uint64_t *allocations)
{
    struct wire_reader *reader = &decoding->reader;
    struct row_decimals row = decimals_of(figures, usage);
    uint64_t count = wire_get_unsigned(reader);
    for (size_t i = 0; i < FIGURES; i++)
        *row.figures[i] = wire_get_signed(reader);
    for (size_t i = 0; i < USAGES; i++)
        *row.usages[i] = wire_get_signed(reader);
    if (reader->failed)
        return fail(decoding, "a row breaks off");
    if (count == 0 || count > ALLOCATIONS_MAX - *allocations)
        return fail(decoding, "an impossible number of allocations");
    if (!money_is_possible(&row, count))
        return fail(decoding, "an impossible figure");
    usage->allocations = (uint32_t)count;
    *allocations += count;
    return true;
}

/* Names are strings for some readers. */
static bool name_is_possible(struct text name)
{
    return name.length > 0 && memchr(name.data, '\0', name.length) == NULL;
}

static bool get_namespace(struct decoding *decoding, uint64_t *allocations)
{
    struct text name = wire_get_text(&decoding->reader);
    uint64_t pod_count = wire_get_unsigned(&decoding->reader);
    uint32_t before = decoding->set->namespace_count;
    uint32_t index;
    if (!name_is_possible(name))
        return fail(decoding, "a namespace without a name");
    struct namespace_cost *row = cost_set_builder_namespace(decoding->builder, name, &index);
    if (row == NULL)
        return error_no_memory(decoding->reterr);
    if (index != before)
        return fail(decoding, "a namespace comes twice");
    row->pod_count = pod_count;
    if (!get_money(decoding, &row->figures, &row->usage, allocations))
        return false;
    decoding->set->total += row->figures.total;
    return true;
}

static bool get_pod(struct decoding *decoding, uint64_t *allocations)
{
    struct cost_set *set = decoding->set;
    struct text name = wire_get_text(&decoding->reader);
    uint64_t place = wire_get_unsigned(&decoding->reader);
    uint32_t before = set->pod_count;
    if (!name_is_possible(name))
        return fail(decoding, "a pod without a name");
    if (place >> 1 >= set->namespace_count)
        return fail(decoding, "a pod of no namespace");
    struct pod_cost *row = cost_set_builder_pod(decoding->builder, (uint32_t)(place >> 1), name);
    if (row == NULL)
        return error_no_memory(decoding->reterr);
    if (set->pod_count == before)
        return fail(decoding, "a pod comes twice");
    row->is_special = (place & 1) != 0;
    return get_money(decoding, &row->figures, &row->usage, allocations);
}

static bool get_rows(struct decoding *decoding,
                     bool (*get_row)(struct decoding *decoding, uint64_t *allocations))
{
    uint64_t allocations = 0;
    uint64_t count = wire_get_count(&decoding->reader, ROW_MIN_BYTES);
    if (decoding->reader.failed)
        return fail(decoding, "an impossible number of rows");
    for (uint64_t i = 0; i < count; i++)
        if (!get_row(decoding, &allocations))
            return false;
    return true;
}

static bool get_head(struct decoding *decoding)
{
    struct wire_reader *reader = &decoding->reader;
    struct cost_set *set = decoding->set;
    uint64_t flags = wire_get_unsigned(reader);
    set->includes_idle = (flags & FLAG_INCLUDES_IDLE) != 0;
    set->has_data_start = (flags & FLAG_HAS_DATA_START) != 0;
    if (set->has_data_start)
        set->data_start_s = wire_get_int64(reader);
    set->defects.figures = wire_get_unsigned(reader);
    set->defects.rows_skipped = wire_get_unsigned(reader);
    set->defects.idle_dropped = wire_get_unsigned(reader);
    set->defects.entries_ignored = wire_get_unsigned(reader);
    if (reader->failed || flags > (FLAG_INCLUDES_IDLE | FLAG_HAS_DATA_START))
        return fail(decoding, "an impossible beginning");
    return true;
}

static bool get_content(struct decoding *decoding)
{
    if (!get_head(decoding) || !get_rows(decoding, get_namespace) || !get_rows(decoding, get_pod))
        return false;
    return wire_is_complete(&decoding->reader) || fail(decoding, "bytes are left over");
}

struct cost_set *cost_set_decode_content(struct text content, struct error *reterr)
{
    struct decoding decoding = {
        .reader = wire_reader_of(content),
        .builder = cost_set_builder_create(false),
        .reterr = reterr,
    };
    if (decoding.builder == NULL) {
        (void)error_no_memory(reterr);
        return NULL;
    }
    decoding.set = cost_set_builder_set(decoding.builder);
    if (!get_content(&decoding)) {
        cost_set_builder_destroy(decoding.builder);
        return NULL;
    }
    return cost_set_builder_finish(decoding.builder);
}

struct cost_set *cost_set_decode(struct text bytes, struct error *reterr)
{
    if (bytes.length < PREFIX_BYTES || memcmp(bytes.data, magic, sizeof(magic)) != 0) {
        (void)error_set(reterr, ERR_INVALID, "not a cost set");
        return NULL;
    }
    unsigned version = (unsigned char)bytes.data[MAGIC_BYTES];
    if (version != VERSION) {
        (void)error_set(reterr, ERR_INVALID, "a cost set of version %u, and %d is ours", version,
                        VERSION);
        return NULL;
    }
    struct wire_reader reader = wire_reader_of(
        (struct text){.data = bytes.data + MAGIC_BYTES + 1, .length = sizeof(uint64_t)});
    struct text content = {.data = bytes.data + PREFIX_BYTES,
                           .length = bytes.length - PREFIX_BYTES};
    if (wire_get_fixed64(&reader) != XXH3_64bits(content.data, content.length)) {
        (void)error_set(reterr, ERR_INVALID, "damaged cost set: its checksum does not match");
        return NULL;
    }
    return cost_set_decode_content(content, reterr);
}
