/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Query parameters: what a route takes, read and checked by one rule for all, and the 422 answer
 * that names every fault.
 *
 * The words of the faults are FastAPI's (Pydantic 2), which clients of the service we port know how
 * to show.
 *
 * Threads: any.
 */
#ifndef API_PARAMS_H
#define API_PARAMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attrs.h"
#include "base/strbuf.h"
#include "base/text.h"
#include "cost/window.h"
#include "http/exchange.h"

enum param_kind { PARAM_WINDOW, PARAM_BOOLEAN, PARAM_INTEGER, PARAM_TEXT };

struct param_spec {
    const char *name;
    enum param_kind kind;
    const char *default_text; /* as it would be written in the query; NULL: none */
    int64_t minimum, maximum; /* PARAM_INTEGER */
    const char *description;
    const char *example; /* NULL: the default */
};

enum { ROUTE_PARAMS_MAX = 6 };

struct param_value {
    bool given;       /* in the query */
    struct text text; /* as given, or the default; empty when neither */
    /* Of these the one of the parameter's kind is set, if it was given or has a default. */
    bool boolean;
    int64_t integer;
    struct window window;
};

/* Reads all parameters of a route. False when any is wrong: `faults` then has the JSON array that
 * is the 422 body's `detail`, in the order of the specs. */
bool params_read(const struct http_request *request, const struct param_spec *specs, size_t count,
                 struct param_value values[ROUTE_PARAMS_MAX], struct strbuf *faults) NODISCARD;

#endif
