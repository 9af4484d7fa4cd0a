/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How busy the sample cluster is at an hour: by time of day, weekday, season, and growing while the
 * company grows.
 *
 * Threads: any; pure functions.
 */
#ifndef DEMO_LOAD_H
#define DEMO_LOAD_H

#include <stdint.h>

#include "base/attrs.h"
#include "demo_cluster.h"

/* A factor around 1 (0 to about 2) that use is multiplied with. `birth_s`: when the cluster was set
 * up; not after `time_s`. */
double demo_load_at(enum demo_load load, int64_t time_s, int64_t birth_s) NODISCARD;

#endif
