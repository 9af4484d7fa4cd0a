/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libcurl connects with CURLOPT_CONNECT_ONLY, which leaves the connection to curl_easy_send() and
 * curl_easy_recv(); from then on the socket is watched by ourselves.
 *
 * Each stream has a multi of its own: libcurl looks after the connections of a multi as a cache,
 * and closes what was not used for a while, by its own account, when it opens another one.
 */
#include "redis/curl_stream.h"

#include <assert.h>
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/curl_code.h"
#include "net/curl_loop.h"
#include "net/socket_watch.h"

enum {
    READ_BYTES = 64 * 1024,
    WRITE_BYTES = 64 * 1024,  /* at a time: so progress shows, and TLS retries are of one size */
    TURN_BYTES = 1024 * 1024, /* each way; others want the loop too */
    /* Whoever opens a stream gives up earlier. */
    CONNECT_TIMEOUT_MS = 60 * 1000,
};

struct curl_streams {
    struct stream_engine engine;
    struct uv_loop_s *uv;
    char *ca_file;
};

struct chunk {
    struct chunk *next;
    char *bytes;
    size_t length;
};

struct stream {
    struct curl_streams *owner;
    struct stream_request request; /* unix_path and host are NULL here: not ours to keep */
    struct curl_loop *loop;
    CURL *easy;
    struct socket_watch *watch; /* once opened */
    struct chunk *first, **last;
    size_t first_sent; /* of the first chunk */
    bool has_ended;
    int depth;      /* of callbacks under way; the struct outlives them */
    bool is_closed; /* by its owner */
    char error_text[CURL_ERROR_SIZE];
};

static CURLcode first_of(CURLcode first, CURLcode second)
{
    return first != CURLE_OK ? first : second;
}

static void free_stream(struct stream *stream)
{
    while (stream->first != NULL) {
        struct chunk *chunk = stream->first;
        stream->first = chunk->next;
        free(chunk->bytes);
        free(chunk);
    }
    free(stream);
}

/* Around callbacks. False when the owner closed the stream meanwhile: it may be gone. */
static bool leave(struct stream *stream)
{
    bool is_closed = stream->is_closed;
    if (--stream->depth == 0 && is_closed)
        free_stream(stream);
    return !is_closed;
}

static void end(struct stream *stream, enum fault_reason reason, const char *text)
{
    struct fault fault;
    fault_set(&fault, reason, "%s", text);
    stream->has_ended = true;
    if (stream->watch != NULL)
        socket_watch_set(stream->watch, 0);
    stream->depth++;
    stream->request.ended(stream->request.context, &fault);
    (void)leave(stream);
}

static void end_by(struct stream *stream, CURLcode code)
{
    const char *text =
        stream->error_text[0] != '\0' ? stream->error_text : curl_easy_strerror(code);
    enum fault_reason reason = code == CURLE_OUT_OF_MEMORY        ? FAULT_NO_MEMORY
                               : code == CURLE_OPERATION_TIMEDOUT ? FAULT_TIMEOUT
                               : curl_code_is_tls(code)           ? FAULT_TLS
                                                                  : FAULT_CONNECT;
    end(stream, reason, text);
}

/* The first chunk goes on where it stopped. A try that failed is repeated with the same bytes,
 * which OpenSSL insists on. */
static CURLcode send_first(struct stream *stream, size_t *ret_sent)
{
    struct chunk *chunk = stream->first;
    size_t left = chunk->length - stream->first_sent;
    *ret_sent = 0;
    CURLcode code = curl_easy_send(stream->easy, chunk->bytes + stream->first_sent,
                                   left < WRITE_BYTES ? left : WRITE_BYTES, ret_sent);
    if (code != CURLE_OK)
        return code;
    stream->first_sent += *ret_sent;
    if (stream->first_sent < chunk->length)
        return CURLE_OK;
    stream->first = chunk->next;
    stream->first_sent = 0;
    if (stream->first == NULL)
        stream->last = &stream->first;
    free(chunk->bytes);
    free(chunk);
    return CURLE_OK;
}

/* False when the stream ended or was closed. */
static bool write_some(struct stream *stream, size_t *ret_sent)
{
    CURLcode code = send_first(stream, ret_sent);
    if (code == CURLE_AGAIN)
        return true;
    if (code != CURLE_OK) {
        end_by(stream, code);
        return false;
    }
    stream->depth++;
    stream->request.sent(stream->request.context, *ret_sent);
    return leave(stream);
}

static bool write_out(struct stream *stream)
{
    size_t sent = 1;
    for (size_t total = 0; stream->first != NULL && sent > 0 && total < TURN_BYTES; total += sent) {
        if (!write_some(stream, &sent))
            return false;
    }
    return true;
}

/* False when the stream ended or was closed. */
static bool read_in(struct stream *stream)
{
    char bytes[READ_BYTES];
    for (size_t total = 0; total < TURN_BYTES;) {
        size_t length = 0;
        CURLcode code = curl_easy_recv(stream->easy, bytes, sizeof bytes, &length);
        if (code == CURLE_AGAIN)
            return true;
        if (code != CURLE_OK || length == 0) {
            if (code != CURLE_OK)
                end_by(stream, code);
            else
                end(stream, FAULT_CONNECT, "Redis closed the connection");
            return false;
        }
        total += length;
        stream->depth++;
        stream->request.received(stream->request.context, bytes, length);
        if (!leave(stream))
            return false;
    }
    /* There may be more in libcurl, of which the socket knows nothing. */
    curl_loop_turn_soon(stream->loop);
    return true;
}

static void move(struct stream *stream)
{
    stream->depth++;
    if (write_out(stream) && read_in(stream))
        socket_watch_set(stream->watch,
                         SOCKET_READABLE | (stream->first != NULL ? SOCKET_WRITABLE : 0));
    (void)leave(stream);
}

static void on_ready(void *context, int events)
{
    (void)events;
    move(context);
}

static void connected(struct stream *stream)
{
    curl_socket_t socket = CURL_SOCKET_BAD;
    curl_easy_getinfo(stream->easy, CURLINFO_ACTIVESOCKET, &socket);
    if (socket != CURL_SOCKET_BAD)
        stream->watch = socket_watch_create(stream->owner->uv, socket, on_ready, stream);
    if (stream->watch == NULL) {
        end(stream, FAULT_NO_MEMORY, "the socket cannot be watched");
        return;
    }
    socket_watch_set(stream->watch, SOCKET_READABLE);
    stream->depth++;
    stream->request.opened(stream->request.context);
    (void)leave(stream);
}

static void on_turn(void *context)
{
    struct stream *stream = context;
    if (stream->has_ended)
        return;
    if (stream->watch != NULL) {
        move(stream);
        return;
    }
    int left = 0;
    const CURLMsg *message = curl_multi_info_read(curl_loop_multi(stream->loop), &left);
    if (message == NULL)
        return;
    if (message->data.result == CURLE_OK)
        connected(stream);
    else
        end_by(stream, message->data.result);
}

/* libcurl wants a URL to know where to connect to; of HTTP nothing is spoken. */
static CURLcode set_target(struct stream *stream, const struct stream_request *request)
{
    char *url = NULL;
    const char *host = request->unix_path != NULL ? "localhost" : request->host;
    bool is_ipv6 = strchr(host, ':') != NULL;
    if (asprintf(&url, "%s://%s%s%s:%u", request->tls ? "https" : "http", is_ipv6 ? "[" : "", host,
                 is_ipv6 ? "]" : "", request->unix_path != NULL ? 1U : (unsigned)request->port) < 0)
        return CURLE_OUT_OF_MEMORY;
    CURLcode code = curl_easy_setopt(stream->easy, CURLOPT_URL, url);
    free(url);
    if (request->unix_path != NULL)
        code = first_of(
            code, curl_easy_setopt(stream->easy, CURLOPT_UNIX_SOCKET_PATH, request->unix_path));
    return code;
}

static CURLcode set_options(struct stream *stream)
{
    CURL *easy = stream->easy;
    CURLcode code = curl_easy_setopt(easy, CURLOPT_CONNECT_ONLY, 1L);
    code = first_of(code, curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https"));
    code = first_of(code, curl_easy_setopt(easy, CURLOPT_PROXY, ""));
    code = first_of(code, curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L));
    code = first_of(code, curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L));
    code = first_of(code, curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, (long)READ_BYTES));
    code =
        first_of(code, curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_TIMEOUT_MS));
    code = first_of(code, curl_easy_setopt(easy, CURLOPT_SSL_ENABLE_ALPN, 0L));
    code =
        first_of(code, curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2));
    if (stream->owner->ca_file != NULL)
        code = first_of(code, curl_easy_setopt(easy, CURLOPT_CAINFO, stream->owner->ca_file));
#if LIBCURL_VERSION_NUM >= 0x075700
    /* Without it, the end of a handle waits for its name look-up, and with it the whole loop. */
    code = first_of(code, curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L));
#endif
    return first_of(code, curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, stream->error_text));
}

static void close_stream(struct stream *stream)
{
    socket_watch_destroy(stream->watch);
    if (stream->easy != NULL && stream->loop != NULL)
        curl_multi_remove_handle(curl_loop_multi(stream->loop), stream->easy);
    curl_easy_cleanup(stream->easy);
    curl_loop_destroy(stream->loop);
    stream->is_closed = true;
    if (stream->depth == 0)
        free_stream(stream);
}

static struct stream *open_stream(void *self, const struct stream_request *request)
{
    struct curl_streams *streams = self;
    struct stream *stream = calloc(1, sizeof *stream);
    if (stream == NULL)
        return NULL;
    stream->owner = streams;
    stream->request = *request;
    stream->request.unix_path = stream->request.host = NULL;
    stream->last = &stream->first;
    stream->easy = curl_easy_init();
    stream->loop = curl_loop_create(streams->uv, on_turn, stream, NULL);
    if (stream->easy == NULL || stream->loop == NULL || set_options(stream) != CURLE_OK ||
        set_target(stream, request) != CURLE_OK ||
        curl_multi_add_handle(curl_loop_multi(stream->loop), stream->easy) != CURLM_OK) {
        close_stream(stream);
        return NULL;
    }
    return stream;
}

static bool send_bytes(struct stream *stream, char *bytes, size_t length)
{
    struct chunk *chunk = malloc(sizeof *chunk);
    assert(stream->watch != NULL);
    if (chunk == NULL) {
        free(bytes);
        return false;
    }
    *chunk = (struct chunk){.bytes = bytes, .length = length};
    *stream->last = chunk;
    stream->last = &chunk->next;
    if (stream->has_ended)
        return true;
    /* At once, if it will: the loop may have its last turn behind it. What does not go is found by
     * the next one, faults included. */
    size_t sent = 0;
    if (stream->first == chunk)
        (void)send_first(stream, &sent);
    if (stream->first != NULL)
        curl_loop_turn_soon(stream->loop);
    return true;
}

struct curl_streams *curl_streams_create(struct uv_loop_s *loop, const char *ca_file)
{
    struct curl_streams *streams = calloc(1, sizeof *streams);
    if (streams == NULL)
        return NULL;
    streams->uv = loop;
    streams->engine = (struct stream_engine){
        .self = streams, .open = open_stream, .send = send_bytes, .close = close_stream};
    if (ca_file == NULL)
        return streams;
    streams->ca_file = strdup(ca_file);
    if (streams->ca_file == NULL) {
        free(streams);
        return NULL;
    }
    return streams;
}

void curl_streams_destroy(struct curl_streams *streams)
{
    if (streams == NULL)
        return;
    free(streams->ca_file);
    free(streams);
}

const struct stream_engine *curl_streams_engine(const struct curl_streams *streams)
{
    return &streams->engine;
}
