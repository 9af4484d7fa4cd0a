/* SPDX-License-Identifier: Apache-2.0 */
#include "reply.h"

#include <hiredis/read.h>
#include <stdlib.h>
#include <string.h>

enum {
    /* In one reply, nested ones included. ROLE names a master's replicas, of which there are
     * few. */
    ELEMENTS_MAX = 256,
    /* A buffer that a large value has left behind is not kept. */
    KEPT_BUFFER_BYTES = 64 * 1024,
};

struct reply_reader {
    redisReader *hiredis;
    size_t buffered; /* bytes fed since the buffer was new: what it may have grown to */
    int elements_left;
    bool is_beyond; /* the bounds: hiredis takes the refusal for want of memory */
};

void reply_free(struct reply *reply)
{
    if (reply == NULL)
        return;
    for (size_t i = 0; i < reply->count; i++)
        reply_free(reply->elements[i]);
    free(reply->elements);
    free(reply->bytes);
    free(reply);
}

/* hiredis' functions: each makes a reply and puts it into its array. */

static void *placed(const redisReadTask *task, struct reply *reply)
{
    if (task->parent != NULL) {
        const struct reply *array = task->parent->obj;
        array->elements[task->idx] = reply;
    }
    return reply;
}

static void *create_string(const redisReadTask *task, char *bytes, size_t length)
{
    struct reply *reply = calloc(1, sizeof *reply);
    char *copy = malloc(length + 1);
    if (reply == NULL || copy == NULL) {
        free(reply);
        free(copy);
        return NULL;
    }
    reply->kind = task->type == REDIS_REPLY_STATUS  ? REPLY_STATUS
                  : task->type == REDIS_REPLY_ERROR ? REPLY_ERROR
                                                    : REPLY_STRING;
    memcpy(copy, bytes, length);
    copy[length] = '\0';
    reply->bytes = copy;
    reply->length = length;
    return placed(task, reply);
}

static void *create_array(const redisReadTask *task, int count)
{
    struct reply_reader *reader = task->privdata;
    if (count < 0 || count > reader->elements_left) {
        reader->is_beyond = true;
        return NULL;
    }
    struct reply *reply = calloc(1, sizeof *reply);
    if (reply == NULL)
        return NULL;
    reply->kind = REPLY_ARRAY;
    if (count > 0) {
        reply->elements = calloc((size_t)count, sizeof(struct reply *));
        if (reply->elements == NULL) {
            free(reply);
            return NULL;
        }
    }
    reader->elements_left -= count;
    reply->count = (size_t)count;
    return placed(task, reply);
}

static void *create_integer(const redisReadTask *task, long long integer)
{
    struct reply *reply = calloc(1, sizeof *reply);
    if (reply == NULL)
        return NULL;
    reply->kind = REPLY_INTEGER;
    reply->integer = integer;
    return placed(task, reply);
}

static void *create_nil(const redisReadTask *task)
{
    struct reply *reply = calloc(1, sizeof *reply);
    return reply != NULL ? placed(task, reply) : NULL;
}

static void free_object(void *object)
{
    reply_free(object);
}

static redisReplyObjectFunctions functions = {
    .createString = create_string,
    .createArray = create_array,
    .createInteger = create_integer,
    .createNil = create_nil,
    .freeObject = free_object,
};

static redisReader *new_hiredis(struct reply_reader *reader)
{
    redisReader *hiredis = redisReaderCreateWithFunctions(&functions);
    if (hiredis != NULL) {
        hiredis->privdata = reader;
        /* It would swap a grown buffer for a new one, and abort without memory for that. */
        hiredis->maxbuf = 0;
    }
    return hiredis;
}

struct reply_reader *reply_reader_create(void)
{
    struct reply_reader *reader = calloc(1, sizeof *reader);
    if (reader == NULL)
        return NULL;
    reader->elements_left = ELEMENTS_MAX;
    reader->hiredis = new_hiredis(reader);
    if (reader->hiredis == NULL) {
        free(reader);
        return NULL;
    }
    return reader;
}

void reply_reader_destroy(struct reply_reader *reader)
{
    if (reader == NULL)
        return;
    redisReaderFree(reader->hiredis);
    free(reader);
}

bool reply_reader_feed(struct reply_reader *reader, const char *bytes, size_t length)
{
    reader->buffered += length;
    return redisReaderFeed(reader->hiredis, bytes, length) == REDIS_OK;
}

/* Between two replies; when there is no memory for it, the old one does. */
static void drop_grown_buffer(struct reply_reader *reader)
{
    if (reader->hiredis->len > 0 || reader->buffered < KEPT_BUFFER_BYTES)
        return;
    redisReader *fresh = new_hiredis(reader);
    if (fresh == NULL)
        return;
    redisReaderFree(reader->hiredis);
    reader->hiredis = fresh;
    reader->buffered = 0;
}

bool reply_reader_next(struct reply_reader *reader, struct reply **ret_reply,
                       struct fault *ret_fault)
{
    void *object = NULL;
    if (redisReaderGetReply(reader->hiredis, &object) != REDIS_OK) {
        bool is_memory = reader->hiredis->err == REDIS_ERR_OOM && !reader->is_beyond;
        fault_set(ret_fault, is_memory ? FAULT_NO_MEMORY : FAULT_PROTOCOL, "%s",
                  reader->is_beyond ? "more elements than any answer has"
                                    : reader->hiredis->errstr);
        return false;
    }
    *ret_reply = object;
    if (object != NULL) {
        reader->elements_left = ELEMENTS_MAX;
        drop_grown_buffer(reader);
    }
    return true;
}

bool reply_is_status(const struct reply *reply, const char *text)
{
    return reply->kind == REPLY_STATUS && strcmp(reply->bytes, text) == 0;
}

bool reply_is_string(const struct reply *reply, const char *text)
{
    return reply->kind == REPLY_STRING && text_equals(reply_text(reply), text_of(text));
}

struct reply *const *reply_elements(const struct reply *reply, size_t count)
{
    return reply->kind == REPLY_ARRAY && reply->count == count ? reply->elements : NULL;
}

struct text reply_text(const struct reply *reply)
{
    return reply->kind == REPLY_STRING ? (struct text){reply->bytes, reply->length}
                                       : (struct text){NULL, 0};
}

/* Without the arguments of a command that Redis does not know: AUTH's are a secret. */
static size_t length_to_tell(const struct reply *error)
{
    const char *arguments = strstr(error->bytes, ", with args");
    return arguments != NULL ? (size_t)(arguments - error->bytes) : error->length;
}

void reply_fault(const struct reply *error, struct fault *ret_fault)
{
    static const struct {
        const char *word; /* or words: what the text begins with */
        enum fault_reason reason;
    } words[] = {
        {"NOAUTH", FAULT_AUTH},
        {"WRONGPASS", FAULT_AUTH},
        {"NOPERM", FAULT_AUTH},
        {"ERR AUTH", FAULT_AUTH},
        {"ERR invalid password", FAULT_AUTH},
        {"ERR Client sent AUTH", FAULT_AUTH},
        {"ERR The user executing", FAULT_AUTH}, /* what a script may not do */
        {"OOM", FAULT_FULL},
        {"MISCONF", FAULT_FULL},
        {"NOREPLICAS", FAULT_READ_ONLY},
        {"READONLY", FAULT_READ_ONLY},
        {"MASTERDOWN", FAULT_READ_ONLY},
        {"LOADING", FAULT_LOADING},
        {"BUSY", FAULT_LOADING},
    };
    enum fault_reason reason = FAULT_REFUSED;
    for (size_t i = 0; i < ARRAY_LENGTH(words); i++) {
        if (strncmp(error->bytes, words[i].word, strlen(words[i].word)) == 0)
            reason = words[i].reason;
    }
    fault_set(ret_fault, reason, "Redis says: %.*s", (int)length_to_tell(error), error->bytes);
}
