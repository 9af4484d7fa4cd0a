/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a dataset's flight has to do with the flights of other replicas, through the tier they
 * share:
 *
 *     claiming --a value--> loading --good--> (found)
 *        |  ^                  '--damaged, the first time--> claiming, without it
 *        |  '-----------------------------------'
 *        |--the lease--> leading --fetched--> publishing --> settled
 *        |                  '--failed--> settled
 *        |--the other's failure--> (failed)
 *        '--no tier, no memory, damaged again--> (alone)
 *
 * A value will do if it is within its TTL and newer than what we hold. Of ourselves we hold the
 * entry in the cache, if there is one; a refresher also remembers what it saw last.
 *
 * Newer by a margin, as one dataset looks younger here than where it was fetched: by the time
 * between reading its age and storing it, a few milliseconds as a rule. Without a margin a replica
 * would take its own dataset for the news. A second is plenty, and four times less than the
 * shortest distance between two datasets where that is shorter. Whatever exceeds the margin costs
 * one useless refresh.
 *
 * Why N replicas ask as often as one: the others take what one fetched, with its age, and every
 * refresher counts its interval from there. So after the first dataset all are due at the same
 * moment, give or take the same few milliseconds. The first to come leads; those who come while it
 * fetches wait for it, those who come later find a newer value. Replicas out of step (one was cut
 * off from the tier) fall into step at the first dataset that they share.
 *
 * Threads: the loop thread.
 */
#ifndef SERVICE_DATASET_SHARE_H
#define SERVICE_DATASET_SHARE_H

#include "service_internal.h"

struct dataset_share;

/* What came of it. */
struct share_outcome {
    enum {
        SHARE_FOUND,  /* `dataset`, the receiver's to release, and how long fetching it took */
        SHARE_LEAD,   /* fetch; end `share` with what came of that */
        SHARE_ALONE,  /* fetch */
        SHARE_FAILED, /* `error`: of who led in our place, or the shutdown */
    } kind;
    struct dataset *dataset;
    int64_t took_ms;
    struct dataset_share *share;
    const struct error *error;
};

typedef void dataset_shared_fn(void *context, const struct share_outcome *outcome);

/* NULL when there is nobody to share with; `done` then never runs. Else exactly once unless given
 * up before, and not before this returns. */
struct dataset_share *dataset_share_begin(struct cost_service *service,
                                          const struct dataset_order *order,
                                          dataset_shared_fn *done, void *context) NODISCARD;

/* Nothing has come of it yet: it may be given up. Accepts NULL, which is not. */
bool dataset_share_is_claiming(const struct dataset_share *share) NODISCARD;

/* Stores what was fetched for the others, behind the caller's back. Both accept a NULL share, and
 * end it. */
void dataset_share_publish(struct dataset_share *share, struct dataset *dataset, int64_t took_ms);

/* Of a claim or a lease. The others fail too if the error is OpenCost's; else one of them leads
 * next. NULL: none. */
void dataset_share_give_up(struct dataset_share *share, const struct error *error);

/* The service stops: leases go back at once, who claims fails, and the tier is left alone from then
 * on. */
void dataset_shares_stop(struct cost_service *service);

#endif
