/* SPDX-License-Identifier: Apache-2.0 */
/* Health checks: one request each, no queue, no second try. */
#include <stdlib.h>
#include <utlist.h>

#include "client_internal.h"
#include "client_url.h"

struct opencost_check {
    struct opencost_client *client;
    struct opencost_check *next, *previous;
    struct transfer *transfer;
    int64_t begun_ms;
    opencost_checked_fn *done;
    void *context;
};

static void leave_list(struct opencost_check *check)
{
    DL_DELETE2(check->client->first_check, check, previous, next);
}

/* It is off the list. */
static void end(struct opencost_check *check, const struct error *error)
{
    opencost_checked_fn *done = check->done;
    void *context = check->context;
    free(check);
    done(context, error);
}

static bool ignore_body(void *context, const void *bytes, size_t length)
{
    (void)context, (void)bytes, (void)length;
    return true;
}

static void on_transfer_done(void *context, const struct transfer_outcome *outcome)
{
    struct opencost_check *check = context;
    struct opencost_client *client = check->client;
    struct error error = outcome->error;
    bool is_well = error.code == ERR_NONE && status_verdict(outcome->http_status, "", &error);
    client_metrics_count_try(&client->metrics, DATASET_HEALTH,
                             scheduler_now_ms(client->scheduler) - check->begun_ms,
                             time_wall_s(client->time), is_well ? NULL : &error);
    leave_list(check);
    end(check, is_well ? NULL : &error);
}

static bool start(struct opencost_check *check, int64_t timeout_ms, struct error *reterr)
{
    struct opencost_client *client = check->client;
    char *url = client_url_health(client->base_url);
    if (url == NULL)
        return error_no_memory(reterr);
    struct transfer_request request = client_request(client, url, timeout_ms);
    request.context = check;
    request.body = ignore_body;
    request.done = on_transfer_done;
    check->transfer = client->engine->start(client->engine->self, &request, reterr);
    free(url);
    return check->transfer != NULL;
}

bool opencost_client_check(struct opencost_client *client, int64_t timeout_ms,
                           opencost_checked_fn *done, void *context, struct error *reterr)
{
    if (client->is_stopping)
        return error_set(reterr, ERR_SHUTDOWN, "shutting down");
    struct opencost_check *check = calloc(1, sizeof(*check));
    if (check == NULL)
        return error_no_memory(reterr);
    check->client = client;
    check->begun_ms = scheduler_now_ms(client->scheduler);
    check->done = done;
    check->context = context;
    if (!start(check, timeout_ms, reterr)) {
        free(check);
        return false;
    }
    metric_add(client->metrics.of[DATASET_HEALTH].requests, 1);
    DL_PREPEND2(client->first_check, check, previous, next);
    return true;
}

void client_stop_checks(struct opencost_client *client)
{
    struct error error;
    error_set(&error, ERR_SHUTDOWN, "shutting down");
    while (client->first_check != NULL) {
        struct opencost_check *check = client->first_check;
        /* The analyzer takes what utlist's macro removes from a list for being on it still. */
        leave_list(check); /* NOLINT(clang-analyzer-unix.Malloc) */
        client->engine->cancel(check->transfer);
        end(check, &error);
    }
}
