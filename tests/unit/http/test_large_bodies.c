/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bodies that the kernel sends from files: the same bytes as from memory, and descriptors come
 * back.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h needs those above */
#include <cmocka.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "raw_client.h"
#include "toy_server.h"

enum {
    FILE_BYTES = 64 * 1024, /* from here on a body goes into a file ... */
    LARGE_BYTES = 100001,
    MAX_FILE_BYTES = 128 * 1024, /* ... up to here */
    ANSWERS = 64,                /* together more than sockets hold */
    ENOUGH_DESCRIPTORS = 4096,
    PREPARED_SLOTS = 4,
    BUFFER_BYTES = 4096, /* of libmicrohttpd's, in an answer from a file */
    PADDED_HEAD_BYTES = 512,
    MAX_DESCRIPTOR = 16 * 1024, /* files have lower ones */
};

#define GET_CONTENT "GET /content?tag=1 HTTP/1.1\r\nHost: h\r\n\r\n"

/* Of so many bits in each byte that nobody can guess. */
static struct http_content *noise_of(unsigned bits, size_t length)
{
    char *bytes = malloc(length);
    struct http_content *content;
    uint32_t random = 1;

    assert_non_null(bytes);
    for (size_t i = 0; i < length; i++) {
        random = random * 1664525U + 1013904223U;
        bytes[i] = (char)(random >> (32 - bits));
    }
    content = http_content_create(bytes, length, "application/json");
    assert_non_null(content);
    return content;
}

static struct http_content *noise(size_t length)
{
    return noise_of(8, length);
}

static void allow_descriptors(rlim_t count)
{
    struct rlimit limit;

    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    limit.rlim_cur = count < limit.rlim_max ? count : limit.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

static int set_up(void **state)
{
    struct toy *toy = malloc(sizeof(*toy));

    assert_non_null(toy);
    allow_descriptors(ENOUGH_DESCRIPTORS);
    toy_setup(toy);
    http_content_release(toy->content);
    toy->content = noise(LARGE_BYTES);
    *state = toy;
    return 0;
}

static int tear_down(void **state)
{
    toy_stop(*state);
    free(*state);
    return 0;
}

static void expect_content(const struct toy *toy, struct raw_client *client)
{
    struct raw_response response;

    raw_read(client, &response);
    assert_int_equal(response.status, 200);
    assert_true(text_equals(http_content_bytes(toy->content),
                            (struct text){response.body, response.body_length}));
    raw_response_free(&response);
}

static void bodies_between_the_bounds_take_a_descriptor_and_give_it_back(void **state)
{
    unsigned before;
    struct http_content *below;
    struct http_content *at;
    struct http_content *at_most;
    struct http_content *above;

    (void)state;
    allow_descriptors(ENOUGH_DESCRIPTORS);
    before = toy_descriptors();
    below = noise(FILE_BYTES - 1);
    assert_int_equal(toy_descriptors(), before);
    at = noise(FILE_BYTES);
    assert_int_equal(toy_descriptors(), before + 1);
    assert_memory_equal(http_content_bytes(at).data, http_content_bytes(below).data,
                        FILE_BYTES - 1);
    above = noise(MAX_FILE_BYTES + 1);
    assert_int_equal(toy_descriptors(), before + 1);
    at_most = noise(MAX_FILE_BYTES);
    assert_int_equal(toy_descriptors(), before + 2);
    assert_true(http_content_memory(at) >
                http_content_memory(below) + PREPARED_SLOTS * BUFFER_BYTES);
    http_content_release(below);
    http_content_release(at);
    http_content_release(at_most);
    http_content_release(above);
    assert_int_equal(toy_descriptors(), before);
}

static void the_compressed_form_has_bounds_of_its_own(void **state)
{
    unsigned before;
    struct http_content *content;

    (void)state;
    allow_descriptors(ENOUGH_DESCRIPTORS);
    before = toy_descriptors();
    content = noise_of(4, 2 * LARGE_BYTES); /* half as large when compressed */
    assert_in_range(http_content_gzip(content).length, FILE_BYTES, MAX_FILE_BYTES);
    assert_int_equal(toy_descriptors(), before + 1);
    http_content_release(content);
    assert_int_equal(toy_descriptors(), before);
}

/* A mapping that stayed, or a page of it, would keep the file's memory. */
static void a_file_goes_with_its_content(void **state)
{
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    struct http_content *content;
    uintptr_t mapped;
    unsigned char are_resident[MAX_FILE_BYTES / 4096 + 1];

    (void)state;
    allow_descriptors(ENOUGH_DESCRIPTORS);
    content = noise(MAX_FILE_BYTES);
    mapped = (uintptr_t)http_content_bytes(content).data;
    mapped -= mapped % page;
    assert_int_equal(mincore((void *)mapped, MAX_FILE_BYTES + page, are_resident), 0);
    http_content_release(content);
    for (uintptr_t place = mapped; place <= mapped + MAX_FILE_BYTES; place += page) {
        assert_int_equal(mincore((void *)place, 1, are_resident), -1);
        assert_int_equal(errno, ENOMEM);
    }
}

static void they_arrive_whole_one_after_another(void **state)
{
    struct toy *toy = *state;
    struct raw_client client;
    struct raw_response response;

    raw_connect(&client, toy->port);
    for (int i = 0; i < 8; i++)
        raw_send(&client, GET_CONTENT);
    raw_send(&client, "GET /hello HTTP/1.1\r\nHost: h\r\n\r\n");
    for (int i = 0; i < 8; i++)
        expect_content(toy, &client);
    raw_read(&client, &response);
    assert_string_equal(response.body, "hello");
    raw_response_free(&response);
    raw_close(&client);
}

static size_t length_of_head(const struct toy *toy, const char *request)
{
    struct raw_client client;
    struct raw_response response;
    size_t length;

    raw_connect(&client, toy->port);
    raw_send(&client, request);
    raw_read(&client, &response);
    length = strlen(response.head) + strlen("\r\n");
    raw_response_free(&response);
    raw_close(&client);
    return length;
}

/* Whatever is in them; and the file begins as far before its bytes. */
static void their_heads_are_as_long_as_their_files_begin_early(void **state)
{
    struct toy *toy = *state;
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);

    assert_int_equal((uintptr_t)http_content_bytes(toy->content).data % page, PADDED_HEAD_BYTES);
    atomic_store(&toy->headers_built, 8); /* and then 9, 10, 11 in a header */
    for (int i = 0; i < 3; i++)
        assert_int_equal(length_of_head(toy, "GET /content HTTP/1.1\r\nHost: h\r\n\r\n"),
                         PADDED_HEAD_BYTES);
    http_content_release(toy->content);
    toy->content = noise(FILE_BYTES - 1);
    assert_true(length_of_head(toy, "GET /content HTTP/1.1\r\nHost: h\r\n\r\n") <
                PADDED_HEAD_BYTES);
}

static void without_a_body_nothing_but_headers_is_sent(void **state)
{
    struct toy *toy = *state;
    struct raw_client client;
    struct raw_response response;

    raw_connect(&client, toy->port);
    raw_send(&client, "HEAD /content?tag=1 HTTP/1.1\r\nHost: h\r\n\r\n");
    raw_read_to_head(&client, &response);
    assert_int_equal(response.status, 200);
    assert_non_null(strstr(response.head, "Content-Length: 100001\r\n"));
    raw_response_free(&response);
    raw_send(&client, "GET /content?tag=1 HTTP/1.1\r\nHost: h\r\nIf-None-Match: *\r\n\r\n");
    raw_read(&client, &response);
    assert_int_equal(response.status, 304);
    raw_response_free(&response);
    raw_send(&client, GET_CONTENT);
    expect_content(toy, &client);
    raw_close(&client);
}

/* The server's end of the connection: it is in the same process. */
static int peer_of(const struct raw_client *client)
{
    struct sockaddr_in ours;
    struct sockaddr_in peer;
    socklen_t length = sizeof(ours);

    assert_int_equal(getsockname(client->fd, (struct sockaddr *)&ours, &length), 0);
    for (int fd = 0; fd < ENOUGH_DESCRIPTORS; fd++) {
        length = sizeof(peer);
        if (getpeername(fd, (struct sockaddr *)&peer, &length) == 0 && peer.sin_family == AF_INET &&
            peer.sin_port == ours.sin_port)
            return fd;
    }
    fail();
    return -1;
}

static void what_follows_is_not_held_back(void **state)
{
    struct toy *toy = *state;
    struct raw_client client;
    int corked = -1;
    socklen_t length = sizeof(corked);

    raw_connect(&client, toy->port);
    raw_send(&client, GET_CONTENT);
    expect_content(toy, &client);
    toy_wait_in_flight(toy, 0);
    assert_int_equal(getsockopt(peer_of(&client), IPPROTO_TCP, TCP_CORK, &corked, &length), 0);
    assert_int_equal(corked, 0);
    raw_close(&client);
}

static atomic_int watched = -1; /* the server's end of a connection */
static atomic_int was_corked;

static void look_at_cork(void *context, struct http_headers *headers)
{
    int corked = -1;
    socklen_t length = sizeof(corked);

    (void)context;
    (void)headers;
    (void)getsockopt(atomic_load(&watched), IPPROTO_TCP, TCP_CORK, &corked, &length);
    atomic_store(&was_corked, corked);
}

static void reply_watched(void *context, struct http_exchange *exchange)
{
    struct toy *toy = context;

    http_reply_content(exchange, toy->content, 0, look_at_cork, NULL);
}

static void headers_are_held_back_for_a_body_from_a_file_only(void **state)
{
    struct toy toy;
    struct http_server_options options = toy_options(&toy);
    struct raw_client client;
    struct raw_response response;

    (void)state;
    allow_descriptors(ENOUGH_DESCRIPTORS);
    toy_init(&toy, "x", 1);
    options.handle = reply_watched;
    toy_start(&toy, &options);
    raw_connect(&client, toy.port);
    raw_send(&client, GET_CONTENT);
    expect_content(&toy, &client);
    atomic_store(&watched, peer_of(&client));

    raw_send(&client, GET_CONTENT);
    expect_content(&toy, &client);
    assert_int_equal(atomic_load(&was_corked), 0);

    toy_wait_in_flight(&toy, 0);
    http_content_release(toy.content);
    toy.content = noise(LARGE_BYTES);
    raw_send(&client, GET_CONTENT);
    expect_content(&toy, &client);
    assert_int_equal(atomic_load(&was_corked), 1);

    raw_send(&client, "GET /content HTTP/1.1\r\nHost: h\r\nIf-None-Match: *\r\n\r\n");
    raw_read(&client, &response);
    assert_int_equal(response.status, 304);
    assert_int_equal(atomic_load(&was_corked), 0);
    raw_response_free(&response);
    atomic_store(&was_corked, -1);
    raw_send(&client, "HEAD /content HTTP/1.1\r\nHost: h\r\n\r\n");
    raw_read_to_head(&client, &response);
    assert_int_equal(atomic_load(&was_corked), 0);
    raw_response_free(&response);
    raw_close(&client);
    toy_stop(&toy);
}

/* Leaves an answer half sent. */
static void ask_for_more_than_fits(struct raw_client *client)
{
    for (int i = 0; i < ANSWERS; i++)
        raw_send(client, GET_CONTENT);
    raw_wait_for_bytes(client);
}

static void clients_that_leave_halfway_leave_nothing_behind(void **state)
{
    struct toy *toy = *state;
    unsigned before;

    raw_expect_status(toy->port, GET_CONTENT, 200); /* from now on this answer is there */
    toy_wait_in_flight(toy, 0);
    before = toy_descriptors() + 1; /* that connection may still be closing */
    for (int i = 0; i < 20; i++) {
        struct raw_client client;

        raw_connect(&client, toy->port);
        ask_for_more_than_fits(&client);
        raw_reset(&client);
    }
    toy_wait_in_flight(toy, 0);
    while (toy_descriptors() > before)
        sched_yield();
    raw_expect_status(toy->port, GET_CONTENT, 200);
}

/* The kernel still sends what is in a file that nobody has open any more. */
static void an_answer_on_its_way_outlives_its_content(void **state)
{
    struct toy *toy = *state;
    struct raw_client client;

    raw_connect_with_little_room(&client, toy->port);
    raw_send(&client, GET_CONTENT);
    raw_wait_for_bytes(&client);
    toy_wait_in_flight(toy, 0);
    http_content_release(toy->content);
    toy->content = noise(LARGE_BYTES);
    expect_content(toy, &client);
    raw_close(&client);
}

static void where_descriptors_are_short_bodies_stay_in_memory(void **state)
{
    struct toy *toy = *state;
    struct raw_client client;
    unsigned before;

    /* A file is there, but its answers can have none. */
    before = toy_descriptors();
    allow_descriptors(before + 16);
    raw_connect(&client, toy->port);
    raw_send(&client, GET_CONTENT);
    expect_content(toy, &client);
    assert_int_equal(toy_descriptors(), before + 2); /* both ends of the connection */

    http_content_release(toy->content);
    toy->content = noise(LARGE_BYTES);
    raw_send(&client, GET_CONTENT);
    expect_content(toy, &client);
    raw_close(&client);
}

static rlim_t descriptors_said_to_be_allowed; /* 0: the truth is said */

/* The linker puts it before the C library's (see CMakeLists.txt). */
int __real_getrlimit(__rlimit_resource_t resource, struct rlimit *limit);
int __wrap_getrlimit(__rlimit_resource_t resource, struct rlimit *limit);

int __wrap_getrlimit(__rlimit_resource_t resource, struct rlimit *limit)
{
    int status = __real_getrlimit(resource, limit);

    if (resource == RLIMIT_NOFILE && descriptors_said_to_be_allowed != 0)
        limit->rlim_cur = descriptors_said_to_be_allowed;
    return status;
}

/* Each is a mapping as well, of which a process may have some 65,000. */
static void where_descriptors_are_plenty_there_are_not_more_files_for_it(void **state)
{
    static int taken[MAX_DESCRIPTOR];
    struct rlimit limit;
    struct http_content *content;
    int count = 0;
    unsigned before;

    (void)state;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    if (limit.rlim_max < MAX_DESCRIPTOR + 8)
        skip();
    allow_descriptors(MAX_DESCRIPTOR + 8);
    descriptors_said_to_be_allowed = (rlim_t)1 << 20;
    do {
        taken[count] = dup(STDIN_FILENO);
        assert_true(taken[count] >= 0);
    } while (taken[count++] < MAX_DESCRIPTOR - 2);

    before = toy_descriptors();
    content = noise(LARGE_BYTES); /* the last number */
    assert_int_equal(toy_descriptors(), before + 1);
    http_content_release(content);
    taken[count++] = dup(STDIN_FILENO); /* takes it */
    content = noise(LARGE_BYTES);
    assert_int_equal(toy_descriptors(), before + 1);
    http_content_release(content);
    while (count > 0)
        (void)close(taken[--count]);
    descriptors_said_to_be_allowed = 0;
}

/* A write that comes to an end halfway, as where memory is short. */
static void what_does_not_fit_into_a_file_stays_in_memory(void **state)
{
    struct http_content *plain = noise(FILE_BYTES - 1);
    struct http_content *content;
    struct rlimit limit;
    struct rlimit less;
    unsigned before;

    (void)state;
    allow_descriptors(ENOUGH_DESCRIPTORS);
    before = toy_descriptors();
    (void)signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    less = (struct rlimit){.rlim_cur = FILE_BYTES, .rlim_max = limit.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &less), 0);
    content = noise(LARGE_BYTES);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    assert_int_equal(toy_descriptors(), before);
    assert_int_equal(http_content_bytes(content).length, LARGE_BYTES);
    assert_memory_equal(http_content_bytes(content).data, http_content_bytes(plain).data,
                        FILE_BYTES - 1);
    http_content_release(content);
    http_content_release(plain);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bodies_between_the_bounds_take_a_descriptor_and_give_it_back),
        cmocka_unit_test(the_compressed_form_has_bounds_of_its_own),
        cmocka_unit_test(a_file_goes_with_its_content),
        cmocka_unit_test_setup_teardown(they_arrive_whole_one_after_another, set_up, tear_down),
        cmocka_unit_test_setup_teardown(their_heads_are_as_long_as_their_files_begin_early, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(without_a_body_nothing_but_headers_is_sent, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(what_follows_is_not_held_back, set_up, tear_down),
        cmocka_unit_test(headers_are_held_back_for_a_body_from_a_file_only),
        cmocka_unit_test(what_does_not_fit_into_a_file_stays_in_memory),
        cmocka_unit_test(where_descriptors_are_plenty_there_are_not_more_files_for_it),
        cmocka_unit_test_setup_teardown(clients_that_leave_halfway_leave_nothing_behind, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(an_answer_on_its_way_outlives_its_content, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(where_descriptors_are_short_bodies_stay_in_memory, set_up,
                                        tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
