/* SPDX-License-Identifier: Apache-2.0 */
/* The settings that a .env file sets; for this room only. */
#ifndef CONFIG_ENV_FILE_H
#define CONFIG_ENV_FILE_H

#include "config/config.h"

/* Reads `path`, or, when it is NULL, `.env`, which may be absent. Fills `values`, one a setting in
 * the order of the table, with new strings; what the file does not set stays NULL. Faults and
 * warnings go to `report`. False when out of memory; `values` are then the caller's all the same.
 */
bool env_file_read(const char *path, config_getenv_fn *lookup, void *lookup_context, char **values,
                   struct config_report *report) NODISCARD;

#endif
