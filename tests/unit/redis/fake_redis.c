/* SPDX-License-Identifier: Apache-2.0 */
#include "fake_redis.h"

#include <assert.h>
#include <hiredis/hiredis.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <utlist.h>

#include "base/strbuf.h"
#include "support/alloc_fault.h"

enum { ANSWER_MAX = 64 * 1024 * 1024, WAITING_MAX = 64, PTTL_NONE = -2, PTTL_ENDLESS = -1 };

struct stream {
    struct fake_redis *redis;
    struct stream_request request;
    struct loop_timer *timer;
    redisReader *reader;
    struct strbuf answer; /* on its way */
    bool is_open, has_ended, is_closed, is_subscribed, has_logged_in;
    bool must_end;
    int depth;
    bool in_transaction, is_transaction_spoilt;
    redisReply *waiting[WAITING_MAX]; /* for EXEC */
    size_t waiting_count;
    struct stream *next, *previous;
};

static int64_t now_ms(const struct fake_redis *redis)
{
    return scheduler_now_ms(fake_loop_scheduler(redis->loop));
}

/* The keys and their values. */

static struct fake_entry *find(struct fake_redis *redis, struct text key)
{
    for (size_t i = 0; i < FAKE_ENTRIES; i++) {
        struct fake_entry *entry = &redis->entries[i];
        if (!text_equals(text_of(entry->key), key) || key.length == 0)
            continue;
        if (entry->expires_ms == 0 || entry->expires_ms > now_ms(redis))
            return entry;
        free(entry->value);
        *entry = (struct fake_entry){0};
    }
    return NULL;
}

static void forget(struct fake_entry *entry)
{
    if (entry == NULL)
        return;
    free(entry->value);
    *entry = (struct fake_entry){0};
}

static void set(struct fake_redis *redis, struct text key, struct text value, int64_t ttl_ms)
{
    forget(find(redis, key));
    struct fake_entry *entry = redis->entries;
    while (entry->key[0] != '\0')
        entry++;
    assert(entry < redis->entries + FAKE_ENTRIES && key.length < FAKE_TEXT);
    memcpy(entry->key, key.data, key.length);
    entry->value = malloc(value.length + 1);
    memcpy(entry->value, value.length > 0 ? value.data : "", value.length);
    entry->length = value.length;
    entry->expires_ms = ttl_ms > 0 ? now_ms(redis) + ttl_ms : 0;
}

static bool has_value(const struct fake_entry *entry, struct text value)
{
    return entry != NULL && text_equals((struct text){entry->value, entry->length}, value);
}

const struct fake_entry *fake_redis_get(struct fake_redis *redis, const char *key)
{
    return find(redis, text_of(key));
}

void fake_redis_set(struct fake_redis *redis, const char *key, struct text value, int64_t ttl_ms)
{
    set(redis, text_of(key), value, ttl_ms);
}

void fake_redis_delete(struct fake_redis *redis, const char *key)
{
    forget(find(redis, text_of(key)));
}

void fake_redis_flush(struct fake_redis *redis)
{
    for (size_t i = 0; i < FAKE_ENTRIES; i++)
        forget(&redis->entries[i]);
}

/* Answers. */

static void wake(struct stream *stream, int64_t delay_ms)
{
    loop_timer_start(fake_loop_scheduler(stream->redis->loop), stream->timer, delay_ms);
}

static void say_bulk(struct stream *stream, struct text text)
{
    strbuf_append_format(&stream->answer, "$%zu\r\n", text.length);
    if (text.length > 0)
        strbuf_append(&stream->answer, text.data, text.length);
    strbuf_append_text(&stream->answer, "\r\n");
}

static void publish(struct fake_redis *redis, struct text channel, struct text payload)
{
    struct stream *stream = NULL;
    DL_FOREACH2(redis->streams, stream, next)
    {
        if (!stream->is_subscribed || redis->forgets_messages)
            continue;
        strbuf_append_text(&stream->answer, "*3\r\n$7\r\nmessage\r\n");
        say_bulk(stream, channel);
        say_bulk(stream, payload);
        wake(stream, redis->messages_overtake ? 0 : redis->latency_ms);
    }
}

static struct text word(const redisReply *command, size_t position)
{
    if (position >= command->elements)
        return (struct text){NULL, 0};
    return (struct text){command->element[position]->str, command->element[position]->len};
}

static int64_t number(const redisReply *command, size_t position)
{
    return position < command->elements ? atoll(command->element[position]->str) : 0;
}

static bool is_command(const redisReply *command, const char *name)
{
    return command->elements > 0 && strcasecmp(command->element[0]->str, name) == 0;
}

static void run_get(struct stream *stream, const redisReply *command)
{
    const struct fake_entry *entry = find(stream->redis, word(command, 1));
    if (entry != NULL)
        say_bulk(stream, (struct text){entry->value, entry->length});
    else
        strbuf_append_text(&stream->answer, "$-1\r\n");
}

/* From the beginning, which is all that is asked for. */
static void run_getrange(struct stream *stream, const redisReply *command)
{
    const struct fake_entry *entry = find(stream->redis, word(command, 1));
    size_t most = (size_t)number(command, 3) + 1;
    size_t length = entry == NULL ? 0 : entry->length < most ? entry->length : most;
    say_bulk(stream, (struct text){entry != NULL ? entry->value : NULL, length});
}

static void run_set(struct stream *stream, const redisReply *command)
{
    bool is_exclusive = text_equals(word(command, 3), TEXT("NX"));
    if (is_exclusive && find(stream->redis, word(command, 1)) != NULL) {
        strbuf_append_text(&stream->answer, "$-1\r\n");
        return;
    }
    set(stream->redis, word(command, 1), word(command, 2), number(command, command->elements - 1));
    strbuf_append_text(&stream->answer, "+OK\r\n");
}

static void run_pttl(struct stream *stream, const redisReply *command)
{
    const struct fake_entry *entry = find(stream->redis, word(command, 1));
    int64_t ttl_ms = entry == NULL            ? PTTL_NONE
                     : entry->expires_ms == 0 ? PTTL_ENDLESS
                                              : entry->expires_ms - now_ms(stream->redis);
    strbuf_append_format(&stream->answer, ":%lld\r\n", (long long)ttl_ms);
}

/* The two scripts: told apart by what only one of them does. */
static void run_eval(struct stream *stream, const redisReply *command)
{
    struct fake_redis *redis = stream->redis;
    size_t keys = (size_t)number(command, 2);
    struct text key = word(command, 3);
    struct text token = word(command, 3 + keys);
    struct fake_entry *entry = find(redis, key);
    if (strstr(command->element[1]->str, "publish") != NULL) {
        if (has_value(entry, token))
            forget(entry);
        publish(redis, word(command, 5), word(command, 6));
        strbuf_append_text(&stream->answer, ":1\r\n");
        return;
    }
    bool is_ours = entry == NULL ? keys == 1 || find(redis, word(command, 4)) == NULL
                                 : has_value(entry, token);
    if (is_ours)
        set(redis, key, token, number(command, 4 + keys));
    strbuf_append_text(&stream->answer, is_ours ? ":1\r\n" : ":0\r\n");
}

static void run_subscribe(struct stream *stream, const redisReply *command)
{
    stream->is_subscribed = true;
    strbuf_append_text(&stream->answer, "*3\r\n$9\r\nsubscribe\r\n");
    say_bulk(stream, word(command, 1));
    strbuf_append_text(&stream->answer, ":1\r\n");
}

static void run_auth(struct stream *stream, const redisReply *command)
{
    const char *password = stream->redis->password;
    bool is_right =
        password != NULL && text_equals(word(command, command->elements - 1), text_of(password));
    stream->has_logged_in = is_right;
    strbuf_append_text(&stream->answer, is_right ? "+OK\r\n" : "-WRONGPASS invalid password\r\n");
}

static void run_sentinel(struct stream *stream)
{
    const struct fake_redis *redis = stream->redis;
    char port[16];
    (void)snprintf(port, sizeof port, "%u", (unsigned)redis->master_port);
    if (redis->master_host == NULL) {
        strbuf_append_text(&stream->answer, "*-1\r\n");
        return;
    }
    strbuf_append_text(&stream->answer, "*2\r\n");
    say_bulk(stream, text_of(redis->master_host));
    say_bulk(stream, text_of(port));
}

static void run_role(struct stream *stream)
{
    strbuf_append_text(&stream->answer, "*3\r\n");
    say_bulk(stream, text_of(stream->redis->role));
    strbuf_append_text(&stream->answer, ":0\r\n*0\r\n");
}

static void run(struct stream *stream, const redisReply *command);

static void run_exec(struct stream *stream)
{
    size_t count = stream->waiting_count;
    bool is_spoilt = stream->is_transaction_spoilt;
    stream->in_transaction = stream->is_transaction_spoilt = false;
    stream->waiting_count = 0;
    if (is_spoilt)
        strbuf_append_text(&stream->answer, "-EXECABORT Transaction discarded\r\n");
    else
        strbuf_append_format(&stream->answer, "*%zu\r\n", count);
    for (size_t i = 0; i < count; i++) {
        if (!is_spoilt)
            run(stream, stream->waiting[i]);
        freeReplyObject(stream->waiting[i]);
    }
}

static void run(struct stream *stream, const redisReply *command)
{
    if (is_command(command, "GET"))
        run_get(stream, command);
    else if (is_command(command, "GETRANGE"))
        run_getrange(stream, command);
    else if (is_command(command, "SET"))
        run_set(stream, command);
    else if (is_command(command, "PTTL"))
        run_pttl(stream, command);
    else if (is_command(command, "EVAL"))
        run_eval(stream, command);
    else if (is_command(command, "SUBSCRIBE"))
        run_subscribe(stream, command);
    else if (is_command(command, "AUTH"))
        run_auth(stream, command);
    else if (is_command(command, "SENTINEL"))
        run_sentinel(stream);
    else if (is_command(command, "ROLE"))
        run_role(stream);
    else if (is_command(command, "SELECT"))
        strbuf_append_text(&stream->answer, "+OK\r\n");
    else
        strbuf_append_text(&stream->answer, "-ERR unknown command\r\n");
}

/* What becomes of a command before it is run. True: it has been answered. */
static bool is_turned_away(struct stream *stream, const redisReply *command)
{
    const struct fake_redis *redis = stream->redis;
    const char *error = NULL;
    if (redis->raw != NULL) {
        strbuf_append(&stream->answer, redis->raw, redis->raw_length);
        return true;
    }
    if (redis->refused != NULL && is_command(command, redis->refused))
        error = redis->error;
    else if (redis->password != NULL && !stream->has_logged_in && !is_command(command, "AUTH"))
        error = "-NOAUTH Authentication required.";
    if (error == NULL)
        return false;
    stream->is_transaction_spoilt = stream->in_transaction;
    strbuf_append_format(&stream->answer, "%s\r\n", error);
    return true;
}

/* Takes the command over. */
static void obey(struct stream *stream, redisReply *command)
{
    stream->redis->commands++;
    if (is_turned_away(stream, command)) {
        freeReplyObject(command);
    } else if (is_command(command, "MULTI")) {
        stream->in_transaction = true;
        strbuf_append_text(&stream->answer, "+OK\r\n");
        freeReplyObject(command);
    } else if (is_command(command, "EXEC")) {
        run_exec(stream);
        freeReplyObject(command);
    } else if (stream->in_transaction) {
        assert(stream->waiting_count < WAITING_MAX);
        stream->waiting[stream->waiting_count++] = command;
        strbuf_append_text(&stream->answer, "+QUEUED\r\n");
    } else {
        run(stream, command);
        freeReplyObject(command);
    }
}

/* The streams. */

static void free_stream(struct stream *stream)
{
    for (size_t i = 0; i < stream->waiting_count; i++)
        freeReplyObject(stream->waiting[i]);
    redisReaderFree(stream->reader);
    strbuf_finish(&stream->answer);
    free(stream);
}

static void leave(struct stream *stream)
{
    if (--stream->depth == 0 && stream->is_closed)
        free_stream(stream);
}

static void end(struct stream *stream, const char *text)
{
    struct fault fault;
    fault_set(&fault, FAULT_CONNECT, "%s", text);
    stream->has_ended = true;
    stream->request.ended(stream->request.context, &fault);
}

/* What is said meanwhile is on its way anew. */
static void deliver(struct stream *stream)
{
    struct strbuf answer = stream->answer;
    size_t piece = stream->redis->piece_bytes;
    strbuf_init(&stream->answer, ANSWER_MAX);
    for (size_t sent = 0; sent < answer.length && !stream->is_closed;) {
        size_t length = answer.length - sent;
        if (piece > 0 && piece < length)
            length = piece;
        stream->request.received(stream->request.context, answer.data + sent, length);
        sent += length;
    }
    strbuf_finish(&answer);
}

static void on_timer(void *context)
{
    struct stream *stream = context;
    const struct fake_redis *redis = stream->redis;
    if (stream->has_ended)
        return;
    stream->depth++;
    if (stream->must_end || (!stream->is_open && redis->refuses)) {
        end(stream, stream->is_open ? "closed" : "connection refused");
    } else if (!stream->is_open && !redis->is_deaf) {
        stream->is_open = true;
        stream->request.opened(stream->request.context);
    } else if (stream->is_open && !redis->hangs) {
        deliver(stream);
    }
    leave(stream);
}

static struct stream *open_stream(void *self, const struct stream_request *request)
{
    struct fake_redis *redis = self;
    alloc_fault_pause(true);
    struct stream *stream = calloc(1, sizeof *stream);
    stream->redis = redis;
    stream->request = *request;
    stream->reader = redisReaderCreate();
    stream->timer = loop_timer_create(fake_loop_scheduler(redis->loop), on_timer, stream);
    strbuf_init(&stream->answer, ANSWER_MAX);
    redis->connections++;
    redis->last_port = request->port;
    (void)snprintf(redis->last_host, sizeof redis->last_host, "%s",
                   request->host != NULL ? request->host : request->unix_path);
    DL_APPEND2(redis->streams, stream, previous, next);
    wake(stream, redis->latency_ms);
    alloc_fault_pause(false);
    return stream;
}

static bool send_bytes(struct stream *stream, char *bytes, size_t length)
{
    void *command = NULL;
    alloc_fault_pause(true);
    if (!stream->redis->hangs && !stream->has_ended) {
        redisReaderFeed(stream->reader, bytes, length);
        while (redisReaderGetReply(stream->reader, &command) == REDIS_OK && command != NULL)
            obey(stream, command);
        wake(stream, stream->redis->latency_ms);
    }
    free(bytes);
    alloc_fault_pause(false);
    return true;
}

static void close_stream(struct stream *stream)
{
    DL_DELETE2(stream->redis->streams, stream, previous, next);
    loop_timer_destroy(fake_loop_scheduler(stream->redis->loop), stream->timer);
    stream->is_closed = true;
    if (stream->depth == 0)
        free_stream(stream);
}

void fake_redis_init(struct fake_redis *redis, struct fake_loop *loop)
{
    *redis = (struct fake_redis){
        .engine = {.self = redis, .open = open_stream, .send = send_bytes, .close = close_stream},
        .loop = loop,
        .role = "master",
    };
}

void fake_redis_finish(struct fake_redis *redis)
{
    assert(redis->streams == NULL);
    fake_redis_flush(redis);
}

void fake_redis_cut(struct fake_redis *redis)
{
    struct stream *stream = NULL;
    DL_FOREACH2(redis->streams, stream, next)
    {
        stream->must_end = true;
        wake(stream, 0);
    }
}

unsigned fake_redis_clients(const struct fake_redis *redis)
{
    unsigned count = 0;
    const struct stream *stream = NULL;
    DL_FOREACH2(redis->streams, stream, next)
    {
        count++;
    }
    return count;
}
