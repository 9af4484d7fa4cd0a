/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A server that stops while its threads are awake: both they and the caller take the listening
 * socket out of the threads' epoll sets (mhd_epoll.h tells why that matters).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "mhd_epoll.h"
#include "raw_client.h"
#include "toy_server.h"

enum { ROUNDS = 150, POOL = 4, KNOCKERS = 2 };

/* Keeps the pool's threads awake with connections of its own, until none is taken any more. */
struct knocker {
    pthread_t thread;
    uint16_t port;
    atomic_uint *taken;
};

static void *knock(void *context)
{
    const struct knocker *knocker = context;
    struct raw_client client;

    while (raw_try_connect(&client, "127.0.0.1", knocker->port)) {
        atomic_fetch_add(knocker->taken, 1);
        raw_close(&client);
    }
    return NULL;
}

static void quiesce_under_connections(void)
{
    struct toy toy;
    struct http_server_options options;
    struct knocker knockers[KNOCKERS];
    atomic_uint taken = 0;

    toy_init(&toy, "", 0);
    options = toy_options(&toy);
    options.threads = POOL;
    toy_start(&toy, &options);
    for (int i = 0; i < KNOCKERS; i++) {
        knockers[i] = (struct knocker){.port = toy.port, .taken = &taken};
        assert_int_equal(pthread_create(&knockers[i].thread, NULL, knock, &knockers[i]), 0);
    }
    while (atomic_load(&taken) < KNOCKERS)
        (void)sched_yield();
    http_server_quiesce(toy.server);
    for (int i = 0; i < KNOCKERS; i++)
        pthread_join(knockers[i].thread, NULL);
    toy_stop(&toy);
}

static void server_may_be_quiesced_while_its_threads_are_awake(void **state)
{
    (void)state;
    for (int i = 0; i < ROUNDS; i++)
        quiesce_under_connections();
}

static void removing_what_is_not_in_the_set_is_no_error(void **state)
{
    struct epoll_event event = {.events = EPOLLIN};
    int epoll_fd = epoll_create1(0);
    int fd = eventfd(0, 0);

    (void)state;
    mhd_epoll_install();
    assert_int_equal(epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event), 0);
    assert_int_equal(epoll_ctl(epoll_fd, EPOLL_CTL_DEL, fd, NULL), 0);
    errno = EINTR;
    assert_int_equal(epoll_ctl(epoll_fd, EPOLL_CTL_DEL, fd, NULL), 0);
    assert_int_equal(errno, EINTR);
    close(fd);
    close(epoll_fd);
}

static void every_other_error_is_told(void **state)
{
    struct epoll_event event = {.events = EPOLLIN};
    int epoll_fd = epoll_create1(0);
    int fd = eventfd(0, 0);

    (void)state;
    assert_int_equal(epoll_ctl(epoll_fd, EPOLL_CTL_MOD, fd, &event), -1);
    assert_int_equal(errno, ENOENT);
    assert_int_equal(epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event), 0);
    assert_int_equal(epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event), -1);
    assert_int_equal(errno, EEXIST);
    assert_int_equal(epoll_ctl(epoll_fd, EPOLL_CTL_DEL, -1, NULL), -1);
    assert_int_equal(errno, EBADF);
    close(fd);
    close(epoll_fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(server_may_be_quiesced_while_its_threads_are_awake),
        cmocka_unit_test(removing_what_is_not_in_the_set_is_no_error),
        cmocka_unit_test(every_other_error_is_told),
    };
    return cmocka_run_group_tests_name("libmicrohttpd's use of epoll", tests, NULL, NULL);
}
