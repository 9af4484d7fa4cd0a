/* SPDX-License-Identifier: Apache-2.0 */
/* The pages that the process keeps in memory. Starting the libraries touches far more of them than
 * serving does: OpenSSL and GnuTLS alone test themselves through megabytes of code. */
#ifndef APP_WORKING_SET_H
#define APP_WORKING_SET_H

/* Gives back what only the start needed: freed heap, and the pages of code and constants, of which
 * those still in use come back from the page cache at their next use. A segment of which somebody
 * has changed a page, by a debugger's breakpoint or a tracer's probe, stays as it is; without
 * /proc/self/pagemap (proc(5)) all of them do. From any thread, while others run. */
void working_set_trim(void);

#endif
