/* SPDX-License-Identifier: Apache-2.0 */
#include "demo_cost.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/civil_time.h"
#include "demo_load.h"

enum {
    MONTHS_OF_DATA = 6, /* before the current one; the first of them is partial */
    FIRST_DAY_OF_DATA = 9,
    FIRST_ROW_CAPACITY = 128,
};

static const double peak_over_mean = 1.3; /* the highest minute of an hour */
static const double receive_per_transfer = 0.6;

struct demo_span demo_data_span(int64_t today_s)
{
    const struct civil_date date = civil_date_of(today_s);
    return (struct demo_span){
        .start_s = civil_midnight(date.year, date.month - MONTHS_OF_DATA, FIRST_DAY_OF_DATA),
        .end_s = today_s + SECONDS_PER_DAY,
    };
}

static double larger(double a, double b)
{
    return a > b ? a : b;
}

static double span_hours(struct demo_span span)
{
    return (double)(span.end_s - span.start_s) / SECONDS_PER_HOUR;
}

static struct demo_row *new_row(struct demo_cost_set *set)
{
    if (set->row_count == set->row_capacity) {
        const size_t capacity = set->row_capacity > 0 ? 2 * set->row_capacity : FIRST_ROW_CAPACITY;
        struct demo_row *rows = reallocarray(set->rows, capacity, sizeof(*rows));
        if (rows == NULL)
            return NULL;
        set->rows = rows;
        set->row_capacity = capacity;
    }
    struct demo_row *row = &set->rows[set->row_count++];
    *row = (struct demo_row){.node = DEMO_NO_NODE};
    return row;
}

static void charge_resource(struct demo_resource *resource, double request, double usage,
                            double hours, double price)
{
    const double allocated = larger(request, usage);
    resource->allocated_hours += allocated * hours;
    resource->request_hours += request * hours;
    resource->limit_hours += 2 * request * hours;
    resource->usage_hours += usage * hours;
    resource->usage_max = larger(resource->usage_max, usage * peak_over_mean);
    resource->cost += allocated * hours * price;
}

static void charge_network(struct demo_figures *figures, const struct demo_workload *workload,
                           double load, double hours)
{
    const double internet_gib = workload->internet_gib_per_hour * load * hours;
    const double cross_zone_gib = workload->cross_zone_gib_per_hour * load * hours;
    const double sent_bytes = (internet_gib + cross_zone_gib) * DEMO_GIB;
    figures->transfer_bytes += sent_bytes;
    figures->receive_bytes += sent_bytes * receive_per_transfer;
    figures->internet_cost += internet_gib * demo_prices.internet_gib;
    figures->cross_zone_cost += cross_zone_gib * demo_prices.cross_zone_gib;
}

static void charge_volume(struct demo_figures *figures, double gib)
{
    const double gib_hours = gib * span_hours(figures->ran);
    figures->volume_byte_hours = gib_hours * DEMO_GIB;
    figures->volume_cost = gib_hours * demo_prices.volume_gib_hour;
}

/* Charges `hours` of one hour of the clock. Memory hardly follows the load; GPUs and CPUs do. */
static void charge_hour(struct demo_figures *figures, const struct demo_workload *workload,
                        double load, double hours)
{
    const double ram_load = 0.85 + 0.15 * load;
    charge_resource(&figures->cpu, workload->cpu_request, workload->cpu_usage * load, hours,
                    demo_prices.core_hour);
    charge_resource(&figures->ram, workload->ram_request * DEMO_GIB,
                    workload->ram_usage * ram_load * DEMO_GIB, hours,
                    demo_prices.ram_gib_hour / DEMO_GIB);
    charge_resource(&figures->gpu, workload->gpu_request, workload->gpu_usage * load, hours,
                    demo_prices.gpu_hour);
    charge_network(figures, workload, load, hours);
}

static void charge_pod(struct demo_figures *figures, const struct demo_pod *pod, int64_t birth_s)
{
    const struct demo_workload *workload = pod->workload;
    /* Replicas of one workload do not get quite the same share of the work. */
    const double share = 0.9 + (double)(pod->seed % 1000) / 5000.0;
    figures->ran = pod->life;
    for (int64_t from_s = pod->life.start_s; from_s < pod->life.end_s;) {
        const int64_t next_hour_s = (from_s / SECONDS_PER_HOUR + 1) * SECONDS_PER_HOUR;
        const int64_t to_s = next_hour_s < pod->life.end_s ? next_hour_s : pod->life.end_s;
        const double load = share * demo_load_at(workload->load, from_s, birth_s);
        charge_hour(figures, workload, load, span_hours((struct demo_span){from_s, to_s}));
        from_s = to_s;
    }
    charge_volume(figures, workload->volume_gib);
    if (workload->has_load_balancer) {
        /* The price of one load balancer, split over the pods behind it. */
        figures->load_balancer_hours = span_hours(pod->life);
        figures->load_balancer_cost =
            figures->load_balancer_hours * demo_prices.load_balancer_hour / workload->replicas;
    }
}

static void name_row(struct demo_row *row, const struct demo_namespace *home, const char *pod,
                     bool has_volume)
{
    row->home = home;
    snprintf(row->pod, sizeof(row->pod), "%s", pod);
    snprintf(row->name, sizeof(row->name), "%s/%s", home->name, pod);
    if (has_volume) {
        const uint64_t a = demo_seed(row->name, 1);
        const uint64_t b = demo_seed(row->name, 2);
        snprintf(row->volume, sizeof(row->volume), "pvc-%08x-%04x-4%03x-%04x-%012llx",
                 (unsigned)(a >> 32), (unsigned)(a >> 16 & 0xffff), (unsigned)(a & 0xfff),
                 (unsigned)(0x8000 | (b >> 50)), (unsigned long long)(b & 0xffffffffffff));
    }
}

/* What demo_pods_visit() hands back to us. */
struct charging {
    struct demo_cost_set *set;
    int64_t birth_s;
};

static bool add_pod(void *context, const struct demo_pod *pod)
{
    const struct charging *charging = context;
    struct demo_row *row = new_row(charging->set);
    if (row == NULL)
        return false;
    row->workload = pod->workload;
    row->node = pod->node;
    name_row(row, pod->workload->home, pod->name, pod->workload->volume_gib > 0);
    charge_pod(&row->figures, pod, charging->birth_s);
    return true;
}

/* OpenCost shows claimed volumes that nothing mounts as a pod of their namespace that never was,
 * and unclaimed ones as a row of no namespace. */
static bool add_unmounted(struct demo_cost_set *set, const struct demo_namespace *home)
{
    if (home->unmounted_gib <= 0)
        return true;
    struct demo_row *row = new_row(set);
    if (row == NULL)
        return false;
    char pod[DEMO_POD_NAME_MAX] = DEMO_UNMOUNTED;
    if (home != &demo_nowhere)
        snprintf(pod, sizeof(pod), "%s-unmounted-pvcs", home->name);
    name_row(row, home, pod, true);
    row->figures.ran = set->covered;
    charge_volume(&row->figures, home->unmounted_gib);
    return true;
}

static bool add_rows(struct demo_cost_set *set, int64_t birth_s)
{
    struct charging charging = {set, birth_s};
    if (!demo_pods_visit(birth_s, set->covered, add_pod, &charging) ||
        !add_unmounted(set, &demo_nowhere))
        return false;
    size_t count;
    const struct demo_namespace *namespaces = demo_namespaces(&count);
    for (size_t i = 0; i < count; i++)
        if (!add_unmounted(set, &namespaces[i]))
            return false;
    return true;
}

/* Idle is what the nodes cost beyond what was allocated on them. */
static void compute_idle(struct demo_cost_set *set)
{
    struct demo_figures *idle = &set->idle;
    const double hours = span_hours(set->covered);
    idle->ran = set->covered;
    for (size_t i = 0; i < DEMO_NODE_COUNT; i++) {
        idle->cpu.cost += demo_nodes[i].cores * hours * demo_prices.core_hour;
        idle->ram.cost += demo_nodes[i].ram_gib * hours * demo_prices.ram_gib_hour;
        idle->gpu.cost += demo_nodes[i].gpus * hours * demo_prices.gpu_hour;
    }
    for (size_t i = 0; i < set->row_count; i++) {
        idle->cpu.cost -= set->rows[i].figures.cpu.cost;
        idle->ram.cost -= set->rows[i].figures.ram.cost;
        idle->gpu.cost -= set->rows[i].figures.gpu.cost;
    }
    idle->cpu.cost = larger(idle->cpu.cost, 0);
    idle->ram.cost = larger(idle->ram.cost, 0);
    idle->gpu.cost = larger(idle->gpu.cost, 0);
}

static int compare_rows(const void *a, const void *b)
{
    return strcmp(((const struct demo_row *)a)->name, ((const struct demo_row *)b)->name);
}

bool demo_cost_set_init(struct demo_cost_set *set, struct demo_span window, int64_t today_s,
                        struct error *reterr)
{
    const struct demo_span data = demo_data_span(today_s);
    *set = (struct demo_cost_set){.window = window, .covered = demo_span_overlap(window, data)};
    if (set->covered.end_s <= set->covered.start_s)
        return true;
    if (!add_rows(set, data.start_s))
        return error_no_memory(reterr);
    compute_idle(set);
    qsort(set->rows, set->row_count, sizeof(*set->rows), compare_rows);
    return true;
}

void demo_cost_set_finish(struct demo_cost_set *set)
{
    free(set->rows);
    *set = (struct demo_cost_set){0};
}

static void add_resource(struct demo_resource *sum, const struct demo_resource *resource)
{
    sum->allocated_hours += resource->allocated_hours;
    sum->request_hours += resource->request_hours;
    sum->limit_hours += resource->limit_hours;
    sum->usage_hours += resource->usage_hours;
    sum->usage_max = larger(sum->usage_max, resource->usage_max);
    sum->cost += resource->cost;
}

static void add_figures(struct demo_figures *sum, const struct demo_figures *figures)
{
    if (figures->ran.start_s < sum->ran.start_s)
        sum->ran.start_s = figures->ran.start_s;
    if (figures->ran.end_s > sum->ran.end_s)
        sum->ran.end_s = figures->ran.end_s;
    add_resource(&sum->cpu, &figures->cpu);
    add_resource(&sum->ram, &figures->ram);
    add_resource(&sum->gpu, &figures->gpu);
    sum->transfer_bytes += figures->transfer_bytes;
    sum->receive_bytes += figures->receive_bytes;
    sum->cross_zone_cost += figures->cross_zone_cost;
    sum->internet_cost += figures->internet_cost;
    sum->load_balancer_hours += figures->load_balancer_hours;
    sum->load_balancer_cost += figures->load_balancer_cost;
    sum->volume_byte_hours += figures->volume_byte_hours;
    sum->volume_cost += figures->volume_cost;
}

static int compare_allocations(const void *a, const void *b)
{
    return strcmp(((const struct demo_allocation *)a)->name,
                  ((const struct demo_allocation *)b)->name);
}

struct demo_allocation *demo_aggregate(const struct demo_cost_set *set, enum demo_aggregate by,
                                       size_t *ret_count)
{
    struct demo_allocation *allocations = calloc(set->row_count + 1, sizeof(*allocations));
    if (allocations == NULL)
        return NULL;
    size_t count = 0;
    for (size_t i = 0; i < set->row_count; i++) {
        const struct demo_row *row = &set->rows[i];
        /* Sorted by "namespace/pod", the rows of one namespace lie together. */
        if (by == DEMO_BY_NAMESPACE && i > 0 && row->home == set->rows[i - 1].home) {
            allocations[count - 1].member_count++;
            add_figures(&allocations[count - 1].figures, &row->figures);
            continue;
        }
        struct demo_allocation *allocation = &allocations[count++];
        const char *name = by == DEMO_BY_NAMESPACE ? row->home->name : row->name;
        snprintf(allocation->name, sizeof(allocation->name), "%s", name);
        allocation->members = row;
        allocation->member_count = 1;
        allocation->figures = row->figures;
    }
    /* "shop" sorts before "shop-staging", but "shop/..." behind "shop-staging/...". */
    qsort(allocations, count, sizeof(*allocations), compare_allocations);
    *ret_count = count;
    return allocations;
}

double demo_total_cost(const struct demo_figures *figures)
{
    return figures->cpu.cost + figures->gpu.cost + figures->ram.cost + figures->volume_cost +
           figures->cross_zone_cost + figures->internet_cost + figures->load_balancer_cost;
}

double demo_efficiency(const struct demo_resource *resource)
{
    if (resource->request_hours > 0)
        return resource->usage_hours / resource->request_hours;
    return resource->usage_hours > 0 ? 1.0 : 0.0;
}

double demo_total_efficiency(const struct demo_figures *figures)
{
    const double cost = figures->cpu.cost + figures->ram.cost;
    if (cost <= 0)
        return 0.0;
    return (figures->cpu.cost * demo_efficiency(&figures->cpu) +
            figures->ram.cost * demo_efficiency(&figures->ram)) /
           cost;
}
