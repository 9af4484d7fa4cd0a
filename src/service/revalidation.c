/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Refetching what a reader was served past its TTL: a request that nobody waits for.
 *
 *     ordered (any thread) -> waiting for the view's flight (loop thread) -> gone
 *
 * Whoever asks for the view meanwhile and finds nothing to serve joins the same flight.
 */
#include "service_internal.h"

#include <stdlib.h>

struct revalidation {
    struct cost_service *service;
    struct view_spec *spec; /* held */
    struct loop_task task;
    struct flight_waiter waiter;
};

static void revalidation_free(struct revalidation *revalidation)
{
    view_spec_release(revalidation->spec);
    free(revalidation);
}

/* A failure has been logged where it happened; the readers go on with what there is. */
static void released(struct flight_waiter *waiter, void *result, const struct error *error)
{
    (void)result, (void)error;
    revalidation_free(CONTAINER_OF(waiter, struct revalidation, waiter));
}

/* Loop thread: the order has arrived. */
static void arrived(struct loop_task *task)
{
    struct revalidation *revalidation = CONTAINER_OF(task, struct revalidation, task);
    struct cost_service *service = revalidation->service;
    if (service->loop.stopping) {
        revalidation_free(revalidation);
        return;
    }
    revalidation->waiter.released = released;
    switch (flight_join(service->loop.views, revalidation->spec->key, &revalidation->waiter,
                        scheduler_now_ms(service->options.scheduler), NULL)) {
    case FLIGHT_LEAD:
        view_maker_start(service, revalidation->spec, NULL, true);
        break;
    case FLIGHT_FOLLOW:
        break;
    default:
        revalidation_free(revalidation);
        break;
    }
}

void revalidate(struct cost_service *service, const struct cost_query *query)
{
    struct revalidation *revalidation = calloc(1, sizeof(*revalidation));
    if (revalidation == NULL)
        return;
    revalidation->service = service;
    revalidation->task.run = arrived;
    revalidation->spec = view_spec_create(query, 0);
    if (revalidation->spec == NULL ||
        !scheduler_post(service->options.scheduler, &revalidation->task))
        revalidation_free(revalidation);
}
