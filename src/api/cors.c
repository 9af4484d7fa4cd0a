/* SPDX-License-Identifier: Apache-2.0 */
/* The table this implements, row by row: docs/API_QUICKREF.md, "Cross-origin requests". */
#include "cors.h"

#include <stdlib.h>
#include <string.h>

static const char *const allowed_methods[] = {"DELETE", "GET",  "HEAD", "OPTIONS",
                                              "PATCH",  "POST", "PUT"};

bool cors_policy_init(struct cors_policy *policy, const char *const *origins, size_t count)
{
    *policy = (struct cors_policy){.origins = calloc(count + 1, sizeof(char *))};
    if (policy->origins == NULL)
        return false;
    for (size_t i = 0; i < count; i++) {
        if (strcmp(origins[i], "*") == 0)
            policy->allow_all = true;
        policy->origins[i] = strdup(origins[i]);
        if (policy->origins[i] == NULL)
            return false;
        policy->origin_count++;
    }
    return true;
}

void cors_policy_finish(struct cors_policy *policy)
{
    for (size_t i = 0; i < policy->origin_count; i++)
        free(policy->origins[i]);
    free(policy->origins);
    *policy = (struct cors_policy){0};
}

/* Counted from 1; 0: it is not listed. */
static size_t number_of(const struct cors_policy *policy, const char *origin)
{
    for (size_t i = 0; i < policy->origin_count; i++) {
        if (strcmp(policy->origins[i], origin) == 0)
            return i + 1;
    }
    return 0;
}

/* The header's value, NULL also for an empty one: it names nothing, and cannot be sent back. */
static const char *header_of(const struct http_exchange *exchange, const char *name)
{
    const char *value = http_exchange_header(exchange, name);
    return value == NULL || value[0] == '\0' ? NULL : value;
}

/* What goes back to the client in a header must not hold what a header must not. */
static bool has_control_bytes(const char *value)
{
    for (; *value != '\0'; value++) {
        if (((unsigned char)*value < ' ' && *value != '\t') || *value == '\x7F')
            return true;
    }
    return false;
}

enum cors_grant cors_judge(const struct cors_policy *policy, const struct http_exchange *exchange,
                           size_t *ret_number)
{
    const char *origin = header_of(exchange, "Origin");
    *ret_number = 0;
    if (origin == NULL)
        return CORS_NOT_ASKED;
    if (policy->allow_all && http_exchange_header(exchange, "Cookie") == NULL)
        return CORS_ANY;
    if (policy->allow_all && has_control_bytes(origin))
        return CORS_UNLISTED;
    *ret_number = number_of(policy, origin);
    return policy->allow_all || *ret_number != 0 ? CORS_ECHO : CORS_UNLISTED;
}

void cors_add_headers(enum cors_grant grant, const struct http_exchange *exchange,
                      struct http_headers *headers)
{
    if (grant == CORS_NOT_ASKED)
        return;
    if (grant == CORS_ANY)
        http_headers_add(headers, "Access-Control-Allow-Origin", "*");
    else if (grant == CORS_ECHO)
        http_headers_add(headers, "Access-Control-Allow-Origin",
                         http_exchange_header(exchange, "Origin"));
    http_headers_add(headers, "Access-Control-Allow-Credentials", "true");
}

bool cors_varies(const struct cors_policy *policy, enum cors_grant grant)
{
    return !policy->allow_all || grant == CORS_ECHO;
}

bool cors_is_preflight(const struct http_exchange *exchange)
{
    return strcmp(http_exchange_request(exchange)->method, "OPTIONS") == 0 &&
           header_of(exchange, "Origin") != NULL &&
           header_of(exchange, "Access-Control-Request-Method") != NULL;
}

static bool is_allowed_method(const char *method)
{
    for (size_t i = 0; i < ARRAY_LENGTH(allowed_methods); i++) {
        if (strcmp(allowed_methods[i], method) == 0)
            return true;
    }
    return false;
}

void cors_reply_preflight(const struct cors_policy *policy, struct http_exchange *exchange,
                          struct http_headers *headers)
{
    const char *origin = http_exchange_header(exchange, "Origin");
    const char *requested = header_of(exchange, "Access-Control-Request-Headers");
    bool origin_ok =
        policy->allow_all ? !has_control_bytes(origin) : number_of(policy, origin) != 0;
    bool method_ok =
        is_allowed_method(http_exchange_header(exchange, "Access-Control-Request-Method"));

    http_headers_add(headers, "Vary", "Origin");
    if (origin_ok)
        http_headers_add(headers, "Access-Control-Allow-Origin", origin);
    http_headers_add(headers, "Access-Control-Allow-Methods",
                     "DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT");
    http_headers_add(headers, "Access-Control-Max-Age", "600");
    http_headers_add(headers, "Access-Control-Allow-Credentials", "true");
    if (requested != NULL && !has_control_bytes(requested))
        http_headers_add(headers, "Access-Control-Allow-Headers", requested);

    struct text body = TEXT("OK");
    if (!origin_ok && !method_ok)
        body = TEXT("Disallowed CORS origin, method");
    else if (!origin_ok)
        body = TEXT("Disallowed CORS origin");
    else if (!method_ok)
        body = TEXT("Disallowed CORS method");
    http_reply(exchange, origin_ok && method_ok ? 200 : 400, "text/plain; charset=utf-8", body,
               headers);
}
