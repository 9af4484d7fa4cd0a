/* SPDX-License-Identifier: Apache-2.0 */
#include "demo_answer.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/civil_time.h"
#include "base/json_text.h"
#include "base/strbuf.h"
#include "demo_cost.h"
#include "demo_json.h"
#include "demo_window.h"

static const char json_type[] = "application/json";
static const char text_type[] = "text/plain; charset=utf-8";

/* Half a year of the sample cluster is about 3 MB. */
enum { BODY_MAX = 64 * 1024 * 1024 };

/* The words of Go's strconv.ParseBool; anything else means the default. */
static bool is_true(const char *text)
{
    static const char *const words[] = {"1", "t", "T", "TRUE", "true", "True"};
    for (size_t i = 0; text != NULL && i < ARRAY_LENGTH(words); i++)
        if (strcmp(text, words[i]) == 0)
            return true;
    return false;
}

static void append_error(struct strbuf *body, unsigned code, const char *message)
{
    strbuf_append_format(body, "{\"code\":%u,\"data\":null,\"message\":", code);
    json_append_string(body, message, strlen(message));
    strbuf_append_text(body, "}\n");
}

/* OpenCost answers a bad window with a line of text and a JSON object in one body. */
static unsigned refuse_window(struct strbuf *body, const char *text)
{
    strbuf_append_format(body, "Invalid 'window' parameter: illegal window: %s\n", text);
    append_error(body, 500, "illegal window: [nil, nil)");
    return 400;
}

static unsigned fail(struct strbuf *body, unsigned status, const char *message)
{
    append_error(body, status, message);
    return status;
}

/* The only aggregations that the sample cluster knows. */
static bool read_aggregate(const char *text, enum demo_aggregate *ret_by)
{
    static const struct {
        const char *words;
        enum demo_aggregate by;
    } table[] = {
        {"namespace,pod", DEMO_BY_NAMESPACE_AND_POD},
        {"namespace", DEMO_BY_NAMESPACE},
    };
    for (size_t i = 0; text != NULL && i < ARRAY_LENGTH(table); i++) {
        if (strcasecmp(text, table[i].words) == 0) {
            *ret_by = table[i].by;
            return true;
        }
    }
    return false;
}

static bool write_costs(struct strbuf *body, struct demo_span window, enum demo_aggregate by,
                        bool include_idle, int64_t today_s, struct error *reterr)
{
    struct demo_cost_set set CLEANUP(demo_cost_set_finish) = {0};
    if (!demo_cost_set_init(&set, window, today_s, reterr))
        return false;
    size_t count;
    struct demo_allocation *allocations = demo_aggregate(&set, by, &count);
    if (allocations == NULL)
        return error_no_memory(reterr);
    strbuf_append_text(body, "{\"code\":200,\"data\":[");
    demo_json_map(body, &set, allocations, count, include_idle);
    strbuf_append_text(body, "]}\n");
    free(allocations);
    return true;
}

/* Writes the body, whatever the query deserves. */
static bool write_answer(struct strbuf *body, const struct demo_query *query, int64_t today_s,
                         struct demo_answer *answer, struct error *reterr)
{
    const char *window_text = query->window != NULL ? query->window : "";
    struct demo_span window;
    enum demo_aggregate by;
    if (!demo_window_parse(window_text, today_s, &window)) {
        answer->content_type = text_type;
        answer->status = refuse_window(body, window_text);
    } else if (window.end_s < window.start_s) {
        answer->status = fail(body, 500, "illegal window: end before start");
    } else if (!read_aggregate(query->aggregate, &by)) {
        answer->status = fail(body, 400,
                              "Invalid aggregate parameter: the sample cluster knows only "
                              "namespace,pod and namespace");
    } else if (window.end_s == window.start_s && is_true(query->accumulate)) {
        answer->status = fail(body, 500, "AllocationSetRange has empty AssetSet in accumulation");
    } else if (window.end_s == window.start_s) {
        strbuf_append_text(body, "{\"code\":200,\"data\":[]}\n");
    } else {
        return write_costs(body, window, by, is_true(query->include_idle), today_s, reterr);
    }
    return true;
}

bool demo_answer_allocation(const struct demo_query *query, int64_t now_s,
                            struct demo_answer *ret_answer, struct error *reterr)
{
    const int64_t today_s = now_s - now_s % SECONDS_PER_DAY;
    struct strbuf body CLEANUP(strbuf_finish);
    strbuf_init(&body, BODY_MAX);
    struct demo_answer answer = {.status = 200, .content_type = json_type};
    if (!write_answer(&body, query, today_s, &answer, reterr))
        return false;
    answer.body = strbuf_take(&body, &answer.length);
    if (answer.body == NULL)
        return error_no_memory(reterr);
    *ret_answer = answer;
    return true;
}
