/* SPDX-License-Identifier: Apache-2.0 */
#include "demo_json.h"

#include <stdio.h>
#include <string.h>

#include "base/civil_time.h"
#include "base/json_text.h"

/* What the parts of one entry are written from. */
struct entry {
    const char *name;
    struct demo_span window;
    const struct demo_row *members; /* NULL for the idle entry */
    size_t member_count;
    const struct demo_figures *figures;
    double hours;   /* that the entry ran */
    bool is_merged; /* from several sets or rows */
    /* Of an entry that is one container in one set, about which OpenCost tells more; else NULL. */
    const struct demo_workload *raw;
};

void demo_json_number(struct strbuf *out, double value)
{
    char digits[64]; /* OpenCost's largest are byte-hours, far below 1e30 */
    int length = snprintf(digits, sizeof(digits), "%.5f", value);
    while (digits[length - 1] == '0')
        length--;
    if (digits[length - 1] == '.')
        length--;
    strbuf_append(out, digits, (size_t)length);
}

static void write_key(struct strbuf *out, const char *key)
{
    strbuf_append_char(out, ',');
    json_append_string(out, key, strlen(key));
    strbuf_append_char(out, ':');
}

static void write_number(struct strbuf *out, const char *key, double value)
{
    write_key(out, key);
    demo_json_number(out, value);
}

static void write_text(struct strbuf *out, const char *key, const char *text)
{
    write_key(out, key);
    json_append_string(out, text, strlen(text));
}

static void write_time(struct strbuf *out, const char *key, int64_t unix_s)
{
    char text[RFC3339_TEXT_MAX];
    rfc3339_format(unix_s, text);
    write_text(out, key, text);
}

static void write_label(struct strbuf *out, const char *map, struct demo_label label)
{
    if (label.key == NULL)
        return;
    write_key(out, map);
    strbuf_append_char(out, '{');
    json_append_string(out, label.key, strlen(label.key));
    strbuf_append_char(out, ':');
    json_append_string(out, label.value, strlen(label.value));
    strbuf_append_char(out, '}');
}

/* The node that all members ran on, or DEMO_NO_NODE. */
static int common_node(const struct entry *entry)
{
    for (size_t i = 1; i < entry->member_count; i++)
        if (entry->members[i].node != entry->members[0].node)
            return DEMO_NO_NODE;
    return entry->members[0].node;
}

static void write_controller(struct strbuf *out, const struct demo_workload *workload)
{
    static const char *const kinds[] = {
        [DEMO_DEPLOYMENT] = "deployment",
        [DEMO_STATEFULSET] = "statefulset",
        [DEMO_DAEMONSET] = "daemonset",
        [DEMO_CRONJOB] = "job",
    };
    write_text(out, "container", workload->name);
    write_text(out, "controller", workload->name);
    write_text(out, "controllerKind", kinds[workload->controller]);
}

static void write_service(struct strbuf *out, const char *service)
{
    write_key(out, "services");
    strbuf_append_char(out, '[');
    json_append_string(out, service, strlen(service));
    strbuf_append_char(out, ']');
}

static void write_labels(struct strbuf *out, const struct demo_workload *workload)
{
    write_key(out, "labels");
    strbuf_append_text(out, "{\"app\":");
    json_append_string(out, workload->name, strlen(workload->name));
    write_text(out, "team", workload->home->team);
    strbuf_append_char(out, '}');
    write_label(out, "annotations", workload->annotation);
}

/* Merging keeps only what all members agree on. */
static void write_member_properties(struct strbuf *out, const struct entry *entry)
{
    const struct demo_row *first = &entry->members[0];
    const bool is_single = entry->member_count == 1;
    const int node = common_node(entry);
    if (node != DEMO_NO_NODE)
        write_text(out, "node", demo_nodes[node].name);
    if (is_single && first->workload != NULL)
        write_controller(out, first->workload);
    else if (is_single)
        write_text(out, "container", DEMO_UNMOUNTED);
    write_text(out, "namespace", first->home->name);
    if (is_single)
        write_text(out, "pod", first->pod);
    if (entry->raw != NULL && entry->raw->service != NULL)
        write_service(out, entry->raw->service);
    if (node != DEMO_NO_NODE)
        write_text(out, "providerID", demo_nodes[node].provider_id);
    if (entry->raw != NULL)
        write_labels(out, entry->raw);
    if (first->home != &demo_nowhere)
        write_label(out, "namespaceLabels",
                    (struct demo_label){"kubernetes_io_metadata_name", first->home->name});
    write_label(out, "namespaceAnnotations", first->home->annotation);
}

static void write_properties(struct strbuf *out, const struct entry *entry)
{
    strbuf_append_text(out, ",\"properties\":{\"cluster\":\"" DEMO_CLUSTER_NAME "\"");
    if (entry->members != NULL)
        write_member_properties(out, entry);
    strbuf_append_char(out, '}');
}

static void write_times(struct strbuf *out, const struct entry *entry)
{
    const struct demo_span ran = entry->figures->ran;
    char start[RFC3339_TEXT_MAX];
    char end[RFC3339_TEXT_MAX];
    rfc3339_format(entry->window.start_s, start);
    rfc3339_format(entry->window.end_s, end);
    strbuf_append_format(out, ",\"window\":{\"start\":\"%s\",\"end\":\"%s\"}", start, end);
    write_time(out, "start", ran.start_s);
    write_time(out, "end", ran.end_s);
    write_number(out, "minutes", entry->hours * 60);
}

static void write_cpu(struct strbuf *out, const struct entry *entry)
{
    const struct demo_resource *cpu = &entry->figures->cpu;
    write_number(out, "cpuCores", cpu->allocated_hours / entry->hours);
    write_number(out, "cpuCoreRequestAverage", cpu->request_hours / entry->hours);
    write_number(out, "cpuCoreLimitAverage", cpu->limit_hours / entry->hours);
    write_number(out, "cpuCoreUsageAverage", cpu->usage_hours / entry->hours);
    write_number(out, "cpuCoreHours", cpu->allocated_hours);
    write_number(out, "cpuCost", cpu->cost);
    write_number(out, "cpuCostAdjustment", 0);
    write_number(out, "cpuCostIdle", 0);
    write_number(out, "cpuEfficiency", demo_efficiency(cpu));
}

static void write_gpu(struct strbuf *out, const struct entry *entry)
{
    const struct demo_resource *gpu = &entry->figures->gpu;
    write_number(out, "gpuCount", gpu->allocated_hours / entry->hours);
    write_number(out, "gpuHours", gpu->allocated_hours);
    write_number(out, "gpuCost", gpu->cost);
    write_number(out, "gpuCostAdjustment", 0);
    write_number(out, "gpuCostIdle", 0);
    write_number(out, "gpuEfficiency", demo_efficiency(gpu));
}

static void write_network(struct strbuf *out, const struct demo_figures *figures)
{
    write_number(out, "networkTransferBytes", figures->transfer_bytes);
    write_number(out, "networkReceiveBytes", figures->receive_bytes);
    write_number(out, "networkCost", figures->cross_zone_cost + figures->internet_cost);
    write_number(out, "networkCrossZoneCost", figures->cross_zone_cost);
    write_number(out, "networkCrossRegionCost", 0);
    write_number(out, "networkInternetCost", figures->internet_cost);
    write_number(out, "networkCostAdjustment", 0);
    write_number(out, "loadBalancerCost", figures->load_balancer_cost);
    write_number(out, "loadBalancerCostAdjustment", 0);
}

static void write_volume_map(struct strbuf *out, const struct entry *entry)
{
    write_key(out, "pvs");
    bool is_first = true;
    for (size_t i = 0; i < entry->member_count; i++) {
        const struct demo_row *row = &entry->members[i];
        if (row->volume[0] == '\0')
            continue;
        strbuf_append_format(out, "%s\"cluster=%s:name=%s\":{\"byteHours\":", is_first ? "{" : ",",
                             DEMO_CLUSTER_NAME, row->volume);
        demo_json_number(out, row->figures.volume_byte_hours);
        write_number(out, "cost", row->figures.volume_cost);
        strbuf_append_format(out, ",\"providerID\":\"vol-0%016llx\",\"adjustment\":0}",
                             (unsigned long long)demo_seed(row->volume, 0));
        is_first = false;
    }
    strbuf_append_text(out, is_first ? "null" : "}");
}

static void write_volumes(struct strbuf *out, const struct entry *entry)
{
    const struct demo_figures *figures = entry->figures;
    write_number(out, "pvBytes", figures->volume_byte_hours / entry->hours);
    write_number(out, "pvByteHours", figures->volume_byte_hours);
    write_number(out, "pvCost", figures->volume_cost);
    write_volume_map(out, entry);
    write_number(out, "pvCostAdjustment", 0);
}

static void write_ram(struct strbuf *out, const struct entry *entry)
{
    const struct demo_resource *ram = &entry->figures->ram;
    write_number(out, "ramBytes", ram->allocated_hours / entry->hours);
    write_number(out, "ramByteRequestAverage", ram->request_hours / entry->hours);
    write_number(out, "ramByteLimitAverage", ram->limit_hours / entry->hours);
    write_number(out, "ramByteUsageAverage", ram->usage_hours / entry->hours);
    write_number(out, "ramByteHours", ram->allocated_hours);
    write_number(out, "ramCost", ram->cost);
    write_number(out, "ramCostAdjustment", 0);
    write_number(out, "ramCostIdle", 0);
    write_number(out, "ramEfficiency", demo_efficiency(ram));
}

static void write_peaks(struct strbuf *out, const struct demo_figures *figures)
{
    strbuf_append_text(out, ",\"rawAllocationOnly\":{\"cpuCoreUsageMax\":");
    demo_json_number(out, figures->cpu.usage_max);
    write_number(out, "ramByteUsageMax", figures->ram.usage_max);
    write_key(out, "gpuUsageMax");
    if (figures->gpu.allocated_hours > 0)
        demo_json_number(out, figures->gpu.usage_max);
    else
        strbuf_append_text(out, "null");
    strbuf_append_char(out, '}');
}

/* Only one workload of the cluster has a load balancer, so the first member speaks for all. */
static void write_load_balancers(struct strbuf *out, const struct entry *entry)
{
    write_key(out, "lbAllocations");
    if (entry->members == NULL || entry->figures->load_balancer_cost <= 0) {
        strbuf_append_text(out, "null");
        return;
    }
    const struct demo_workload *workload = entry->members[0].workload;
    char service[DEMO_ROW_NAME_MAX];
    snprintf(service, sizeof(service), "%s/%s", workload->home->name, workload->service);
    strbuf_append_format(out, "{\"%s/%s\":{\"service\":\"%s\"", DEMO_CLUSTER_NAME, service,
                         service);
    write_number(out, "cost", entry->figures->load_balancer_cost);
    strbuf_append_text(out, ",\"private\":false,\"ip\":\"198.51.100.24\"");
    write_number(out, "hours", entry->figures->load_balancer_hours);
    strbuf_append_text(out, ",\"adjustment\":0}}");
}

static void write_gpu_allocation(struct strbuf *out, const struct entry *entry)
{
    const struct demo_resource *gpu = &entry->figures->gpu;
    write_key(out, "gpuAllocation");
    if (gpu->allocated_hours <= 0) {
        strbuf_append_text(out, "null");
        return;
    }
    strbuf_append_text(out, "{\"isGPUShared\":false");
    write_number(out, "gpuUsageAverage", gpu->usage_hours / entry->hours);
    write_number(out, "gpuRequestAverage", gpu->request_hours / entry->hours);
    strbuf_append_char(out, '}');
}

static void write_entry(struct strbuf *out, const struct entry *entry)
{
    const struct demo_figures *figures = entry->figures;
    json_append_string(out, entry->name, strlen(entry->name));
    strbuf_append_text(out, ":{\"name\":");
    json_append_string(out, entry->name, strlen(entry->name));
    write_properties(out, entry);
    write_times(out, entry);
    write_cpu(out, entry);
    write_gpu(out, entry);
    write_network(out, figures);
    write_volumes(out, entry);
    write_ram(out, entry);
    write_number(out, "externalCost", 0);
    write_number(out, "sharedCost", 0);
    write_number(out, "totalCost", demo_total_cost(figures));
    write_number(out, "totalEfficiency", demo_total_efficiency(figures));
    if (entry->raw != NULL)
        write_peaks(out, figures);
    if (entry->is_merged)
        strbuf_append_text(out, ",\"proportionalAssetResourceCosts\":{}");
    write_load_balancers(out, entry);
    if (entry->is_merged)
        strbuf_append_text(out, ",\"sharedCostBreakdown\":{}");
    write_gpu_allocation(out, entry);
    strbuf_append_char(out, '}');
}

/* OpenCost computes longer windows day by day and merges the days. */
static bool is_longer_than_a_day(struct demo_span span)
{
    return span.end_s - span.start_s > SECONDS_PER_DAY;
}

static double hours_of(const struct demo_figures *figures)
{
    return (double)(figures->ran.end_s - figures->ran.start_s) / SECONDS_PER_HOUR;
}

static struct entry idle_entry(const struct demo_cost_set *set)
{
    return (struct entry){
        .name = "__idle__",
        .window = set->window,
        .figures = &set->idle,
        .hours = hours_of(&set->idle),
        .is_merged = is_longer_than_a_day(set->window),
    };
}

static struct entry entry_of(const struct demo_cost_set *set,
                             const struct demo_allocation *allocation)
{
    const bool is_merged = is_longer_than_a_day(set->window) || allocation->member_count > 1;
    return (struct entry){
        .name = allocation->name,
        .window = set->window,
        .members = allocation->members,
        .member_count = allocation->member_count,
        .figures = &allocation->figures,
        .hours = hours_of(&allocation->figures),
        .is_merged = is_merged,
        .raw = is_merged ? NULL : allocation->members[0].workload,
    };
}

void demo_json_map(struct strbuf *out, const struct demo_cost_set *set,
                   const struct demo_allocation *allocations, size_t count, bool include_idle)
{
    strbuf_append_char(out, '{');
    /* '_' sorts before all lower-case letters: the idle entry comes first. */
    const bool has_idle = include_idle && set->row_count > 0;
    if (has_idle) {
        const struct entry entry = idle_entry(set);
        write_entry(out, &entry);
    }
    for (size_t i = 0; i < count; i++) {
        const struct entry entry = entry_of(set, &allocations[i]);
        if (has_idle || i > 0)
            strbuf_append_char(out, ',');
        write_entry(out, &entry);
    }
    strbuf_append_char(out, '}');
}
