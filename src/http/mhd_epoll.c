/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The calls are made inside the library, by threads of its own, so the place to change them is the
 * calls themselves: the functions here come before the C library's for the whole program. What they
 * change is harmless to everybody else who uses epoll: an event less at a time, and no complaint
 * about the removal of what is not there.
 */
#include "mhd_epoll.h"

#include <errno.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Whoever asks for N events gets N - 1 at a time and the rest at the next call, which epoll allows
 * anyway. */
/* The C library's names are reserved ones. */
/* NOLINTNEXTLINE(readability-inconsistent-declaration-parameter-name) */
int epoll_wait(int epoll_fd, struct epoll_event *events, int max_events, int timeout_ms)
{
    return epoll_pwait(epoll_fd, events, max_events > 1 ? max_events - 1 : max_events, timeout_ms,
                       NULL);
}

/* NOLINTNEXTLINE(readability-inconsistent-declaration-parameter-name): as above */
int epoll_ctl(int epoll_fd, int operation, int fd, struct epoll_event *event)
{
    int saved_errno = errno;

    if (syscall(SYS_epoll_ctl, epoll_fd, operation, fd, event) == 0)
        return 0;
    if (operation != EPOLL_CTL_DEL || errno != ENOENT)
        return -1;
    errno = saved_errno;
    return 0;
}

/* A call to anything in this file makes the linker take all of it, the system calls included, out
 * of the library. */
void mhd_epoll_install(void)
{
}
