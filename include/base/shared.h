/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A reference count to embed in values that several threads read and nobody changes.
 *
 * The value is made with one reference. Whoever keeps a pointer holds a reference; the last release
 * destroys.
 *
 * Threads: any. The release that drops the last reference happens after all other threads' releases
 * (acquire-release), so the destructor sees everything they did.
 */
#ifndef BASE_SHARED_H
#define BASE_SHARED_H

#include <stdatomic.h>

struct shared {
    atomic_uint references;
    void (*destroy)(struct shared *value);
};

/* One reference, the caller's. */
void shared_init(struct shared *value, void (*destroy)(struct shared *value));

/* Returns `value`, held once more. */
struct shared *shared_hold(struct shared *value);

/* Accepts NULL. */
void shared_release(struct shared *value);

#endif
