/* SPDX-License-Identifier: Apache-2.0 */
#include "demo_pods.h"

#include <stdio.h>
#include <string.h>

#include "base/civil_time.h"

enum {
    POD_CODE_LENGTH = 5,       /* "x2x4k" */
    TEMPLATE_CODE_LENGTH = 10, /* "5d78c9869d" */
    CODE_MAX = TEMPLATE_CODE_LENGTH + 1,
    GROWTH_DAYS = 170, /* after which all added replicas run */
    ROLLOUT_HOUR = 9,  /* people roll out in working hours */
};

/* Who is visited, and what for: the arguments that all the steps below share. */
struct tour {
    const struct demo_workload *workload;
    int64_t birth_s;
    struct demo_span span;
    demo_pod_visitor *visit;
    void *context;
};

uint64_t demo_seed(const char *text, uint64_t number)
{
    /* FNV-1a over the text, then a finalizer that spreads every bit over the whole word. */
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (const char *c = text; *c != '\0'; c++)
        hash = (hash ^ (unsigned char)*c) * UINT64_C(0x100000001b3);
    hash ^= number * UINT64_C(0x9e3779b97f4a7c15);
    hash = (hash ^ (hash >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    hash = (hash ^ (hash >> 27)) * UINT64_C(0x94d049bb133111eb);
    return hash ^ (hash >> 31);
}

/* Kubernetes leaves vowels and look-alikes out of generated names. */
static void write_code(char code[CODE_MAX], int length, uint64_t seed)
{
    static const char letters[] = "bcdfghjklmnpqrstvwxz2456789";
    for (int i = 0; i < length; i++) {
        code[i] = letters[seed % (sizeof(letters) - 1)];
        seed /= sizeof(letters) - 1;
    }
    code[length] = '\0';
}

/* Tells of one pod, unless its life and the span do not meet. */
static bool visit_pod(const struct tour *tour, struct demo_pod *pod)
{
    pod->workload = tour->workload;
    pod->life = demo_span_overlap(pod->life, tour->span);
    return pod->life.end_s <= pod->life.start_s || tour->visit(tour->context, pod);
}

static uint64_t workload_seed(const struct demo_workload *workload, uint64_t number)
{
    return demo_seed(workload->home->name, demo_seed(workload->name, number));
}

static int node_of(const struct demo_workload *workload, int replica)
{
    if (workload->controller == DEMO_DAEMONSET)
        return replica;
    if (workload->on_gpu_node)
        return DEMO_GPU_NODE;
    const uint64_t first = workload_seed(workload, 0) % DEMO_GENERAL_NODES;
    return (int)((first + (uint64_t)replica) % DEMO_GENERAL_NODES);
}

static int64_t joined_s(const struct tour *tour, int replica)
{
    const struct demo_workload *workload = tour->workload;
    int64_t day = workload->first_day;
    const int added = replica - workload->replicas;
    if (added >= 0)
        day += (int64_t)(added + 1) * GROWTH_DAYS / (workload->added_replicas + 1);
    return tour->birth_s + day * SECONDS_PER_DAY;
}

/* When the pods of rollout `number` start; those of rollout 0 came with the cluster. */
static int64_t rollout_s(const struct tour *tour, int64_t number)
{
    const struct demo_workload *workload = tour->workload;
    if (number == 0)
        return tour->birth_s;
    if (workload->rollout_days == 0)
        return INT64_MAX;
    const uint64_t seed = workload_seed(workload, 1);
    const uint64_t minutes_of_work = 480;
    const int64_t first_day = 1 + (int64_t)(seed % (uint64_t)workload->rollout_days);
    const int64_t minute =
        (int64_t)(workload_seed(workload, 2 + (uint64_t)number) % minutes_of_work);
    return tour->birth_s + (first_day + (number - 1) * workload->rollout_days) * SECONDS_PER_DAY +
           (int64_t)ROLLOUT_HOUR * SECONDS_PER_HOUR + minute * SECONDS_PER_MINUTE;
}

static bool visit_deployment(const struct tour *tour)
{
    const struct demo_workload *workload = tour->workload;
    const int replicas = workload->replicas + workload->added_replicas;
    for (int64_t number = 0; rollout_s(tour, number) < tour->span.end_s; number++) {
        char template_code[CODE_MAX];
        const uint64_t template_seed = workload_seed(workload, 1000 + (uint64_t)number);
        write_code(template_code, TEMPLATE_CODE_LENGTH, template_seed);
        for (int replica = 0; replica < replicas; replica++) {
            struct demo_pod pod = {
                .node = node_of(workload, replica),
                .life = demo_span_overlap(
                    (struct demo_span){joined_s(tour, replica), INT64_MAX},
                    (struct demo_span){rollout_s(tour, number), rollout_s(tour, number + 1)}),
                .seed = demo_seed(template_code, (uint64_t)replica),
            };
            char code[CODE_MAX];
            write_code(code, POD_CODE_LENGTH, pod.seed);
            snprintf(pod.name, sizeof(pod.name), "%s-%s-%s", workload->name, template_code, code);
            if (!visit_pod(tour, &pod))
                return false;
        }
    }
    return true;
}

/* Stateful sets number their pods; daemon sets have one on each node, with a code. Both stay. */
static bool visit_lasting(const struct tour *tour)
{
    const struct demo_workload *workload = tour->workload;
    const bool is_daemonset = workload->controller == DEMO_DAEMONSET;
    const int replicas = is_daemonset ? DEMO_NODE_COUNT : workload->replicas;
    for (int replica = 0; replica < replicas; replica++) {
        struct demo_pod pod = {
            .node = node_of(workload, replica),
            .life = {is_daemonset ? tour->birth_s : joined_s(tour, replica), INT64_MAX},
            .seed = workload_seed(workload, 10 + (uint64_t)replica),
        };
        char code[CODE_MAX];
        write_code(code, POD_CODE_LENGTH, pod.seed);
        if (is_daemonset)
            snprintf(pod.name, sizeof(pod.name), "%s-%s", workload->name, code);
        else
            snprintf(pod.name, sizeof(pod.name), "%s-%d", workload->name, replica);
        if (!visit_pod(tour, &pod))
            return false;
    }
    return true;
}

/* A pod a run, named after the minute it was scheduled for, as the cron controller does. */
static bool visit_runs(const struct tour *tour)
{
    const struct demo_workload *workload = tour->workload;
    const int64_t period_s = (int64_t)workload->every_hours * SECONDS_PER_HOUR;
    const int64_t first_s = tour->birth_s + (int64_t)workload->at_hour * SECONDS_PER_HOUR;
    /* Runs are shorter than their period, so only the last one before the span can reach into it.
     */
    int64_t number = (tour->span.start_s - first_s) / period_s - 1;
    for (number = number > 0 ? number : 0; first_s + number * period_s < tour->span.end_s;
         number++) {
        const int64_t start_s = first_s + number * period_s;
        const int64_t scheduled_minute = start_s / SECONDS_PER_MINUTE;
        struct demo_pod pod = {.seed = workload_seed(workload, (uint64_t)scheduled_minute)};
        const int64_t spread = (int64_t)(pod.seed % 41) - 20; /* runs differ by up to 20 % */
        const int64_t run_minutes = workload->run_minutes * (100 + spread) / 100;
        pod.node = node_of(workload, (int)(pod.seed >> 32 & 1));
        pod.life = (struct demo_span){start_s, start_s + run_minutes * SECONDS_PER_MINUTE};
        char code[CODE_MAX];
        write_code(code, POD_CODE_LENGTH, pod.seed);
        snprintf(pod.name, sizeof(pod.name), "%s-%lld-%s", workload->name,
                 (long long)scheduled_minute, code);
        if (!visit_pod(tour, &pod))
            return false;
    }
    return true;
}

bool demo_pods_visit(int64_t birth_s, struct demo_span span, demo_pod_visitor *visit, void *context)
{
    static bool (*const visits[])(const struct tour *) = {
        [DEMO_DEPLOYMENT] = visit_deployment,
        [DEMO_STATEFULSET] = visit_lasting,
        [DEMO_DAEMONSET] = visit_lasting,
        [DEMO_CRONJOB] = visit_runs,
    };
    size_t count;
    const struct demo_workload *workloads = demo_workloads(&count);
    for (size_t i = 0; i < count; i++) {
        const struct tour tour = {&workloads[i], birth_s, span, visit, context};
        if (!visits[workloads[i].controller](&tour))
            return false;
    }
    return true;
}
