/* SPDX-License-Identifier: Apache-2.0 */
/* What OpenCost has ever sent us, decoded, encoded and decoded again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "cost/cost_set_codec.h"
#include "cost/report.h"
#include "decode_support.h"
#include "opencost/decode.h"

enum { NOW_S = 1795435200 };

static struct cost_set *through_bytes(const struct cost_set *set)
{
    struct strbuf bytes CLEANUP(strbuf_finish);
    struct error error = {.code = ERR_NONE};
    strbuf_init(&bytes, SIZE_MAX);
    cost_set_encode(set, &bytes);
    assert_false(strbuf_failed(&bytes));
    struct cost_set *back =
        cost_set_decode((struct text){.data = bytes.data, .length = bytes.length}, &error);
    if (back == NULL)
        fail_msg("%s", error.text);
    return back;
}

static struct strbuf reports_of(const struct cost_set *set)
{
    const struct report_month month = {.set = set, .start_s = NOW_S - 86400, .end_s = NOW_S};
    struct strbuf out;
    strbuf_init(&out, SIZE_MAX);
    for (int detail = 0; detail < 2; detail++) {
        report_namespaces(set, TEXT("7d"), detail != 0, &out);
        report_pods(set, TEXT("7d"), NULL, detail != 0, &out);
    }
    report_last_30_days(set, NOW_S, &out);
    report_months(&month, 1, 2, NOW_S, &out);
    report_recommendations(set, 50, &out);
    assert_false(strbuf_failed(&out));
    return out;
}

static void check(const char *file, const struct body *body, void *context)
{
    const struct error no_error = {.code = ERR_NONE};
    size_t *checked = context;
    (void)file;
    for (int include_idle = 0; include_idle < 2; include_idle++) {
        struct cost_set *set =
            allocation_decode(body->bytes, body->length, include_idle != 0, NULL);
        if (set == NULL)
            continue; /* not an answer at all */
        struct cost_set *back = through_bytes(set);
        assert_true(cost_set_includes_idle(back) == (include_idle != 0));
        struct strbuf expected CLEANUP(strbuf_finish) = reports_of(set);
        struct strbuf actual CLEANUP(strbuf_finish) = reports_of(back);
        assert_string_equal(strbuf_text(&actual), strbuf_text(&expected));
        char *expected_rows = describe(set, &no_error);
        char *actual_rows = describe(back, &no_error);
        assert_string_equal(actual_rows, expected_rows);
        free(expected_rows);
        free(actual_rows);
        ++*checked;
    }
}

static void every_fixture_comes_back_from_its_bytes_with_the_same_rows_and_reports(void **state)
{
    size_t checked = 0;
    (void)state;
    (void)for_each_body(KUBECENT_FIXTURES "/opencost/encoded", check, &checked);
    assert_true(checked > 20);
    (void)for_each_body(KUBECENT_CAPTURED, check, &checked);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_fixture_comes_back_from_its_bytes_with_the_same_rows_and_reports),
    };
    return cmocka_run_group_tests_name("decode_codec", tests, NULL, NULL);
}
