/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The stream engine on libcurl, which connects (names, TLS, unix sockets) and then only carries
 * bytes. hiredis as Debian 12 has it knows no TLS; that is why it does not connect itself.
 *
 * Proxies of the environment are ignored. TLS is 1.2 at least, the certificate is checked, and
 * names the host. curl_loop_global_init() comes first.
 *
 * Threads: the loop thread only, except create and destroy: before it starts, after it ended.
 */
#ifndef REDIS_CURL_STREAM_H
#define REDIS_CURL_STREAM_H

#include "base/attrs.h"
#include "redis/stream.h"

struct uv_loop_s;
struct curl_streams;

/* `loop` is borrowed. `ca_file` is a PEM file to verify Redis' certificate with; NULL: the
 * system's; copied. NULL only when out of memory. */
struct curl_streams *curl_streams_create(struct uv_loop_s *loop, const char *ca_file) NODISCARD;

/* All streams must have been closed. Accepts NULL. */
void curl_streams_destroy(struct curl_streams *streams);

/* Borrowed; valid until destroy. */
const struct stream_engine *curl_streams_engine(const struct curl_streams *streams) NODISCARD;

#endif
