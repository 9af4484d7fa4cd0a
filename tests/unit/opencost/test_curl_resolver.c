/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names that do not resolve, and name servers that do not answer. getaddrinfo() is ours here:
 * libcurl, which calls it on threads of its own, finds this one first.
 */
#include <dirent.h>
#include <netdb.h>
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "curl_world.h"

static sem_t asked, answer;

/* Parameters are named as in netdb.h, which declares both. */
int getaddrinfo(const char *name, const char *service, const struct addrinfo *req,
                struct addrinfo **pai)
{
    (void)service, (void)req;
    *pai = NULL;
    if (strcmp(name, "hanging.test") == 0) {
        sem_post(&asked);
        sem_wait(&answer);
    }
    return EAI_NONAME;
}

void freeaddrinfo(struct addrinfo *ai)
{
    assert_null(ai);
}

static void a_name_that_does_not_resolve_is_a_connection_fault(void **state)
{
    (void)state;
    struct curl_world *world = curl_world_create(NULL, NULL);
    struct exchange exchange = {0};
    exchange_run(world, &exchange, "http://nowhere.test/");
    assert_int_equal(exchange.outcome.error.code, ERR_UPSTREAM_CONNECT);
    exchange_finish(&exchange);
    curl_world_destroy(world);
}

static int count_threads(void)
{
    int threads = 0;
    DIR *tasks = opendir("/proc/self/task");
    assert_non_null(tasks);
    while (readdir(tasks) != NULL)
        threads++;
    closedir(tasks);
    return threads;
}

/* libcurl's threads end by themselves, a moment after their look-up; the leak checkers shall not
 * find them still there. */
static void wait_for_threads(int count)
{
    while (count_threads() > count)
        usleep(1000);
}

static void a_look_up_that_hangs_is_given_up_and_holds_up_neither_the_loop_nor_the_end(void **state)
{
    (void)state;
    int threads = count_threads();
    sem_init(&asked, 0, 0);
    sem_init(&answer, 0, 0);
    struct curl_world *world = curl_world_create(NULL, NULL);
    struct exchange given_up = {.timeout_ms = 100};
    struct exchange under_way = {0};
    exchange_run(world, &given_up, "http://hanging.test/");
    assert_int_equal(given_up.outcome.error.code, ERR_UPSTREAM_TIMEOUT);

    exchange_start(world, &under_way, "http://hanging.test/");
    sem_wait(&asked);
    sem_wait(&asked);
    worker_stop(world->worker, NULL, NULL);
    loop_timer_destroy(worker_scheduler(world->worker), under_way.timer);
    curl_world_destroy(world); /* returns although nobody has answered yet */

    sem_post(&answer);
    sem_post(&answer);
    wait_for_threads(threads);
    exchange_finish(&given_up);
    exchange_finish(&under_way);
    sem_destroy(&asked);
    sem_destroy(&answer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_name_that_does_not_resolve_is_a_connection_fault),
        cmocka_unit_test(
            a_look_up_that_hangs_is_given_up_and_holds_up_neither_the_loop_nor_the_end),
    };
    return cmocka_run_group_tests(tests, curl_world_set_up, curl_world_tear_down);
}
