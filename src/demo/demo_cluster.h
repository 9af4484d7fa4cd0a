/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sample cluster: its nodes, prices, namespaces and workloads. Tables only; what runs when is
 * demo_pods.h, what it costs is demo_cost.h.
 *
 * Threads: any; constants.
 */
#ifndef DEMO_CLUSTER_H
#define DEMO_CLUSTER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attrs.h"

#define DEMO_CLUSTER_NAME "demo-cluster"
#define DEMO_UNMOUNTED    "__unmounted__"

#define DEMO_GIB (1024.0 * 1024.0 * 1024.0)

enum {
    DEMO_NODE_COUNT = 3,
    DEMO_GENERAL_NODES = 2, /* the first two; the third is the GPU node */
    DEMO_GPU_NODE = 2,
    DEMO_NO_NODE = -1,
};

struct demo_node {
    const char *name;
    const char *provider_id;
    double cores;
    double ram_gib;
    double gpus;
};

/* USD. OpenCost's own defaults, except volumes, which cost what an ordinary cloud SSD does. */
struct demo_prices {
    double core_hour;
    double ram_gib_hour;
    double gpu_hour;
    double volume_gib_hour;
    double load_balancer_hour;
    double cross_zone_gib;
    double internet_gib;
};

struct demo_label {
    const char *key; /* NULL: none */
    const char *value;
};

struct demo_namespace {
    const char *name;
    const char *team;
    struct demo_label annotation;
    double unmounted_gib; /* volumes that are claimed here and mounted nowhere */
};

enum demo_controller { DEMO_DEPLOYMENT, DEMO_STATEFULSET, DEMO_DAEMONSET, DEMO_CRONJOB };

/* How use swings with the hour, the weekday and the season; see demo_load.h. */
enum demo_load { DEMO_LOAD_STEADY, DEMO_LOAD_SHOPPERS, DEMO_LOAD_OFFICE };

struct demo_workload {
    const struct demo_namespace *home;
    const char *name;
    enum demo_controller controller;
    enum demo_load load;

    int replicas;       /* from first_day on; of a daemonset, one a node; of a cron job, unused */
    int added_replicas; /* joined one by one while the company grew */
    int first_day;      /* days after the birth of the cluster */
    int rollout_days;   /* a deployment's pods are replaced this often; 0: never */
    int every_hours;    /* cron jobs: period, counted from midnight */
    int at_hour;        /* cron jobs: of the first run of the day */
    int run_minutes;    /* cron jobs: of a typical run */
    bool has_load_balancer;
    bool on_gpu_node; /* else on the general ones, in turn */

    /* Of each replica; use is at load 1. A request of 0 is none. */
    double cpu_request, cpu_usage; /* cores */
    double ram_request, ram_usage; /* GiB */
    double gpu_request, gpu_usage; /* GPUs */
    double volume_gib;
    double internet_gib_per_hour, cross_zone_gib_per_hour;

    const char *service; /* NULL: none */
    struct demo_label annotation;
};

extern const struct demo_node demo_nodes[DEMO_NODE_COUNT];
extern const struct demo_prices demo_prices;

/* Volumes that no namespace claims. */
extern const struct demo_namespace demo_nowhere;

const struct demo_namespace *demo_namespaces(size_t *ret_count) NODISCARD;
const struct demo_workload *demo_workloads(size_t *ret_count) NODISCARD;

#endif
