/* SPDX-License-Identifier: Apache-2.0 */
/* Headers, the answers common to many routes, and how one shows who one is. */
#include "base/attrs.h"
#include "openapi_json.h"
#include "openapi_parts.h"

/* Left to the hand, as the schemas are. */
/* clang-format off */

static const struct openapi_component headers[] = {
    {"ETag", JSON({
        "description": "Strong tag of this representation, for `If-None-Match`.",
        "schema": {"type": "string"},
        "example": "\"5d41402abc4b2a76\""
    })},
    {"Cache-Control", JSON({
        "description": "For how long the answer is good, in seconds; `no-store` where it must not be kept.",
        "schema": {"type": "string"},
        "example": "max-age=300"
    })},
    {"Age", JSON({
        "description": "Whole seconds since OpenCost answered.",
        "schema": {"type": "integer", "minimum": 0},
        "example": 12
    })},
    {"Cache-Status", JSON({
        "description": "What the cache did (RFC 9211).",
        "schema": {"type": "string"},
        "example": "kubecent; hit; ttl=288"
    })},
    {"X-Cache", JSON({
        "description": "The same in a word. `STALE`: past its lifetime, served while OpenCost is asked again, or because it fails.",
        "schema": {"type": "string", "enum": ["HIT", "MISS", "STALE"]},
        "example": "HIT"
    })},
    {"Vary", JSON({
        "description": "Request headers that the answer depends on.",
        "schema": {"type": "string"},
        "example": "Accept-Encoding"
    })},
    {"X-Request-ID", JSON({
        "description": "The request's own id; absent when it carried no valid one.",
        "schema": {"type": "string", "minLength": 1, "maxLength": 128},
        "example": "3f2a9c1e5b7d4a60"
    })},
    {"Retry-After", JSON({
        "description": "Seconds after which to ask again.",
        "required": true,
        "schema": {"type": "integer", "minimum": 0},
        "example": 5
    })},
    {"X-RateLimit-Limit", JSON({
        "description": "How many requests of one client may wait at once.",
        "required": true,
        "schema": {"type": "integer", "minimum": 1},
        "example": 128
    })},
    {"X-RateLimit-Remaining", JSON({
        "description": "How many more may wait now: none.",
        "required": true,
        "schema": {"type": "integer", "minimum": 0},
        "example": 0
    })},
};

/* There only where tokens must be sent, as are `unauthorized` and `security_schemes`. */
static const struct openapi_component challenge[] = {
    {"WWW-Authenticate", JSON({
        "description": "What to send (RFC 6750); `invalid_token` where a token came that is not known.",
        "required": true,
        "schema": {"type": "string"},
        "example": "Bearer realm=\"kubecent\""
    })},
};

#define UNCACHED_HEADERS JSON(                                                                     \
    "Cache-Control": {"$ref": "#/components/headers/Cache-Control"},                               \
    "X-Request-ID": {"$ref": "#/components/headers/X-Request-ID"})

/* Of failures that come in either form. */
#define FAILURE_HEADERS UNCACHED_HEADERS JSON(, "Vary": {"$ref": "#/components/headers/Vary"})

#define FAILURE_CONTENT(status, title, detail)                                                     \
    JSON("content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"},        \
         "example": {"detail":) "\"" detail "\"" JSON(}},                                          \
         "application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"},          \
         "example": {"type": "about:blank", "title":) "\"" title "\""                              \
    JSON(, "status":) #status JSON(, "detail":) "\"" detail "\""                                   \
    JSON(, "instance": "#3f2a9c1e5b7d4a60"}}})

static const struct openapi_component responses[] = {
    {"NotModified", JSON({
        "description": "The client's copy, named by `If-None-Match`, is still good. No body.",
        "headers": {
            "ETag": {"$ref": "#/components/headers/ETag"},
            "Cache-Control": {"$ref": "#/components/headers/Cache-Control"},
            "Age": {"$ref": "#/components/headers/Age"},
            "Vary": {"$ref": "#/components/headers/Vary"},
            "X-Request-ID": {"$ref": "#/components/headers/X-Request-ID"}
        }
    })},
    {"BadRequest", JSON({
        "description": "The request is not valid HTTP.",
        "headers": {) UNCACHED_HEADERS JSON(},
        "content": {
            "application/json": {
                "schema": {"$ref": "#/components/schemas/Error"},
                "example": {"detail": "Bad Request"}
            }
        }
    })},
    {"QueryRejected", JSON({
        "description": "OpenCost rejected the query, or the request is not valid HTTP.",
        "headers": {) FAILURE_HEADERS JSON(},
        ) FAILURE_CONTENT(400, "Bad Request", "OpenCost rejected the query") JSON(
    })},
    {"InvalidParameters", JSON({
        "description": "Parameters are invalid; all of them are listed.",
        "headers": {) FAILURE_HEADERS JSON(},
        "content": {
            "application/json": {"schema": {"$ref": "#/components/schemas/HTTPValidationError"}},
            "application/problem+json": {"schema": {"$ref": "#/components/schemas/ValidationProblem"}}
        }
    })},
    {"TooManyWaiting", JSON({
        "description": "As many requests of this client wait for OpenCost as may.",
        "headers": {
            "Retry-After": {"$ref": "#/components/headers/Retry-After"},
            "X-RateLimit-Limit": {"$ref": "#/components/headers/X-RateLimit-Limit"},
            "X-RateLimit-Remaining": {"$ref": "#/components/headers/X-RateLimit-Remaining"},) FAILURE_HEADERS JSON(
        },
        ) FAILURE_CONTENT(429, "Too Many Requests", "Too many requests are waiting") JSON(
    })},
    {"CostUnavailable", JSON({
        "description": "OpenCost does not answer, and no earlier answer may be used.",
        "headers": {
            "Retry-After": {"$ref": "#/components/headers/Retry-After"},) FAILURE_HEADERS JSON(
        },
        ) FAILURE_CONTENT(503, "Service Unavailable", "Failed to fetch cost data from OpenCost: timed out") JSON(
    })},
    {"ProbeFailed", JSON({
        "description": "The probe failed; `?verbose` says which check.",
        "headers": {) UNCACHED_HEADERS JSON(},
        "content": {
            "application/json": {
                "schema": {"$ref": "#/components/schemas/ProbeStatus"},
                "example": {"status": "unavailable"}
            },
            "text/plain": {
                "schema": {"type": "string"},
                "example": "[+]warm-up ok\n[-]shutdown failed\nreadyz check failed\n"
            }
        }
    })},
};

static const struct openapi_component unauthorized[] = {
    {"Unauthorized", JSON({
        "description": "No token was sent, or one that is not known.",
        "headers": {
            "WWW-Authenticate": {"$ref": "#/components/headers/WWW-Authenticate"},) FAILURE_HEADERS JSON(
        },
        ) FAILURE_CONTENT(401, "Unauthorized", "Unauthorized") JSON(
    })},
};

static const struct openapi_component security_schemes[] = {
    {"bearer", JSON({
        "type": "http",
        "scheme": "bearer",
        "description": "One of the tokens that the service was given."
    })},
};

/* clang-format on */

/* Adds a section, `guarded` in it where tokens must be sent. */
static void add_section(struct strbuf *out, const char *name,
                        const struct openapi_component *components, size_t count,
                        const struct openapi_component *guarded, bool needs_token)
{
    openapi_add_key(out, name);
    strbuf_append_char(out, '{');
    openapi_add_each(out, components, count);
    openapi_add_each(out, guarded, needs_token ? 1 : 0);
    strbuf_append_char(out, '}');
}

void openapi_add_responses(struct strbuf *out, bool needs_token)
{
    add_section(out, "headers", headers, ARRAY_LENGTH(headers), challenge, needs_token);
    add_section(out, "responses", responses, ARRAY_LENGTH(responses), unauthorized, needs_token);
    if (needs_token)
        openapi_add_section(out, "securitySchemes", security_schemes,
                            ARRAY_LENGTH(security_schemes));
}
