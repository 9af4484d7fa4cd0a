/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An OpenCost look-alike inside the process, for trying the service without a cluster.
 *
 * An HTTP server of its own on a free loopback port, which answers /healthz and /allocation/compute
 * as OpenCost does: envelope, list of maps, field names, five decimals, idle, special rows, errors
 * for bad windows. The sample cluster has 3 nodes, several namespaces and pods, unmounted volumes,
 * a load balancer and a team that wastes what it reserves. Its figures differ by window and by
 * month, and are the same for the same day: its clock stands at tonight 24:00, where all windows
 * such as 24h, 7d or month end.
 *
 * It knows nothing of the other rooms but base/: the service reaches it over HTTP, like any
 * OpenCost.
 *
 * Threads: start and stop belong to one thread.
 */
#ifndef DEMO_DEMO_H
#define DEMO_DEMO_H

#include "base/attrs.h"
#include "base/error.h"
#include "base/time_source.h"

struct demo_opencost;

/* `time` is borrowed: "now" for windows such as today and 7d. */
struct demo_opencost *demo_opencost_start(const struct time_source *time,
                                          struct error *reterr) NODISCARD;

/* "http://127.0.0.1:PORT"; borrowed. */
const char *demo_opencost_url(const struct demo_opencost *demo) NODISCARD;

/* Accepts NULL. */
void demo_opencost_stop(struct demo_opencost *demo);

#endif
