/* SPDX-License-Identifier: Apache-2.0 */
#include "signals.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <time.h>
#include <unistd.h>

static sigset_t stopping_signals(void)
{
    sigset_t set;
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGTERM);
    (void)sigaddset(&set, SIGINT);
    return set;
}

void signals_begin(void)
{
    sigset_t hang_up;
    (void)sigemptyset(&hang_up);
    (void)sigaddset(&hang_up, SIGHUP);
    (void)pthread_sigmask(SIG_BLOCK, &hang_up, NULL);
    (void)signal(SIGPIPE, SIG_IGN); /* a broken pipe is an error of the write */
    (void)signal(SIGXFSZ, SIG_IGN); /* and so is a file beyond the limit on its size */
    signals_exit_on_next();
}

void signals_block(void)
{
    sigset_t set = stopping_signals();
    (void)sigaddset(&set, SIGHUP);
    (void)pthread_sigmask(SIG_BLOCK, &set, NULL);
}

static struct timespec timespec_of_ms(int64_t duration_ms)
{
    return (struct timespec){.tv_sec = duration_ms / 1000,
                             .tv_nsec = (long)(duration_ms % 1000) * 1000000L};
}

enum signals_event signals_wait(int64_t limit_ms)
{
    const struct timespec limit = timespec_of_ms(limit_ms);
    const struct timespec no_time = {0};
    sigset_t set = stopping_signals();
    /* The kernel hands out the lowest number first, which is SIGHUP's: a storm of them must not
     * keep us here. */
    if (sigtimedwait(&set, NULL, &no_time) > 0)
        return SIGNALS_STOP;
    (void)sigaddset(&set, SIGHUP);
    switch (sigtimedwait(&set, NULL, &limit)) {
    case SIGTERM:
    case SIGINT:
        return SIGNALS_STOP;
    case SIGHUP:
        return SIGNALS_REREAD;
    default:
        return SIGNALS_NONE;
    }
}

static void exit_at_once(int received)
{
    _exit(128 + received);
}

void signals_exit_on_next(void)
{
    sigset_t set = stopping_signals();
    const struct sigaction action = {.sa_handler = exit_at_once};
    (void)sigaction(SIGTERM, &action, NULL);
    (void)sigaction(SIGINT, &action, NULL);
    (void)pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

void signals_pause_ms(int64_t duration_ms)
{
    struct timespec left = timespec_of_ms(duration_ms);
    while (nanosleep(&left, &left) != 0 && errno == EINTR)
        continue;
}
