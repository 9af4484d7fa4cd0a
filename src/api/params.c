/* SPDX-License-Identifier: Apache-2.0 */
#include "params.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/json_text.h"
#include "base/parse.h"

/* Appends one fault. `bound_name` NULL: no `ctx`. */
static void add_fault(struct strbuf *faults, const struct param_spec *spec, struct text input,
                      const char *type, const char *message, const char *bound_name, int64_t bound)
{
    strbuf_append_char(faults, faults->length == 0 ? '[' : ',');
    strbuf_append_format(faults, "{\"type\":\"%s\",\"loc\":[\"query\",\"%s\"],\"msg\":", type,
                         spec->name);
    json_append_string(faults, message, strlen(message));
    strbuf_append_text(faults, ",\"input\":");
    json_append_string(faults, input.data, input.length);
    if (bound_name != NULL)
        strbuf_append_format(faults, ",\"ctx\":{\"%s\":%" PRId64 "}", bound_name, bound);
    strbuf_append_char(faults, '}');
}

static void add_bound_fault(struct strbuf *faults, const struct param_spec *spec, struct text input,
                            bool too_small)
{
    char message[96];
    int64_t bound = too_small ? spec->minimum : spec->maximum;
    (void)snprintf(message, sizeof(message), "Input should be %s than or equal to %" PRId64,
                   too_small ? "greater" : "less", bound);
    add_fault(faults, spec, input, too_small ? "greater_than_equal" : "less_than_equal", message,
              too_small ? "ge" : "le", bound);
}

static void read_integer(const struct param_spec *spec, struct param_value *value,
                         struct strbuf *faults)
{
    switch (parse_integer(value->text.data, value->text.length, &value->integer)) {
    case PARSE_INVALID:
        add_fault(faults, spec, value->text, "int_parsing",
                  "Input should be a valid integer, unable to parse string as an integer", NULL, 0);
        return;
    case PARSE_TOO_LONG:
        add_fault(faults, spec, value->text, "int_parsing_size",
                  "Unable to parse input string as an integer, exceeded maximum size", NULL, 0);
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
    switch (spec->kind) {
    case PARAM_INTEGER:
        read_integer(spec, value, faults);
        break;
    case PARAM_BOOLEAN:
        if (!parse_boolean(value->text.data, value->text.length, &value->boolean))
            add_fault(faults, spec, value->text, "bool_parsing",
                      "Input should be a valid boolean, unable to interpret input", NULL, 0);
        break;
    case PARAM_WINDOW:
        if (!window_parse(value->text, &value->window))
            add_fault(faults, spec, value->text, "value_error", window_expected, NULL, 0);
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
