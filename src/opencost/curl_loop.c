/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libcurl says which sockets to watch and when it wants to be called at the latest; libuv watches
 * and calls. Inside libcurl's two callbacks nothing but notes is taken: no multi function is called
 * from there (curl_multi_assign() is made for it and the exception).
 */
#include "curl_loop.h"

#include <stdbool.h>
#include <stdlib.h>
#include <uv.h>

struct curl_loop {
    uv_loop_t *uv;
    CURLM *multi;
    uv_timer_t expiry; /* when libcurl wants to be called, whatever its sockets do */
    uv_timer_t turn;   /* for curl_loop_turn_soon() */
    struct socket_watch *watches;
    unsigned open_handles; /* the struct is freed by the close callback of the last */
    void (*turned)(void *context);
    void *context;
};

struct socket_watch {
    uv_poll_t poll;
    curl_socket_t socket;
    struct curl_loop *loop;
    struct socket_watch *next, *previous;
};

static void release_handle(struct curl_loop *loop)
{
    if (--loop->open_handles == 0)
        free(loop);
}

static void on_watch_closed(uv_handle_t *handle)
{
    struct socket_watch *watch = handle->data;
    release_handle(watch->loop);
    free(watch);
}

static void watch_close(struct socket_watch *watch)
{
    struct curl_loop *loop = watch->loop;
    if (watch->previous != NULL)
        watch->previous->next = watch->next;
    else
        loop->watches = watch->next;
    if (watch->next != NULL)
        watch->next->previous = watch->previous;
    uv_close((uv_handle_t *)&watch->poll, on_watch_closed);
}

static struct socket_watch *watch_open(struct curl_loop *loop, curl_socket_t socket)
{
    struct socket_watch *watch = calloc(1, sizeof *watch);
    if (watch == NULL)
        return NULL;
    if (uv_poll_init_socket(loop->uv, &watch->poll, socket) != 0) {
        free(watch);
        return NULL;
    }
    watch->poll.data = watch;
    watch->socket = socket;
    watch->loop = loop;
    watch->next = loop->watches;
    if (watch->next != NULL)
        watch->next->previous = watch;
    loop->watches = watch;
    loop->open_handles++;
    return watch;
}

static void act(struct curl_loop *loop, curl_socket_t socket, int events)
{
    int running = 0;
    curl_multi_socket_action(loop->multi, socket, events, &running);
    loop->turned(loop->context);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
    const struct socket_watch *watch = poll->data;
    /* On an error libcurl is to read as well: the read tells what happened ("connection reset"),
     * and whether a reused connection had died before, in which case it takes another. */
    int flags = status < 0 ? CURL_CSELECT_ERR | CURL_CSELECT_IN : 0;
    if ((events & UV_READABLE) != 0)
        flags |= CURL_CSELECT_IN;
    if ((events & UV_WRITABLE) != 0)
        flags |= CURL_CSELECT_OUT;
    act(watch->loop, watch->socket, flags);
}

static int on_socket(CURL *easy, curl_socket_t socket, int what, void *context, void *assigned)
{
    (void)easy;
    struct curl_loop *loop = context;
    struct socket_watch *watch = assigned;

    if (what == CURL_POLL_REMOVE) {
        if (watch != NULL) {
            curl_multi_assign(loop->multi, socket, NULL);
            watch_close(watch);
        }
        return 0;
    }
    if (watch == NULL) {
        watch = watch_open(loop, socket);
        /* Saying -1 here would make the whole multi unusable for good. An unwatched transfer ends
         * by its timeout instead. */
        if (watch == NULL)
            return 0;
        curl_multi_assign(loop->multi, socket, watch);
    }
    int events = ((what & CURL_POLL_IN) != 0 ? UV_READABLE : 0) |
                 ((what & CURL_POLL_OUT) != 0 ? UV_WRITABLE : 0);
    if (events == 0)
        uv_poll_stop(&watch->poll);
    else
        uv_poll_start(&watch->poll, events, on_poll);
    return 0;
}

static void on_expiry(uv_timer_t *timer)
{
    act(timer->data, CURL_SOCKET_TIMEOUT, 0);
}

static int on_timer_change(CURLM *multi, long timeout_ms, void *context)
{
    (void)multi;
    struct curl_loop *loop = context;
    if (timeout_ms < 0)
        uv_timer_stop(&loop->expiry);
    else
        uv_timer_start(&loop->expiry, on_expiry, (uint64_t)timeout_ms, 0);
    return 0;
}

static void on_turn(uv_timer_t *timer)
{
    struct curl_loop *loop = timer->data;
    loop->turned(loop->context);
}

struct curl_loop *curl_loop_create(struct uv_loop_s *uv, void (*turned)(void *context),
                                   void *context, struct error *reterr)
{
    struct curl_loop *loop = calloc(1, sizeof *loop);
    CURLM *multi = curl_multi_init();
    if (loop == NULL || multi == NULL) {
        free(loop);
        curl_multi_cleanup(multi);
        error_no_memory(reterr);
        return NULL;
    }
    loop->uv = uv;
    loop->multi = multi;
    loop->turned = turned;
    loop->context = context;
    uv_timer_init(uv, &loop->expiry); /* cannot fail */
    uv_timer_init(uv, &loop->turn);
    loop->expiry.data = loop->turn.data = loop;
    loop->open_handles = 2;
    curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, loop);
    curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, on_timer_change);
    curl_multi_setopt(multi, CURLMOPT_TIMERDATA, loop);
    return loop;
}

static void on_timer_closed(uv_handle_t *handle)
{
    release_handle(handle->data);
}

void curl_loop_destroy(struct curl_loop *loop)
{
    if (loop == NULL)
        return;
    curl_multi_cleanup(loop->multi); /* closes the idle connections, and with them watches */
    while (loop->watches != NULL)
        watch_close(loop->watches);
    uv_close((uv_handle_t *)&loop->expiry, on_timer_closed);
    uv_close((uv_handle_t *)&loop->turn, on_timer_closed);
}

CURLM *curl_loop_multi(const struct curl_loop *loop)
{
    return loop->multi;
}

void curl_loop_turn_soon(struct curl_loop *loop)
{
    uv_timer_start(&loop->turn, on_turn, 0, 0);
}
