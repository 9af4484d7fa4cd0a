/* SPDX-License-Identifier: Apache-2.0 */
/* The analyzer takes what utlist's macros remove from a list for being reachable still; NOLINT
 * marks those places. */
#include "dataset_share.h"

#include <stdlib.h>
#include <utlist.h>

#include "dataset_image.h"
#include "dataset_load.h"

enum {
    MARGIN_MS = 1000,
    MARGIN_SHARE = 4, /* of the time since what we hold was fetched, at most */
    /* Of the longest fetch, for another's: it may wait for a slot as long as it then takes. Without
     * this patience all replicas would ask a slow OpenCost at once. Clients wait less: a claim that
     * nobody waits for any more is given up. */
    WAIT_FACTOR = 2,
};

struct dataset_share {
    struct cost_service *service;
    struct dataset_share *next, *previous;
    struct dataset_order order;
    char key[TIER_KEY_MAX];
    struct tier_claim *claim; /* while claiming */
    struct tier_lease *lease; /* while leading or publishing, unless the service has stopped */
    bool holds;
    int64_t held_ms;     /* when what we hold was fetched */
    size_t found_bytes;  /* the length of the value that was found */
    bool passed_over;    /* it was damaged, */
    uint64_t damage;     /* and this is its hash */
    size_t judged_bytes; /* one more than the length of the value whose head was no good; 0: none */
    dataset_shared_fn *done;
    void *context;

    struct loop_job job;
    struct dataset *dataset; /* held, while publishing */
    int64_t took_ms;
    struct strbuf image;
    bool written;
};

static bool share_claim(struct dataset_share *share);

static void share_free(struct dataset_share *share)
{
    struct cost_service *service = share->service;
    /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference) */
    DL_DELETE2(service->loop.shares, share, previous, next);
    dataset_release(share->dataset);
    strbuf_finish(&share->image);
    free(share);
}

static void share_end(struct dataset_share *share, const struct share_outcome *outcome)
{
    dataset_shared_fn *done = share->done;
    void *context = share->context;
    share_free(share);
    done(context, outcome);
}

static void share_fail(struct dataset_share *share, const struct error *error)
{
    share_end(share, &(struct share_outcome){.kind = SHARE_FAILED, .error = error});
}

static void share_go_alone(struct dataset_share *share)
{
    share_end(share, &(struct share_outcome){.kind = SHARE_ALONE});
}

static void report_damage(const struct dataset_share *share, const struct error *error)
{
    log_warning(share->service->options.log, LOG_EVENT("cache.shared_ignored"),
                LOG_STR("key", share->order.key), LOG_STR("reason", error->text));
}

/* Told once: a claim may look at the same bytes many times. */
static void note_bad_head(struct dataset_share *share, struct text bytes, const struct error *error)
{
    if (share->judged_bytes != bytes.length + 1)
        report_damage(share, error);
    share->judged_bytes = bytes.length + 1;
}

/* Its whole is looked at only if it may be. */
static bool is_passed_over(const struct dataset_share *share, struct text bytes)
{
    return share->passed_over && bytes.length == share->found_bytes &&
           dataset_image_hash(bytes) == share->damage;
}

static bool is_newer(const struct dataset_share *share, int64_t now_ms, int64_t age_ms)
{
    if (!share->holds)
        return true;
    int64_t held_age_ms = now_ms - share->held_ms;
    int64_t margin_ms = held_age_ms / MARGIN_SHARE;
    return age_ms < held_age_ms - (margin_ms < MARGIN_MS ? margin_ms : MARGIN_MS);
}

static bool is_wanted(void *context, const struct tier_value *value)
{
    struct dataset_share *share = context;
    const struct cost_service *service = share->service;
    const struct dataset_image image = dataset_image_of(service, &share->order, value->bytes);
    struct dataset_image_head head;
    struct error error;
    if (!dataset_image_look(&image, &head, &error)) {
        note_bad_head(share, value->bytes, &error);
        return false;
    }
    int64_t age_ms = dataset_image_age_ms(&head, value);
    return age_ms < head.ttl_ms &&
           is_newer(share, scheduler_now_ms(service->options.scheduler), age_ms) &&
           !is_passed_over(share, value->bytes);
}

/* The first damaged value is passed over: whoever gets the lease puts a good one in its place. */
static void pass_over(struct dataset_share *share, const struct dataset_loaded *loaded)
{
    bool is_first = !share->passed_over;
    report_damage(share, &loaded->error);
    share->passed_over = true;
    share->damage = loaded->hash;
    if (!is_first || !share_claim(share))
        share_go_alone(share);
}

static void log_found(const struct dataset_share *share, const struct dataset *dataset)
{
    const struct cost_service_options *options = &share->service->options;
    int64_t age_ms = scheduler_now_ms(options->scheduler) - dataset->fetched_ms;
    log_debug(options->log, LOG_EVENT("cache.shared"), LOG_STR("key", share->order.key),
              LOG_INT("age_seconds", age_ms / 1000));
}

static void loaded(void *context, const struct dataset_loaded *loaded)
{
    struct dataset_share *share = context;
    const struct error stopping = {.code = ERR_SHUTDOWN, .text = "the server is stopping"};
    if (share->service->loop.stopping) {
        dataset_release(loaded->dataset);
        share_fail(share, &stopping);
    } else if (loaded->dataset != NULL) {
        log_found(share, loaded->dataset);
        share_end(share, &(struct share_outcome){.kind = SHARE_FOUND,
                                                 .dataset = loaded->dataset,
                                                 .took_ms = loaded->took_ms});
    } else if (loaded->error.code == ERR_INVALID) {
        pass_over(share, loaded);
    } else {
        share_go_alone(share);
    }
}

static void found(struct dataset_share *share, const struct tier_value *value)
{
    share->found_bytes = value->bytes.length;
    if (!dataset_load_start(share->service, &share->order, value, loaded, share))
        share_go_alone(share);
}

/* Whether another replica, had it asked, would have met with the same. */
static bool is_of_opencost(enum error_code code)
{
    switch (code) {
    case ERR_UPSTREAM_CONNECT:
    case ERR_UPSTREAM_TLS:
    case ERR_UPSTREAM_TIMEOUT:
    case ERR_UPSTREAM_STATUS:
    case ERR_UPSTREAM_REJECTED:
    case ERR_UPSTREAM_REFUSED:
    case ERR_UPSTREAM_BODY:
    case ERR_UPSTREAM_TOO_LARGE:
        return true;
    default:
        return false;
    }
}

static void claimed(void *context, enum tier_outcome outcome, const struct tier_value *value,
                    struct tier_lease *lease, const struct error *error)
{
    struct dataset_share *share = context;
    share->claim = NULL;
    switch (outcome) {
    case TIER_FOUND:
        found(share, value);
        break;
    case TIER_LEADING:
        share->lease = lease;
        share->done(share->context, &(struct share_outcome){.kind = SHARE_LEAD, .share = share});
        break;
    case TIER_FAILED:
        /* Of another kind no replica tells; but whoever may write to the tier could. */
        if (is_of_opencost(error->code))
            share_fail(share, error);
        else
            share_go_alone(share);
        break;
    default:
        share_go_alone(share);
        break;
    }
}

static bool share_claim(struct dataset_share *share)
{
    const struct cost_service_options *options = &share->service->options;
    const struct tier_claim_request request = {
        .key = share->key,
        .max_wait_ms = WAIT_FACTOR * options->request_deadline_ms,
        .context = share,
        .is_wanted = is_wanted,
        .done = claimed,
    };
    share->claim = tier_claim(options->tier, &request);
    return share->claim != NULL;
}

static void note_what_we_hold(struct dataset_share *share)
{
    const struct cost_service_options *options = &share->service->options;
    struct cache_hit hit;
    enum cache_state state =
        cache_peek(options->cache, share->order.key, scheduler_now_ms(options->scheduler), &hit);
    shared_release(hit.value);
    share->holds = state != CACHE_MISS || share->order.knows;
    share->held_ms = state != CACHE_MISS ? hit.fetched_ms : share->order.known_ms;
    if (share->order.knows && share->order.known_ms > share->held_ms)
        share->held_ms = share->order.known_ms;
}

struct dataset_share *dataset_share_begin(struct cost_service *service,
                                          const struct dataset_order *order,
                                          dataset_shared_fn *done, void *context)
{
    if (service->options.tier == NULL || service->loop.stopping)
        return NULL;
    struct dataset_share *share = calloc(1, sizeof(*share));
    if (share == NULL)
        return NULL;
    share->service = service;
    share->order = *order;
    share->done = done;
    share->context = context;
    strbuf_init(&share->image, DATASET_IMAGE_LIMIT_BYTES);
    tier_key_format(service->origin_hash, order->key, share->key);
    note_what_we_hold(share);
    DL_APPEND2(service->loop.shares, share, previous, next);
    if (share_claim(share))
        return share;
    share_free(share);
    return NULL;
}

bool dataset_share_is_claiming(const struct dataset_share *share)
{
    return share != NULL && share->claim != NULL;
}

static void settle(struct dataset_share *share, const struct text *bytes, int64_t keep_ms,
                   const struct error *error)
{
    if (share->lease != NULL)
        tier_settle(share->service->options.tier, share->lease, bytes, keep_ms, error);
    share->lease = NULL;
}

/* Job thread. */
static void write_image(struct loop_job *job)
{
    struct dataset_share *share = CONTAINER_OF(job, struct dataset_share, job);
    const struct cost_service_options *options = &share->service->options;
    share->written = dataset_image_write(&share->image, text_of(options->origin), share->dataset,
                                         share->took_ms, options->time, NULL);
}

/* Nobody serves it longer than a cache would. */
static void image_written(struct loop_job *job, bool cancelled)
{
    struct dataset_share *share = CONTAINER_OF(job, struct dataset_share, job);
    const struct cost_service_options *options = &share->service->options;
    int64_t age_ms = scheduler_now_ms(options->scheduler) - share->dataset->fetched_ms;
    int64_t keep_ms = share->dataset->ttl_ms + cache_keep_ms(options->cache) - age_ms;
    const struct text bytes = {.data = share->image.data, .length = share->image.length};
    if (!cancelled && share->written && keep_ms > 0)
        settle(share, &bytes, keep_ms, NULL);
    else
        settle(share, NULL, 0, NULL);
    share_free(share);
}

void dataset_share_publish(struct dataset_share *share, struct dataset *dataset, int64_t took_ms)
{
    if (share == NULL)
        return;
    share->dataset = dataset_hold(dataset);
    share->took_ms = took_ms;
    share->job = (struct loop_job){.work = write_image, .done = image_written};
    if (!scheduler_job(share->service->options.scheduler, &share->job))
        dataset_share_give_up(share, NULL);
}

void dataset_share_give_up(struct dataset_share *share, const struct error *error)
{
    if (share == NULL)
        return;
    if (share->claim != NULL)
        tier_claim_cancel(share->service->options.tier, share->claim);
    settle(share, NULL, 0, error != NULL && is_of_opencost(error->code) ? error : NULL);
    share_free(share);
}

static struct dataset_share *first_claiming(const struct cost_service *service)
{
    struct dataset_share *share = service->loop.shares;
    while (share != NULL && share->claim == NULL) /* NOLINT(clang-analyzer-unix.Malloc) */
        share = share->next;
    return share;
}

void dataset_shares_stop(struct cost_service *service)
{
    const struct error stopping = {.code = ERR_SHUTDOWN, .text = "the server is stopping"};
    for (struct dataset_share *share = service->loop.shares; share != NULL; share = share->next)
        settle(share, NULL, 0, NULL);
    /* Asked anew each time: who fails may give up others. */
    for (struct dataset_share *share = first_claiming(service); share != NULL;
         share = first_claiming(service)) {
        tier_claim_cancel(service->options.tier, share->claim);
        share_fail(share, &stopping);
    }
}
