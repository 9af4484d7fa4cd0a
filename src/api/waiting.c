/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A table of the clients that wait, each with its number: as long as somebody waits, and so no
 * larger than the number of requests that may wait at all.
 */
#include "waiting.h"

#include <pthread.h>
#include <stdlib.h>

#define HASH_NONFATAL_OOM      1
#define uthash_nonfatal_oom(e) ((void)(e))
#include <uthash.h>

struct client {
    struct http_peer peer;
    unsigned count;
    UT_hash_handle hh;
};

struct waiting {
    unsigned limit;
    pthread_mutex_t lock;
    struct client *clients;
};

struct waiting *waiting_create(unsigned limit)
{
    struct waiting *waiting = calloc(1, sizeof(*waiting));
    if (waiting == NULL || pthread_mutex_init(&waiting->lock, NULL) != 0) {
        free(waiting);
        return NULL;
    }
    waiting->limit = limit;
    return waiting;
}

void waiting_destroy(struct waiting *waiting)
{
    if (waiting == NULL)
        return;
    pthread_mutex_destroy(&waiting->lock);
    free(waiting);
}

static struct client *find(const struct waiting *waiting, const struct http_peer *peer)
{
    struct client *client;
    HASH_FIND(hh, waiting->clients, peer, sizeof(*peer), client);
    return client;
}

/* NULL when out of memory. */
static struct client *add(struct waiting *waiting, const struct http_peer *peer)
{
    struct client *client = calloc(1, sizeof(*client));
    if (client == NULL)
        return NULL;
    client->peer = *peer;
    HASH_ADD(hh, waiting->clients, peer, sizeof(client->peer), client);
    if (client->hh.tbl == NULL) {
        free(client);
        return NULL;
    }
    return client;
}

bool waiting_enter(struct waiting *waiting, const struct http_peer *peer)
{
    if (waiting->limit == 0)
        return true;
    pthread_mutex_lock(&waiting->lock);
    struct client *client = find(waiting, peer);
    if (client == NULL)
        client = add(waiting, peer);
    bool may_wait = client != NULL && client->count < waiting->limit;
    if (may_wait)
        client->count++;
    pthread_mutex_unlock(&waiting->lock);
    return may_wait;
}

void waiting_leave(struct waiting *waiting, const struct http_peer *peer)
{
    if (waiting->limit == 0)
        return;
    pthread_mutex_lock(&waiting->lock);
    struct client *client = find(waiting, peer);
    if (--client->count == 0) {
        HASH_DEL(waiting->clients, client);
        free(client);
    }
    pthread_mutex_unlock(&waiting->lock);
}
