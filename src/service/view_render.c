/* SPDX-License-Identifier: Apache-2.0 */
#include "service_internal.h"

#include "base/strbuf.h"
#include "cost/report.h"

enum { MONTHS_MAX = 12 };

/* Far above any real view (200,000 pods are 31 MB), and a stop for what cannot be real. */
#define VIEW_LIMIT_BYTES ((size_t)4 << 30)

static void render_months(const struct view_spec *spec, struct dataset *const *datasets,
                          size_t count, int64_t now_s, struct strbuf *out)
{
    struct report_month months[MONTHS_MAX];
    for (size_t i = 0; i < count && i < MONTHS_MAX; i++) {
        months[i] = (struct report_month){
            .set = datasets[i]->set,
            .start_s = datasets[i]->window.start_s,
            .end_s = datasets[i]->window.end_s,
        };
    }
    report_months(months, count, spec->query.months, now_s, out);
}

static void render_text(const struct view_spec *spec, struct dataset *const *datasets, size_t count,
                        int64_t now_s, struct strbuf *out)
{
    const struct cost_query *query = &spec->query;
    const struct cost_set *set = datasets[0]->set;
    switch (query->kind) {
    case COST_VIEW_PODS:
        report_pods(set, query->window_text, query->has_namespace ? &query->namespace_name : NULL,
                    query->detail, out);
        return;
    case COST_VIEW_MONTHLY:
        if (query->months == 1)
            report_last_30_days(set, now_s, out);
        else
            render_months(spec, datasets, count, now_s, out);
        return;
    case COST_VIEW_RECOMMENDATIONS:
        report_recommendations(set, query->limit, out);
        return;
    default:
        report_namespaces(set, query->window_text, query->detail, out);
        return;
    }
}

struct http_content *view_render(const struct view_spec *spec, struct dataset *const *datasets,
                                 size_t count, int64_t now_s, struct error *reterr)
{
    struct strbuf out;
    strbuf_init(&out, VIEW_LIMIT_BYTES);
    render_text(spec, datasets, count, now_s, &out);
    size_t length = 0;
    char *bytes = strbuf_take(&out, &length);
    strbuf_finish(&out);
    struct http_content *content =
        bytes == NULL ? NULL : http_content_create(bytes, length, "application/json");
    if (content == NULL)
        (void)error_no_memory(reterr);
    return content;
}
