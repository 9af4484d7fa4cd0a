/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The document's paths: the route table, its parameters, and per handler what it answers with.
 */
#include <string.h>

#include "base/json_text.h"
#include "base/parse.h"
#include "call.h"
#include "openapi_json.h"
#include "openapi_parts.h"

/* What a handler answers with besides the statuses that follow from the route's group. */
struct answer {
    void (*get)(struct call *call);
    const char *description; /* of the 200 */
    const char *schema;      /* of the JSON body; NULL: never JSON */
    const char *text;        /* an example of the plain text body; NULL: never plain text */
    const char *unavailable; /* the response component of the 503; NULL: there is none */
};

static const struct answer answers[] = {
    {.get = get_namespaces,
     .description = "One row per namespace.",
     .schema = "NamespaceCosts",
     .unavailable = "CostUnavailable"},
    {.get = get_pods,
     .description = "One row per pod.",
     .schema = "PodCosts",
     .unavailable = "CostUnavailable"},
    {.get = get_monthly,
     .description = "One row per month, the oldest first.",
     .schema = "MonthlyCosts",
     .unavailable = "CostUnavailable"},
    {.get = get_recommendations,
     .description = "The largest estimated savings first.",
     .schema = "Recommendations",
     .unavailable = "CostUnavailable"},
    {.get = get_health, .description = "What is known of OpenCost.", .schema = "Health"},
    {.get = get_livez,
     .description = "Alive.",
     .schema = "ProbeStatus",
     .text = "[+]http ok\n[+]refresh-loop ok\nlivez check passed\n",
     .unavailable = "ProbeFailed"},
    {.get = get_readyz,
     .description = "Ready.",
     .schema = "ProbeStatus",
     .text = "[+]warm-up ok\n[+]shutdown ok\nreadyz check passed\n",
     .unavailable = "ProbeFailed"},
    {.get = get_metrics,
     .description = "All metrics of this process.",
     .text = "# HELP kubecent_opencost_up 1 while OpenCost is known to answer.\n"
             "# TYPE kubecent_opencost_up gauge\n"
             "kubecent_opencost_up 1\n"},
};

static const char *const cached_headers[] = {
    "ETag", "Cache-Control", "Age", "Cache-Status", "X-Cache", "Vary", "X-Request-ID",
};
static const char *const uncached_headers[] = {"Cache-Control", "X-Request-ID"};

static const struct answer *answer_of(const struct route *route)
{
    static const struct answer unknown = {.description = "Success."};
    for (size_t i = 0; i < ARRAY_LENGTH(answers); i++) {
        if (answers[i].get == route->get)
            return &answers[i];
    }
    return &unknown;
}

/* `text` is written as in a query, where booleans and integers may be spelled in many ways. */
static void add_value(struct strbuf *out, const char *key, enum param_kind kind, const char *text)
{
    bool boolean;
    int64_t integer;
    size_t length = strlen(text);
    if (kind == PARAM_BOOLEAN && parse_boolean(text, length, &boolean)) {
        openapi_add_key(out, key);
        strbuf_append_text(out, boolean ? "true" : "false");
    } else if (kind == PARAM_INTEGER && parse_integer(text, length, &integer) == PARSE_OK) {
        openapi_add_key(out, key);
        strbuf_append_int(out, integer);
    } else {
        openapi_add_text(out, key, text);
    }
}

static const char *type_of(enum param_kind kind)
{
    static const char *const types[] = {
        [PARAM_WINDOW] = "string",
        [PARAM_BOOLEAN] = "boolean",
        [PARAM_INTEGER] = "integer",
        [PARAM_TEXT] = "string",
    };
    return types[kind];
}

static void add_parameter_schema(struct strbuf *out, const struct param_spec *spec)
{
    openapi_add_key(out, "schema");
    strbuf_append_char(out, '{');
    openapi_add_text(out, "type", type_of(spec->kind));
    if (spec->kind == PARAM_INTEGER) {
        openapi_add_key(out, "minimum");
        strbuf_append_int(out, spec->minimum);
        openapi_add_key(out, "maximum");
        strbuf_append_int(out, spec->maximum);
    }
    if (spec->default_text != NULL)
        add_value(out, "default", spec->kind, spec->default_text);
    strbuf_append_char(out, '}');
}

static void add_parameter(struct strbuf *out, const struct param_spec *spec)
{
    const char *example = spec->example != NULL ? spec->example : spec->default_text;
    openapi_add_comma(out);
    strbuf_append_char(out, '{');
    openapi_add_text(out, "name", spec->name);
    openapi_add_text(out, "in", "query");
    strbuf_append_text(out, ",\"required\":false");
    openapi_add_text(out, "description", spec->description);
    add_parameter_schema(out, spec);
    if (example != NULL)
        add_value(out, "example", spec->kind, example);
    strbuf_append_char(out, '}');
}

static void add_parameters(struct strbuf *out, const struct route *route)
{
    if (route->param_count == 0)
        return;
    openapi_add_key(out, "parameters");
    strbuf_append_char(out, '[');
    for (size_t i = 0; i < route->param_count; i++)
        add_parameter(out, &route->params[i]);
    strbuf_append_char(out, ']');
}

static void add_headers(struct strbuf *out, const char *const *names, size_t count)
{
    openapi_add_key(out, "headers");
    strbuf_append_char(out, '{');
    for (size_t i = 0; i < count; i++)
        openapi_add_reference(out, names[i], "headers", names[i]);
    strbuf_append_char(out, '}');
}

static void add_content(struct strbuf *out, const struct answer *answer)
{
    if (answer->schema == NULL && answer->text == NULL)
        return;
    openapi_add_key(out, "content");
    strbuf_append_char(out, '{');
    if (answer->schema != NULL) {
        openapi_add_key(out, "application/json");
        strbuf_append_char(out, '{');
        openapi_add_reference(out, "schema", "schemas", answer->schema);
        strbuf_append_char(out, '}');
    }
    if (answer->text != NULL) {
        openapi_add_key(out, "text/plain");
        strbuf_append_text(out, "{\"schema\":{\"type\":\"string\"}");
        openapi_add_text(out, "example", answer->text);
        strbuf_append_char(out, '}');
    }
    strbuf_append_char(out, '}');
}

static void add_success(struct strbuf *out, const struct answer *answer, bool is_cached)
{
    openapi_add_key(out, "200");
    strbuf_append_char(out, '{');
    openapi_add_text(out, "description", answer->description);
    if (is_cached)
        add_headers(out, cached_headers, ARRAY_LENGTH(cached_headers));
    else
        add_headers(out, uncached_headers, ARRAY_LENGTH(uncached_headers));
    add_content(out, answer);
    strbuf_append_char(out, '}');
}

/* Any text is a valid PARAM_TEXT. */
static bool can_refuse_parameters(const struct route *route)
{
    for (size_t i = 0; i < route->param_count; i++) {
        if (route->params[i].kind != PARAM_TEXT)
            return true;
    }
    return false;
}

static void add_responses(struct strbuf *out, const struct route *route, bool is_guarded)
{
    const struct answer *answer = answer_of(route);
    bool is_cached = route->group == ROUTE_GROUP_COST;
    openapi_add_key(out, "responses");
    strbuf_append_char(out, '{');
    add_success(out, answer, is_cached);
    if (is_cached)
        openapi_add_reference(out, "304", "responses", "NotModified");
    openapi_add_reference(out, "400", "responses", is_cached ? "QueryRejected" : "BadRequest");
    if (is_guarded)
        openapi_add_reference(out, "401", "responses", "Unauthorized");
    if (can_refuse_parameters(route))
        openapi_add_reference(out, "422", "responses", "InvalidParameters");
    if (is_cached)
        openapi_add_reference(out, "429", "responses", "TooManyWaiting");
    if (answer->unavailable != NULL)
        openapi_add_reference(out, "503", "responses", answer->unavailable);
    strbuf_append_char(out, '}');
}

static void add_path(struct strbuf *out, const struct route *route,
                     const struct openapi_guard *guard)
{
    bool is_guarded = guard->needs_token && route_needs_token(route, guard->metrics_auth);
    openapi_add_key(out, route->path);
    strbuf_append_text(out, "{\"get\":{");
    openapi_add_text(out, "operationId", route->operation_id);
    openapi_add_text(out, "summary", route->summary);
    openapi_add_text(out, "description", route->description);
    openapi_add_key(out, "tags");
    strbuf_append_char(out, '[');
    const char *tag = openapi_tag_of(route->group)->name;
    json_append_string(out, tag, strlen(tag));
    strbuf_append_char(out, ']');
    add_parameters(out, route);
    if (guard->needs_token && !is_guarded)
        openapi_add_security(out, false);
    add_responses(out, route, is_guarded);
    strbuf_append_text(out, "}}");
}

void openapi_add_paths(struct strbuf *out, const struct openapi_guard *guard)
{
    size_t count;
    const struct route *routes = routes_all(&count);
    openapi_add_key(out, "paths");
    strbuf_append_char(out, '{');
    for (size_t i = 0; i < count; i++) {
        if (openapi_shows(&routes[i]))
            add_path(out, &routes[i], guard);
    }
    strbuf_append_char(out, '}');
}
