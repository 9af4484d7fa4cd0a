/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The look-alike's HTTP side: one libmicrohttpd thread that answers from demo_answer.h.
 *
 * Stopping drops answers that are being sent. That is harmless here: the service, their only
 * reader, has stopped before.
 */
#include "demo/demo.h"

#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "demo_answer.h"

enum { IDLE_TIMEOUT_S = 120, URL_MAX = 32 };

static const char text_type[] = "text/plain; charset=utf-8";

struct demo_opencost {
    const struct time_source *time;
    struct MHD_Daemon *daemon;
    char url[URL_MAX];
};

struct route {
    const char *path;
    enum MHD_Result (*answer)(const struct demo_opencost *demo, struct MHD_Connection *connection);
};

/* Takes `body` over, also on failure. A NULL type sends no Content-Type. */
static enum MHD_Result send_body(struct MHD_Connection *connection, unsigned status,
                                 const char *content_type, char *body, size_t length)
{
    struct MHD_Response *response =
        MHD_create_response_from_buffer(length, body, MHD_RESPMEM_MUST_FREE);
    if (response == NULL) {
        free(body);
        return MHD_NO;
    }
    enum MHD_Result result = MHD_YES;
    if (content_type != NULL)
        result = MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, content_type);
    if (result == MHD_YES && status == MHD_HTTP_METHOD_NOT_ALLOWED)
        result = MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET");
    if (result == MHD_YES)
        result = MHD_queue_response(connection, status, response);
    MHD_destroy_response(response);
    return result;
}

static enum MHD_Result send_text(struct MHD_Connection *connection, unsigned status,
                                 const char *content_type, const char *text)
{
    char *body = strdup(text);
    if (body == NULL)
        return MHD_NO;
    return send_body(connection, status, content_type, body, strlen(body));
}

static enum MHD_Result answer_healthz(const struct demo_opencost *demo,
                                      struct MHD_Connection *connection)
{
    (void)demo;
    return send_text(connection, MHD_HTTP_OK, NULL, "");
}

/* Of repeated parameters the first counts, for OpenCost and for libmicrohttpd. */
static const char *parameter(struct MHD_Connection *connection, const char *name)
{
    return MHD_lookup_connection_value(connection, MHD_GET_ARGUMENT_KIND, name);
}

static enum MHD_Result answer_allocation(const struct demo_opencost *demo,
                                         struct MHD_Connection *connection)
{
    const struct demo_query query = {
        .window = parameter(connection, "window"),
        .aggregate = parameter(connection, "aggregate"),
        .accumulate = parameter(connection, "accumulate"),
        .include_idle = parameter(connection, "includeIdle"),
    };
    struct demo_answer answer;
    if (!demo_answer_allocation(&query, time_wall_s(demo->time), &answer, NULL))
        return MHD_NO; /* out of memory: the connection closes */
    return send_body(connection, answer.status, answer.content_type, answer.body, answer.length);
}

static const struct route routes[] = {
    {"/healthz", answer_healthz},
    {"/allocation", answer_allocation},
    {"/allocation/compute", answer_allocation},
};

/* libmicrohttpd calls once with the headers, once for each piece of a body, and once at the end. */
static enum MHD_Result on_request(void *context, struct MHD_Connection *connection,
                                  const char *path, const char *method, const char *version,
                                  const char *upload, size_t *upload_size, void **request)
{
    const struct demo_opencost *demo = context;
    (void)version;
    (void)upload;
    if (*request == NULL) {
        /* An answer given now would close the connection; remember that we have been here. */
        *request = context;
        return MHD_YES;
    }
    if (*upload_size > 0) {
        *upload_size = 0;
        return MHD_YES;
    }
    for (size_t i = 0; i < ARRAY_LENGTH(routes); i++) {
        if (strcmp(path, routes[i].path) != 0)
            continue;
        if (strcmp(method, MHD_HTTP_METHOD_GET) != 0)
            return send_text(connection, MHD_HTTP_METHOD_NOT_ALLOWED, text_type,
                             "Method Not Allowed\n");
        return routes[i].answer(demo, connection);
    }
    return send_text(connection, MHD_HTTP_NOT_FOUND, text_type, "404 page not found\n");
}

static bool start_daemon(struct demo_opencost *demo, struct error *reterr)
{
    const struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_port = 0, /* any free one */
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    demo->daemon =
        MHD_start_daemon(MHD_USE_AUTO_INTERNAL_THREAD, 0, NULL, NULL, on_request, demo,
                         MHD_OPTION_SOCK_ADDR, (const struct sockaddr *)&address,
                         MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_TIMEOUT_S, MHD_OPTION_END);
    if (demo->daemon == NULL) {
        char reason[128];
        return error_set(reterr, ERR_IO, "cannot start the demo OpenCost on 127.0.0.1: %s",
                         strerror_r(errno, reason, sizeof(reason)));
    }
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(demo->daemon, MHD_DAEMON_INFO_BIND_PORT);
    if (info == NULL || info->port == 0)
        return error_set(reterr, ERR_IO, "cannot tell the port of the demo OpenCost");
    snprintf(demo->url, sizeof(demo->url), "http://127.0.0.1:%u", (unsigned)info->port);
    return true;
}

struct demo_opencost *demo_opencost_start(const struct time_source *time, struct error *reterr)
{
    struct demo_opencost *demo = calloc(1, sizeof(*demo));
    if (demo == NULL) {
        error_no_memory(reterr);
        return NULL;
    }
    demo->time = time;
    if (!start_daemon(demo, reterr)) {
        demo_opencost_stop(demo);
        return NULL;
    }
    return demo;
}

const char *demo_opencost_url(const struct demo_opencost *demo)
{
    return demo->url;
}

void demo_opencost_stop(struct demo_opencost *demo)
{
    if (demo == NULL)
        return;
    if (demo->daemon != NULL)
        MHD_stop_daemon(demo->daemon);
    free(demo);
}
