/* SPDX-License-Identifier: Apache-2.0 */
#include "prepared.h"

/* Added to `users` while a slot is being changed: far above the number of threads. */
static const unsigned being_changed = 1U << 31;

void prepared_table_init(struct prepared_table *table)
{
    atomic_init(&table->next, 0);
    for (unsigned i = 0; i < PREPARED_SLOTS; i++) {
        struct prepared *slot = &table->slots[i];

        atomic_init(&slot->users, 0);
        atomic_init(&slot->tag, 0);
        slot->key = (struct prepared_key){.tag = 0};
        slot->response = NULL;
    }
}

void prepared_table_finish(struct prepared_table *table)
{
    for (unsigned i = 0; i < PREPARED_SLOTS; i++) {
        if (table->slots[i].response != NULL)
            MHD_destroy_response(table->slots[i].response);
    }
}

static bool key_equals(const struct prepared_key *a, const struct prepared_key *b)
{
    return a->tag == b->tag && a->form == b->form && a->closing == b->closing &&
           a->padded == b->padded;
}

/* Acquire and release, here and below: who is in a slot sees what the last change made of it, and
 * who changes it has what was done with it behind him. */
struct prepared *prepared_find(struct prepared_table *table, const struct prepared_key *key)
{
    for (unsigned i = 0; i < PREPARED_SLOTS; i++) {
        struct prepared *slot = &table->slots[i];
        unsigned before;

        if (atomic_load_explicit(&slot->tag, memory_order_relaxed) != key->tag)
            continue;
        before = atomic_fetch_add_explicit(&slot->users, 1, memory_order_acquire);
        if (before < being_changed && key_equals(&slot->key, key))
            return slot;
        prepared_release(slot);
    }
    return NULL;
}

void prepared_release(struct prepared *prepared)
{
    atomic_fetch_sub_explicit(&prepared->users, 1, memory_order_release);
}

static bool replace(struct prepared *slot, const struct prepared_key *key,
                    struct MHD_Response *response)
{
    unsigned nobody = 0;
    struct MHD_Response *replaced;

    if (!atomic_compare_exchange_strong_explicit(&slot->users, &nobody, being_changed,
                                                 memory_order_acquire, memory_order_relaxed))
        return false;
    replaced = slot->response;
    slot->response = response;
    slot->key = *key;
    atomic_store_explicit(&slot->tag, key->tag, memory_order_relaxed);
    atomic_fetch_sub_explicit(&slot->users, being_changed, memory_order_release);
    if (replaced != NULL)
        MHD_destroy_response(replaced);
    return true;
}

bool prepared_keep(struct prepared_table *table, const struct prepared_key *key,
                   struct MHD_Response *response)
{
    for (unsigned i = 0; i < PREPARED_SLOTS; i++) {
        unsigned next = atomic_fetch_add_explicit(&table->next, 1, memory_order_relaxed);

        if (replace(&table->slots[next % PREPARED_SLOTS], key, response))
            return true;
    }
    return false;
}
