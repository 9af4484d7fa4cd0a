/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h needs those above */
#include <cmocka.h>
#include <string.h>

#include "fake_exchange.h"
#include "params.h"

static const struct param_spec specs[] = {
    {.name = "window", .kind = PARAM_WINDOW, .default_text = "7d"},
    {.name = "idle", .kind = PARAM_BOOLEAN, .default_text = "false"},
    {.name = "limit", .kind = PARAM_INTEGER, .default_text = "10", .minimum = 1, .maximum = 50},
    {.name = "namespace", .kind = PARAM_TEXT},
};

enum { WINDOW, IDLE, LIMIT, NAMESPACE, GIVEN_MAX = 4, FAULTS_MAX = 4096 };

struct given {
    const char *name, *value;
};

/* Ends with a NULL name. Returns the faults, "" when all is well; borrowed until the next call. */
static const char *read_given(const struct given *given, struct param_value *values)
{
    static char faults_text[FAULTS_MAX];
    struct http_param params[GIVEN_MAX];
    struct http_request request = {.params = params};
    struct strbuf faults;
    for (; given->name != NULL; given++)
        params[request.param_count++] =
            (struct http_param){text_of(given->name), text_of(given->value)};
    strbuf_init_fixed(&faults, faults_text, sizeof(faults_text));
    faults_text[0] = '\0';
    bool ok = params_read(&request, specs, ARRAY_LENGTH(specs), values, &faults);
    assert_int_equal(ok, faults.length == 0);
    return faults_text;
}

static void what_is_not_given_has_its_default(void **state)
{
    struct param_value values[ROUTE_PARAMS_MAX];
    (void)state;
    assert_string_equal(read_given((const struct given[]){{NULL, NULL}}, values), "");
    assert_string_equal(values[WINDOW].window.canonical, "7d");
    assert_false(values[IDLE].boolean);
    assert_int_equal(values[LIMIT].integer, 10);
    assert_int_equal(values[NAMESPACE].text.length, 0);
    for (size_t i = 0; i < ARRAY_LENGTH(specs); i++)
        assert_false(values[i].given);
}

static void what_is_given_is_read_by_its_kind(void **state)
{
    static const struct given given[] = {
        {"namespace", "kube-system"}, {"limit", " +1_0.0 "}, {"idle", "ON"}, {"window", "1w"}};
    struct param_value values[ROUTE_PARAMS_MAX];
    struct given all[ARRAY_LENGTH(given) + 1] = {{NULL, NULL}};
    (void)state;
    memcpy(all, given, sizeof(given));
    assert_string_equal(read_given(all, values), "");
    assert_string_equal(values[WINDOW].window.canonical, "7d");
    assert_true(text_equals(values[WINDOW].text, TEXT("1w")));
    assert_true(values[IDLE].boolean);
    assert_int_equal(values[LIMIT].integer, 10);
    assert_true(text_equals(values[NAMESPACE].text, TEXT("kube-system")));
    for (size_t i = 0; i < ARRAY_LENGTH(specs); i++)
        assert_true(values[i].given);
}

#define FAULT(type, name, message, input)                                                          \
    "{\"type\":\"" type "\",\"loc\":[\"query\",\"" name "\"],\"msg\":\"" message                   \
    "\",\"input\":\"" input "\"}"
#define BOUND(type, message, input, bound)                                                         \
    "{\"type\":\"" type "\",\"loc\":[\"query\",\"limit\"],\"msg\":\"" message                      \
    "\",\"input\":\"" input "\",\"ctx\":{" bound "}}"
#define INT_PARSING  "Input should be a valid integer, unable to parse string as an integer"
#define BOOL_PARSING "Input should be a valid boolean, unable to interpret input"

static void each_fault_is_told_in_pydantics_words(void **state)
{
    static const struct {
        struct given given;
        const char *faults;
    } cases[] = {
        {{"limit", "abc"}, "[" FAULT("int_parsing", "limit", INT_PARSING, "abc") "]"},
        {{"limit", ""}, "[" FAULT("int_parsing", "limit", INT_PARSING, "") "]"},
        {{"limit", "0"},
         "[" BOUND("greater_than_equal", "Input should be greater than or equal to 1", "0",
                   "\"ge\":1") "]"},
        {{"limit", "51"},
         "[" BOUND("less_than_equal", "Input should be less than or equal to 50", "51",
                   "\"le\":50") "]"},
        {{"idle", "\"\\\n"}, "[" FAULT("bool_parsing", "idle", BOOL_PARSING, "\\\"\\\\\\n") "]"},
    };
    struct param_value values[ROUTE_PARAMS_MAX];
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        const struct given given[] = {cases[i].given, {NULL, NULL}};
        assert_string_equal(read_given(given, values), cases[i].faults);
    }
}

static void a_number_of_thousands_of_digits_is_too_long(void **state)
{
    static char digits[4400];
    const struct given given[] = {{"limit", digits}, {NULL, NULL}};
    struct param_value values[ROUTE_PARAMS_MAX];
    struct strbuf faults;
    (void)state;
    memset(digits, '9', sizeof(digits) - 1);
    struct http_param param = {text_of("limit"), text_of(given[0].value)};
    const struct http_request request = {.params = &param, .param_count = 1};
    strbuf_init(&faults, SIZE_MAX);
    assert_false(params_read(&request, specs, ARRAY_LENGTH(specs), values, &faults));
    assert_non_null(strstr(strbuf_text(&faults), "\"type\":\"int_parsing_size\""));
    strbuf_finish(&faults);
}

static void faults_are_told_together_in_the_order_of_the_route(void **state)
{
    static const struct given given[] = {
        {"limit", "x"}, {"idle", "2"}, {"window", "nonsense"}, {NULL, NULL}};
    struct param_value values[ROUTE_PARAMS_MAX];
    (void)state;
    const char *faults = read_given(given, values);
    const char *window = strstr(faults, "\"value_error\",\"loc\":[\"query\",\"window\"]");
    const char *idle = strstr(faults, "\"bool_parsing\"");
    const char *limit = strstr(faults, "\"int_parsing\"");
    assert_true(window != NULL && idle != NULL && limit != NULL);
    assert_true(window < idle && idle < limit);
}

static void of_repeated_parameters_the_last_counts(void **state)
{
    static const struct given given[] = {
        {"limit", "abc"}, {"limit", "51"}, {"limit", "7"}, {NULL, NULL}};
    struct param_value values[ROUTE_PARAMS_MAX];
    (void)state;
    assert_string_equal(read_given(given, values), "");
    assert_int_equal(values[LIMIT].integer, 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_not_given_has_its_default),
        cmocka_unit_test(what_is_given_is_read_by_its_kind),
        cmocka_unit_test(each_fault_is_told_in_pydantics_words),
        cmocka_unit_test(a_number_of_thousands_of_digits_is_too_long),
        cmocka_unit_test(faults_are_told_together_in_the_order_of_the_route),
        cmocka_unit_test(of_repeated_parameters_the_last_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
