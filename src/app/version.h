/* SPDX-License-Identifier: Apache-2.0 */
/* What this binary is and what it runs on. Threads: any. */
#ifndef APP_VERSION_H
#define APP_VERSION_H

#include "base/attrs.h"
#include "base/strbuf.h"

/* "0.1.0"; static. */
const char *version_number(void) NODISCARD;

/* The commit it was built from, or "unknown"; static. */
const char *version_revision(void) NODISCARD;

/* Several lines: the service, then each library with the version in use. */
void version_write(struct strbuf *out);

#endif
