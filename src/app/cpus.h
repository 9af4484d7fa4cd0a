/* SPDX-License-Identifier: Apache-2.0 */
/* How many CPUs this process may use: its affinity mask, cut down by the CPU quota of its cgroup.
 */
#ifndef APP_CPUS_H
#define APP_CPUS_H

#include "base/attrs.h"

/* At least 1. A quota of 1.5 CPUs counts as 2. */
unsigned usable_cpus(void) NODISCARD;

/* The CPUs a cgroup v2 `cpu.max` text allows, rounded up; 0 when it sets no quota or makes no
 * sense. */
unsigned cpus_of_cpu_max(const char *text) NODISCARD;

#endif
