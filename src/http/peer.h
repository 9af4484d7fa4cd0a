/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTP_PEER_H
#define HTTP_PEER_H

#include <sys/socket.h>

#include "base/attrs.h"
#include "http/exchange.h"

/* Of an IPv4 or IPv6 address. */
struct http_peer peer_of(const struct sockaddr *address) NODISCARD;

#endif
