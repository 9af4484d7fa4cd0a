/* SPDX-License-Identifier: Apache-2.0 */
/* File descriptors: every connection takes one, and shells give a process 1,024 where it may have
 * many more. */
#ifndef APP_DESCRIPTORS_H
#define APP_DESCRIPTORS_H

#include "base/attrs.h"

/* Raises the soft limit to the hard one, if that is possible. Before any thread starts. */
void descriptors_raise_limit(void);

/* How many of the `wanted` connections there are descriptors for, with enough left over for all
 * else. */
unsigned descriptors_for_connections(unsigned wanted) NODISCARD;

#endif
