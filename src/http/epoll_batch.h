/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keeps libmicrohttpd's epoll threads from stalling under load.
 *
 * libmicrohttpd up to 0.9.75 at least (daemon.c, MHD_epoll) takes 128 events at a time and, when it got all 128, waits for
 * more with the full timeout before it serves any of them. With exactly 128 connections ready, none else stirs and the
 * thread sleeps: for up to the connection timeout nobody is answered. So its batches must never be full.
 *
 * Threads: any.
 */
#ifndef HTTP_EPOLL_BATCH_H
#define HTTP_EPOLL_BATCH_H

/* Makes sure that the epoll_wait() of epoll_batch.c is the one in use; call before the server starts. */
void epoll_batch_install(void);

#endif
