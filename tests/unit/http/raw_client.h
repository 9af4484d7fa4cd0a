/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An HTTP client that sends exactly the bytes it is given, for tests.
 *
 * Everything has a deadline of ten seconds; what does not come in time fails the test.
 */
#ifndef TESTS_HTTP_RAW_CLIENT_H
#define TESTS_HTTP_RAW_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct raw_client {
    int fd;
    char *data; /* received and not read yet */
    size_t length;
    size_t capacity;
};

struct raw_response {
    int status;
    char *head; /* status line and headers, NUL-terminated; new */
    char *body; /* NUL-terminated besides; new */
    size_t body_length;
};

/* True when the server takes the connection. */
bool raw_try_connect(struct raw_client *client, const char *address, uint16_t port);
void raw_connect(struct raw_client *client, uint16_t port);
/* With a window so small that it moves with every few bytes taken. */
void raw_connect_with_little_room(struct raw_client *client, uint16_t port);
void raw_close(struct raw_client *client);

/* Closes with a reset, as a crashing client does. */
void raw_reset(struct raw_client *client);

void raw_send_bytes(struct raw_client *client, const void *bytes, size_t length);
void raw_send(struct raw_client *client, const char *text);

/* Like raw_send(), but a server that stops reading is no failure. */
void raw_send_as_far_as_taken(struct raw_client *client, const char *bytes, size_t length);

/* Reads one whole response. False when the connection ended before one came. */
bool raw_try_read(struct raw_client *client, bool to_head, struct raw_response *ret_response);
void raw_read(struct raw_client *client, struct raw_response *ret_response);
void raw_read_to_head(struct raw_client *client, struct raw_response *ret_response);
/* Returns once anything has arrived. */
void raw_wait_for_bytes(struct raw_client *client);
void raw_response_free(struct raw_response *response);

/* The first header of that name, copied into `value`; false when there is none. */
bool raw_header(const struct raw_response *response, const char *name, char value[256]);

/* True when the server closes the connection without sending anything more. */
bool raw_is_closed(struct raw_client *client);

/* Connects, sends, reads one response, checks its status and closes. */
void raw_expect_status(uint16_t port, const char *request, int status);

#endif
