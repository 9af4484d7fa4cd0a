/* SPDX-License-Identifier: Apache-2.0 */
#include "listener.h"

#include <ctype.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { LISTEN_BACKLOG = 1024 };

/* Returns a socket that listens, or -1 with errno. */
static int listen_at(const struct addrinfo *address)
{
    const int on = 1;
    const int off = 0;
    int saved_errno;
    int fd = socket(address->ai_family, address->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -1;
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0 &&
        (address->ai_family != AF_INET6 ||
         setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off)) == 0) &&
        bind(fd, address->ai_addr, address->ai_addrlen) == 0 && listen(fd, LISTEN_BACKLOG) == 0)
        return fd;
    saved_errno = errno;
    close(fd);
    errno = saved_errno;
    return -1;
}

static uint16_t bound_port(int fd)
{
    union {
        struct sockaddr any;
        struct sockaddr_in ipv4;
        struct sockaddr_in6 ipv6;
    } address = {.ipv6 = {.sin6_port = 0}};
    socklen_t length = sizeof(address);

    (void)getsockname(fd, &address.any, &length); /* cannot fail on a bound socket */
    return ntohs(address.any.sa_family == AF_INET6 ? address.ipv6.sin6_port
                                                   : address.ipv4.sin_port);
}

static bool cannot_listen(const char *host, uint16_t port, const char *reason, struct error *reterr)
{
    bool is_ipv6 = strchr(host, ':') != NULL;

    return error_set(reterr, ERR_IO, "cannot listen on %s%s%s:%u: %c%s", is_ipv6 ? "[" : "", host,
                     is_ipv6 ? "]" : "", port, tolower((unsigned char)reason[0]),
                     reason[0] == '\0' ? "" : reason + 1);
}

bool listener_open(struct listener *listener, const char *host, uint16_t port, struct error *reterr)
{
    struct addrinfo hints = {.ai_family = AF_UNSPEC,
                             .ai_socktype = SOCK_STREAM,
                             .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    struct addrinfo *addresses = NULL;
    char service[sizeof("65535")];
    char reason[128];
    int failure;
    int fd = -1;

    listener->fd = -1;
    snprintf(service, sizeof(service), "%u", port);
    failure = getaddrinfo(host, service, &hints, &addresses);
    if (failure != 0)
        return cannot_listen(host, port, gai_strerror(failure), reterr);
    for (struct addrinfo *a = addresses; a != NULL && fd < 0; a = a->ai_next)
        fd = listen_at(a);
    failure = errno;
    freeaddrinfo(addresses);
    if (fd < 0)
        return cannot_listen(host, port, strerror_r(failure, reason, sizeof(reason)), reterr);
    listener->fd = fd;
    listener->port = bound_port(fd);
    return true;
}

void listener_shutdown(struct listener *listener)
{
    (void)shutdown(listener->fd, SHUT_RD);
}

void listener_close(struct listener *listener)
{
    if (listener->fd >= 0)
        close(listener->fd);
    listener->fd = -1;
}
