/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Starts and stops libmicrohttpd and passes its calls on to the exchange they are about.
 *
 * The exchange is the connection's context: made when a connection opens, freed when it closes.
 */
#include "http/server.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "exchange_state.h"
#include "mhd_epoll.h"
#include "mhd_gnutls.h"
#include "server_state.h"

/* When no descriptor is left to accept a connection with, libmicrohttpd waits for one of its
 * thread's connections to close. A thread without any tries again and again, as fast as it can, and
 * complains each time: then there is nobody to keep waiting by a pause. */
static void pause_busy_waiting(const char *complaint)
{
    const struct timespec pause = {.tv_nsec = 50000000};

    if (strstr(complaint, "resource limit at FIRST connection") != NULL)
        (void)nanosleep(&pause, NULL);
}

/* At most one line a second: clients can make libmicrohttpd complain as often as they like. */
static void log_complaint(void *context, const char *format, va_list arguments)
    __attribute__((format(printf, 2, 0)));

static void log_complaint(void *context, const char *format, va_list arguments)
{
    struct http_server *server = context;
    const struct http_server_options *options = &server->options;
    int_fast64_t now_s = time_monotonic_ms(options->time) / 1000 + 1;
    int_fast64_t last_s = atomic_load_explicit(&server->complained_s, memory_order_relaxed);
    char text[256];
    int length;

    pause_busy_waiting(format);
    if (now_s == last_s || !atomic_compare_exchange_strong(&server->complained_s, &last_s, now_s)) {
        atomic_fetch_add_explicit(&server->complaints_hidden, 1, memory_order_relaxed);
        return;
    }
    length = vsnprintf(text, sizeof(text), format, arguments);
    if (length < 0)
        return;
    text[strcspn(text, "\n")] = '\0';
    log_warning(options->log, LOG_EVENT("http.library"), LOG_STR("message", text),
                LOG_INT("hidden", atomic_exchange(&server->complaints_hidden, 0)));
}

static struct http_exchange *exchange_of(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

    return info == NULL ? NULL : info->socket_context;
}

static void on_connection(void *context, struct MHD_Connection *connection, void **socket_context,
                          enum MHD_ConnectionNotificationCode event)
{
    if (event == MHD_CONNECTION_NOTIFY_STARTED) {
        *socket_context = exchange_create(context, connection);
    } else {
        exchange_destroy(*socket_context);
        *socket_context = NULL;
    }
}

/* The result becomes the request's context in the calls below. */
static void *on_target(void *context, const char *target, struct MHD_Connection *connection)
{
    struct http_exchange *exchange = exchange_of(connection);

    (void)context;
    if (exchange != NULL)
        exchange_name(exchange, (char *)target);
    return exchange;
}

/* We decode ourselves, with lengths. */
static size_t leave_escaped(void *context, struct MHD_Connection *connection, char *text)
{
    (void)context;
    (void)connection;
    return strlen(text);
}

static enum MHD_Result on_request(void *context, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *body,
                                  size_t *body_bytes, void **request_context)
{
    struct http_exchange *exchange = *request_context;

    (void)context;
    (void)connection;
    (void)url;
    (void)body;
    if (exchange == NULL) /* no memory when the connection was opened */
        return MHD_NO;
    if (exchange->phase == EXCHANGE_NAMED)
        return exchange_begin(exchange, method, version);
    if (*body_bytes != 0) {
        size_t bytes = *body_bytes;

        *body_bytes = 0;
        return exchange_drop_body(exchange, bytes);
    }
    return exchange_proceed(exchange);
}

static void on_completed(void *context, struct MHD_Connection *connection, void **request_context,
                         enum MHD_RequestTerminationCode reason)
{
    struct http_exchange *exchange = *request_context;

    (void)context;
    (void)connection;
    *request_context = NULL;
    if (exchange != NULL)
        exchange_end(exchange, reason == MHD_REQUEST_TERMINATED_COMPLETED_OK);
}

void server_exchange_begun(struct http_server *server)
{
    atomic_fetch_add_explicit(&server->in_flight, 1, memory_order_relaxed);
}

/* Sequentially consistent on purpose: either this sees that somebody waits, or the one who waits
 * sees the count of 0. */
void server_exchange_over(struct http_server *server)
{
    if (atomic_fetch_sub(&server->in_flight, 1) == 1 && atomic_load(&server->draining)) {
        pthread_mutex_lock(&server->idle.lock);
        pthread_cond_broadcast(&server->idle.changed);
        pthread_mutex_unlock(&server->idle.lock);
    }
}

static bool init_idle(struct http_server *server)
{
    pthread_condattr_t attributes;
    bool is_made = false;

    if (pthread_mutex_init(&server->idle.lock, NULL) != 0)
        return false;
    if (pthread_condattr_init(&attributes) == 0) {
        is_made = pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) == 0 &&
                  pthread_cond_init(&server->idle.changed, &attributes) == 0;
        pthread_condattr_destroy(&attributes);
    }
    if (!is_made)
        pthread_mutex_destroy(&server->idle.lock);
    return is_made;
}

static void finish_idle(struct http_server *server)
{
    pthread_cond_destroy(&server->idle.changed);
    pthread_mutex_destroy(&server->idle.lock);
}

/* NULL only when out of memory. */
static struct http_server *server_create(const struct http_server_options *options)
{
    struct http_server *server = calloc(1, sizeof(*server));

    if (server == NULL || !init_idle(server)) {
        free(server);
        return NULL;
    }
    if (!arrivals_init(&server->arrivals)) {
        finish_idle(server);
        free(server);
        return NULL;
    }
    server->options = *options;
    server->options.host = NULL;
    server->options.tls_cert_file = NULL;
    server->options.tls_key_file = NULL;
    server->listener.fd = -1;
    /* Without random bytes ids still differ within the process, from the clock on. */
    if (getrandom(&server->request_id_seed, sizeof(server->request_id_seed), GRND_NONBLOCK) < 0)
        server->request_id_seed = (uint64_t)time_wall_us(options->time);
    return server;
}

static void server_destroy(struct http_server *server)
{
    listener_close(&server->listener);
    tls_destroy(server->tls);
    arrivals_finish(&server->arrivals);
    finish_idle(server);
    free(server);
}

/* `fd` is given away: after a failed start it is unknown whether the library has closed it, so it
 * is a descriptor of the library's own. */
static struct MHD_Daemon *start_daemon(struct http_server *server, int fd)
{
    const struct http_server_options *options = &server->options;
    unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_TURBO | MHD_ALLOW_SUSPEND_RESUME |
                     MHD_USE_ERROR_LOG;
    struct MHD_OptionItem more[TLS_OPTIONS + 2];
    size_t count = 0;

    if (server->tls != NULL) {
        flags |= MHD_USE_TLS;
        tls_options(more);
        count = TLS_OPTIONS;
    }
    if (options->threads > 1) /* the library takes a pool of one for an error */
        more[count++] =
            (struct MHD_OptionItem){MHD_OPTION_THREAD_POOL_SIZE, (intptr_t)options->threads, NULL};
    more[count] = (struct MHD_OptionItem){MHD_OPTION_END, 0, NULL};
    return MHD_start_daemon(
        flags, 0, NULL, NULL, on_request, NULL,
        /* First, so that the other options' errors are ours to log. */
        MHD_OPTION_EXTERNAL_LOGGER, log_complaint, server, MHD_OPTION_LISTEN_SOCKET, fd,
        MHD_OPTION_NOTIFY_CONNECTION, on_connection, server, MHD_OPTION_URI_LOG_CALLBACK, on_target,
        NULL, MHD_OPTION_UNESCAPE_CALLBACK, leave_escaped, NULL, MHD_OPTION_NOTIFY_COMPLETED,
        on_completed, NULL, MHD_OPTION_CONNECTION_LIMIT, options->connection_limit,
        MHD_OPTION_PER_IP_CONNECTION_LIMIT, options->connection_limit_per_address,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, options->connection_memory, MHD_OPTION_ARRAY, more,
        MHD_OPTION_END);
}

static bool prepare_tls(struct http_server *server, const struct http_server_options *options,
                        struct error *reterr)
{
    if (options->tls_cert_file == NULL)
        return true;
    if (MHD_is_feature_supported(MHD_FEATURE_TLS) != MHD_YES)
        return error_set(reterr, ERR_INVALID, "this libmicrohttpd was built without TLS");
    server->tls = tls_create(options->tls_cert_file, options->tls_key_file, options->log, reterr);
    return server->tls != NULL;
}

struct http_server *http_server_start(const struct http_server_options *options,
                                      struct error *reterr)
{
    struct http_server *server = server_create(options);
    int fd;

    if (server == NULL) {
        error_no_memory(reterr);
        return NULL;
    }
    if (!prepare_tls(server, options, reterr) ||
        !listener_open(&server->listener, options->host, options->port, reterr)) {
        server_destroy(server);
        return NULL;
    }
    mhd_epoll_install();
    mhd_gnutls_install();
    fd = fcntl(server->listener.fd, F_DUPFD_CLOEXEC, 0);
    if (fd >= 0)
        server->daemon = start_daemon(server, fd);
    if (server->daemon == NULL) {
        error_set(reterr, ERR_IO,
                  "cannot start the HTTP server: out of memory, threads or descriptors");
        listener_shutdown(&server->listener);
        server_destroy(server);
        return NULL;
    }
    return server;
}

uint16_t http_server_port(const struct http_server *server)
{
    return server->listener.port;
}

void http_server_upkeep(struct http_server *server)
{
    const struct http_server_options *options = &server->options;
    const struct arrival_limits limits = {
        .request_ms = (int64_t)options->request_timeout_s * 1000,
        .idle_ms = (int64_t)options->idle_timeout_s * 1000,
    };
    unsigned count;

    if (server->tls != NULL)
        tls_upkeep(server->tls);
    arrivals_look_for_left(&server->arrivals);
    count = arrivals_sweep(&server->arrivals, time_monotonic_ms(options->time), &limits);
    if (count > 0)
        log_warning(options->log, LOG_EVENT("http.requests_cut_off"), LOG_INT("count", count));
}

void http_server_quiesce(struct http_server *server)
{
    if (atomic_exchange(&server->quiesced, true))
        return;
    /* First the library lets go of the socket, then the kernel refuses who comes next. The
     * descriptor stays open until the library's threads have gone: they take it out of their epoll
     * sets only when they come around to it, and its number must not be anybody else's by then. */
    server->library_fd = MHD_quiesce_daemon(server->daemon);
    listener_shutdown(&server->listener);
}

unsigned http_server_in_flight(const struct http_server *server)
{
    return atomic_load(&server->in_flight);
}

/* The condition variable waits in real time, whatever the server's time source says. */
static struct timespec deadline_after(int64_t limit_ms)
{
    struct timespec deadline;

    clock_gettime(CLOCK_MONOTONIC, &deadline);
    deadline.tv_sec += (time_t)(limit_ms / 1000);
    deadline.tv_nsec += (long)(limit_ms % 1000) * 1000000;
    if (deadline.tv_nsec >= 1000000000) {
        deadline.tv_sec++;
        deadline.tv_nsec -= 1000000000;
    }
    return deadline;
}

bool http_server_drain(struct http_server *server, int64_t limit_ms)
{
    struct timespec deadline = deadline_after(limit_ms < 0 ? 0 : limit_ms);
    int waited = 0;

    atomic_store(&server->draining, true);
    pthread_mutex_lock(&server->idle.lock);
    while (atomic_load(&server->in_flight) != 0 && waited != ETIMEDOUT)
        waited = pthread_cond_timedwait(&server->idle.changed, &server->idle.lock, &deadline);
    pthread_mutex_unlock(&server->idle.lock);
    atomic_store(&server->draining, false);
    return atomic_load(&server->in_flight) == 0;
}

void http_server_stop(struct http_server *server)
{
    if (server == NULL)
        return;
    http_server_quiesce(server);
    MHD_stop_daemon(server->daemon);
    if (server->library_fd != MHD_INVALID_SOCKET)
        close(server->library_fd);
    server_destroy(server);
}
