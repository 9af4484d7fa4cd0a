/* SPDX-License-Identifier: Apache-2.0 */
#include "base/shared.h"

#include <assert.h>
#include <stddef.h>

void shared_init(struct shared *value, void (*destroy)(struct shared *value))
{
    atomic_init(&value->references, 1);
    value->destroy = destroy;
}

struct shared *shared_hold(struct shared *value)
{
    /* Relaxed: the caller reaches the value through a reference already, so there is nothing to
     * order. */
    unsigned before = atomic_fetch_add_explicit(&value->references, 1, memory_order_relaxed);
    assert(before > 0);
    (void)before;
    return value;
}

void shared_release(struct shared *value)
{
    if (value == NULL)
        return;
    unsigned before = atomic_fetch_sub_explicit(&value->references, 1, memory_order_acq_rel);
    assert(before > 0);
    if (before == 1)
        value->destroy(value);
}
