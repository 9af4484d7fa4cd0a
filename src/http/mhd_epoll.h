/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two system calls of libmicrohttpd's epoll threads, corrected. Both faults are in daemon.c, up to
 * 0.9.75 at least.
 *
 * epoll_wait(): MHD_epoll() takes 128 events at a time and, when it got all 128, waits for more
 * with the full timeout before it serves any of them. With exactly 128 connections ready, none else
 * stirs and the thread sleeps: for up to the connection timeout nobody is answered. So its batches
 * must never be full.
 *
 * epoll_ctl(): when a daemon is quiesced, the caller of MHD_quiesce_daemon() and each thread of the
 * pool take the listening socket out of the thread's epoll set, whoever comes first; the one who
 * comes second is told ENOENT, and panics. The process would die of a SIGTERM that comes while a
 * thread is awake.
 *
 * Threads: any.
 */
#ifndef HTTP_MHD_EPOLL_H
#define HTTP_MHD_EPOLL_H

/* Makes sure that the calls of mhd_epoll.c are the ones in use; call before the server starts. */
void mhd_epoll_install(void);

#endif
