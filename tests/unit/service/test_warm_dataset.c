/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/scheduler.h"
#include "sample.h"
#include "warm_dataset.h"

static struct warm_dataset warm_dataset_with_plain_views(void)
{
    struct window window;
    struct warm_dataset warm = {0};
    assert_true(window_parse(TEXT("7d"), &window));
    warm.dataset = dataset_create(sample_set_of(sample_cpu("shop/web-0", "1.5")), &window, 0, 1000);
    assert_non_null(warm.dataset);
    warm_dataset_add_plain_views(&warm);
    assert_int_equal(warm.view_count, 2); /* the sample has idle */
    return warm;
}

static void views_are_rendered_as_long_as_the_job_goes_on(void **state)
{
    (void)state;
    struct loop_job job = {0};
    struct warm_dataset warm = warm_dataset_with_plain_views();
    warm_dataset_render(&warm, 0, &job);
    for (size_t i = 0; i < warm.view_count; i++)
        assert_non_null(warm.views[i].content);
    warm_dataset_finish(&warm);
}

static void no_view_is_begun_once_the_job_is_to_stop(void **state)
{
    (void)state;
    struct loop_job job = {.is_to_stop = true};
    struct warm_dataset warm = warm_dataset_with_plain_views();
    warm_dataset_render(&warm, 0, &job);
    for (size_t i = 0; i < warm.view_count; i++)
        assert_null(warm.views[i].content);
    warm_dataset_finish(&warm);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(views_are_rendered_as_long_as_the_job_goes_on),
        cmocka_unit_test(no_view_is_begun_once_the_job_is_to_stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
