/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A dataset on its way into the cache, together with the views that are to be there as soon as it
 * is, so that readers never find a dataset without the views they are used to.
 *
 * Threads: one at a time. Rendering takes long and belongs in a job thread.
 */
#ifndef SERVICE_WARM_DATASET_H
#define SERVICE_WARM_DATASET_H

#include "base/log.h"
#include "base/scheduler.h"
#include "dataset.h"

enum { WARM_VIEWS_MAX = 32 };

struct warm_dataset {
    struct dataset *dataset; /* held; NULL until there is one */
    struct {
        struct view_spec *spec;       /* held */
        struct http_content *content; /* NULL until rendered, or when that failed */
    } views[WARM_VIEWS_MAX];
    size_t view_count;
};

/* The views that are asked for most: namespaces, pods, and for 7d and 30d (without idle)
 * recommendations and the month. */
void warm_dataset_add_plain_views(struct warm_dataset *warm);

/* Those that readers used of the dataset's predecessor in the cache. */
void warm_dataset_add_used_views(struct warm_dataset *warm, struct cache *cache);

/* A view that cannot be rendered is left out; who asks for it will be told. So are those that
 * `job`, which this runs in, comes to once it is to stop: of a large cluster one takes a second. */
void warm_dataset_render(struct warm_dataset *warm, int64_t now_s, const struct loop_job *job);

/* Puts all of it into the cache. */
void warm_dataset_store(const struct warm_dataset *warm, struct cache *cache, struct log *log);

/* Accepts a zeroed struct, and leaves one. */
void warm_dataset_finish(struct warm_dataset *warm);

#endif
