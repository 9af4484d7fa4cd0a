/* SPDX-License-Identifier: Apache-2.0 */
/*
 * jansson reads numbers as doubles, which would blur the figures. So it first says whether the body
 * is valid JSON; then it reads a copy in which each number has become a string, marked by a leading
 * U+0001.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/civil_time.h"
#include "base/strbuf.h"
#include "decode_judge.h"

enum { MARK = '\x01' };

/* NUL characters in values, that is; jansson takes none in keys. */
static const size_t decoding = JSON_ALLOW_NUL;

static const char *const figure_keys[FIGURE_COUNT] = {
    [FIGURE_CPU_COST] = "cpuCost",
    [FIGURE_CPU_COST_ADJUSTMENT] = "cpuCostAdjustment",
    [FIGURE_RAM_COST] = "ramCost",
    [FIGURE_RAM_COST_ADJUSTMENT] = "ramCostAdjustment",
    [FIGURE_MEMORY_ALLOCATABLE_COST] = "memoryAllocatableCost",
    [FIGURE_MEMORY_COST] = "memoryCost",
    [FIGURE_PV_COST] = "pvCost",
    [FIGURE_PV_COST_ADJUSTMENT] = "pvCostAdjustment",
    [FIGURE_STORAGE_ALLOCATABLE_COST] = "storageAllocatableCost",
    [FIGURE_STORAGE_COST] = "storageCost",
    [FIGURE_NETWORK_COST] = "networkCost",
    [FIGURE_NETWORK_COST_ADJUSTMENT] = "networkCostAdjustment",
    [FIGURE_GPU_COST] = "gpuCost",
    [FIGURE_GPU_COST_ADJUSTMENT] = "gpuCostAdjustment",
    [FIGURE_LOAD_BALANCER_COST] = "loadBalancerCost",
    [FIGURE_LOAD_BALANCER_COST_ADJUSTMENT] = "loadBalancerCostAdjustment",
    [FIGURE_SHARED_COST] = "sharedCost",
    [FIGURE_EXTERNAL_COST] = "externalCost",
    [FIGURE_TOTAL_COST] = "totalCost",
    [FIGURE_IDLE_COST] = "idleCost",
    [FIGURE_POD_COUNT] = "podCount",
    [FIGURE_MINUTES] = "minutes",
    [FIGURE_CPU_EFFICIENCY] = "cpuEfficiency",
    [FIGURE_RAM_EFFICIENCY] = "ramEfficiency",
    [FIGURE_TOTAL_EFFICIENCY] = "totalEfficiency",
    [FIGURE_CPU_REQUEST] = "cpuCoreRequestAverage",
    [FIGURE_CPU_USAGE] = "cpuCoreUsageAverage",
    [FIGURE_RAM_REQUEST] = "ramByteRequestAverage",
    [FIGURE_RAM_USAGE] = "ramByteUsageAverage",
};

static bool is_number(const json_t *value)
{
    return json_is_string(value) && json_string_value(value)[0] == MARK;
}

static bool is_text(const json_t *value)
{
    return json_is_string(value) && !is_number(value);
}

static struct text text_of_json(const json_t *value)
{
    if (!is_text(value) || strlen(json_string_value(value)) != json_string_length(value))
        return (struct text){0};
    return (struct text){json_string_value(value), json_string_length(value)};
}

/* The exact text of the number goes through the project's own decimal, which has its own tests. */
static enum decimal_result decimal_of(const json_t *value, decimal *ret_value)
{
    return decimal_parse(json_string_value(value) + 1, json_string_length(value) - 1, ret_value);
}

/* False when a figure is out of range. */
static bool fill(const json_t *object, struct text name, struct allocation *allocation)
{
    *allocation = (struct allocation){.name = name};
    const json_t *properties = json_object_get(object, "properties");
    if (json_is_object(properties)) {
        allocation->namespace_name = text_of_json(json_object_get(properties, "namespace"));
        allocation->pod = text_of_json(json_object_get(properties, "pod"));
    }
    allocation->has_namespace = allocation->namespace_name.length > 0;
    allocation->has_pod = allocation->pod.length > 0;
    struct text start = text_of_json(json_object_get(object, "start"));
    if (start.length > 0)
        allocation->has_start = rfc3339_parse(start.data, start.length, &allocation->start_s);
    for (int i = 0; i < FIGURE_COUNT; i++) {
        const json_t *value = json_object_get(object, figure_keys[i]);
        if (value == NULL)
            continue;
        allocation->state[i] = is_number(value) ? FIGURE_PRESENT : FIGURE_INVALID;
        if (is_number(value) && decimal_of(value, &allocation->value[i]) != DECIMAL_OK)
            return false;
    }
    return true;
}

static bool add(struct cost_set_builder *builder, const json_t *object, struct text name)
{
    struct allocation allocation;
    struct error error;
    return fill(object, name, &allocation) && cost_set_builder_add(builder, &allocation, &error);
}

static bool add_map(struct cost_set_builder *builder, json_t *map)
{
    const char *name;
    json_t *value;
    json_object_foreach(map, name, value)
    {
        if (!json_is_object(value))
            cost_set_builder_ignore(builder);
        else if (!add(builder, value, text_of(name)))
            return false;
    }
    return true;
}

static bool is_figure_key(const char *key)
{
    for (int i = 0; i < FIGURE_COUNT; i++)
        if (strcmp(key, figure_keys[i]) == 0)
            return true;
    return false;
}

static bool looks_like_allocation(json_t *object)
{
    const char *key;
    json_t *value;
    json_object_foreach(object, key, value)
    {
        if ((strcmp(key, "name") == 0 && is_text(value)) ||
            (strcmp(key, "properties") == 0 && json_is_object(value)) ||
            (is_figure_key(key) && is_number(value)))
            return true;
    }
    return false;
}

static bool is_allocations_own(const char *key, const json_t *value)
{
    static const char *const objects[] = {
        "properties",
        "window",
        "pvs",
        "rawAllocationOnly",
        "proportionalAssetResourceCosts",
        "sharedCostBreakdown",
        "lbAllocations",
        "gpuAllocation",
    };
    if (strcmp(key, "name") == 0 || strcmp(key, "start") == 0 || strcmp(key, "end") == 0)
        return is_text(value);
    if (is_figure_key(key))
        return is_number(value) || json_is_null(value);
    for (size_t i = 0; i < ARRAY_LENGTH(objects); i++)
        if (strcmp(key, objects[i]) == 0)
            return json_is_object(value);
    return false;
}

static bool is_bare(json_t *set)
{
    const char *key;
    json_t *value;
    int looked_at = 0;
    json_object_foreach(set, key, value)
    {
        if (json_is_object(value) && looks_like_allocation(value))
            return false;
        if (is_allocations_own(key, value))
            return true;
        if (++looked_at == 8)
            break;
    }
    return false;
}

static bool add_list(struct cost_set_builder *builder, json_t *list)
{
    size_t i;
    json_t *set;
    json_array_foreach(list, i, set)
    {
        bool ok = true;
        if (json_is_object(set))
            ok = is_bare(set) ? add(builder, set, text_of_json(json_object_get(set, "name")))
                              : add_map(builder, set);
        else if (!json_is_null(set))
            cost_set_builder_ignore(builder);
        if (!ok)
            return false;
    }
    return true;
}

/* Nothing there that OpenCost does not send. */
static bool is_opencosts(json_t *root)
{
    static const char *const keys[] = {"code", "status", "message", "warning", "meta"};
    size_t known = 0;
    for (size_t i = 0; i < ARRAY_LENGTH(keys); i++)
        known += json_object_get(root, keys[i]) != NULL;
    return known == json_object_size(root);
}

static bool add_answer(struct cost_set_builder *builder, json_t *root)
{
    json_t *code = json_object_get(root, "code");
    json_t *data = json_object_get(root, "data");
    if (code != NULL) {
        decimal value;
        if (!is_number(code) || decimal_of(code, &value) != DECIMAL_OK ||
            value != 200 * DECIMAL_ONE)
            return false;
    }
    if (json_is_array(data))
        return add_list(builder, data);
    if (json_is_object(data))
        return add_map(builder, data);
    if (data == NULL)
        return code != NULL && is_opencosts(root);
    return json_is_null(data);
}

/* The body is valid JSON: outside of strings a digit or minus begins a number. */
static void mark_numbers(const struct body *body, struct strbuf *marked)
{
    const char *end = body->bytes + body->length;
    bool in_string = false;
    for (const char *p = body->bytes; p < end; p++) {
        if (!in_string && (*p == '-' || (*p >= '0' && *p <= '9'))) {
            const char *number = p;
            while (p < end && strchr("+-.0123456789Ee", *p) != NULL)
                p++;
            strbuf_append_text(marked, "\"\\u0001");
            strbuf_append(marked, number, (size_t)(p - number));
            strbuf_append_char(marked, '"');
            p--;
            continue;
        }
        strbuf_append_char(marked, *p);
        if (in_string && *p == '\\')
            strbuf_append_char(marked, *++p);
        else if (*p == '"')
            in_string = !in_string;
    }
}

static enum verdict judge_document(json_t *root, bool include_idle, struct cost_set **ret_set)
{
    struct cost_set_builder *builder = cost_set_builder_create(include_idle);
    assert_non_null(builder);
    if (!add_answer(builder, root)) {
        cost_set_builder_destroy(builder);
        return VERDICT_REFUSED;
    }
    *ret_set = cost_set_builder_finish(builder);
    assert_non_null(*ret_set);
    return VERDICT_ACCEPTED;
}

enum verdict judge(const struct body *body, bool include_idle, struct cost_set **ret_set)
{
    *ret_set = NULL;
    if (body->length > 0 && memchr(body->bytes, '\0', body->length) != NULL)
        return VERDICT_REFUSED; /* jansson passes over a NUL behind a value */
    json_t *root = json_loadb(body->bytes, body->length, decoding | JSON_DECODE_INT_AS_REAL, NULL);
    bool is_object = json_is_object(root);
    json_decref(root);
    if (!is_object)
        return VERDICT_REFUSED;
    struct strbuf marked;
    strbuf_init(&marked, SIZE_MAX);
    mark_numbers(body, &marked);
    root = json_loadb(strbuf_text(&marked), marked.length, decoding | JSON_REJECT_DUPLICATES, NULL);
    strbuf_finish(&marked);
    if (root == NULL)
        return VERDICT_HAS_REPEATED_KEYS;
    enum verdict verdict = judge_document(root, include_idle, ret_set);
    json_decref(root);
    return verdict;
}
