/* SPDX-License-Identifier: Apache-2.0 */
#include "params.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/json_text.h"
#include "base/parse.h"

/* Appends one fault. `bound_name` NULL: no `ctx`. */
struct fault {
    const char *type;
    const char *message;
    const char *bound_name; /* NULL: it is not about a bound */
    int64_t bound;
};

static void add_fault(struct strbuf *faults, const struct param_spec *spec, struct text input,
                      const struct fault *fault)
{
    strbuf_append_char(faults, faults->length == 0 ? '[' : ',');
    strbuf_append_format(
        faults, "{\"type\":\"%s\",\"loc\":[\"query\",\"%s\"],\"msg\":", fault->type, spec->name);
    json_append_string(faults, fault->message, strlen(fault->message));
    strbuf_append_text(faults, ",\"input\":");
    json_append_string(faults, input.data, input.length);
    if (fault->bound_name != NULL)
        strbuf_append_format(faults, ",\"ctx\":{\"%s\":%" PRId64 "}", fault->bound_name,
                             fault->bound);
    strbuf_append_char(faults, '}');
}

static void add_bound_fault(struct strbuf *faults, const struct param_spec *spec, struct text input,
                            bool too_small)
{
    char message[96];
    const struct fault fault = {
        .type = too_small ? "greater_than_equal" : "less_than_equal",
        .message = message,
        .bound_name = too_small ? "ge" : "le",
        .bound = too_small ? spec->minimum : spec->maximum,
    };
    (void)snprintf(message, sizeof(message), "Input should be %s than or equal to %" PRId64,
                   too_small ? "greater" : "less", fault.bound);
    add_fault(faults, spec, input, &fault);
}

static void read_integer(const struct param_spec *spec, struct param_value *value,
                         struct strbuf *faults)
{
    static const struct fault invalid = {
        .type = "int_parsing",
        .message = "Input should be a valid integer, unable to parse string as an integer",
    };
    static const struct fault too_long = {
        .type = "int_parsing_size",
        .message = "Unable to parse input string as an integer, exceeded maximum size",
    };
    switch (parse_integer(value->text.data, value->text.length, &value->integer)) {
    case PARSE_INVALID:
        add_fault(faults, spec, value->text, &invalid);
        return;
    case PARSE_TOO_LONG:
        add_fault(faults, spec, value->text, &too_long);
        return;
    default:
        break;
    }
    if (value->integer < spec->minimum)
        add_bound_fault(faults, spec, value->text, true);
    else if (value->integer > spec->maximum)
        add_bound_fault(faults, spec, value->text, false);
}

static void read_value(const struct param_spec *spec, struct param_value *value,
                       struct strbuf *faults)
{
    static const struct fault no_boolean = {
        .type = "bool_parsing",
        .message = "Input should be a valid boolean, unable to interpret input",
    };
    static const struct fault no_window = {.type = "value_error", .message = window_expected};
    switch (spec->kind) {
    case PARAM_INTEGER:
        read_integer(spec, value, faults);
        break;
    case PARAM_BOOLEAN:
        if (!parse_boolean(value->text.data, value->text.length, &value->boolean))
            add_fault(faults, spec, value->text, &no_boolean);
        break;
    case PARAM_WINDOW:
        if (!window_parse(value->text, &value->window))
            add_fault(faults, spec, value->text, &no_window);
        break;
    case PARAM_TEXT:
        break;
    }
}

bool params_read(const struct http_request *request, const struct param_spec *specs, size_t count,
                 struct param_value values[ROUTE_PARAMS_MAX], struct strbuf *faults)
{
    for (size_t i = 0; i < count; i++) {
        const struct http_param *param = http_request_param(request, specs[i].name);
        values[i].given = param != NULL;
        values[i].text = (struct text){.data = NULL, .length = 0};
        if (param != NULL)
            values[i].text = param->value;
        else if (specs[i].default_text != NULL)
            values[i].text = text_of(specs[i].default_text);
        else
            continue;
        read_value(&specs[i], &values[i], faults);
    }
    if (faults->length == 0)
        return !strbuf_failed(faults);
    strbuf_append_char(faults, ']');
    return false;
}
