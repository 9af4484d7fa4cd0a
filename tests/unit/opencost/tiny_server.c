/* SPDX-License-Identifier: Apache-2.0 */
#include "tiny_server.h"

#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { HEAD_MAX = 8192 };

struct tiny_server {
    pthread_t thread;
    int listener;
    int port;
    atomic_uint connections;
    const struct tiny_route *routes;
    const struct tiny_route *route; /* the one being served */
    atomic_int connection;          /* -1: none */
    atomic_bool is_stopping;
    pthread_mutex_t mutex; /* guards head */
    char head[HEAD_MAX];
};

static void must(bool truth, const char *what)
{
    if (truth)
        return;
    perror(what);
    abort();
}

void tiny_send(int fd, const void *bytes, size_t length)
{
    const char *rest = bytes;
    while (length > 0) {
        ssize_t sent = send(fd, rest, length, MSG_NOSIGNAL);
        if (sent <= 0)
            return; /* the client has left: often what the test is about */
        rest += sent;
        length -= (size_t)sent;
    }
}

bool serve_text(struct tiny_server *server, int fd)
{
    tiny_send(fd, server->route->text, strlen(server->route->text));
    return true;
}

bool serve_text_and_close(struct tiny_server *server, int fd)
{
    serve_text(server, fd);
    return false;
}

bool serve_text_and_reset(struct tiny_server *server, int fd)
{
    serve_text(server, fd);
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &(struct linger){.l_onoff = 1}, sizeof(struct linger));
    return false;
}

bool serve_text_and_wait(struct tiny_server *server, int fd)
{
    char byte;
    serve_text(server, fd);
    (void)!recv(fd, &byte, 1, 0);
    return false;
}

/* Reads one request's head (our client sends no bodies). False when the client has left. */
static bool read_head(struct tiny_server *server, int fd)
{
    char head[HEAD_MAX];
    size_t length = 0;
    while (length < sizeof head - 1) {
        ssize_t count = recv(fd, head + length, sizeof head - 1 - length, 0);
        if (count <= 0)
            return false;
        length += (size_t)count;
        head[length] = '\0';
        if (strstr(head, "\r\n\r\n") != NULL || head[0] == 0x16) /* a TLS hello has no end */
            break;
    }
    pthread_mutex_lock(&server->mutex);
    memcpy(server->head, head, length + 1);
    pthread_mutex_unlock(&server->mutex);
    return true;
}

static const struct tiny_route *find_route(const struct tiny_server *server)
{
    const struct tiny_route *route = server->routes;
    const char *path = server->head + strcspn(server->head, " "); /* at the blank, or the end */
    size_t length = *path != '\0' ? strcspn(path + 1, " ") : 0;
    for (; route->serve != NULL; route++) {
        if (route->path == NULL ||
            (strlen(route->path) == length && strncmp(route->path, path + 1, length) == 0))
            return route;
    }
    must(false, "tiny_server: no such route");
    return NULL;
}

static void serve_connection(struct tiny_server *server, int fd)
{
    bool goes_on = true;
    while (goes_on && read_head(server, fd)) {
        server->route = find_route(server);
        goes_on = server->route->serve(server, fd);
    }
}

static void *run(void *argument)
{
    struct tiny_server *server = argument;
    while (!atomic_load(&server->is_stopping)) {
        int fd = accept(server->listener, NULL, NULL);
        if (fd < 0)
            break;
        atomic_fetch_add(&server->connections, 1);
        atomic_store(&server->connection, fd);
        if (!atomic_load(&server->is_stopping))
            serve_connection(server, fd);
        atomic_store(&server->connection, -1);
        close(fd);
    }
    return NULL;
}

struct tiny_server *tiny_server_start(const struct tiny_route *routes)
{
    struct tiny_server *server = calloc(1, sizeof *server);
    must(server != NULL, "calloc");
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    server->routes = routes;
    atomic_init(&server->connection, -1);
    pthread_mutex_init(&server->mutex, NULL);
    server->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    must(bind(server->listener, (struct sockaddr *)&address, length) == 0, "bind");
    must(listen(server->listener, 16) == 0, "listen");
    must(getsockname(server->listener, (struct sockaddr *)&address, &length) == 0, "getsockname");
    server->port = ntohs(address.sin_port);
    must(pthread_create(&server->thread, NULL, run, server) == 0, "pthread_create");
    return server;
}

void tiny_server_stop(struct tiny_server *server)
{
    atomic_store(&server->is_stopping, true);
    shutdown(server->listener, SHUT_RDWR);
    int fd = atomic_load(&server->connection);
    if (fd >= 0)
        shutdown(fd, SHUT_RDWR);
    pthread_join(server->thread, NULL);
    close(server->listener);
    pthread_mutex_destroy(&server->mutex);
    free(server);
}

int tiny_server_port(const struct tiny_server *server)
{
    return server->port;
}

unsigned tiny_server_connections(struct tiny_server *server)
{
    return atomic_load(&server->connections);
}

const char *tiny_server_last_head(struct tiny_server *server)
{
    pthread_mutex_lock(&server->mutex); /* the writer is done with it */
    pthread_mutex_unlock(&server->mutex);
    return server->head;
}
