/* SPDX-License-Identifier: Apache-2.0 */
/* The shapes of URLs and origins that settings take; for this room only. */
#ifndef CONFIG_CONFIG_URL_H
#define CONFIG_CONFIG_URL_H

#include <stdbool.h>

#include "base/strbuf.h"
#include "base/text.h"

/* http or https, host, optional credentials, port and path; no query, no fragment. */
bool config_url_is_valid(struct text url);

/* A host, or an IPv6 address in brackets, and perhaps a port. */
bool config_url_is_authority(struct text authority);

/* What a browser sends as Origin: scheme, host and port, nothing behind. Or `*`. */
bool config_origin_is_valid(struct text origin);

/* Appends the URL with `***` in the place of credentials, query and fragment, which may hold
 * secrets. Works on anything, since faulty URLs are shown too. */
void config_url_append_masked(struct text url, struct strbuf *out);

#endif
