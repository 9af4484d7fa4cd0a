/* SPDX-License-Identifier: Apache-2.0 */
#include "view_spec.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"

enum {
    NAMESPACE_NAME_MAX = 253, /* Kubernetes allows 63; special rows stay below this too */
};

/* Python's spelling of booleans, as in the keys that the service we port logged: operators search
 * their logs for them. */
static const char *python_bool(bool value)
{
    return value ? "True" : "False";
}

/* What the old service had no name for: `detail`, and a window spelled otherwise than in its
 * canonical form (the answer echoes the spelling). */
static void append_variant(const struct cost_query *query, struct text canonical,
                           struct strbuf *key)
{
    if (query->detail)
        strbuf_append_text(key, ":detail=True");
    if (text_equals(query->window_text, canonical))
        return;
    strbuf_append_text(key, ":as=");
    strbuf_append(key, query->window_text.data, query->window_text.length);
}

/* The text that stands for the namespace filter in a key, or false when there is none. */
static bool namespace_part(const struct cost_query *query, struct text *ret_part)
{
    *ret_part = TEXT("None");
    if (!query->has_namespace)
        return true;
    struct text name = query->namespace_name;
    if (name.length == 0 || name.length > NAMESPACE_NAME_MAX || text_equals(name, *ret_part) ||
        memchr(name.data, '\0', name.length) != NULL)
        return false;
    *ret_part = name;
    return true;
}

static void append_window(const struct cost_query *query, struct strbuf *key)
{
    struct text canonical = text_of(query->window.canonical);
    strbuf_append_char(key, ':');
    strbuf_append(key, canonical.data, canonical.length);
    strbuf_append_text(key, ":idle=");
    strbuf_append_text(key, python_bool(query->include_idle));
    append_variant(query, canonical, key);
}

/* Without a format: every hit comes here, and printf would be a fifth of what we add to it. */
bool view_key_format(const struct cost_query *query, char key[VIEW_KEY_MAX])
{
    struct text name;
    struct strbuf text;
    strbuf_init_fixed(&text, key, VIEW_KEY_MAX);
    switch (query->kind) {
    case COST_VIEW_MONTHLY:
        strbuf_append_text(&text, "cost:monthly:");
        strbuf_append_int(&text, query->months);
        strbuf_append_char(&text, 'm');
        break;
    case COST_VIEW_RECOMMENDATIONS:
        strbuf_append_text(&text, "savings:recommendations:");
        strbuf_append_int(&text, query->limit);
        break;
    case COST_VIEW_PODS:
        if (!namespace_part(query, &name))
            return false;
        strbuf_append_text(&text, "cost:pods:");
        strbuf_append(&text, name.data, name.length);
        append_window(query, &text);
        break;
    default:
        strbuf_append_text(&text, "cost:namespaces");
        append_window(query, &text);
        break;
    }
    return !strbuf_failed(&text);
}

void dataset_key_format(const char *canonical_window, bool include_idle, char key[DATASET_KEY_MAX])
{
    (void)snprintf(key, DATASET_KEY_MAX, DATASET_KEY_PREFIX "%s:idle=%s", canonical_window,
                   python_bool(include_idle));
}

static void view_spec_destroy(struct shared *shared)
{
    free(CONTAINER_OF(shared, struct view_spec, shared));
}

static struct text copy_text(struct text text, char **cursor)
{
    struct text copy = {.data = *cursor, .length = text.length};
    if (text.length > 0)
        memcpy(*cursor, text.data, text.length);
    *cursor += text.length;
    return copy;
}

struct view_spec *view_spec_create(const struct cost_query *query, unsigned long long serial)
{
    size_t window_length = query->window_text.length;
    size_t namespace_length = query->has_namespace ? query->namespace_name.length : 0;
    struct view_spec *spec = calloc(1, sizeof(*spec) + window_length + namespace_length);
    if (spec == NULL)
        return NULL;
    shared_init(&spec->shared, view_spec_destroy);
    spec->query = *query;
    char *cursor = spec->texts;
    spec->query.window_text = copy_text(query->window_text, &cursor);
    spec->query.namespace_name =
        query->has_namespace ? copy_text(query->namespace_name, &cursor) : (struct text){0};
    spec->cacheable = view_key_format(&spec->query, spec->key);
    if (!spec->cacheable)
        (void)snprintf(spec->key, VIEW_KEY_MAX, "uncached:%llu", serial);
    return spec;
}

struct view_spec *view_spec_hold(struct view_spec *spec)
{
    (void)shared_hold(&spec->shared);
    return spec;
}

void view_spec_release(struct view_spec *spec)
{
    if (spec != NULL)
        shared_release(&spec->shared);
}
