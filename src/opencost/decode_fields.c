/* SPDX-License-Identifier: Apache-2.0 */
#include "decode_fields.h"

#include "base/attrs.h"

#define FIELD(literal, ...)                                                                        \
    {                                                                                              \
        .key = (literal), .length = sizeof(literal) - 1, .kind = __VA_ARGS__                       \
    }
#define FIGURE(literal, which) FIELD(literal, FIELD_FIGURE, .figure = (which))

static const struct field fields[] = {
    FIELD("name", FIELD_NAME),
    FIELD("properties", FIELD_PROPERTIES),
    FIELD("window", FIELD_DETAIL),
    FIELD("start", FIELD_START),
    FIELD("end", FIELD_TIME),
    FIGURE("minutes", FIGURE_MINUTES),
    FIGURE("cpuCoreRequestAverage", FIGURE_CPU_REQUEST),
    FIGURE("cpuCoreUsageAverage", FIGURE_CPU_USAGE),
    FIGURE("cpuCost", FIGURE_CPU_COST),
    FIGURE("cpuCostAdjustment", FIGURE_CPU_COST_ADJUSTMENT),
    FIGURE("cpuEfficiency", FIGURE_CPU_EFFICIENCY),
    FIGURE("gpuCost", FIGURE_GPU_COST),
    FIGURE("gpuCostAdjustment", FIGURE_GPU_COST_ADJUSTMENT),
    FIGURE("networkCost", FIGURE_NETWORK_COST),
    FIGURE("networkCostAdjustment", FIGURE_NETWORK_COST_ADJUSTMENT),
    FIGURE("loadBalancerCost", FIGURE_LOAD_BALANCER_COST),
    FIGURE("loadBalancerCostAdjustment", FIGURE_LOAD_BALANCER_COST_ADJUSTMENT),
    FIGURE("pvCost", FIGURE_PV_COST),
    FIELD("pvs", FIELD_DETAIL),
    FIGURE("pvCostAdjustment", FIGURE_PV_COST_ADJUSTMENT),
    FIGURE("storageAllocatableCost", FIGURE_STORAGE_ALLOCATABLE_COST),
    FIGURE("storageCost", FIGURE_STORAGE_COST),
    FIGURE("ramByteRequestAverage", FIGURE_RAM_REQUEST),
    FIGURE("ramByteUsageAverage", FIGURE_RAM_USAGE),
    FIGURE("ramCost", FIGURE_RAM_COST),
    FIGURE("ramCostAdjustment", FIGURE_RAM_COST_ADJUSTMENT),
    FIGURE("ramEfficiency", FIGURE_RAM_EFFICIENCY),
    FIGURE("memoryAllocatableCost", FIGURE_MEMORY_ALLOCATABLE_COST),
    FIGURE("memoryCost", FIGURE_MEMORY_COST),
    FIGURE("externalCost", FIGURE_EXTERNAL_COST),
    FIGURE("sharedCost", FIGURE_SHARED_COST),
    FIGURE("totalCost", FIGURE_TOTAL_COST),
    FIGURE("totalEfficiency", FIGURE_TOTAL_EFFICIENCY),
    FIGURE("idleCost", FIGURE_IDLE_COST),
    FIGURE("podCount", FIGURE_POD_COUNT),
    FIELD("rawAllocationOnly", FIELD_DETAIL),
    FIELD("proportionalAssetResourceCosts", FIELD_DETAIL),
    FIELD("sharedCostBreakdown", FIELD_DETAIL),
    FIELD("lbAllocations", FIELD_DETAIL),
    FIELD("gpuAllocation", FIELD_DETAIL),
};

enum { LONGEST_KEY = 32 }; /* none of the keys above is longer */

/* OpenCost's keys differ in their length, or at these places. */
static unsigned slot_of(const char *key, size_t length)
{
    uint32_t places = (uint32_t)(unsigned char)key[0] |
                      (uint32_t)(unsigned char)key[length / 2] << 8 |
                      (uint32_t)(unsigned char)key[length - 1] << 16 | (uint32_t)length << 24;
    return places * UINT32_C(0x9E3779B1) >> 24;
}

void field_index_init(struct field_index *index)
{
    memset(index->slots, 0, sizeof(index->slots));
    for (size_t i = 0; i < ARRAY_LENGTH(fields); i++) {
        unsigned slot = slot_of(fields[i].key, fields[i].length);
        while (index->slots[slot] != 0)
            slot = (slot + 1) % FIELD_SLOTS;
        index->slots[slot] = (uint8_t)(i + 1);
    }
}

static const struct field *find(const struct field_index *index, const char *key, size_t length)
{
    if (length == 0 || length > LONGEST_KEY)
        return NULL;
    unsigned slot = slot_of(key, length);
    for (; index->slots[slot] != 0; slot = (slot + 1) % FIELD_SLOTS) {
        const struct field *field = &fields[index->slots[slot] - 1];
        if (field->length == length && memcmp(field->key, key, length) == 0)
            return field;
    }
    return NULL;
}

const struct field *field_find(const struct field_index *index, const struct json_string *key)
{
    if (!key->has_escapes)
        return find(index, key->raw.data, key->raw.length);
    char meaning[LONGEST_KEY];
    size_t length = json_unescape(key->raw, meaning, sizeof(meaning));
    return find(index, meaning, length);
}
