/* SPDX-License-Identifier: Apache-2.0 */
/* A request by hand: one line out, a status line back. It must work while the rest of the house
 * does not. */
#include "healthcheck.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum { TIMEOUT_S = 3 };

static const char *address_to_ask(const char *host)
{
    if (strcmp(host, "0.0.0.0") == 0)
        return "127.0.0.1";
    return strcmp(host, "::") == 0 ? "::1" : host;
}

static int connect_to(const struct addrinfo *address)
{
    const struct timeval timeout = {.tv_sec = TIMEOUT_S};
    int fd = socket(address->ai_family, address->ai_socktype | SOCK_CLOEXEC, address->ai_protocol);
    if (fd < 0)
        return -1;
    /* On Linux the send timeout bounds connect() too. */
    if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout)) != 0 ||
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout)) != 0 ||
        connect(fd, address->ai_addr, address->ai_addrlen) != 0) {
        (void)close(fd);
        return -1;
    }
    return fd;
}

static bool ask(int fd, struct error *reterr)
{
    static const char request[] =
        "GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    static const char expected[] = "HTTP/1.1 200";
    char answer[sizeof(expected)] = {0};
    size_t have = 0;
    if (send(fd, request, sizeof(request) - 1, MSG_NOSIGNAL) != (ssize_t)sizeof(request) - 1)
        return error_set(reterr, ERR_IO, "cannot send: %s", strerrordesc_np(errno));
    while (have < sizeof(expected) - 1) {
        ssize_t got = recv(fd, answer + have, sizeof(expected) - 1 - have, 0);
        if (got <= 0)
            return error_set(reterr, ERR_IO, "no answer: %s",
                             got == 0 ? "connection closed" : strerrordesc_np(errno));
        have += (size_t)got;
    }
    if (memcmp(answer, expected, sizeof(expected) - 1) != 0)
        return error_set(reterr, ERR_IO, "not alive: answered '%s'", answer);
    return true;
}

bool healthcheck_run(const struct config *config, struct error *reterr)
{
    char port[16];
    const char *host = address_to_ask(config->host);
    (void)snprintf(port, sizeof(port), "%lld", (long long)config->port);
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *addresses = NULL;
    int status = getaddrinfo(host, port, &hints, &addresses);
    if (status != 0)
        return error_set(reterr, ERR_IO, "cannot resolve %s: %s", host, gai_strerror(status));
    int fd = connect_to(addresses);
    freeaddrinfo(addresses);
    if (fd < 0)
        return error_set(reterr, ERR_IO, "cannot connect to %s port %s: %s", host, port,
                         strerrordesc_np(errno));
    bool alive = ask(fd, reterr);
    (void)close(fd);
    return alive;
}
