/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The transfer engine on libcurl's multi interface, driven by a libuv loop.
 *
 * Only http and https. Redirects are followed, five at most, and only to the same scheme, host and
 * port. Connections are reused. Proxies named in the environment (http_proxy, https_proxy,
 * no_proxy) are honoured, as in-cluster users expect. curl_loop_global_init() comes first.
 *
 * Threads: the loop thread only.
 */
#ifndef OPENCOST_CURL_TRANSFER_H
#define OPENCOST_CURL_TRANSFER_H

#include <stdbool.h>

#include "base/attrs.h"
#include "base/error.h"
#include "opencost/transfer.h"

struct uv_loop_s;
struct curl_transfers;

struct curl_transfer_options {
    struct uv_loop_s *loop; /* borrowed */
    /* PEM file to verify OpenCost's certificate with; NULL: the system's; copied */
    const char *ca_file;
    const char *user_agent; /* copied */
    bool without_proxy;     /* whatever the environment says: for an OpenCost in this process */
};

struct curl_transfers *curl_transfers_create(const struct curl_transfer_options *options,
                                             struct error *reterr) NODISCARD;

/* Cancels what is under way. The loop must run once more afterwards, so that its handles close; the
 * memory is freed then. Accepts NULL. */
void curl_transfers_destroy(struct curl_transfers *transfers);

/* Borrowed; valid until destroy. */
const struct transfer_engine *curl_transfers_engine(struct curl_transfers *transfers) NODISCARD;

#endif
