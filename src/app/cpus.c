/* SPDX-License-Identifier: Apache-2.0 */
#include "cpus.h"

#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

unsigned cpus_of_cpu_max(const char *text)
{
    char *end = NULL;
    long long quota_us = strtoll(text, &end, 10);
    if (end == text || quota_us <= 0)
        return 0;
    long long period_us = strtoll(end, NULL, 10);
    if (period_us <= 0 || quota_us / period_us >= UINT_MAX)
        return 0;
    return (unsigned)(quota_us / period_us) + (quota_us % period_us != 0);
}

/* The first line of a small file, "" when it cannot be read. */
static void read_line(const char *path, char *line, int size)
{
    line[0] = '\0';
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return;
    if (fgets(line, size, file) == NULL)
        line[0] = '\0';
    (void)fclose(file);
}

/* In a container the process sees its own cgroup as the root of the mount. cgroup v1 has quota and
 * period in two files. */
static unsigned cgroup_cpus(void)
{
    char line[64];
    char both[160];
    char period[64];
    read_line("/sys/fs/cgroup/cpu.max", line, sizeof(line));
    if (line[0] != '\0')
        return cpus_of_cpu_max(line);
    read_line("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", line, sizeof(line));
    read_line("/sys/fs/cgroup/cpu/cpu.cfs_period_us", period, sizeof(period));
    (void)snprintf(both, sizeof(both), "%.*s %s", (int)strcspn(line, "\n"), line, period);
    return cpus_of_cpu_max(both);
}

unsigned usable_cpus(void)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    unsigned cpus = 1;
    if (sched_getaffinity(0, sizeof(set), &set) == 0 && CPU_COUNT(&set) > 0)
        cpus = (unsigned)CPU_COUNT(&set);
    unsigned quota = cgroup_cpus();
    return quota > 0 && quota < cpus ? quota : cpus;
}
