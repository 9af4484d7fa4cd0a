/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The transfer engine: requests in, outcomes out.
 *
 * A transfer is on its owner's list, and its easy handle in the multi, from start() until its end
 * was read from the multi's messages or it was cancelled. What libcurl wants to hear outside its
 * callbacks (resuming, removing, adding again) happens in on_turn(), which the loop calls.
 */
#include "opencost/curl_transfer.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "curl_request.h"
#include "net/curl_loop.h"

/* Two allocation queries, health checks, and what is left of retries. */
enum { IDLE_CONNECTIONS_MAX = 4 };

struct curl_transfers {
    struct transfer_engine engine;
    struct curl_loop *loop;
    struct transfer *first;
    char *ca_file;
    char *user_agent;
    bool without_proxy;
};

static CURLM *multi_of(const struct curl_transfers *transfers)
{
    return curl_loop_multi(transfers->loop);
}

static void unlink_transfer(struct transfer *transfer)
{
    DL_DELETE2(transfer->owner->first, transfer, previous, next);
}

static struct transfer *start(void *self, const struct transfer_request *request,
                              struct error *reterr)
{
    struct curl_transfers *transfers = self;
    const struct curl_request_defaults defaults = {transfers->ca_file, transfers->user_agent,
                                                   transfers->without_proxy};
    struct transfer *transfer = curl_request_create(request, &defaults, reterr);
    if (transfer == NULL)
        return NULL;
    if (curl_multi_add_handle(multi_of(transfers), transfer->easy) != CURLM_OK) {
        curl_request_destroy(transfer);
        error_no_memory(reterr);
        return NULL;
    }
    transfer->owner = transfers;
    DL_PREPEND2(transfers->first, transfer, previous, next);
    return transfer;
}

/* Takes effect with the next bytes, which libcurl then keeps: a receive buffer full at most, but
 * unpacked if the body is compressed. */
static void pause_reading(struct transfer *transfer)
{
    transfer->must_pause = true;
    transfer->must_resume = false;
}

static void resume_reading(struct transfer *transfer)
{
    transfer->must_pause = false;
    if (!transfer->is_paused)
        return;
    transfer->must_resume = true;
    curl_loop_turn_soon(transfer->owner->loop);
}

static void remove_transfer(struct transfer *transfer)
{
    unlink_transfer(transfer);
    curl_multi_remove_handle(multi_of(transfer->owner), transfer->easy);
    curl_request_destroy(transfer);
}

static void cancel(struct transfer *transfer)
{
    assert(!transfer->is_in_callback);
    remove_transfer(transfer);
}

/* The handle is out of the multi already. */
static void end(struct transfer *transfer, const struct transfer_outcome *outcome)
{
    struct transfer_request request = transfer->request;
    size_t kept =
        transfer->rejected_bytes < REJECTED_BODY_MAX ? transfer->rejected_bytes : REJECTED_BODY_MAX;
    if (kept > 0 && request.rejected_body != NULL)
        request.rejected_body(request.context, transfer->rejected, kept);
    unlink_transfer(transfer);
    curl_request_destroy(transfer);
    request.done(request.context, outcome);
}

static void finish_request(struct transfer *transfer, CURLcode code)
{
    struct curl_transfers *transfers = transfer->owner;
    struct transfer_outcome outcome;
    struct error error = {0};
    curl_multi_remove_handle(multi_of(transfers), transfer->easy);
    curl_request_outcome(transfer, code, &outcome);
    if (outcome.error.code == ERR_NONE) {
        enum redirect_verdict verdict = curl_request_redirect(transfer, &error);
        if (verdict == REDIRECT_FOLLOWED) {
            if (curl_multi_add_handle(multi_of(transfers), transfer->easy) == CURLM_OK)
                return;
            error_no_memory(&error);
        }
        outcome.error = error;
    }
    end(transfer, &outcome);
}

static void resume_one(struct transfer *transfer)
{
    transfer->must_resume = false;
    transfer->is_paused = false; /* set anew if the bytes kept are too many again */
    /* Hands the bytes kept to on_write(). Its refusal shows here and nowhere else. */
    CURLcode code = curl_easy_pause(transfer->easy, CURLPAUSE_CONT);
    if (code != CURLE_OK)
        finish_request(transfer, code);
}

static struct transfer *next_to_resume(const struct curl_transfers *transfers)
{
    struct transfer *transfer = transfers->first;
    while (transfer != NULL && !transfer->must_resume)
        transfer = transfer->next;
    return transfer;
}

/* Both lists are asked anew each time, as every call out may start and cancel transfers. */
static void on_turn(void *context)
{
    struct curl_transfers *transfers = context;
    for (struct transfer *paused = next_to_resume(transfers); paused != NULL;
         paused = next_to_resume(transfers))
        resume_one(paused);

    int left = 0;
    for (CURLMsg *message = curl_multi_info_read(multi_of(transfers), &left); message != NULL;
         message = curl_multi_info_read(multi_of(transfers), &left)) {
        char *transfer = NULL;
        CURLcode code = message->data.result; /* the message is gone with the handle's removal */
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &transfer);
        finish_request((struct transfer *)(void *)transfer, code);
    }
}

static bool copy_options(struct curl_transfers *transfers,
                         const struct curl_transfer_options *options)
{
    transfers->user_agent = strdup(options->user_agent);
    transfers->without_proxy = options->without_proxy;
    if (options->ca_file != NULL)
        transfers->ca_file = strdup(options->ca_file);
    return transfers->user_agent != NULL &&
           (options->ca_file == NULL || transfers->ca_file != NULL);
}

struct curl_transfers *curl_transfers_create(const struct curl_transfer_options *options,
                                             struct error *reterr)
{
    struct curl_transfers *transfers = calloc(1, sizeof(*transfers));
    if (transfers == NULL || !copy_options(transfers, options)) {
        curl_transfers_destroy(transfers);
        error_no_memory(reterr);
        return NULL;
    }
    transfers->loop = curl_loop_create(options->loop, on_turn, transfers, reterr);
    if (transfers->loop == NULL) {
        curl_transfers_destroy(transfers);
        return NULL;
    }
    curl_multi_setopt(multi_of(transfers), CURLMOPT_MAXCONNECTS, (long)IDLE_CONNECTIONS_MAX);
    transfers->engine = (struct transfer_engine){.self = transfers,
                                                 .start = start,
                                                 .pause = pause_reading,
                                                 .resume = resume_reading,
                                                 .cancel = cancel};
    return transfers;
}

void curl_transfers_destroy(struct curl_transfers *transfers)
{
    if (transfers == NULL)
        return;
    while (transfers->first != NULL)
        remove_transfer(transfers->first);
    curl_loop_destroy(transfers->loop);
    free(transfers->ca_file);
    free(transfers->user_agent);
    free(transfers);
}

const struct transfer_engine *curl_transfers_engine(struct curl_transfers *transfers)
{
    return &transfers->engine;
}
