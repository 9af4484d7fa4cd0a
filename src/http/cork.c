/* SPDX-License-Identifier: Apache-2.0 */
#include "cork.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

/* Where it fails, headers go ahead of their body, as without it. */
static void set_cork(int socket, int on)
{
    (void)setsockopt(socket, IPPROTO_TCP, TCP_CORK, &on, sizeof(on));
}

void cork_socket(int socket)
{
    set_cork(socket, 1);
}

void uncork_socket(int socket)
{
    set_cork(socket, 0);
}
