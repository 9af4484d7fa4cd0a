/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the name of a namespace, a pod or an allocation says about it.
 *
 * Threads: any; pure functions.
 */
#ifndef COST_NAMES_H
#define COST_NAMES_H

#include <stdbool.h>

#include "base/attrs.h"
#include "base/text.h"

/* Node capacity that nobody was given. */
#define IDLE_NAME "__idle__"

/* True when the name contains one of OpenCost's words for money that is no workload's: __idle__,
 * __unmounted__, __unallocated__, __shared__, __external__. */
bool name_is_special(struct text name) NODISCARD;

/* True when the name contains __idle__. */
bool name_is_idle(struct text name) NODISCARD;

/* True for `<namespace>-unmounted-pvcs`, under which OpenCost lists the claimed but unmounted
 * volumes of a namespace: its money is real, but no pod stands behind it. */
bool name_is_unmounted_volumes(struct text name) NODISCARD;

#endif
