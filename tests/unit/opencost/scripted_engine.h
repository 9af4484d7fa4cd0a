/* SPDX-License-Identifier: Apache-2.0 */
/* A transfer engine that does what the test says, transfer by transfer. */
#ifndef OPENCOST_SCRIPTED_ENGINE_H
#define OPENCOST_SCRIPTED_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "opencost/transfer.h"

enum { SCRIPTED_LIVE_MAX = 16, SCRIPTED_URL_MAX = 512 };

struct scripted_engine {
    struct transfer_engine engine;
    struct transfer *live[SCRIPTED_LIVE_MAX]; /* oldest first */
    size_t live_count;
    unsigned started, paused, resumed, cancelled;
    bool refuses;                      /* start() fails, as without memory */
    char last_url[SCRIPTED_URL_MAX];   /* of the last start() */
    char last_token[SCRIPTED_URL_MAX]; /* "(none)" without one */
    struct transfer_request last_request;
};

void scripted_engine_init(struct scripted_engine *engine);

/* The transfer number `index` among those under way. */
bool scripted_is_paused(const struct scripted_engine *engine, size_t index);

/* Hands it bytes of a 200's body; what the receiver said. */
bool scripted_body(struct scripted_engine *engine, size_t index, const void *bytes, size_t length);

/* Ends it. `body` is the rest of a 200's, or all of another's; NULL: none. */
void scripted_answer(struct scripted_engine *engine, size_t index, int status, const char *body);
void scripted_retry_after(struct scripted_engine *engine, size_t index, int status,
                          int64_t retry_after_ms);
void scripted_fail(struct scripted_engine *engine, size_t index, enum error_code code,
                   int http_status);

#endif
