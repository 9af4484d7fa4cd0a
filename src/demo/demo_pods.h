/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which pods of the sample cluster ran when, under which name and on which node.
 *
 * Deployments replace their pods at each rollout and gain replicas while the company grows, cron
 * jobs make a pod a run. So a longer window knows more pods. Names are made from hashes: the same
 * pod has the same name in every answer.
 *
 * Threads: any; pure functions.
 */
#ifndef DEMO_PODS_H
#define DEMO_PODS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attrs.h"
#include "demo_cluster.h"
#include "demo_window.h"

enum { DEMO_POD_NAME_MAX = 64 }; /* bytes, NUL included */

struct demo_pod {
    const struct demo_workload *workload;
    char name[DEMO_POD_NAME_MAX];
    int node;              /* index into demo_nodes */
    struct demo_span life; /* cut to the span that was asked for */
    uint64_t seed;         /* differs from pod to pod */
};

/* Told of one pod; borrowed for the call. False stops. */
typedef bool demo_pod_visitor(void *context, const struct demo_pod *pod);

/* Visits every pod that ran at some time of `span`, which must not begin before `birth_s`, when the
 * cluster was set up. False when the visitor stopped. */
bool demo_pods_visit(int64_t birth_s, struct demo_span span, demo_pod_visitor *visit,
                     void *context) NODISCARD;

/* A well-mixed number for a text and a number; names and swings are made of it. */
uint64_t demo_seed(const char *text, uint64_t number) NODISCARD;

#endif
