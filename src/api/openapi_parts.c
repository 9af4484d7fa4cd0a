/* SPDX-License-Identifier: Apache-2.0 */
#include "openapi_parts.h"

#include "openapi_json.h"

static const struct openapi_tag tags[ROUTE_GROUP_COUNT] = {
    [ROUTE_GROUP_COST] = {"costs", "Costs", "Costs and savings, in US dollars."},
    [ROUTE_GROUP_STATUS] = {"status", "Status",
                            "How the service fares, for people and dashboards."},
    [ROUTE_GROUP_MACHINE] = {"operations", "Operations", "Probes and metrics, for machines."},
    [ROUTE_GROUP_DOCS] = {"documentation", "Documentation", "This document and its page."},
};

const struct openapi_tag *openapi_tag_of(enum route_group group)
{
    return &tags[group];
}

bool openapi_shows(const struct route *route)
{
    return route->operation_id != NULL;
}

bool openapi_shows_group(enum route_group group)
{
    size_t count;
    const struct route *routes = routes_all(&count);
    for (size_t i = 0; i < count; i++) {
        if (routes[i].group == group && openapi_shows(&routes[i]))
            return true;
    }
    return false;
}

void openapi_add_security(struct strbuf *out, bool needs_token)
{
    openapi_add_key(out, "security");
    strbuf_append_text(out, needs_token ? "[{\"bearer\":[]}]" : "[]");
}
