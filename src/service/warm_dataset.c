/* SPDX-License-Identifier: Apache-2.0 */
#include "warm_dataset.h"

#include "service_internal.h"

/* Takes the reference. */
static void add_spec(struct warm_dataset *warm, struct view_spec *spec)
{
    bool wanted = spec != NULL && warm->view_count < WARM_VIEWS_MAX;
    for (size_t i = 0; wanted && i < warm->view_count; i++)
        wanted = strcmp(warm->views[i].spec->key, spec->key) != 0;
    if (wanted)
        warm->views[warm->view_count++].spec = spec;
    else
        view_spec_release(spec);
}

static void add_plain_view(struct warm_dataset *warm, enum cost_view_kind kind)
{
    const struct window *window = &warm->dataset->window;
    struct cost_query query = {
        .kind = kind,
        .window = *window,
        .window_text = text_of(window->canonical),
        .include_idle = cost_set_includes_idle(warm->dataset->set),
        .months = 1,
        .limit = 10,
    };
    add_spec(warm, view_spec_create(&query, 0));
}

void warm_dataset_add_plain_views(struct warm_dataset *warm)
{
    const char *window = warm->dataset->window.canonical;
    add_plain_view(warm, COST_VIEW_NAMESPACES);
    add_plain_view(warm, COST_VIEW_PODS);
    if (cost_set_includes_idle(warm->dataset->set))
        return;
    if (strcmp(window, "7d") == 0)
        add_plain_view(warm, COST_VIEW_RECOMMENDATIONS);
    if (strcmp(window, "30d") == 0)
        add_plain_view(warm, COST_VIEW_MONTHLY);
}

void warm_dataset_add_used_views(struct warm_dataset *warm, struct cache *cache)
{
    char key[DATASET_KEY_MAX];
    struct shared *used[WARM_VIEWS_MAX];
    dataset_key_of(warm->dataset, key);
    size_t count = cache_used_views(cache, key, used, WARM_VIEWS_MAX);
    for (size_t i = 0; i < count; i++) {
        add_spec(warm, view_spec_hold(cached_view_from_shared(used[i])->spec));
        shared_release(used[i]);
    }
}

void warm_dataset_render(struct warm_dataset *warm, int64_t now_s, const struct loop_job *job)
{
    for (size_t i = 0; i < warm->view_count && !loop_job_is_to_stop(job); i++)
        warm->views[i].content = view_render(warm->views[i].spec, &warm->dataset, 1, now_s, NULL);
}

void warm_dataset_store(const struct warm_dataset *warm, struct cache *cache, struct log *log)
{
    struct dataset *dataset = warm->dataset;
    struct cache_view views[WARM_VIEWS_MAX];
    size_t count = 0;
    char key[DATASET_KEY_MAX];
    dataset_key_of(dataset, key);
    for (size_t i = 0; i < warm->view_count; i++) {
        if (warm->views[i].content != NULL &&
            cached_view_create(warm->views[i].spec, warm->views[i].content, &views[count]))
            count++;
    }
    (void)cache_put(cache, key, shared_hold(&dataset->shared), dataset_bytes(dataset),
                    dataset->fetched_ms, dataset->ttl_ms, views, count);
    log_debug(log, LOG_EVENT("cache.set"), LOG_STR("key", key),
              LOG_INT("ttl_seconds", dataset->ttl_ms / 1000));
}

void warm_dataset_finish(struct warm_dataset *warm)
{
    for (size_t i = 0; i < warm->view_count; i++) {
        view_spec_release(warm->views[i].spec);
        http_content_release(warm->views[i].content);
    }
    dataset_release(warm->dataset);
    *warm = (struct warm_dataset){0};
}
