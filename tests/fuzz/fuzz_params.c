/* SPDX-License-Identifier: Apache-2.0 */
/* The parameters of every route, from a query as sent: values within their bounds, or faults that
 * are a JSON list. */
#include <jansson.h>
#include <stdbool.h>

#include "base/parse.h"
#include "base/strbuf.h"
#include "base/utf8.h"
#include "fuzz.h"
#include "routes.h"
#include "target.h"

static void check_values(const struct route *route, const struct param_value *values)
{
    for (size_t i = 0; i < route->param_count; i++) {
        const struct param_spec *spec = &route->params[i];
        FUZZ_CHECK(utf8_is_valid(values[i].text.data, values[i].text.length));
        if (spec->kind == PARAM_INTEGER)
            FUZZ_CHECK(values[i].integer >= spec->minimum && values[i].integer <= spec->maximum);
        if (spec->kind == PARAM_WINDOW)
            FUZZ_CHECK(values[i].window.canonical[0] != '\0');
    }
}

static void check_faults(const struct route *route, const struct strbuf *faults)
{
    json_t *list = json_loadb(strbuf_text(faults), faults->length, JSON_REJECT_DUPLICATES, NULL);
    FUZZ_CHECK(json_is_array(list) && json_array_size(list) > 0);
    FUZZ_CHECK(json_array_size(list) <= route->param_count);
    json_decref(list);
}

static void read_route(const struct route *route, const struct http_request *request)
{
    struct param_value values[ROUTE_PARAMS_MAX];
    struct strbuf faults;
    strbuf_init(&faults, SIZE_MAX);
    if (params_read(request, route->params, route->param_count, values, &faults)) {
        FUZZ_CHECK(faults.length == 0);
        check_values(route, values);
    } else {
        check_faults(route, &faults);
    }
    strbuf_finish(&faults);
}

static void read_routes(const struct http_request *request)
{
    size_t count;
    const struct route *routes = routes_all(&count);
    for (size_t i = 0; i < count; i++)
        read_route(&routes[i], request);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct strbuf sent;
    struct target target;
    struct http_request request = {.method = "GET"};
    strbuf_init(&sent, SIZE_MAX);
    strbuf_append_text(&sent, "/?");
    strbuf_append(&sent, data, size);
    FUZZ_CHECK(target_capture(&target, strbuf_text(&sent), strlen(strbuf_text(&sent))));
    if (target_decode(&target, "GET", &request) == TARGET_OK)
        read_routes(&request);
    target_finish(&target);
    strbuf_finish(&sent);
    return 0;
}
