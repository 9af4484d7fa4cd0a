/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The peer for idle memory: the libraries that the service stands on, each started and used once,
 * and nothing else. Listens, and answers every request with "ok".
 *
 *     libraries_alone PORT
 */
#include <curl/curl.h>
#include <gnutls/gnutls.h>
#include <hiredis/hiredis.h>
#include <jansson.h>
#include <libdeflate.h>
#include <microhttpd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <uv.h>
#include <xxhash.h>

static enum MHD_Result answer(void *context, struct MHD_Connection *connection, const char *url,
                              const char *method, const char *version, const char *upload,
                              size_t *upload_size, void **request)
{
    (void)url, (void)method, (void)version, (void)upload, (void)upload_size, (void)request;
    return MHD_queue_response(connection, MHD_HTTP_OK, context);
}

/* A refused connection, as while there is no OpenCost. */
static void ask_in_vain(void)
{
    CURL *easy = curl_easy_init();
    if (easy == NULL)
        return;
    (void)curl_easy_setopt(easy, CURLOPT_URL, "http://127.0.0.1:1/");
    (void)curl_easy_perform(easy);
    curl_easy_cleanup(easy);
}

static void use_the_others(void)
{
    char *command = NULL;
    uv_loop_t loop;

    if (uv_loop_init(&loop) == 0)
        (void)uv_loop_close(&loop);
    json_decref(json_object());
    libdeflate_free_compressor(libdeflate_alloc_compressor(6));
    if (redisFormatCommand(&command, "PING") > 0)
        redisFreeCommand(command);
    /* Printed, so that no compiler leaves them out. */
    printf("%s %llu\n", gnutls_check_version(NULL), (unsigned long long)XXH3_64bits("ok", 2));
}

int main(int argc, char **argv)
{
    sigset_t stop;
    int received = 0;
    if (argc != 2) {
        (void)fprintf(stderr, "usage: %s PORT\n", argv[0]);
        return EXIT_FAILURE;
    }
    (void)sigemptyset(&stop);
    (void)sigaddset(&stop, SIGTERM);
    (void)pthread_sigmask(SIG_BLOCK, &stop, NULL);
    (void)curl_global_init(CURL_GLOBAL_DEFAULT);
    ask_in_vain();
    use_the_others();
    struct MHD_Response *response =
        MHD_create_response_from_buffer(2, (void *)"ok", MHD_RESPMEM_PERSISTENT);
    struct MHD_Daemon *daemon =
        MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD, (uint16_t)strtoul(argv[1], NULL, 10), NULL,
                         NULL, answer, response, MHD_OPTION_END);
    if (daemon == NULL)
        return EXIT_FAILURE;
    (void)sigwait(&stop, &received);
    MHD_stop_daemon(daemon);
    MHD_destroy_response(response);
    curl_global_cleanup();
    return EXIT_SUCCESS;
}
