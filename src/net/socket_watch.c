/* SPDX-License-Identifier: Apache-2.0 */
#include "net/socket_watch.h"

#include <stdlib.h>
#include <uv.h>

struct socket_watch {
    uv_poll_t poll;
    void (*ready)(void *context, int events);
    void *context;
};

struct socket_watch *socket_watch_create(struct uv_loop_s *uv, int socket,
                                         void (*ready)(void *context, int events), void *context)
{
    struct socket_watch *watch = calloc(1, sizeof *watch);
    if (watch == NULL)
        return NULL;
    if (uv_poll_init_socket(uv, &watch->poll, socket) != 0) {
        free(watch);
        return NULL;
    }
    watch->poll.data = watch;
    watch->ready = ready;
    watch->context = context;
    return watch;
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
    const struct socket_watch *watch = poll->data;
    watch->ready(watch->context, (status < 0 ? SOCKET_FAULTY : 0) |
                                     ((events & UV_READABLE) != 0 ? SOCKET_READABLE : 0) |
                                     ((events & UV_WRITABLE) != 0 ? SOCKET_WRITABLE : 0));
}

void socket_watch_set(struct socket_watch *watch, int events)
{
    int wanted = ((events & SOCKET_READABLE) != 0 ? UV_READABLE : 0) |
                 ((events & SOCKET_WRITABLE) != 0 ? UV_WRITABLE : 0);
    if (wanted == 0)
        uv_poll_stop(&watch->poll);
    else
        uv_poll_start(&watch->poll, wanted, on_poll);
}

static void on_closed(uv_handle_t *handle)
{
    free(handle->data);
}

void socket_watch_destroy(struct socket_watch *watch)
{
    if (watch != NULL)
        uv_close((uv_handle_t *)&watch->poll, on_closed);
}
