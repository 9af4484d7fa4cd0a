/* SPDX-License-Identifier: Apache-2.0 */
#include "routes.h"

#include "call.h"

static const char window_help[] = "Span of time to sum costs over: `today`, `yesterday`, `week`, "
                                  "`month`, `lastweek`, `lastmonth`; a number followed "
                                  "by `m`, `h`, `d` or `w`; or a start and an end, as Unix seconds "
                                  "or RFC 3339 UTC times. At most 366 days.";
static const char idle_help[] = "Also list the `__idle__` row: node capacity nobody was given. Not "
                                "to be added to the rows' `idle_cost`.";
static const char detail_help[] = "Add the remaining parts of each row's cost, so that the parts "
                                  "sum up to `total_cost`, and its efficiencies.";

static const struct param_spec namespaces_params[] = {
    {.name = "window", .kind = PARAM_WINDOW, .default_text = "7d", .description = window_help},
    {.name = "idle", .kind = PARAM_BOOLEAN, .default_text = "false", .description = idle_help},
    {.name = "detail", .kind = PARAM_BOOLEAN, .default_text = "false", .description = detail_help},
};

static const struct param_spec pods_params[] = {
    {.name = "namespace",
     .kind = PARAM_TEXT,
     .description = "Only pods of this namespace.",
     .example = "default"},
    {.name = "window", .kind = PARAM_WINDOW, .default_text = "7d", .description = window_help},
    {.name = "idle", .kind = PARAM_BOOLEAN, .default_text = "false", .description = idle_help},
    {.name = "detail", .kind = PARAM_BOOLEAN, .default_text = "false", .description = detail_help},
};

static const struct param_spec monthly_params[] = {
    {.name = "months",
     .kind = PARAM_INTEGER,
     .default_text = "1",
     .minimum = 1,
     .maximum = 12,
     .description =
         "1: the last 30 days. 2 to 12: that many calendar months, the current one last."},
};

static const struct param_spec recommendations_params[] = {
    {.name = "limit",
     .kind = PARAM_INTEGER,
     .default_text = "10",
     .minimum = 1,
     .maximum = 50,
     .description = "How many recommendations to list, the largest savings first."},
};

#define PARAMS(table) .params = (table), .param_count = ARRAY_LENGTH(table)

static const struct route routes[] = {
    {.path = "/api/v1/cost/namespaces",
     .get = get_namespaces,
     PARAMS(namespaces_params),
     .operation_id = "get_namespace_costs_api_v1_cost_namespaces_get",
     .summary = "Costs by namespace",
     .description = "What each namespace cost in the window, in USD, in OpenCost's order."},
    {.path = "/api/v1/cost/pods",
     .get = get_pods,
     PARAMS(pods_params),
     .operation_id = "get_pod_costs_api_v1_cost_pods_get",
     .summary = "Costs by pod",
     .description = "What each pod cost in the window, in USD. Over all namespaces the rows sum up "
                    "to the total of the "
                    "namespaces of the same window."},
    {.path = "/api/v1/cost/monthly",
     .get = get_monthly,
     PARAMS(monthly_params),
     .operation_id = "get_monthly_costs_api_v1_cost_monthly_get",
     .summary = "Costs by month",
     .description = "The last 30 days as one period, or a trend over calendar months. Months "
                    "OpenCost knows nothing of "
                    "are left out; one it covers only in part, the current one among them, is "
                    "marked `partial`."},
    {.path = "/api/v1/savings/recommendations",
     .get = get_recommendations,
     PARAMS(recommendations_params),
     .operation_id = "get_recommendations_api_v1_savings_recommendations_get",
     .summary = "Where money is wasted",
     .description = "Pods that left more than 20 % of what they cost in the last seven days "
                    "unused, the largest "
                    "estimated savings first."},
    {.path = "/api/v1/health",
     .get = get_health,
     .group = ROUTE_GROUP_STATUS,
     .operation_id = "health_check_api_v1_health_get",
     .summary = "Service and OpenCost",
     .description =
         "Always 200; says whether OpenCost is known to answer. Never waits for OpenCost."},
    {.path = "/livez",
     .get = get_livez,
     .group = ROUTE_GROUP_MACHINE,
     .operation_id = "livez_livez_get",
     .summary = "Liveness probe",
     .description =
         "200 while the process works; does not depend on OpenCost. `?verbose` explains."},
    {.path = "/readyz",
     .get = get_readyz,
     .group = ROUTE_GROUP_MACHINE,
     .operation_id = "readyz_readyz_get",
     .summary = "Readiness probe",
     .description = "200 once the first warm-up was attempted and until the server stops. "
                    "`?verbose` explains."},
    {.path = "/health",
     .get = get_livez,
     .group = ROUTE_GROUP_MACHINE,
     .operation_id = "health_health_get",
     .summary = "Liveness probe, under the old name",
     .description = "The same as `/livez`."},
    {.path = "/metrics",
     .get = get_metrics,
     .group = ROUTE_GROUP_MACHINE,
     .operation_id = "metrics_metrics_get",
     .summary = "Prometheus metrics",
     .description = "Text exposition format 0.0.4."},
    {.path = "/api/openapi.json", .get = get_openapi, .group = ROUTE_GROUP_DOCS},
    {.path = "/api/docs", .get = get_docs, .group = ROUTE_GROUP_DOCS},
    {.path = "/api/docs/swagger-ui.js", .get = get_docs_file, .group = ROUTE_GROUP_DOCS},
    {.path = "/api/docs/swagger-ui.css", .get = get_docs_file, .group = ROUTE_GROUP_DOCS},
    {.path = "/api/docs/start.js", .get = get_docs_file, .group = ROUTE_GROUP_DOCS},
};

const struct route *routes_all(size_t *ret_count)
{
    *ret_count = ARRAY_LENGTH(routes);
    return routes;
}

bool route_needs_token(const struct route *route, bool metrics_auth)
{
    return route->group != ROUTE_GROUP_MACHINE || (route->get == get_metrics && metrics_auth);
}

const struct route *routes_find(struct text path)
{
    for (size_t i = 0; i < ARRAY_LENGTH(routes); i++) {
        if (text_equals(path, text_of(routes[i].path)))
            return &routes[i];
    }
    return NULL;
}

const struct route *routes_find_other_slash(struct text path)
{
    /* No route ends in a slash, so only dropping one can lead to a route. */
    if (path.length < 2 || path.data[path.length - 1] != '/')
        return NULL;
    return routes_find((struct text){path.data, path.length - 1});
}
