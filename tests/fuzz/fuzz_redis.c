/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What Redis may answer: the input, cut at the bytes 0x1E, is the answers to what the tier sends
 * after a log-in that went well. Beyond memory faults: every claim and peek ends once and in
 * bounded time, and no value is found that did not come over the wire.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/attrs.h"
#include "fuzz.h"
#include "redis/redis_tier.h"
#include "support/fake_loop.h"

enum { LIFE_MS = 60 * 1000, WAIT_MS = 20 * 1000, ASKED = 3, LOG_IN_SENDS = 2, CUT = 0x1E };

/* The rehearsal of session.c, and the subscription of one for messages. */
static const char log_in[] = "+OK\r\n+QUEUED\r\n+QUEUED\r\n+QUEUED\r\n+QUEUED\r\n"
                             "*4\r\n+OK\r\n$1\r\nx\r\n$1\r\nx\r\n:1\r\n";
static const char released[] = ":0\r\n";

struct peer {
    struct stream_engine engine;
    struct fake_loop *loop;
    const char *input, *end; /* what is left of it */
    const uint8_t *all;
    size_t all_length;
};

struct stream {
    struct peer *peer;
    struct stream_request request;
    struct loop_timer *timer;
    struct text waiting[64]; /* answers on their way */
    size_t waiting_count;
    unsigned sends;
    bool is_open, is_closed;
    int depth;
};

static void leave(struct stream *stream)
{
    if (--stream->depth == 0 && stream->is_closed)
        free(stream);
}

static void on_timer(void *context)
{
    struct stream *stream = context;
    stream->depth++;
    if (!stream->is_open) {
        stream->is_open = true;
        stream->request.opened(stream->request.context);
    }
    for (size_t i = 0; i < stream->waiting_count && !stream->is_closed; i++)
        stream->request.received(stream->request.context, stream->waiting[i].data,
                                 stream->waiting[i].length);
    stream->waiting_count = 0;
    leave(stream);
}

static struct stream *open_stream(void *self, const struct stream_request *request)
{
    struct peer *peer = self;
    struct stream *stream = calloc(1, sizeof *stream);
    stream->peer = peer;
    stream->request = *request;
    stream->timer = loop_timer_create(fake_loop_scheduler(peer->loop), on_timer, stream);
    loop_timer_start(fake_loop_scheduler(peer->loop), stream->timer, 0);
    return stream;
}

static struct text next_answer(struct peer *peer)
{
    const char *from = peer->input;
    size_t left = (size_t)(peer->end - from);
    const char *cut = left > 0 ? memchr(from, CUT, left) : NULL;
    peer->input = cut != NULL ? cut + 1 : peer->end;
    return (struct text){from, cut != NULL ? (size_t)(cut - from) : left};
}

static bool send_bytes(struct stream *stream, char *bytes, size_t length)
{
    struct peer *peer = stream->peer;
    bool logs_in = stream->sends < LOG_IN_SENDS && memmem(bytes, length, "SUBSCRIBE", 9) == NULL;
    struct text answer = next_answer(peer);
    if (logs_in) {
        peer->input = answer.data; /* it is for later */
        answer = text_of(stream->sends == 0 ? log_in : released);
    }
    stream->sends++;
    free(bytes);
    if (answer.length > 0 && stream->waiting_count < ARRAY_LENGTH(stream->waiting))
        stream->waiting[stream->waiting_count++] = answer;
    loop_timer_start(fake_loop_scheduler(peer->loop), stream->timer, 1);
    return true;
}

static void close_stream(struct stream *stream)
{
    loop_timer_destroy(fake_loop_scheduler(stream->peer->loop), stream->timer);
    stream->is_closed = true;
    stream->depth++;
    leave(stream);
}

struct asked {
    struct peer *peer;
    struct tier_lease *lease;
    unsigned calls;
};

static bool is_wanted(void *context, const struct tier_value *value)
{
    (void)context;
    return value->bytes.length != 1; /* some are not */
}

static void check_value(const struct asked *asked, const struct tier_value *value)
{
    if (value == NULL)
        return;
    FUZZ_CHECK(value->stored_ms_ago >= 0);
    FUZZ_CHECK(value->bytes.length == 0 || memmem(asked->peer->all, asked->peer->all_length,
                                                  value->bytes.data, value->bytes.length) != NULL);
}

static void on_claimed(void *context, enum tier_outcome outcome, const struct tier_value *value,
                       struct tier_lease *lease, const struct error *error)
{
    struct asked *asked = context;
    FUZZ_CHECK((value != NULL) == (outcome == TIER_FOUND));
    FUZZ_CHECK((lease != NULL) == (outcome == TIER_LEADING));
    FUZZ_CHECK((error != NULL) == (outcome == TIER_FAILED));
    check_value(asked, value);
    asked->lease = lease;
    asked->calls++;
}

static void on_peeked(void *context, const struct tier_value *value)
{
    struct asked *asked = context;
    check_value(asked, value);
    asked->calls++;
}

static void live(struct peer *peer, struct redis_tier *tier)
{
    const struct shared_tier *door = redis_tier_door(tier);
    struct asked asked[ASKED + 1];
    for (size_t i = 0; i <= ASKED; i++)
        asked[i] = (struct asked){.peer = peer};
    for (size_t i = 0; i < ASKED; i++) {
        const struct tier_claim_request request = {
            .key = i == 0 ? "7d" : "30d",
            .max_wait_ms = WAIT_MS,
            .context = &asked[i],
            .is_wanted = is_wanted,
            .done = on_claimed,
        };
        FUZZ_CHECK(tier_claim(door, &request) != NULL);
        fake_loop_advance(peer->loop, 5);
    }
    FUZZ_CHECK(tier_peek(door, "7d", on_peeked, &asked[ASKED]) != NULL);
    fake_loop_advance(peer->loop, LIFE_MS);
    for (size_t i = 0; i <= ASKED; i++) {
        FUZZ_CHECK(asked[i].calls == 1);
        if (asked[i].lease != NULL)
            tier_settle(door, asked[i].lease, &TEXT("fetched"), WAIT_MS, NULL);
    }
    fake_loop_advance(peer->loop, 10);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct redis_endpoint endpoint = {"redis", 6379};
    struct peer peer = {
        .engine = {.self = &peer, .open = open_stream, .send = send_bytes, .close = close_stream},
        .loop = fake_loop_create(),
        .input = (const char *)data,
        .end = (const char *)data + size,
        .all = data,
        .all_length = size,
    };
    const struct redis_tier_options options = {
        .endpoints = &endpoint,
        .endpoint_count = 1,
        .prefix = "k:",
        .timeout_ms = 200,
        .shown = "redis://redis",
        .engine = &peer.engine,
        .scheduler = fake_loop_scheduler(peer.loop),
        .time = fake_loop_time(peer.loop),
    };
    struct redis_tier *tier = redis_tier_create(&options);
    FUZZ_CHECK(tier != NULL);
    live(&peer, tier);
    redis_tier_stop(tier);
    redis_tier_destroy(tier);
    fake_loop_destroy(peer.loop);
    return 0;
}
