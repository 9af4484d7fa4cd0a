/* SPDX-License-Identifier: Apache-2.0 */
/* The document against the tables it is made from, and against what the reports really write. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h needs those above */
#include <cmocka.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cost/allocation.h"
#include "cost/cost_set.h"
#include "cost/report.h"
#include "docs.h"
#include "docs_files.h"
#include "openapi.h"
#include "routes.h"
#include "support/alloc_fault.h"

enum { NOW_S = 1795392000 }; /* 2026-11-23 00:00Z */

static json_t *parse(struct text text)
{
    json_error_t error;
    json_t *value = json_loadb(text.data, text.length, JSON_REJECT_DUPLICATES, &error);
    if (value == NULL)
        fail_msg("%s at byte %d", error.text, error.position);
    return value;
}

static json_t *guarded_document_of(const char *version, const struct openapi_guard *guard)
{
    struct http_content *content = openapi_document(version, guard);
    assert_non_null(content);
    json_t *document = parse(http_content_bytes(content));
    http_content_release(content);
    return document;
}

static json_t *document_of(const char *version)
{
    return guarded_document_of(version, &(const struct openapi_guard){.needs_token = false});
}

static int set_up(void **state)
{
    *state = document_of("1.2.3");
    return 0;
}

static int tear_down(void **state)
{
    json_decref(*state);
    return 0;
}

/* What a pointer such as "#/components/schemas/Error" leads to, or NULL. */
static json_t *at(json_t *document, const char *pointer)
{
    char path[256];
    char *rest = path;
    assert_true(strncmp(pointer, "#/", 2) == 0 && strlen(pointer) < sizeof(path));
    (void)snprintf(path, sizeof(path), "%s", pointer + 2);
    for (const char *key = strsep(&rest, "/"); key != NULL; key = strsep(&rest, "/"))
        document = json_object_get(document, key);
    return document;
}

static json_t *schema_of(json_t *document, const char *name)
{
    json_t *schema = json_object_get(at(document, "#/components/schemas"), name);
    assert_non_null(schema);
    return schema;
}

static json_t *operation_of(json_t *document, const struct route *route)
{
    json_t *path = json_object_get(json_object_get(document, "paths"), route->path);
    return json_object_get(path, "get");
}

static void assert_text(const json_t *object, const char *key, const char *expected)
{
    const char *actual = json_string_value(json_object_get(object, key));
    assert_non_null(actual);
    assert_string_equal(actual, expected);
}

static bool list_holds(const json_t *list, const char *text)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        if (strcmp(json_string_value(json_array_get(list, i)), text) == 0)
            return true;
    }
    return false;
}

static void document_presents_the_service(void **state)
{
    json_t *document = *state;
    assert_text(document, "openapi", "3.1.0");
    assert_text(at(document, "#/info"), "title", "Kubecent backend");
    assert_text(at(document, "#/info"), "version", "1.2.3");
    assert_text(at(document, "#/info/license"), "identifier", "Apache-2.0");
    /* Seen from /api/openapi.json: the root of the service, under any prefix. */
    assert_int_equal(json_array_size(json_object_get(document, "servers")), 1);
    assert_text(json_array_get(json_object_get(document, "servers"), 0), "url", "..");
    assert_int_equal(json_array_size(json_object_get(document, "security")), 0);
    assert_true(json_is_array(json_object_get(document, "security")));
}

static void any_version_is_valid_json(void **state)
{
    static const char awkward[] = "1.0\"\\\n<\xc3\xa4>";
    (void)state;
    json_t *document = document_of(awkward);
    assert_text(at(document, "#/info"), "version", awkward);
    json_decref(document);
}

static void only_routes_with_an_operation_id_are_documented(void **state)
{
    size_t count;
    size_t documented = 0;
    const struct route *routes = routes_all(&count);
    for (size_t i = 0; i < count; i++) {
        json_t *operation = operation_of(*state, &routes[i]);
        if (routes[i].operation_id == NULL) {
            assert_null(operation);
            continue;
        }
        documented++;
        assert_text(operation, "operationId", routes[i].operation_id);
        assert_text(operation, "summary", routes[i].summary);
        assert_text(operation, "description", routes[i].description);
    }
    assert_true(documented > 0);
    assert_int_equal(json_object_size(json_object_get(*state, "paths")), documented);
}

static void operation_ids_are_unique(void **state)
{
    const char *path;
    json_t *item;
    json_t *seen = json_object();
    json_object_foreach(json_object_get(*state, "paths"), path, item)
    {
        const char *id = json_string_value(at(item, "#/get/operationId"));
        assert_non_null(id);
        assert_null(json_object_get(seen, id));
        json_object_set_new(seen, id, json_true());
    }
    json_decref(seen);
}

static void every_operation_has_one_declared_tag(void **state)
{
    const char *path;
    json_t *item;
    json_t *names = json_array();
    json_t *tags = json_object_get(*state, "tags");
    for (size_t i = 0; i < json_array_size(tags); i++)
        json_array_append(names, json_object_get(json_array_get(tags, i), "name"));
    json_object_foreach(json_object_get(*state, "paths"), path, item)
    {
        json_t *used = at(item, "#/get/tags");
        assert_int_equal(json_array_size(used), 1);
        assert_true(list_holds(names, json_string_value(json_array_get(used, 0))));
    }
    json_decref(names);
}

/* The value that the table's text stands for. The table spells booleans and integers plainly. */
static json_t *value_of(const struct param_spec *spec, const char *text)
{
    switch (spec->kind) {
    case PARAM_BOOLEAN:
        return json_boolean(strcmp(text, "true") == 0);
    case PARAM_INTEGER:
        return json_integer(strtoll(text, NULL, 10));
    default:
        return json_string(text);
    }
}

static void assert_value(const json_t *object, const char *key, const struct param_spec *spec,
                         const char *text)
{
    json_t *actual = json_object_get(object, key);
    if (text == NULL) {
        assert_null(actual);
        return;
    }
    json_t *expected = value_of(spec, text);
    assert_true(json_equal(actual, expected));
    json_decref(expected);
}

static void assert_parameter(const json_t *parameter, const struct param_spec *spec)
{
    static const char *const types[] = {
        [PARAM_WINDOW] = "string",
        [PARAM_BOOLEAN] = "boolean",
        [PARAM_INTEGER] = "integer",
        [PARAM_TEXT] = "string",
    };
    const json_t *schema = json_object_get(parameter, "schema");
    assert_text(parameter, "name", spec->name);
    assert_text(parameter, "in", "query");
    assert_text(parameter, "description", spec->description);
    assert_true(json_is_false(json_object_get(parameter, "required")));
    assert_text(schema, "type", types[spec->kind]);
    assert_value(schema, "default", spec, spec->default_text);
    assert_value(parameter, "example", spec,
                 spec->example != NULL ? spec->example : spec->default_text);
    if (spec->kind == PARAM_INTEGER) {
        assert_int_equal(json_integer_value(json_object_get(schema, "minimum")), spec->minimum);
        assert_int_equal(json_integer_value(json_object_get(schema, "maximum")), spec->maximum);
    } else {
        assert_null(json_object_get(schema, "minimum"));
        assert_null(json_object_get(schema, "maximum"));
    }
}

static void parameters_are_those_of_the_table(void **state)
{
    size_t count;
    const struct route *routes = routes_all(&count);
    for (size_t i = 0; i < count; i++) {
        const json_t *operation = operation_of(*state, &routes[i]);
        const json_t *parameters = json_object_get(operation, "parameters");
        if (operation == NULL)
            continue;
        assert_int_equal(json_array_size(parameters), routes[i].param_count);
        for (size_t p = 0; p < routes[i].param_count; p++)
            assert_parameter(json_array_get(parameters, p), &routes[i].params[p]);
    }
}

/* Which answers a route may give follows from what it is. */
static void answers_fit_the_kind_of_route(void **state)
{
    size_t count;
    const struct route *routes = routes_all(&count);
    for (size_t i = 0; i < count; i++) {
        json_t *operation = operation_of(*state, &routes[i]);
        const json_t *responses = json_object_get(operation, "responses");
        bool is_cost = routes[i].group == ROUTE_GROUP_COST;
        if (operation == NULL)
            continue;
        assert_true(json_object_size(at(operation, "#/responses/200/content")) > 0);
        assert_non_null(json_object_get(responses, "400"));
        assert_int_equal(json_object_get(responses, "422") != NULL, routes[i].param_count > 0);
        assert_int_equal(json_object_get(responses, "304") != NULL, is_cost);
        assert_int_equal(at(operation, "#/responses/200/headers/ETag") != NULL, is_cost);
        if (is_cost)
            assert_text(json_object_get(responses, "503"), "$ref",
                        "#/components/responses/CostUnavailable");
    }
}

static void an_unavailable_cost_answer_says_when_to_ask_again(void **state)
{
    assert_non_null(at(*state, "#/components/responses/CostUnavailable/headers/Retry-After"));
}

/* Collects the targets of all references below `value`. */
static void collect_references(json_t *value, json_t *targets)
{
    const char *key;
    json_t *member;
    for (size_t i = 0; i < json_array_size(value); i++)
        collect_references(json_array_get(value, i), targets);
    json_object_foreach(value, key, member)
    {
        if (strcmp(key, "$ref") == 0)
            json_object_set(targets, json_string_value(member), json_true());
        else
            collect_references(member, targets);
    }
}

static void every_reference_resolves(void **state)
{
    const char *target;
    json_t *unused;
    json_t *targets = json_object();
    collect_references(*state, targets);
    assert_true(json_object_size(targets) > 0);
    json_object_foreach(targets, target, unused)
    {
        if (at(*state, target) == NULL)
            fail_msg("%s does not exist", target);
    }
    json_decref(targets);
}

static void routes_that_need_a_token_say_so(void **state)
{
    static const struct {
        const char *path;
        bool is_guarded;
    } cases[] = {
        {"/api/v1/health", true},
        {"/livez", false},
        {"/readyz", false},
        {"/metrics", true},
    };
    const struct openapi_guard guard = {.needs_token = true, .metrics_auth = true};
    json_t *document = guarded_document_of("1.2.3", &guard);
    void *parsed = document;
    (void)state;
    every_reference_resolves(&parsed);
    assert_int_equal(json_array_size(at(document, "#/security")), 1);
    assert_non_null(at(document, "#/components/securitySchemes/bearer"));
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        const json_t *operation = json_object_get(
            json_object_get(json_object_get(document, "paths"), cases[i].path), "get");
        assert_non_null(operation);
        assert_int_equal(json_object_get(operation, "security") == NULL, cases[i].is_guarded);
        assert_int_equal(json_object_get(json_object_get(operation, "responses"), "401") != NULL,
                         cases[i].is_guarded);
    }
    json_decref(document);
}

static void every_component_is_referred_to(void **state)
{
    const char *section;
    const char *name;
    json_t *components;
    json_t *unused;
    json_t *targets = json_object();
    collect_references(*state, targets);
    json_object_foreach(json_object_get(*state, "components"), section, components)
    {
        json_object_foreach(components, name, unused)
        {
            char pointer[128];
            (void)snprintf(pointer, sizeof(pointer), "#/components/%s/%s", section, name);
            if (json_object_get(targets, pointer) == NULL)
                fail_msg("%s is never used", pointer);
        }
    }
    json_decref(targets);
}

/* One pod that is idle enough for a recommendation, with every figure given. */
static struct cost_set *sample_set(void)
{
    struct error error;
    struct cost_set_builder *builder = cost_set_builder_create(false);
    struct allocation allocation = {
        .name = TEXT("shop/web-1"),
        .namespace_name = TEXT("shop"),
        .pod = TEXT("web-1"),
        .has_namespace = true,
        .has_pod = true,
    };
    for (int i = 0; i < FIGURE_COUNT; i++) {
        allocation.state[i] = FIGURE_PRESENT;
        allocation.value[i] = DECIMAL_ONE;
    }
    assert_non_null(builder);
    assert_true(cost_set_builder_add(builder, &allocation, &error));
    struct cost_set *set = cost_set_builder_finish(builder);
    assert_non_null(set);
    return set;
}

/* All required members are there, and none that the schema does not know. Objects that are listed
 * under `rows` are held against their own schema. Every member is there if `is_whole`. */
static void assert_members(json_t *document, const char *schema_name, const json_t *object,
                           bool is_whole)
{
    const char *key;
    json_t *value;
    json_t *schema = schema_of(document, schema_name);
    json_t *properties = json_object_get(schema, "properties");
    const json_t *required = json_object_get(schema, "required");
    for (size_t i = 0; i < json_array_size(required); i++) {
        const char *name = json_string_value(json_array_get(required, i));
        assert_non_null(json_object_get(properties, name));
        if (json_object_get(object, name) == NULL)
            fail_msg("%s lacks %s", schema_name, name);
    }
    json_object_foreach((json_t *)object, key, value)
    {
        if (json_object_get(properties, key) == NULL)
            fail_msg("%s does not know %s", schema_name, key);
    }
    assert_int_equal(json_object_size(object),
                     is_whole ? json_object_size(properties) : json_array_size(required));
}

/* Frees what was reported. `rows` and `row_schema` name the list and what it consists of. */
static void assert_report(json_t *document, struct strbuf *report, const char *schema,
                          const char *rows, const char *row_schema, bool is_whole)
{
    assert_false(strbuf_failed(report));
    json_t *answer = parse((struct text){report->data, report->length});
    json_t *list = json_object_get(answer, rows);
    assert_members(document, schema, answer, is_whole);
    assert_int_equal(json_array_size(list), 1);
    assert_members(document, row_schema, json_array_get(list, 0), is_whole);
    json_decref(answer);
    strbuf_clear(report);
}

static void schemas_list_the_members_that_reports_have(void **state)
{
    const struct text window = TEXT("7d");
    const struct text filter = TEXT("shop");
    struct cost_set *set = sample_set();
    const struct report_month month = {set, NOW_S - 22 * 86400, NOW_S + 8 * 86400};
    struct strbuf out;
    strbuf_init(&out, 65536);

    report_namespaces(set, window, false, &out);
    assert_report(*state, &out, "NamespaceCosts", "namespaces", "NamespaceCost", false);
    report_namespaces(set, window, true, &out);
    assert_report(*state, &out, "NamespaceCosts", "namespaces", "NamespaceCost", true);
    report_pods(set, window, NULL, false, &out);
    assert_report(*state, &out, "PodCosts", "pods", "PodCost", false);
    report_pods(set, window, &filter, true, &out);
    assert_report(*state, &out, "PodCosts", "pods", "PodCost", true);
    report_last_30_days(set, NOW_S, &out);
    assert_report(*state, &out, "MonthlyCosts", "months", "MonthCost", false);
    report_months(&month, 1, 2, NOW_S, &out);
    assert_report(*state, &out, "MonthlyCosts", "months", "MonthCost", true);

    strbuf_finish(&out);
    cost_set_destroy(set);
}

static void schemas_list_the_members_that_recommendations_have(void **state)
{
    struct cost_set *set = sample_set();
    struct strbuf out;
    strbuf_init(&out, 65536);
    report_recommendations(set, 10, &out);
    assert_report(*state, &out, "Recommendations", "recommendations", "Recommendation", true);
    strbuf_finish(&out);
    cost_set_destroy(set);
}

/* Only rows that `detail=true` adds to are open. */
static void objects_are_closed_except_for_rows_with_details(void **state)
{
    const char *name;
    json_t *schema;
    json_object_foreach(at(*state, "#/components/schemas"), name, schema)
    {
        bool is_open = strcmp(name, "NamespaceCost") == 0 || strcmp(name, "PodCost") == 0;
        assert_text(schema, "type", "object");
        assert_int_equal(json_is_false(json_object_get(schema, "additionalProperties")), !is_open);
    }
}

static const char *page_text(struct strbuf *space, bool with_swagger)
{
    struct http_content *page = openapi_docs_page(with_swagger);
    assert_non_null(page);
    struct text text = http_content_bytes(page);
    strbuf_init(space, text.length);
    strbuf_append(space, text.data, text.length);
    http_content_release(page);
    return strbuf_text(space);
}

static void assert_lists_routes(bool with_swagger)
{
    size_t count;
    const struct route *routes = routes_all(&count);
    struct strbuf space;
    const char *page = page_text(&space, with_swagger);
    for (size_t i = 0; i < count; i++) {
        char link[128];
        if (routes[i].operation_id == NULL)
            continue;
        (void)snprintf(link, sizeof(link), "<a href=\"..%s\">%s</a>", routes[i].path,
                       routes[i].path);
        const char *entry = strstr(page, link);
        assert_non_null(entry);
        assert_non_null(strstr(entry, routes[i].summary));
        for (size_t p = 0; p < routes[i].param_count; p++) {
            (void)snprintf(link, sizeof(link), "<code>%s</code>", routes[i].params[p].name);
            assert_non_null(strstr(entry, link));
        }
    }
    assert_non_null(strstr(page, "integer, 1 to 12"));
    strbuf_finish(&space);
}

/* With Swagger UI for those who let no script run. */
static void either_page_lists_routes_with_their_parameters(void **state)
{
    (void)state;
    assert_lists_routes(false);
    assert_lists_routes(true);
}

static void assert_holds_none(const char *page, const char *const *needles, size_t count)
{
    for (size_t i = 0; i < count; i++)
        assert_null(strstr(page, needles[i]));
}

static void plain_page_needs_nothing_but_itself(void **state)
{
    static const char *const foreign[] = {"http:", "https:",  "<script",    "<link rel=\"s",
                                          "=\"/",  "@import", "<noscript>", "url("};
    struct strbuf space;
    const char *page = page_text(&space, false);
    (void)state;
    assert_non_null(strstr(page, "<title>Kubecent backend API</title>"));
    assert_non_null(strstr(page, "<html lang=\"en\">"));
    assert_non_null(strstr(page, "href=\"openapi.json\""));
    assert_holds_none(page, foreign, ARRAY_LENGTH(foreign));
    strbuf_finish(&space);
}

static void swagger_page_loads_files_by_relative_links_only(void **state)
{
    static const char *const foreign[] = {"http:", "https:", "=\"/", "@import", "url("};
    size_t count;
    const struct docs_file *files = docs_files_all(&count);
    struct strbuf space;
    const char *page = page_text(&space, true);
    (void)state;
    assert_holds_none(page, foreign, ARRAY_LENGTH(foreign));
    assert_non_null(strstr(page, "<div id=\"swagger-ui\">"));
    for (size_t i = 0; i < count; i++) {
        char link[128];
        (void)snprintf(link, sizeof(link), "=\"%s\"", files[i].path + strlen("/api/"));
        assert_non_null(strstr(page, link));
    }
    strbuf_finish(&space);
}

static void every_file_of_the_page_has_a_route_and_its_bytes(void **state)
{
    size_t count;
    const struct docs_file *files = docs_files_all(&count);
    struct docs *docs = docs_create();
    (void)state;
    assert_non_null(docs);
    assert_int_equal(docs_has_files(docs), count > 0);
    assert_null(docs_file(docs, "/api/docs/other.js"));
    for (size_t i = 0; i < count; i++) {
        const struct route *route = routes_find(text_of(files[i].path));
        const struct http_content *content = docs_file(docs, files[i].path);
        assert_non_null(route);
        assert_int_equal(route->group, ROUTE_GROUP_DOCS);
        assert_non_null(content);
        assert_true(http_content_gzip(content).length > 100);
        assert_int_equal(memcmp(http_content_gzip(content).data, "\x1f\x8b", 2), 0);
        assert_int_equal(strlen(http_content_gzip_etag(content)), 16 + strlen("\"\"-gzip"));
    }
    docs_destroy(docs);
    docs_destroy(NULL);
}

static void page_escapes_texts_and_shows_code_as_code(void **state)
{
    struct strbuf space;
    const char *page = page_text(&space, false);
    (void)state;
    assert_non_null(strstr(page, "rows&#39; <code>idle_cost</code>"));
    assert_null(strchr(page, '`'));
    strbuf_finish(&space);
}

static struct http_content *any_document(void)
{
    return openapi_document("1.2.3", &(const struct openapi_guard){.needs_token = true});
}

static struct http_content *any_page(void)
{
    return openapi_docs_page(true);
}

static struct http_content *page_of_the_docs(void)
{
    struct docs *docs = docs_create();
    struct http_content *page = docs == NULL ? NULL : http_content_hold(docs_page(docs));
    docs_destroy(docs);
    return page;
}

/* A document may do without its compressed form, so not every failed allocation ends it. */
static void every_failed_allocation_is_survived(void **state)
{
    static struct http_content *(*const makers[])(void) = {any_document, any_page,
                                                           page_of_the_docs};
    (void)state;
    if (!alloc_fault_supported())
        skip();
    for (size_t i = 0; i < ARRAY_LENGTH(makers); i++) {
        bool hit = true;
        for (long nth = 1; hit; nth++) {
            alloc_fault_arm(nth);
            struct http_content *content = makers[i]();
            hit = alloc_fault_hit();
            alloc_fault_disarm();
            if (!hit || nth == 1)
                assert_int_equal(content != NULL, !hit);
            http_content_release(content);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(document_presents_the_service),
        cmocka_unit_test(any_version_is_valid_json),
        cmocka_unit_test(only_routes_with_an_operation_id_are_documented),
        cmocka_unit_test(operation_ids_are_unique),
        cmocka_unit_test(every_operation_has_one_declared_tag),
        cmocka_unit_test(parameters_are_those_of_the_table),
        cmocka_unit_test(answers_fit_the_kind_of_route),
        cmocka_unit_test(an_unavailable_cost_answer_says_when_to_ask_again),
        cmocka_unit_test(every_reference_resolves),
        cmocka_unit_test(routes_that_need_a_token_say_so),
        cmocka_unit_test(every_component_is_referred_to),
        cmocka_unit_test(schemas_list_the_members_that_reports_have),
        cmocka_unit_test(schemas_list_the_members_that_recommendations_have),
        cmocka_unit_test(objects_are_closed_except_for_rows_with_details),
        cmocka_unit_test(either_page_lists_routes_with_their_parameters),
        cmocka_unit_test(plain_page_needs_nothing_but_itself),
        cmocka_unit_test(swagger_page_loads_files_by_relative_links_only),
        cmocka_unit_test(every_file_of_the_page_has_a_route_and_its_bytes),
        cmocka_unit_test(page_escapes_texts_and_shows_code_as_code),
        cmocka_unit_test(every_failed_allocation_is_survived),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
