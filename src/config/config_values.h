/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One value: read, checked, stored in its field, printed again; for this room only.
 *
 * Threads: one at a time per config.
 */
#ifndef CONFIG_CONFIG_VALUES_H
#define CONFIG_CONFIG_VALUES_H

#include "base/strbuf.h"
#include "config/config.h"

enum value_result { VALUE_OK, VALUE_UNEXPECTED, VALUE_NO_MEMORY };

/* Reads `text` into its field, which must be zero so far, and stays so unless the value is fine. */
enum value_result config_value_read(const struct setting_info *setting, const char *text,
                                    struct config *config) NODISCARD;

/* Appends `text` as a message shows it: in quotes, escaped, shortened, without secrets. */
void config_value_append_quoted(const struct setting_info *setting, const char *text,
                                struct strbuf *out);

/* Appends what is wrong with a value: "PORT: expected an integer from 1 to 65535, got \"x\"". */
void config_value_append_unexpected(const struct setting_info *setting, const char *text,
                                    struct strbuf *out);

/* Appends the field as a .env file could hold it, without secrets. */
void config_value_append(const struct setting_info *setting, const struct config *config,
                         struct strbuf *out);

/* Frees what the field holds and zeroes it. */
void config_value_finish(const struct setting_info *setting, struct config *config);

/* A level by one of its names, in any case. */
bool config_is_log_level(const char *name) NODISCARD;

#endif
