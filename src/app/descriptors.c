/* SPDX-License-Identifier: Apache-2.0 */
#include "descriptors.h"

#include <sys/resource.h>

#include "http/content.h"

void descriptors_raise_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == limit.rlim_max)
        return;
    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit); /* not getting more is no reason not to serve */
}

unsigned descriptors_for_connections(unsigned wanted)
{
    const rlim_t kept = 64; /* for threads, OpenCost, files, and what is not closed yet */
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY)
        return wanted;
    rlim_t bodies = limit.rlim_cur / HTTP_CONTENT_SHARE_OF_DESCRIPTORS;
    rlim_t possible =
        limit.rlim_cur > 2 * kept ? limit.rlim_cur - bodies - kept : limit.rlim_cur / 2;
    return possible < wanted ? (unsigned)possible : wanted;
}
