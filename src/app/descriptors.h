/* SPDX-License-Identifier: Apache-2.0 */
/* File descriptors: every connection takes one, and shells give a process 1,024 where it may have many more. */
#ifndef APP_DESCRIPTORS_H
#define APP_DESCRIPTORS_H

/* Raises the soft limit to the hard one, if that is possible. Before any thread starts. */
void descriptors_raise_limit(void);

#endif
