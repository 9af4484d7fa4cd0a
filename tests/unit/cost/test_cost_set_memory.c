/* SPDX-License-Identifier: Apache-2.0 */
/* Building a set while each request for memory fails in turn. The linker sends the allocator's
 * calls here (--wrap). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#include "cost/report.h"
#include "sample.h"

static int allowed_requests; /* before one fails; negative: none does */

static bool request_fails(void)
{
    return allowed_requests >= 0 && allowed_requests-- == 0;
}

/* The linker fixes these names. */
/* NOLINTBEGIN(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp) */
void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *memory, size_t size);
void *__real_reallocarray(void *memory, size_t count, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *memory, size_t size);
void *__wrap_reallocarray(void *memory, size_t count, size_t size);

void *__wrap_malloc(size_t size)
{
    return request_fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return request_fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *memory, size_t size)
{
    return request_fails() ? NULL : __real_realloc(memory, size);
}

void *__wrap_reallocarray(void *memory, size_t count, size_t size)
{
    return request_fails() ? NULL : __real_reallocarray(memory, count, size);
}
/* NOLINTEND(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp) */

/* NULL when memory ran out on the way; then nothing is left behind (valgrind looks). */
static struct cost_set *build(void)
{
    enum { PODS = 40 };
    struct cost_set_builder *builder = cost_set_builder_create(false);
    if (!builder)
        return NULL;
    for (int i = 0; i < PODS; i++) {
        struct error error = {.code = ERR_NONE};
        char name[64];
        snprintf(name, sizeof(name), "a-rather-long-namespace-%d/a-rather-long-pod-%d", i / 2, i);
        struct allocation allocation = sample_cpu(name, "1");
        if (!cost_set_builder_add(builder, &allocation, &error)) {
            assert_int_equal(error.code, ERR_NO_MEMORY);
            assert_null(cost_set_builder_finish(builder));
            return NULL;
        }
    }
    return cost_set_builder_finish(builder);
}

static void a_set_is_built_whole_or_not_at_all(void **state)
{
    int failures = 0;
    struct cost_set *set = NULL;
    (void)state;
    for (int i = 0;; i++) {
        allowed_requests = i;
        set = build();
        bool was_asked_in_vain = allowed_requests < 0;
        allowed_requests = -1;
        if (set) {
            assert_decimal_equal(cost_set_total(set), "40.0");
            cost_set_destroy(set);
        } else {
            failures++;
        }
        if (!was_asked_in_vain)
            break;
    }
    assert_true(failures > 10);
}

static void a_report_without_memory_fails_its_buffer(void **state)
{
    struct allocation allocation = sample_cpu("shop/web", "10");
    int completed_after = 0;
    (void)state;
    sample_set(&allocation, FIGURE_IDLE_COST, "9");
    struct cost_set *set = sample_set_of(allocation);
    for (bool completed = false; !completed; completed_after++) {
        struct strbuf out;
        strbuf_init(&out, SIZE_MAX);
        allowed_requests = completed_after;
        report_recommendations(set, 10, &out);
        completed = !strbuf_failed(&out);
        allowed_requests = -1;
        strbuf_finish(&out);
    }
    assert_true(completed_after > 2);
    cost_set_destroy(set);
}

int main(void)
{
    allowed_requests = -1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_set_is_built_whole_or_not_at_all),
        cmocka_unit_test(a_report_without_memory_fails_its_buffer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
