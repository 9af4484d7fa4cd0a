/* SPDX-License-Identifier: Apache-2.0 */
#include "peer.h"

#include <netinet/in.h>
#include <string.h>

static struct http_peer peer_of_ipv6(const struct in6_addr *address)
{
    enum { NETWORK_BYTES = 8 };
    struct http_peer peer = {.bytes = {0}};

    memcpy(peer.bytes, address, IN6_IS_ADDR_V4MAPPED(address) ? sizeof(peer.bytes) : NETWORK_BYTES);
    return peer;
}

static struct http_peer peer_of_ipv4(const struct in_addr *address)
{
    struct http_peer peer = {.bytes = {[10] = 0xFF, [11] = 0xFF}};

    memcpy(peer.bytes + 12, address, sizeof(*address));
    return peer;
}

struct http_peer peer_of(const struct sockaddr *address)
{
    const void *any = address;

    return address->sa_family == AF_INET6
               ? peer_of_ipv6(&((const struct sockaddr_in6 *)any)->sin6_addr)
               : peer_of_ipv4(&((const struct sockaddr_in *)any)->sin_addr);
}
