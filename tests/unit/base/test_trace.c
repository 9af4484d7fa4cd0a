/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/attrs.h"
#include "base/trace.h"
#include "support/alloc_fault.h"

#define TRACE  "4bf92f3577b34da6a3ce929d0e0e4736"
#define PARENT "00f067aa0ba902b7"

static void valid_parents_are_read(void **state)
{
    static const struct {
        const char *value;
        bool is_sampled;
    } cases[] = {
        {"00-" TRACE "-" PARENT "-01", true},
        {"00-" TRACE "-" PARENT "-00", false},
        {"00-" TRACE "-" PARENT "-fe", false},
        {"00-" TRACE "-" PARENT "-ff", true},
        {"00-" TRACE "-" PARENT "-01 \t", true},
        {"01-" TRACE "-" PARENT "-01", true},
        {"fe-" TRACE "-" PARENT "-01-what comes then", true},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct trace_span parent;
        if (!trace_parse(cases[i].value, &parent))
            fail_msg("refused: %s", cases[i].value);
        assert_string_equal(parent.trace_id, TRACE);
        assert_string_equal(parent.span_id, PARENT);
        assert_true(parent.is_sampled == cases[i].is_sampled);
    }
}

static void what_is_no_parent_is_dropped(void **state)
{
    static const char *const cases[] = {
        "",
        "00",
        "00-" TRACE "-" PARENT,
        "00-" TRACE "-" PARENT "-0",
        "00-" TRACE "-" PARENT "-0g",
        "00-" TRACE "-" PARENT "-01-more",
        "00-" TRACE "-" PARENT "-011",
        "01-" TRACE "-" PARENT "-01.more",
        "ff-" TRACE "-" PARENT "-01",
        "0g-" TRACE "-" PARENT "-01",
        "00-00000000000000000000000000000000-" PARENT "-01",
        "00-" TRACE "-0000000000000000-01",
        "00-4BF92F3577B34DA6A3CE929D0E0E4736-" PARENT "-01",
        "00_" TRACE "-" PARENT "-01",
        "00-" TRACE "_" PARENT "-01",
        "00-" TRACE "-" PARENT "_01",
        " 00-" TRACE "-" PARENT "-01",
        "00-4bf92f3577b34da6a3ce929d0e0e473-6" PARENT "-01",
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct trace_span parent;
        if (trace_parse(cases[i], &parent))
            fail_msg("read: %s", cases[i]);
    }
}

static void a_span_never_has_the_id_that_means_none(void **state)
{
    struct trace_span span = {.trace_id = TRACE};
    (void)state;
    trace_name_span(&span, 0);
    assert_string_equal(span.span_id, "0000000000000001");
    trace_name_span(&span, UINT64_C(0x0123456789abcdef));
    assert_string_equal(span.span_id, "0123456789abcdef");
}

static void what_is_passed_on_can_be_read_again(void **state)
{
    struct trace_span span = {.trace_id = TRACE, .is_sampled = true};
    struct trace_span read;
    (void)state;
    trace_name_span(&span, UINT64_C(0xfedcba9876543210));
    struct trace_context *trace = trace_context_create(&span, TEXT("vendor=a,other=b"));
    assert_non_null(trace);
    assert_string_equal(trace->traceparent, "00-" TRACE "-fedcba9876543210-01");
    assert_string_equal(trace->tracestate, "vendor=a,other=b");
    assert_true(trace_parse(trace->traceparent, &read));
    assert_string_equal(read.span_id, span.span_id);
    trace_context_release(trace_context_hold(trace));
    trace_context_release(trace);
}

static void a_state_that_is_no_header_value_is_dropped(void **state)
{
    static const struct text cases[] = {TEXT_INIT("a=1\nb: 2"), TEXT_INIT("a=\xc3\xa4"),
                                        TEXT_INIT("a=\x7f")};
    const struct trace_span span = {.trace_id = TRACE, .span_id = PARENT};
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct trace_context *trace = trace_context_create(&span, cases[i]);
        assert_non_null(trace);
        assert_string_equal(trace->tracestate, "");
        trace_context_release(trace);
    }
}

static void without_memory_there_is_no_context(void **state)
{
    const struct trace_span span = {.trace_id = TRACE, .span_id = PARENT};
    (void)state;
    if (!alloc_fault_supported())
        skip();
    alloc_fault_arm(1);
    assert_null(trace_context_create(&span, TEXT("a=1")));
    alloc_fault_disarm();
    assert_null(trace_context_hold(NULL));
    trace_context_release(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(valid_parents_are_read),
        cmocka_unit_test(what_is_no_parent_is_dropped),
        cmocka_unit_test(a_span_never_has_the_id_that_means_none),
        cmocka_unit_test(what_is_passed_on_can_be_read_again),
        cmocka_unit_test(a_state_that_is_no_header_value_is_dropped),
        cmocka_unit_test(without_memory_there_is_no_context),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
