/* SPDX-License-Identifier: Apache-2.0 */
/* The monthly view: the last 30 days in one figure, or calendar months as a trend. */
#include "base/civil_time.h"
#include "cost/report.h"
#include "report_json.h"

enum { LAST_DAYS = 30 };

struct workloads {
    uint64_t namespaces;
    uint64_t pods;
};

static struct workloads count_workloads(const struct cost_set *set)
{
    size_t count;
    const struct namespace_cost *rows = cost_set_namespaces(set, &count);
    struct workloads workloads = {.namespaces = 0};
    for (size_t i = 0; i < count; i++) {
        workloads.namespaces += rows[i].is_special ? 0 : 1;
        if (__builtin_add_overflow(workloads.pods, rows[i].pod_count, &workloads.pods))
            workloads.pods = UINT64_MAX;
    }
    return workloads;
}

static bool has_rows(const struct cost_set *set)
{
    size_t count;
    (void)cost_set_namespaces(set, &count);
    return count > 0;
}

static void append_month(struct strbuf *out, int64_t label_s, const struct cost_set *set,
                         int64_t days, bool is_partial)
{
    struct workloads workloads = count_workloads(set);
    decimal total = cost_set_total(set);
    char label[RFC3339_TEXT_MAX];
    civil_format_month(label_s, label);

    json_append_text(out, TEXT("{\"month\":"), text_of(label));
    json_append_decimal(out, TEXT(",\"total_cost\":"), total);
    json_append_decimal(out, TEXT(",\"daily_average\":"),
                        decimal_divide(total, days * DECIMAL_ONE));
    json_append_count(out, TEXT(",\"namespaces\":"), workloads.namespaces);
    json_append_count(out, TEXT(",\"pods\":"), workloads.pods);
    if (is_partial)
        strbuf_append_text(out, ",\"partial\":true");
    strbuf_append_char(out, '}');
}

void report_last_30_days(const struct cost_set *set, int64_t now_s, struct strbuf *out)
{
    strbuf_append_text(out, "{\"months\":[");
    if (has_rows(set))
        append_month(out, now_s, set, LAST_DAYS, false);
    json_append_decimal(out, TEXT("],\"total\":"), cost_set_total(set));
    strbuf_append_text(out, ",\"period\":\"1 month\"}");
}

/* Days of a month that money was spent on: all of them when it is over, else up to and with the
 * day of `now_s`. At least one, so that it can be divided by. */
static int64_t days_elapsed(const struct report_month *month, int64_t now_s)
{
    int64_t days = month->end_s <= now_s ? (month->end_s - month->start_s) / SECONDS_PER_DAY
                                         : (now_s - month->start_s) / SECONDS_PER_DAY + 1;
    return days > 1 ? days : 1;
}

static bool is_partial(const struct report_month *month, int64_t now_s)
{
    int64_t data_start_s;
    return month->end_s > now_s ||
           (cost_set_data_start(month->set, &data_start_s) && data_start_s > month->start_s);
}

void report_months(const struct report_month *months, size_t count, int asked, int64_t now_s,
                   struct strbuf *out)
{
    decimal total = 0;
    bool is_first = true;

    strbuf_append_text(out, "{\"months\":[");
    for (size_t i = 0; i < count; i++) {
        const struct report_month *month = &months[i];
        if (!has_rows(month->set))
            continue;
        if (!is_first)
            strbuf_append_char(out, ',');
        is_first = false;
        append_month(out, month->start_s, month->set, days_elapsed(month, now_s),
                     is_partial(month, now_s));
        total += cost_set_total(month->set);
    }
    json_append_decimal(out, TEXT("],\"total\":"), total);
    strbuf_append_format(out, ",\"period\":\"%d months\"}", asked);
}
