/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What bodies look like.
 *
 * Schemas are JSON Schema 2020-12, written as such: JSON() makes a string of its arguments as they
 * stand. Rows that `detail=true` adds members to are left open, all other objects are closed.
 */
#include "base/attrs.h"
#include "openapi_json.h"
#include "openapi_parts.h"

/* Left to the hand: a formatter that knows C only would fold the JSON. */
/* clang-format off */

#define NAMESPACE_EXAMPLE JSON({                                                                   \
    "name": "default", "total_cost": 123.45, "cpu_cost": 50.0, "memory_cost": 30.0,                \
    "storage_cost": 40.0, "idle_cost": 3.45, "pod_count": 5})

#define POD_EXAMPLE JSON({                                                                         \
    "namespace": "default", "name": "nginx-abc123", "total_cost": 45.67, "cpu_cost": 20.0,         \
    "memory_cost": 15.0, "storage_cost": 10.67})

#define MONTH_EXAMPLE JSON({                                                                       \
    "month": "2026-11", "total_cost": 5000.0, "daily_average": 166.666666667,                      \
    "namespaces": 5, "pods": 48})

#define RECOMMENDATION_EXAMPLE JSON({                                                              \
    "id": "rec-001", "type": "reduce-idle", "namespace": "default", "resource": "nginx-abc123",    \
    "current_cost": 50.0, "estimated_savings": 10.0, "priority": "medium",                         \
    "description": "Pod nginx-abc123 has 20.00 in idle costs",                                     \
    "action": "Review resource requests and right-size to actual usage"})

#define FAULT_EXAMPLE JSON({                                                                       \
    "type": "less_than_equal", "loc": ["query", "limit"],                                          \
    "msg": "Input should be less than or equal to 50", "input": "51", "ctx": {"le": 50}})

/* Members of cost rows. */
#define MAIN_COSTS JSON(                                                                           \
    "total_cost": {"type": "number", "description": "All parts of the cost, in USD."},             \
    "cpu_cost": {"type": "number", "description": "CPU, in USD."},                                 \
    "memory_cost": {"type": "number", "description": "Memory, in USD."},                           \
    "storage_cost": {"type": "number", "description": "Persistent volumes, in USD."})

#define IDLE_COST JSON(                                                                            \
    "idle_cost": {"type": "number",                                                                \
        "description": "CPU and memory paid for and not used, in USD. Part of the costs above."})

#define DETAIL JSON(                                                                               \
    "network_cost": {"type": "number",                                                             \
        "description": "Network traffic, in USD. With `detail=true` only."},                       \
    "gpu_cost": {"type": "number",                                                                 \
        "description": "GPUs, in USD. With `detail=true` only."},                                  \
    "load_balancer_cost": {"type": "number",                                                       \
        "description": "Load balancers, in USD. With `detail=true` only."},                        \
    "shared_cost": {"type": "number",                                                              \
        "description": "Share of common costs, in USD. With `detail=true` only."},                 \
    "external_cost": {"type": "number",                                                            \
        "description": "Costs outside the cluster, in USD. With `detail=true` only."},             \
    "cpu_efficiency": {"type": "number",                                                           \
        "description": "CPU used per CPU requested, may exceed 1. With `detail=true` only."},      \
    "memory_efficiency": {"type": "number",                                                        \
        "description": "Memory used per memory requested. With `detail=true` only."},              \
    "total_efficiency": {"type": "number",                                                         \
        "description": "Mean of both, weighted by their costs. With `detail=true` only."})

/* Members of listings of rows. */
#define LISTING JSON(                                                                              \
    "total": {"type": "number", "description": "Sum of the rows' `total_cost`, in USD."},          \
    "window": {"type": "string", "description": "The window, spelled as it was asked for."},       \
    "item_count": {"type": "integer", "minimum": 0, "description": "Number of rows."})

#define PROBLEM_MEMBERS JSON(                                                                      \
    "type": {"type": "string", "description": "`about:blank`: the status says it all."},            \
    "title": {"type": "string", "description": "The status in words."},                            \
    "status": {"type": "integer", "minimum": 400, "maximum": 599, "description": "The status."},   \
    "detail": {"type": "string", "description": "One sentence, for people."},                      \
    "instance": {"type": "string", "format": "uri-reference",                                      \
                 "description": "`#` and the request's id, under which the log has it."})

static const struct openapi_component schemas[] = {
    {"NamespaceCosts", JSON({
        "type": "object",
        "description": "Costs by namespace.",
        "required": ["namespaces", "total", "window", "item_count"],
        "additionalProperties": false,
        "properties": {
            "namespaces": {
                "type": "array",
                "description": "In OpenCost's order.",
                "items": {"$ref": "#/components/schemas/NamespaceCost"}
            },) LISTING JSON(
        },
        "examples": [{
            "namespaces": [) NAMESPACE_EXAMPLE JSON(],
            "total": 123.45, "window": "7d", "item_count": 1
        }]
    })},
    {"NamespaceCost", JSON({
        "type": "object",
        "description": "What a namespace cost. `detail=true` adds further members.",
        "required": [
            "name", "total_cost", "cpu_cost", "memory_cost", "storage_cost", "idle_cost", "pod_count"
        ],
        "properties": {
            "name": {
                "type": "string",
                "description": "The namespace, or a special row such as `__idle__`."
            },) MAIN_COSTS "," IDLE_COST JSON(,
            "pod_count": {"type": "integer", "minimum": 0, "description": "Number of pods."},)
            DETAIL JSON(
        },
        "examples": [) NAMESPACE_EXAMPLE JSON(]
    })},
    {"PodCosts", JSON({
        "type": "object",
        "description": "Costs by pod.",
        "required": ["pods", "total", "window", "item_count"],
        "additionalProperties": false,
        "properties": {
            "pods": {
                "type": "array",
                "description": "In OpenCost's order.",
                "items": {"$ref": "#/components/schemas/PodCost"}
            },) LISTING JSON(,
            "namespace": {
                "type": "string",
                "description": "The namespace asked for; absent when none was."
            }
        },
        "examples": [{
            "pods": [) POD_EXAMPLE JSON(],
            "total": 45.67, "window": "7d", "item_count": 1, "namespace": "default"
        }]
    })},
    {"PodCost", JSON({
        "type": "object",
        "description": "What a pod cost. `detail=true` adds further members.",
        "required": [
            "namespace", "name", "total_cost", "cpu_cost", "memory_cost", "storage_cost"
        ],
        "properties": {
            "namespace": {"type": "string", "description": "The pod's namespace."},
            "name": {
                "type": "string",
                "description": "The pod, or a special row such as `__idle__`."
            },) MAIN_COSTS ","
            DETAIL JSON(,
            "idle_cost": {
                "type": "number",
                "description": "Paid for and not used, in USD. With `detail=true` only."
            }
        },
        "examples": [) POD_EXAMPLE JSON(]
    })},
    {"MonthlyCosts", JSON({
        "type": "object",
        "description": "Costs by month.",
        "required": ["months", "total", "period"],
        "additionalProperties": false,
        "properties": {
            "months": {
                "type": "array",
                "description": "The oldest first. Empty when OpenCost knows no costs.",
                "items": {"$ref": "#/components/schemas/MonthCost"}
            },
            "total": {"type": "number", "description": "Sum of the months, in USD."},
            "period": {"type": "string", "description": "How many months were asked for."}
        },
        "examples": [{
            "months": [) MONTH_EXAMPLE JSON(],
            "total": 5000.0, "period": "1 month"
        }]
    })},
    {"MonthCost", JSON({
        "type": "object",
        "description": "What the cluster cost in a month.",
        "required": ["month", "total_cost", "daily_average", "namespaces", "pods"],
        "additionalProperties": false,
        "properties": {
            "month": {
                "type": "string",
                "pattern": "^[0-9]{4}-[0-9]{2}$",
                "description": "Year and month, UTC. With `months=1` the current one."
            },
            "total_cost": {"type": "number", "description": "Cost of the month, in USD."},
            "daily_average": {
                "type": "number",
                "description": "Cost per day elapsed, in USD. With `months=1` per day of 30."
            },
            "namespaces": {
                "type": "integer", "minimum": 0, "description": "Number of namespaces."
            },
            "pods": {"type": "integer", "minimum": 0, "description": "Number of pods."},
            "partial": {
                "type": "boolean",
                "const": true,
                "description": "There when OpenCost does not cover the whole month."
            }
        },
        "examples": [) MONTH_EXAMPLE JSON(]
    })},
    {"Recommendations", JSON({
        "type": "object",
        "description": "Where money is wasted.",
        "required": [
            "recommendations", "total_potential_savings", "savings_percentage", "cluster_total_cost"
        ],
        "additionalProperties": false,
        "properties": {
            "recommendations": {
                "type": "array",
                "description": "The largest estimated savings first.",
                "items": {"$ref": "#/components/schemas/Recommendation"}
            },
            "total_potential_savings": {
                "type": "number",
                "description": "Sum of the savings listed, in USD for seven days."
            },
            "savings_percentage": {
                "type": "number",
                "description": "These savings in percent of the cluster's cost."
            },
            "cluster_total_cost": {
                "type": "number",
                "description": "Cost of the cluster, in USD for seven days."
            }
        },
        "examples": [{
            "recommendations": [) RECOMMENDATION_EXAMPLE JSON(],
            "total_potential_savings": 10.0, "savings_percentage": 20.0, "cluster_total_cost": 50.0
        }]
    })},
    {"Recommendation", JSON({
        "type": "object",
        "description": "One way to save money.",
        "required": [
            "id", "type", "namespace", "resource", "current_cost", "estimated_savings", "priority",
            "description", "action"
        ],
        "additionalProperties": false,
        "properties": {
            "id": {
                "type": "string",
                "pattern": "^rec-[0-9]{3,}$",
                "description": "Number in this answer, not a lasting name."
            },
            "type": {"type": "string", "enum": ["reduce-idle"], "description": "What to do."},
            "namespace": {"type": "string", "description": "The pod's namespace."},
            "resource": {"type": "string", "description": "The pod."},
            "current_cost": {"type": "number", "description": "In USD for seven days."},
            "estimated_savings": {
                "type": "number",
                "description": "Half of the idle cost, in USD for seven days."
            },
            "priority": {
                "type": "string",
                "enum": ["high", "medium"],
                "description": "`high` when more than 10 USD could be saved."
            },
            "description": {"type": "string", "description": "What was found, for people."},
            "action": {"type": "string", "description": "What to do about it, for people."}
        },
        "examples": [) RECOMMENDATION_EXAMPLE JSON(]
    })},
    {"Health", JSON({
        "type": "object",
        "description": "The service and its origin.",
        "required": ["status", "opencost", "service"],
        "additionalProperties": false,
        "properties": {
            "status": {
                "type": "string",
                "enum": ["healthy", "degraded"],
                "description": "`degraded` while OpenCost is not known to answer."
            },
            "opencost": {
                "type": "string",
                "enum": ["connected", "disconnected"],
                "description": "Whether OpenCost is known to answer."
            },
            "service": {
                "type": "string", "const": "kubecent-backend", "description": "Who answers."
            }
        },
        "examples": [
            {"status": "healthy", "opencost": "connected", "service": "kubecent-backend"}
        ]
    })},
    {"ProbeStatus", JSON({
        "type": "object",
        "description": "Outcome of a probe. Machines read the status code only.",
        "required": ["status"],
        "additionalProperties": false,
        "properties": {
            "status": {
                "type": "string",
                "enum": ["ok", "unavailable"],
                "description": "`unavailable` comes with status 503."
            }
        },
        "examples": [{"status": "ok"}]
    })},
    {"Error", JSON({
        "type": "object",
        "description": "Why a request failed.",
        "required": ["detail"],
        "additionalProperties": false,
        "properties": {
            "detail": {"type": "string", "description": "One sentence, for people."}
        },
        "examples": [{"detail": "Failed to fetch cost data from OpenCost: timed out"}]
    })},
    {"Problem", JSON({
        "type": "object",
        "description": "The same as problem details (RFC 9457), for clients whose `Accept` prefers them.",
        "required": ["type", "title", "status", "detail", "instance"],
        "additionalProperties": false,
        "properties": {) PROBLEM_MEMBERS JSON(},
        "examples": [{
            "type": "about:blank", "title": "Service Unavailable", "status": 503,
            "detail": "Failed to fetch cost data from OpenCost: timed out",
            "instance": "#3f2a9c1e5b7d4a60"
        }]
    })},
    {"ValidationProblem", JSON({
        "type": "object",
        "description": "All invalid parameters of a request, as problem details.",
        "required": ["type", "title", "status", "detail", "instance", "errors"],
        "additionalProperties": false,
        "properties": {) PROBLEM_MEMBERS JSON(,
            "errors": {
                "type": "array",
                "minItems": 1,
                "description": "One entry per invalid parameter.",
                "items": {"$ref": "#/components/schemas/ValidationError"}
            }
        },
        "examples": [{
            "type": "about:blank", "title": "Unprocessable Content", "status": 422,
            "detail": "Parameters are invalid", "instance": "#3f2a9c1e5b7d4a60",
            "errors": [) FAULT_EXAMPLE JSON(]
        }]
    })},
    {"HTTPValidationError", JSON({
        "type": "object",
        "description": "All invalid parameters of a request.",
        "required": ["detail"],
        "additionalProperties": false,
        "properties": {
            "detail": {
                "type": "array",
                "minItems": 1,
                "description": "One entry per invalid parameter.",
                "items": {"$ref": "#/components/schemas/ValidationError"}
            }
        },
        "examples": [{"detail": [) FAULT_EXAMPLE JSON(]}]
    })},
    {"ValidationError", JSON({
        "type": "object",
        "description": "An invalid parameter.",
        "required": ["type", "loc", "msg", "input"],
        "additionalProperties": false,
        "properties": {
            "type": {
                "type": "string",
                "enum": [
                    "int_parsing", "int_parsing_size", "greater_than_equal", "less_than_equal",
                    "bool_parsing", "value_error"
                ],
                "description": "Kind of fault, for programs."
            },
            "loc": {
                "type": "array",
                "items": {"type": "string"},
                "minItems": 2,
                "description": "Where: `query` and the parameter's name."
            },
            "msg": {"type": "string", "description": "What was expected, for people."},
            "input": {"type": "string", "description": "What came, decoded."},
            "ctx": {
                "type": "object",
                "description": "The bound that was crossed; absent for other faults.",
                "additionalProperties": false,
                "properties": {
                    "ge": {"type": "integer", "description": "The least value."},
                    "le": {"type": "integer", "description": "The greatest value."}
                }
            }
        },
        "examples": [) FAULT_EXAMPLE JSON(]
    })},
};

/* clang-format on */

void openapi_add_schemas(struct strbuf *out)
{
    openapi_add_section(out, "schemas", schemas, ARRAY_LENGTH(schemas));
}
