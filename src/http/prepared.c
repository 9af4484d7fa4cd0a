/* SPDX-License-Identifier: Apache-2.0 */
#include "prepared.h"

#include <stdlib.h>

static void prepared_destroy(struct shared *shared)
{
    struct prepared *prepared = CONTAINER_OF(shared, struct prepared, shared);

    MHD_destroy_response(prepared->response);
    free(prepared);
}

struct prepared *prepared_create(const struct prepared_key *key, struct MHD_Response *response)
{
    struct prepared *prepared = malloc(sizeof(*prepared));

    if (prepared == NULL) {
        MHD_destroy_response(response);
        return NULL;
    }
    shared_init(&prepared->shared, prepared_destroy);
    prepared->key = *key;
    prepared->response = response;
    return prepared;
}

void prepared_release(struct prepared *prepared)
{
    if (prepared != NULL)
        shared_release(&prepared->shared);
}

bool prepared_table_init(struct prepared_table *table)
{
    *table = (struct prepared_table){.next = 0};
    return pthread_mutex_init(&table->lock, NULL) == 0;
}

void prepared_table_finish(struct prepared_table *table)
{
    for (unsigned i = 0; i < PREPARED_SLOTS; i++)
        prepared_release(table->slots[i]);
    pthread_mutex_destroy(&table->lock);
}

static bool key_equals(const struct prepared_key *a, const struct prepared_key *b)
{
    return a->tag == b->tag && a->form == b->form && a->closing == b->closing;
}

struct prepared *prepared_find(struct prepared_table *table, const struct prepared_key *key)
{
    struct prepared *found = NULL;

    pthread_mutex_lock(&table->lock);
    for (unsigned i = 0; i < PREPARED_SLOTS; i++) {
        struct prepared *slot = table->slots[i];

        if (slot != NULL && key_equals(&slot->key, key)) {
            shared_hold(&slot->shared);
            found = slot;
            break;
        }
    }
    pthread_mutex_unlock(&table->lock);
    return found;
}

void prepared_keep(struct prepared_table *table, struct prepared *prepared)
{
    struct prepared *replaced;

    shared_hold(&prepared->shared);
    pthread_mutex_lock(&table->lock);
    replaced = table->slots[table->next];
    table->slots[table->next] = prepared;
    table->next = (table->next + 1) % PREPARED_SLOTS;
    pthread_mutex_unlock(&table->lock);
    prepared_release(replaced);
}
