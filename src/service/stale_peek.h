/* SPDX-License-Identifier: Apache-2.0 */
/*
 * OpenCost fails and we have nothing to serve stale: another replica may have. What the tier has is
 * put into the cache with the age it has, where all who wait will find it as if it had been there:
 *
 *     peeking -> loading -> stored        (or any of them: nothing)
 *
 * Threads: the loop thread.
 */
#ifndef SERVICE_STALE_PEEK_H
#define SERVICE_STALE_PEEK_H

#include "service_internal.h"

/* False when there is no need to look, or nowhere; `done` then never runs. Else exactly once, and
 * not before this returns. */
bool stale_peek_begin(struct cost_service *service, const struct dataset_order *order,
                      void (*done)(void *context), void *context) NODISCARD;

/* The service stops: whoever peeks has found nothing. */
void stale_peeks_stop(struct cost_service *service);

#endif
