/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libcurl says which sockets to watch and when it wants to be called at the latest; libuv watches
 * and calls. Inside libcurl's two callbacks nothing but notes is taken: no multi function is called
 * from there (curl_multi_assign() is made for it and the exception).
 */
#include "net/curl_loop.h"

#include <stdlib.h>
#include <utlist.h>
#include <uv.h>

#include "net/socket_watch.h"

struct curl_loop {
    uv_loop_t *uv;
    CURLM *multi;
    uv_timer_t expiry; /* when libcurl wants to be called, whatever its sockets do */
    uv_timer_t turn;   /* for curl_loop_turn_soon() */
    struct curl_socket *sockets;
    unsigned open_timers; /* the struct is freed by the close callback of the last */
    void (*turned)(void *context);
    void *context;
};

/* One socket of libcurl's that is watched. */
struct curl_socket {
    struct socket_watch *watch;
    curl_socket_t socket;
    struct curl_loop *loop;
    struct curl_socket *next, *previous;
};

static void forget_socket(struct curl_socket *socket)
{
    DL_DELETE2(socket->loop->sockets, socket, previous, next);
    socket_watch_destroy(socket->watch);
    free(socket);
}

static void act(struct curl_loop *loop, curl_socket_t socket, int events)
{
    int running = 0;
    curl_multi_socket_action(loop->multi, socket, events, &running);
    loop->turned(loop->context);
}

static void on_ready(void *context, int events)
{
    const struct curl_socket *socket = context;
    /* On an error libcurl is to read as well: the read tells what happened ("connection reset"),
     * and whether a reused connection had died before, in which case it takes another. */
    int flags = (events & SOCKET_FAULTY) != 0 ? CURL_CSELECT_ERR | CURL_CSELECT_IN : 0;
    if ((events & SOCKET_READABLE) != 0)
        flags |= CURL_CSELECT_IN;
    if ((events & SOCKET_WRITABLE) != 0)
        flags |= CURL_CSELECT_OUT;
    act(socket->loop, socket->socket, flags);
}

static struct curl_socket *note_socket(struct curl_loop *loop, curl_socket_t number)
{
    struct curl_socket *socket = calloc(1, sizeof *socket);
    if (socket == NULL)
        return NULL;
    socket->watch = socket_watch_create(loop->uv, number, on_ready, socket);
    if (socket->watch == NULL) {
        free(socket);
        return NULL;
    }
    socket->socket = number;
    socket->loop = loop;
    DL_PREPEND2(loop->sockets, socket, previous, next);
    return socket;
}

static int on_socket(CURL *easy, curl_socket_t number, int what, void *context, void *assigned)
{
    (void)easy;
    struct curl_loop *loop = context;
    struct curl_socket *socket = assigned;

    if (what == CURL_POLL_REMOVE) {
        if (socket != NULL) {
            curl_multi_assign(loop->multi, number, NULL);
            forget_socket(socket);
        }
        return 0;
    }
    if (socket == NULL) {
        socket = note_socket(loop, number);
        /* Saying -1 here would make the whole multi unusable for good. An unwatched transfer ends
         * by its timeout instead. */
        if (socket == NULL)
            return 0;
        curl_multi_assign(loop->multi, number, socket);
    }
    socket_watch_set(socket->watch, ((what & CURL_POLL_IN) != 0 ? SOCKET_READABLE : 0) |
                                        ((what & CURL_POLL_OUT) != 0 ? SOCKET_WRITABLE : 0));
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

bool curl_loop_global_init(struct error *reterr)
{
    CURLcode code = curl_global_init(CURL_GLOBAL_DEFAULT);
    if (code != CURLE_OK)
        return error_set(reterr, ERR_IO, "cannot initialise libcurl: %s", curl_easy_strerror(code));
    return true;
}

void curl_loop_global_finish(void)
{
    curl_global_cleanup();
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
    loop->open_timers = 2;
    curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, loop);
    curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, on_timer_change);
    curl_multi_setopt(multi, CURLMOPT_TIMERDATA, loop);
    return loop;
}

static void on_timer_closed(uv_handle_t *handle)
{
    struct curl_loop *loop = handle->data;
    if (--loop->open_timers == 0)
        free(loop);
}

void curl_loop_destroy(struct curl_loop *loop)
{
    if (loop == NULL)
        return;
    curl_multi_cleanup(loop->multi); /* closes the idle connections, and with them watches */
    struct curl_socket *socket = NULL;
    struct curl_socket *next = NULL;
    DL_FOREACH_SAFE2(loop->sockets, socket, next, next)
    {
        socket_watch_destroy(socket->watch);
        free(socket);
    }
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
