/* SPDX-License-Identifier: Apache-2.0 */
#include "raw_client.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h needs those above */
#include <cmocka.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

bool raw_try_connect(struct raw_client *client, const char *address, uint16_t port)
{
    const struct timeval limit = {.tv_sec = 10};
    struct addrinfo hints = {.ai_flags = AI_NUMERICHOST, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found;
    char service[8];
    bool is_connected;

    snprintf(service, sizeof(service), "%u", port);
    assert_int_equal(getaddrinfo(address, service, &hints, &found), 0);
    *client = (struct raw_client){.fd = socket(found->ai_family, SOCK_STREAM, 0)};
    assert_true(client->fd >= 0);
    setsockopt(client->fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    setsockopt(client->fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
    is_connected = connect(client->fd, found->ai_addr, found->ai_addrlen) == 0;
    freeaddrinfo(found);
    if (!is_connected)
        raw_close(client);
    return is_connected;
}

void raw_connect(struct raw_client *client, uint16_t port)
{
    assert_true(raw_try_connect(client, "127.0.0.1", port));
}

void raw_connect_with_little_room(struct raw_client *client, uint16_t port)
{
    struct sockaddr_in server = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const struct timeval limit = {.tv_sec = 10};
    const int bytes = 4096;

    *client = (struct raw_client){.fd = socket(AF_INET, SOCK_STREAM, 0)};
    assert_true(client->fd >= 0);
    setsockopt(client->fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    assert_int_equal(setsockopt(client->fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes)), 0);
    assert_int_equal(connect(client->fd, (struct sockaddr *)&server, sizeof(server)), 0);
}

void raw_close(struct raw_client *client)
{
    close(client->fd);
    free(client->data);
    *client = (struct raw_client){.fd = -1};
}

void raw_reset(struct raw_client *client)
{
    const struct linger at_once = {.l_onoff = 1, .l_linger = 0};

    setsockopt(client->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
    raw_close(client);
}

void raw_send_as_far_as_taken(struct raw_client *client, const char *bytes, size_t length)
{
    while (length > 0) {
        ssize_t sent = send(client->fd, bytes, length, MSG_NOSIGNAL);

        if (sent < 0)
            return;
        bytes += sent;
        length -= (size_t)sent;
    }
}

void raw_send_bytes(struct raw_client *client, const void *bytes, size_t length)
{
    assert_int_equal(send(client->fd, bytes, length, MSG_NOSIGNAL), (ssize_t)length);
}

void raw_send(struct raw_client *client, const char *text)
{
    raw_send_bytes(client, text, strlen(text));
}

/* False at the end of the connection. A silent server fails the test. */
static bool receive_more(struct raw_client *client)
{
    enum { PIECE = 64 * 1024 };
    ssize_t received;

    if (client->capacity - client->length <= PIECE) {
        client->capacity = 2 * client->capacity + PIECE + 1;
        client->data = realloc(client->data, client->capacity);
        assert_non_null(client->data);
    }
    received = recv(client->fd, client->data + client->length, PIECE, 0);
    if (received < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
        fail_msg("no answer and no close within the deadline");
    if (received <= 0)
        return false;
    client->length += (size_t)received;
    client->data[client->length] = '\0';
    return true;
}

static void consume(struct raw_client *client, size_t length)
{
    client->length -= length;
    memmove(client->data, client->data + length, client->length + 1);
}

bool raw_header(const struct raw_response *response, const char *name, char value[256])
{
    size_t length = strlen(name);

    for (const char *line = strstr(response->head, "\r\n"); line != NULL;
         line = strstr(line, "\r\n")) {
        line += 2;
        if (strncasecmp(line, name, length) == 0 && line[length] == ':') {
            const char *from = line + length + 1 + strspn(line + length + 1, " ");

            snprintf(value, 256, "%.*s", (int)strcspn(from, "\r"), from);
            return true;
        }
    }
    value[0] = '\0';
    return false;
}

static size_t expected_body_length(const struct raw_response *response, bool to_head)
{
    char value[256];

    if (to_head || response->status == 204 || response->status == 304 || response->status < 200)
        return 0;
    if (!raw_header(response, "Content-Length", value))
        fail_msg("no Content-Length in: %s", response->head);
    return strtoul(value, NULL, 10);
}

bool raw_try_read(struct raw_client *client, bool to_head, struct raw_response *ret_response)
{
    char *end;

    while (client->length == 0 || (end = strstr(client->data, "\r\n\r\n")) == NULL) {
        if (!receive_more(client))
            return false;
    }
    ret_response->head = strndup(client->data, (size_t)(end + 2 - client->data));
    assert_non_null(ret_response->head);
    consume(client, strlen(ret_response->head) + 2);
    assert_memory_equal(ret_response->head, "HTTP/1.1 ", 9);
    ret_response->status = (int)strtol(ret_response->head + 9, NULL, 10);
    ret_response->body_length = expected_body_length(ret_response, to_head);
    while (client->length < ret_response->body_length) {
        if (!receive_more(client))
            fail_msg("the connection ended in the middle of a body");
    }
    ret_response->body = malloc(ret_response->body_length + 1);
    assert_non_null(ret_response->body);
    memcpy(ret_response->body, client->data, ret_response->body_length);
    ret_response->body[ret_response->body_length] = '\0';
    consume(client, ret_response->body_length);
    return true;
}

void raw_read(struct raw_client *client, struct raw_response *ret_response)
{
    assert_true(raw_try_read(client, false, ret_response));
}

void raw_read_to_head(struct raw_client *client, struct raw_response *ret_response)
{
    assert_true(raw_try_read(client, true, ret_response));
}

void raw_wait_for_bytes(struct raw_client *client)
{
    assert_true(client->length > 0 || receive_more(client));
}

void raw_response_free(struct raw_response *response)
{
    free(response->head);
    free(response->body);
    *response = (struct raw_response){.status = 0};
}

bool raw_is_closed(struct raw_client *client)
{
    return client->length == 0 && !receive_more(client);
}

void raw_expect_status(uint16_t port, const char *request, int status)
{
    struct raw_client client;
    struct raw_response response = {.status = 0};

    raw_connect(&client, port);
    raw_send(&client, request);
    raw_read(&client, &response);
    assert_int_equal(response.status, status);
    raw_response_free(&response);
    raw_close(&client);
}
