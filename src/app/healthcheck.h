/* SPDX-License-Identifier: Apache-2.0 */
/* --healthcheck: asks the service on this host whether it is alive, for images without curl. */
#ifndef APP_HEALTHCHECK_H
#define APP_HEALTHCHECK_H

#include <stdbool.h>

#include "base/attrs.h"
#include "base/error.h"
#include "config/config.h"

/* GET /livez at the configured address (the loopback one where the service listens on all); true
 * when it answers 200 within three seconds. */
bool healthcheck_run(const struct config *config, struct error *reterr) NODISCARD;

#endif
