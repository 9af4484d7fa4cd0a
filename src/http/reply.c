/* SPDX-License-Identifier: Apache-2.0 */
/* Builds answers and queues them. Every path ends in queue() or give_up(), exactly once. */
#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/civil_time.h"
#include "base/strbuf.h"
#include "body_file.h"
#include "cork.h"
#include "exchange_state.h"
#include "head_padding.h"
#include "http/negotiate.h"
#include "representation.h"
#include "server_state.h"

static bool must_close(const struct http_exchange *exchange)
{
    return exchange->closing ||
           atomic_load_explicit(&exchange->server->quiesced, memory_order_relaxed);
}

static bool has_body(const struct http_exchange *exchange, int status)
{
    return status != MHD_HTTP_NOT_MODIFIED &&
           strcmp(exchange->request.method, MHD_HTTP_METHOD_HEAD) != 0;
}

static void queue(struct http_exchange *exchange, int status, struct MHD_Response *response,
                  size_t body_bytes)
{
    exchange->phase = EXCHANGE_ANSWERED;
    exchange->status = status;
    exchange->bytes = has_body(exchange, status) ? body_bytes : 0;
    exchange->failed =
        MHD_queue_response(exchange->connection, (unsigned)status, response) != MHD_YES;
}

/* No memory for an answer: the connection is dropped instead. */
static void give_up(struct http_exchange *exchange)
{
    exchange->phase = EXCHANGE_ANSWERED;
    exchange->failed = true;
}

/* Adds all or says false: a header the library refuses, or one that did not fit. */
static bool dress(struct MHD_Response *response, const struct http_headers *headers, bool closing)
{
    if (headers != NULL && headers->overflow)
        return false;
    for (size_t i = 0; headers != NULL && i < headers->count; i++) {
        if (MHD_add_response_header(response, headers->list[i].name, headers->list[i].value) !=
            MHD_YES)
            return false;
    }
    return !closing ||
           MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close") == MHD_YES;
}

static struct MHD_Response *response_from_copy(const char *type, struct text body,
                                               const struct http_headers *headers, bool closing)
{
    /* The library copies, though it does not say const. */
    struct MHD_Response *response =
        MHD_create_response_from_buffer(body.length, (void *)body.data, MHD_RESPMEM_MUST_COPY);

    if (response == NULL)
        return NULL;
    if ((type == NULL ||
         MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type) == MHD_YES) &&
        dress(response, headers, closing))
        return response;
    MHD_destroy_response(response);
    return NULL;
}

/* The answer when another cannot be given; needs nothing that could have been the reason. */
static void reply_plain_error(struct http_exchange *exchange, const char *why)
{
    static const struct text body = {.data = "{\"detail\":\"Internal Server Error\"}",
                                     .length =
                                         sizeof("{\"detail\":\"Internal Server Error\"}") - 1};
    struct MHD_Response *response =
        response_from_copy("application/json", body, NULL, must_close(exchange));

    log_error(exchange->server->options.log, LOG_EVENT("http.reply_failed"),
              LOG_STR("route", exchange->route), LOG_STR("reason", why));
    if (response == NULL) {
        give_up(exchange);
        return;
    }
    queue(exchange, MHD_HTTP_INTERNAL_SERVER_ERROR, response, body.length);
    MHD_destroy_response(response);
}

static void reply_copy(struct http_exchange *exchange, int status, const char *type,
                       struct text body, const struct http_headers *headers)
{
    struct MHD_Response *response = response_from_copy(type, body, headers, must_close(exchange));

    if (response == NULL) {
        reply_plain_error(exchange, "the headers do not fit, or no memory");
        return;
    }
    queue(exchange, status, response, body.length);
    MHD_destroy_response(response);
}

void http_reply(struct http_exchange *exchange, int status, const char *type, struct text body,
                const struct http_headers *headers)
{
    assert(exchange->phase == EXCHANGE_HANDLING);
    reply_copy(exchange, status, type, body, headers);
}

static const char *reason_phrase(int status)
{
    switch (status) {
    case MHD_HTTP_BAD_REQUEST:
        return "Bad Request";
    case MHD_HTTP_CONTENT_TOO_LARGE:
        return "Content Too Large";
    default:
        return "Internal Server Error";
    }
}

/* Headers and body of an error of the server's own. */
static struct text compose_error(struct http_exchange *exchange, int status,
                                 struct http_headers *headers, char *body, size_t body_size)
{
    const struct http_server_options *options = &exchange->server->options;
    int length = snprintf(body, body_size, "{\"detail\":\"%s\"}", reason_phrase(status));

    exchange->closing = true;
    http_headers_add(headers, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
    if (options->add_error_headers != NULL)
        options->add_error_headers(options->context, exchange, headers);
    return (struct text){.data = body, .length = (size_t)length};
}

void reply_error(struct http_exchange *exchange, int status)
{
    struct http_headers headers = {.count = 0};
    char body[64];
    struct text text = compose_error(exchange, status, &headers, body, sizeof(body));

    reply_copy(exchange, status, "application/json", text, &headers);
}

static void send_past_library(struct http_exchange *exchange, const char *bytes, size_t length)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(exchange->connection, MHD_CONNECTION_INFO_CONNECTION_FD);

    if (exchange->credentials != NULL)
        tls_send(exchange->connection, bytes, length);
    else if (info != NULL)
        (void)send(info->connect_fd, bytes, length, MSG_NOSIGNAL | MSG_DONTWAIT);
}

void reply_error_past_library(struct http_exchange *exchange, int status)
{
    struct http_headers headers = {.count = 0};
    char body[64];
    struct text text = compose_error(exchange, status, &headers, body, sizeof(body));
    struct strbuf answer CLEANUP(strbuf_finish);

    strbuf_init(&answer, 2 * sizeof(headers));
    strbuf_append_format(&answer, "HTTP/1.1 %d %s\r\n", status, reason_phrase(status));
    for (size_t i = 0; i < headers.count; i++)
        strbuf_append_format(&answer, "%s: %s\r\n", headers.list[i].name, headers.list[i].value);
    strbuf_append_format(&answer,
                         "Content-Type: application/json\r\nContent-Length: %zu\r\n"
                         "Connection: close\r\n\r\n",
                         text.length);
    strbuf_append(&answer, text.data, text.length);
    exchange->phase = EXCHANGE_ANSWERED;
    exchange->status = status;
    exchange->bytes = text.length;
    if (!strbuf_failed(&answer))
        send_past_library(exchange, answer.data, answer.length);
}

static void release_form(void *form)
{
    representation_release(form);
}

/* NULL when there is no descriptor for the file, or no memory. */
static struct MHD_Response *response_from_file(const struct representation *form)
{
    int file = body_file_share(form->file);
    struct MHD_Response *response =
        file < 0 ? NULL
                 : MHD_create_response_from_fd_at_offset64(form->length, file, PADDED_HEAD_BYTES);

    if (file >= 0 && response == NULL)
        (void)close(file);
    return response;
}

/* The bytes are borrowed, and the response holds their owner. */
static struct MHD_Response *response_from_memory(struct representation *form)
{
    struct MHD_Response *response = MHD_create_response_from_buffer_with_free_callback_cls(
        form->length, form->data, release_form, representation_hold(form));

    if (response == NULL)
        representation_release(form);
    return response;
}

/* TLS is made of the bytes, so the kernel cannot send them by itself. */
static bool sends_file(const struct http_server *server, const struct representation *form)
{
    return form->file >= 0 && server->tls == NULL;
}

static struct MHD_Response *response_from_form(const struct http_server *server,
                                               struct representation *form)
{
    struct MHD_Response *response = sends_file(server, form) ? response_from_file(form) : NULL;

    return response != NULL ? response : response_from_memory(form);
}

/* Kept out of the way of a hit: `headers` alone is 12 KB of stack, cleared at entry. */
static __attribute__((noinline)) struct MHD_Response *
build_content_response(const struct http_server *server, const struct http_content *content,
                       const struct prepared_key *key, struct representation *form,
                       void (*add_headers)(void *context, struct http_headers *headers),
                       void *context)
{
    struct http_headers headers = {.count = 0};
    struct MHD_Response *response;
    char date[RFC3339_TEXT_MAX];

    /* Else the library would work it out for every request that this answer is sent to. */
    http_date_format(time_wall_s(server->options.time), date);
    http_headers_add(&headers, MHD_HTTP_HEADER_DATE, date);
    http_headers_add(&headers, MHD_HTTP_HEADER_CONTENT_TYPE, content->type);
    http_headers_add(&headers, MHD_HTTP_HEADER_ETAG, form->etag);
    if (form->encoding != NULL)
        http_headers_add(&headers, MHD_HTTP_HEADER_CONTENT_ENCODING, form->encoding);
    if (add_headers != NULL)
        add_headers(context, &headers);
    if (key->padded)
        head_pad(&headers, form->length);
    response = response_from_form(server, form);
    if (response != NULL && !dress(response, &headers, key->closing)) {
        MHD_destroy_response(response);
        response = NULL;
    }
    return response;
}

/* Builds an answer, queues it, and leaves it to those who come with the same key. */
static void reply_newly_built(struct http_exchange *exchange, struct http_content *content,
                              const struct prepared_key *key, struct representation *form,
                              int status,
                              void (*add_headers)(void *context, struct http_headers *headers),
                              void *context)
{
    struct MHD_Response *response =
        build_content_response(exchange->server, content, key, form, add_headers, context);

    if (response == NULL) {
        reply_plain_error(exchange, "the headers do not fit, or no memory");
        return;
    }
    queue(exchange, status, response, form->length);
    if (key->tag == 0 || !prepared_keep(&content->prepared, key, response))
        MHD_destroy_response(response);
}

void http_reply_content(struct http_exchange *exchange, struct http_content *content,
                        uint64_t share_tag,
                        void (*add_headers)(void *context, struct http_headers *headers),
                        void *context)
{
    const struct request_head *head = &exchange->head;
    bool gzip = content->gzip != NULL && http_accepts_gzip(head->accept_encoding);
    struct representation *form = gzip ? content->gzip : content_identity(content);
    struct prepared_key key = {.tag = share_tag, .form = form, .closing = must_close(exchange)};
    bool is_file_sent;
    struct prepared *prepared = NULL;
    int status;

    assert(exchange->phase == EXCHANGE_HANDLING);
    if (form == NULL) {
        reply_plain_error(exchange, "no memory to unpack the content");
        return;
    }
    status =
        http_etag_matches(head->if_none_match, form->etag) ? MHD_HTTP_NOT_MODIFIED : MHD_HTTP_OK;
    is_file_sent = has_body(exchange, status) && sends_file(exchange->server, form);
    key.padded = is_file_sent && !key.closing;
    if (is_file_sent) {
        cork_socket(exchange->arrival.fd);
        exchange->corked = true;
    }
    if (share_tag != 0)
        prepared = prepared_find(&content->prepared, &key);
    if (prepared == NULL) {
        reply_newly_built(exchange, content, &key, form, status, add_headers, context);
        return;
    }
    queue(exchange, status, prepared->response, form->length);
    prepared_release(prepared);
}
