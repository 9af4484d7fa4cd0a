/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What libcurl's codes have in common, as far as its users ask.
 *
 * Threads: any; pure functions.
 */
#ifndef NET_CURL_CODE_H
#define NET_CURL_CODE_H

#include <curl/curl.h>
#include <stdbool.h>

#include "base/attrs.h"

/* The handshake failed, or the certificate would not do. */
bool curl_code_is_tls(CURLcode code) NODISCARD;

#endif
