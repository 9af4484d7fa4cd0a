/* SPDX-License-Identifier: Apache-2.0 */
#include "dataset.h"

#include <stdlib.h>

static void dataset_destroy(struct shared *shared)
{
    struct dataset *dataset = CONTAINER_OF(shared, struct dataset, shared);
    cost_set_destroy(dataset->set);
    free(dataset);
}

struct dataset *dataset_create(struct cost_set *set, const struct window *window,
                               int64_t fetched_ms, int64_t ttl_ms)
{
    struct dataset *dataset = calloc(1, sizeof(*dataset));
    if (dataset == NULL) {
        cost_set_destroy(set);
        return NULL;
    }
    shared_init(&dataset->shared, dataset_destroy);
    dataset->set = set;
    dataset->window = *window;
    dataset->fetched_ms = fetched_ms;
    dataset->ttl_ms = ttl_ms;
    return dataset;
}

struct dataset *dataset_from_shared(struct shared *value)
{
    return CONTAINER_OF(value, struct dataset, shared);
}

struct dataset *dataset_hold(struct dataset *dataset)
{
    (void)shared_hold(&dataset->shared);
    return dataset;
}

void dataset_release(struct dataset *dataset)
{
    if (dataset != NULL)
        shared_release(&dataset->shared);
}

size_t dataset_bytes(const struct dataset *dataset)
{
    return sizeof(*dataset) + cost_set_bytes(dataset->set);
}

void dataset_key_of(const struct dataset *dataset, char key[DATASET_KEY_MAX])
{
    dataset_key_format(dataset->window.canonical, cost_set_includes_idle(dataset->set), key);
}

static void cached_view_destroy(struct shared *shared)
{
    struct cached_view *view = CONTAINER_OF(shared, struct cached_view, shared);
    view_spec_release(view->spec);
    http_content_release(view->content);
    free(view);
}

bool cached_view_create(struct view_spec *spec, struct http_content *content,
                        struct cache_view *ret_view)
{
    struct cached_view *view = calloc(1, sizeof(*view));
    if (view == NULL)
        return false;
    shared_init(&view->shared, cached_view_destroy);
    view->spec = view_spec_hold(spec);
    view->content = http_content_hold(content);
    *ret_view = (struct cache_view){
        .key = spec->key,
        .value = &view->shared,
        .bytes = sizeof(*view) + sizeof(*spec) + http_content_memory(content),
    };
    return true;
}

struct cached_view *cached_view_from_shared(struct shared *value)
{
    return CONTAINER_OF(value, struct cached_view, shared);
}
