/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The URLs the client asks for, and how they are shown.
 *
 * Threads: any; pure functions. Results are new; NULL only when out of memory.
 */
#ifndef OPENCOST_CLIENT_URL_H
#define OPENCOST_CLIENT_URL_H

#include <stdbool.h>

#include "base/attrs.h"

#define ALLOCATION_AGGREGATE "namespace,pod"

char *client_url_allocation(const char *base_url, const char *window, bool include_idle) NODISCARD;
char *client_url_health(const char *base_url) NODISCARD;

/* The URL with `***` in place of user and password, for the log. */
char *client_url_masked(const char *url) NODISCARD;

#endif
