/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The peer for hits: libmicrohttpd and nothing else, sending the bytes of a file for every request.
 *
 *     bare_server PORT FILE CONNECTION_MEMORY [HEADER VALUE]...
 *
 * The mode is the one that was found to be fastest: epoll in one internal thread, turbo, one
 * persistent response for all connections, queued on the handler's second call (in the first,
 * 0.9.75 would close the connection).
 */
#include <microhttpd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int first_call_seen;

static enum MHD_Result answer(void *context, struct MHD_Connection *connection, const char *url,
                              const char *method, const char *version, const char *upload,
                              size_t *upload_size, void **request)
{
    (void)url, (void)method, (void)version, (void)upload, (void)upload_size;
    if (*request == NULL) {
        *request = &first_call_seen;
        return MHD_YES;
    }
    *request = NULL;
    return MHD_queue_response(connection, MHD_HTTP_OK, context);
}

static char *read_file(const char *path, size_t *ret_length)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL || fseek(file, 0, SEEK_END) != 0)
        return NULL;
    long length = ftell(file);
    char *bytes = length < 0 ? NULL : malloc((size_t)length + 1);
    rewind(file);
    if (bytes == NULL || fread(bytes, 1, (size_t)length, file) != (size_t)length)
        return NULL;
    (void)fclose(file);
    *ret_length = (size_t)length;
    return bytes;
}

int main(int argc, char **argv)
{
    size_t length = 0;
    sigset_t stop;
    int received = 0;
    char *bytes = argc < 4 ? NULL : read_file(argv[2], &length);
    if (bytes == NULL) {
        (void)fprintf(stderr, "usage: %s PORT FILE CONNECTION_MEMORY [HEADER VALUE]...\n", argv[0]);
        return EXIT_FAILURE;
    }
    (void)sigemptyset(&stop);
    (void)sigaddset(&stop, SIGTERM);
    (void)pthread_sigmask(SIG_BLOCK, &stop, NULL);
    struct MHD_Response *response =
        MHD_create_response_from_buffer(length, bytes, MHD_RESPMEM_PERSISTENT);
    for (int i = 4; i + 1 < argc; i += 2)
        (void)MHD_add_response_header(response, argv[i], argv[i + 1]);
    struct MHD_Daemon *daemon = MHD_start_daemon(
        MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_TURBO, (uint16_t)strtoul(argv[1], NULL, 10), NULL,
        NULL, answer, response, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        (size_t)strtoul(argv[3], NULL, 10), MHD_OPTION_END);
    if (daemon == NULL)
        return EXIT_FAILURE;
    (void)sigwait(&stop, &received);
    MHD_stop_daemon(daemon);
    MHD_destroy_response(response);
    free(bytes);
    return EXIT_SUCCESS;
}
