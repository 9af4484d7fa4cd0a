/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The size of the batch is a constant inside the library, and its threads are its own, so the place to change it is the
 * call: this epoll_wait() comes before the C library's for the whole program, and gives back one event less than there is
 * room for. Whoever asks for N gets N - 1 at a time and the rest at the next call, which epoll allows anyway.
 */
#include "epoll_batch.h"

#include <stddef.h>
#include <sys/epoll.h>

/* NOLINTNEXTLINE(readability-inconsistent-declaration-parameter-name): the C library's names are reserved ones */
int epoll_wait(int epoll_fd, struct epoll_event *events, int max_events, int timeout_ms)
{
    return epoll_pwait(epoll_fd, events, max_events > 1 ? max_events - 1 : max_events, timeout_ms,
                       NULL);
}

/* A call to anything in this file makes the linker take all of it, epoll_wait() included, out of the library. */
void epoll_batch_install(void)
{
}
