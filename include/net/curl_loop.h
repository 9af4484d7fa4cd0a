/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The marriage of libcurl's multi interface to a libuv loop: sockets and expiry times. Knows
 * nothing of the transfers.
 *
 * Threads: the loop thread only.
 */
#ifndef NET_CURL_LOOP_H
#define NET_CURL_LOOP_H

#include <curl/curl.h>
#include <stdbool.h>

#include "base/attrs.h"
#include "base/error.h"

struct uv_loop_s;
struct curl_loop;

/* Once per process, before any thread: libcurl's global state. */
bool curl_loop_global_init(struct error *reterr) NODISCARD;
void curl_loop_global_finish(void);

/* `turned` is called from the loop, never from inside libcurl, whenever transfers may have moved
 * on: the time to read the multi's messages. */
struct curl_loop *curl_loop_create(struct uv_loop_s *uv, void (*turned)(void *context),
                                   void *context, struct error *reterr) NODISCARD;

/* All easy handles must have been removed. `turned` is not called any more; the memory is freed
 * when the loop has run once more. Accepts NULL. */
void curl_loop_destroy(struct curl_loop *loop);

/* Borrowed. */
CURLM *curl_loop_multi(const struct curl_loop *loop) NODISCARD;

/* Lets `turned` be called as soon as the loop runs. */
void curl_loop_turn_soon(struct curl_loop *loop);

#endif
