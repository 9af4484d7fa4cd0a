/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "client_url.h"
#include "fetch.h"

/* Last in the line: left out where there is no trace. */
#define TRACE_FIELDS(fetch)                                                                        \
    LOG_STR_OR_END("trace_id", (fetch)->trace == NULL ? NULL : (fetch)->trace->span.trace_id),     \
        LOG_STR("span_id", (fetch)->trace == NULL ? NULL : (fetch)->trace->span.span_id)

void fetch_log_request(const struct opencost_fetch *fetch)
{
    log_info(fetch->client->log, LOG_EVENT("opencost.allocation_request"),
             LOG_STR("aggregate", ALLOCATION_AGGREGATE), LOG_STR("window", fetch->window),
             TRACE_FIELDS(fetch));
}

void fetch_log_withdrawal(const struct opencost_fetch *fetch)
{
    log_debug(fetch->client->log, LOG_EVENT("opencost.allocation_withdrawn"),
              LOG_STR("aggregate", ALLOCATION_AGGREGATE), LOG_STR("window", fetch->window));
}

void fetch_log_failed_try(const struct opencost_fetch *fetch, const struct error *error)
{
    char *url = client_url_masked(fetch->url); /* NULL is logged as null */
    if (error->http_status != 0)
        log_warning(fetch->client->log, LOG_EVENT("opencost.http_error"),
                    LOG_INT("status_code", error->http_status), LOG_STR("url", url),
                    LOG_STR("error", error->text), LOG_INT("attempt", fetch->try.number),
                    TRACE_FIELDS(fetch));
    else
        log_warning(fetch->client->log, LOG_EVENT("opencost.request_error"), LOG_STR("url", url),
                    LOG_STR("error", error->text), LOG_INT("attempt", fetch->try.number),
                    TRACE_FIELDS(fetch));
    free(url);
}

static void log_defects(const struct opencost_fetch *fetch, const struct cost_defects *defects)
{
    log_warning(fetch->client->log, LOG_EVENT("opencost.allocation_defects"),
                LOG_STR("window", fetch->window), LOG_INT("figures", defects->figures),
                LOG_INT("rows_skipped", defects->rows_skipped),
                LOG_INT("idle_dropped", defects->idle_dropped),
                LOG_INT("entries_ignored", defects->entries_ignored), TRACE_FIELDS(fetch));
}

void fetch_log_success(const struct opencost_fetch *fetch, const struct cost_set *set)
{
    const struct cost_defects *defects = cost_set_defects(set);
    uint64_t count =
        defects->figures + defects->rows_skipped + defects->idle_dropped + defects->entries_ignored;
    size_t pods = 0;
    (void)!cost_set_pods(set, &pods);
    log_info(fetch->client->log, LOG_EVENT("opencost.allocation_success"),
             LOG_STR("aggregate", ALLOCATION_AGGREGATE), LOG_INT("item_count", pods),
             LOG_STR("window", fetch->window),
             LOG_INT("duration_ms", scheduler_now_ms(fetch->client->scheduler) - fetch->begun_ms),
             LOG_INT("defects", count), TRACE_FIELDS(fetch));
    if (count > 0)
        log_defects(fetch, defects);
}

void fetch_log_failure(const struct opencost_fetch *fetch, const struct error *error)
{
    log_error(fetch->client->log, LOG_EVENT("opencost.allocation_error"),
              LOG_STR("aggregate", ALLOCATION_AGGREGATE), LOG_STR("error", error->text),
              LOG_STR("window", fetch->window), LOG_INT("attempts", fetch->try.number),
              TRACE_FIELDS(fetch));
}
