/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A ring of bytes between those who log and one thread that writes.
 *
 * Who logs formats the line without a lock and copies it into the ring under the mutex. The writer
 * hands whole regions of the ring to the kernel without the mutex: nobody else touches bytes that
 * wait to be written. It lingers for a moment after the first line, so that a busy server costs one
 * wake-up and one system call for many lines.
 *
 * Positions count all bytes since the beginning and never wrap (64 bits outlast us); their place in
 * the ring is the remainder.
 */
#include "base/log.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "log_line.h"

enum {
    DEFAULT_BUFFER_BYTES = 1024 * 1024,
    SHORT_LINE_BYTES = 2048,     /* longer lines are built on the heap */
    LONG_LINE_BYTES = 64 * 1024, /* longer ones lose the ends of their values */
    CUT_VALUE_BYTES = 1024,
    LINGER_MS = 5,
    DEFAULT_END_LIMIT_MS = 5000, /* within the rest of a pod's grace period */
};

struct log {
    int fd;
    enum log_format format;
    const struct time_source *time;
    int64_t end_limit_ms;
    char *ring;
    size_t ring_bytes;
    atomic_int level;
    atomic_uint_least64_t dropped; /* changes under the lock, is read without */
    pthread_t writer;
    bool has_writer;
    pthread_mutex_t lock;
    pthread_cond_t work;    /* for the writer */
    pthread_cond_t written; /* for those in log_flush() and log_destroy() */
    struct {
        uint64_t head; /* behind the last byte logged */
        uint64_t tail; /* the first byte not yet written */
        uint64_t dropped_reported;
        unsigned flushers;
        bool writer_waits;
        bool stopping;
        bool has_ended;    /* the writer: it touches nothing any more */
        bool is_abandoned; /* nobody waits for the writer, which is to free all at its end */
        bool failed;       /* the last write did not succeed */
    } shared;              /* with the lock */
    struct {
        bool is_torn; /* a line was cut short by a failure; the next write starts a new one */
    } own;            /* only the writer thread */
};

/* Waits until a descriptor in non-blocking mode takes bytes again. */
static bool wait_writable(int fd)
{
    struct pollfd poll_fd = {.fd = fd, .events = POLLOUT};
    return poll(&poll_fd, 1, -1) >= 0 || errno == EINTR;
}

/* Writes both parts whole. On failure *ret_written is how far it came. */
static bool write_parts(int fd, struct iovec parts[2], size_t *ret_written)
{
    size_t written = 0;
    size_t total = parts[0].iov_len + parts[1].iov_len;
    bool ok = true;
    while (ok && written < total) {
        ssize_t n = writev(fd, parts, 2);
        if (n <= 0) {
            ok = n < 0 && (errno == EINTR || (errno == EAGAIN && wait_writable(fd)));
            continue;
        }
        written += (size_t)n;
        for (size_t i = 0, rest = (size_t)n; i < 2; i++) {
            size_t used = rest < parts[i].iov_len ? rest : parts[i].iov_len;
            parts[i].iov_base = (char *)parts[i].iov_base + used;
            parts[i].iov_len -= used;
            rest -= used;
        }
    }
    *ret_written = written;
    return ok;
}

static bool write_all(int fd, char *bytes, size_t length)
{
    size_t written;
    struct iovec parts[2] = {{.iov_base = bytes, .iov_len = length}};
    return write_parts(fd, parts, &written);
}

static uint64_t count_lines(const struct iovec parts[2])
{
    uint64_t lines = 0;
    for (size_t i = 0; i < 2; i++) {
        const char *bytes = parts[i].iov_base;
        for (size_t j = 0; j < parts[i].iov_len; j++)
            lines += bytes[j] == '\n' ? 1 : 0;
    }
    return lines;
}

/* Writes the ring's content from `tail` to `head` and returns how many lines were lost. */
static uint64_t write_region(struct log *log, uint64_t tail, uint64_t head)
{
    size_t start = (size_t)(tail % log->ring_bytes);
    size_t length = (size_t)(head - tail);
    size_t first = log->ring_bytes - start < length ? log->ring_bytes - start : length;
    struct iovec parts[2] = {
        {.iov_base = log->ring + start, .iov_len = first},
        {.iov_base = log->ring, .iov_len = length - first},
    };
    size_t written;
    if (log->own.is_torn && !write_all(log->fd, (char[]){'\n'}, 1))
        return count_lines(parts);
    log->own.is_torn = false;
    if (write_parts(log->fd, parts, &written))
        return 0;
    log->own.is_torn = written > 0 && log->ring[(tail + written - 1) % log->ring_bytes] != '\n';
    return count_lines(parts);
}

/* Says how many lines were lost; in the writer thread, straight to the descriptor. */
static bool write_dropped(struct log *log, uint64_t count)
{
    char memory[SHORT_LINE_BYTES];
    struct strbuf line;
    const struct log_field fields[] = {
        LOG_EVENT("log.dropped"), LOG_INT("count", count), {.kind = LOG_FIELD_END}};
    const struct log_record record = {
        .level = LOG_LEVEL_WARNING,
        .wall_us = time_wall_us(log->time),
        .file = __FILE_NAME__,
        .line = __LINE__,
        .function = __func__,
        .fields = fields,
    };
    strbuf_init_fixed(&line, memory, sizeof(memory));
    log_line_append(&line, log->format, &record, CUT_VALUE_BYTES);
    log->own.is_torn = !write_all(log->fd, line.data, line.length);
    return !log->own.is_torn;
}

static void drop_locked(struct log *log, uint64_t lines)
{
    atomic_fetch_add_explicit(&log->dropped, lines, memory_order_relaxed);
}

static struct timespec end_after(int64_t limit_ms)
{
    enum {
        MS_PER_SECOND = 1000,
        NANOSECONDS_PER_MS = 1000000,
        NANOSECONDS_PER_SECOND = 1000000000
    };
    struct timespec end = {0};
    (void)clock_gettime(CLOCK_MONOTONIC, &end);
    end.tv_sec += (time_t)(limit_ms / MS_PER_SECOND);
    end.tv_nsec += (long)(limit_ms % MS_PER_SECOND) * NANOSECONDS_PER_MS;
    if (end.tv_nsec >= NANOSECONDS_PER_SECOND) {
        end.tv_nsec -= NANOSECONDS_PER_SECOND;
        end.tv_sec++;
    }
    return end;
}

static bool is_urgent_locked(const struct log *log)
{
    return log->shared.stopping || log->shared.flushers > 0 ||
           log->shared.head - log->shared.tail > log->ring_bytes / 2;
}

/* After a failed write nothing is reported until one succeeds: the report would fail likewise, and
 * count itself. */
static uint64_t unreported_locked(const struct log *log)
{
    if (log->shared.failed)
        return 0;
    return log_dropped(log) - log->shared.dropped_reported;
}

/* Returns when there is something to write, and a little later if nobody is in a hurry. False when
 * all is done and the log is being destroyed. */
static bool wait_for_work_locked(struct log *log)
{
    while (log->shared.head == log->shared.tail && unreported_locked(log) == 0) {
        if (log->shared.stopping)
            return false;
        log->shared.writer_waits = true;
        pthread_cond_wait(&log->work, &log->lock);
        log->shared.writer_waits = false;
    }
    struct timespec end = end_after(LINGER_MS);
    int result = 0;
    while (result == 0 && !is_urgent_locked(log))
        result = pthread_cond_timedwait(&log->work, &log->lock, &end);
    return true;
}

static void free_log(struct log *log)
{
    pthread_cond_destroy(&log->work);
    pthread_cond_destroy(&log->written);
    pthread_mutex_destroy(&log->lock);
    free(log->ring);
    free(log);
}

static void *writer_main(void *argument)
{
    struct log *log = argument;
    pthread_mutex_lock(&log->lock);
    while (wait_for_work_locked(log)) {
        uint64_t tail = log->shared.tail;
        uint64_t head = log->shared.head;
        uint64_t unreported = unreported_locked(log);
        pthread_mutex_unlock(&log->lock);
        uint64_t lost = write_region(log, tail, head);
        bool failed = lost > 0;
        if (!failed && unreported > 0)
            failed = !write_dropped(log, unreported);
        pthread_mutex_lock(&log->lock);
        log->shared.tail = head;
        log->shared.failed = failed;
        log->shared.dropped_reported += failed ? 0 : unreported;
        drop_locked(log, lost);
        pthread_cond_broadcast(&log->written);
    }
    log->shared.has_ended = true;
    bool is_abandoned = log->shared.is_abandoned;
    pthread_cond_broadcast(&log->written);
    pthread_mutex_unlock(&log->lock);
    if (is_abandoned)
        free_log(log);
    return NULL;
}

/* The writer takes no signals: they are for the main thread, and SIGPIPE, which comes to the thread
 * that writes, stays blocked for ever, so that a reader who leaves is an error and not our end. */
static bool start_writer(struct log *log)
{
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    log->has_writer = pthread_create(&log->writer, NULL, writer_main, log) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return log->has_writer;
}

static void init_locks(struct log *log)
{
    pthread_condattr_t monotonic;
    pthread_mutex_init(&log->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&log->work, &monotonic);
    pthread_cond_init(&log->written, &monotonic);
    pthread_condattr_destroy(&monotonic);
}

struct log *log_create(const struct log_options *options, struct error *reterr)
{
    struct log *log = calloc(1, sizeof(*log));
    if (log == NULL) {
        error_no_memory(reterr);
        return NULL;
    }
    init_locks(log);
    log->fd = options->fd;
    log->format = options->format;
    log->time = options->time != NULL ? options->time : &time_source_system;
    log->end_limit_ms = options->end_limit_ms > 0 ? options->end_limit_ms : DEFAULT_END_LIMIT_MS;
    log->ring_bytes = options->buffer_bytes > 0 ? options->buffer_bytes : DEFAULT_BUFFER_BYTES;
    log->ring = malloc(log->ring_bytes);
    atomic_init(&log->level, (int)options->level);
    if (log->ring == NULL)
        error_no_memory(reterr);
    else if (!start_writer(log))
        error_set(reterr, ERR_LIMIT, "cannot start the thread that writes the log");
    if (!log->has_writer) {
        log_destroy(log);
        return NULL;
    }
    return log;
}

/* True when the writer has come to its end. False, and the log is no longer ours, when it is still
 * waiting for the reader. */
static bool end_writer(struct log *log)
{
    struct timespec end = end_after(log->end_limit_ms);
    int result = 0;
    pthread_mutex_lock(&log->lock);
    log->shared.stopping = true;
    pthread_cond_signal(&log->work);
    while (result == 0 && !log->shared.has_ended)
        result = pthread_cond_timedwait(&log->written, &log->lock, &end);
    bool has_ended = log->shared.has_ended;
    log->shared.is_abandoned = !has_ended;
    if (!has_ended)
        pthread_detach(log->writer);
    pthread_mutex_unlock(&log->lock);
    return has_ended;
}

void log_destroy(struct log *log)
{
    if (log == NULL)
        return;
    if (log->has_writer) {
        if (!end_writer(log))
            return;
        pthread_join(log->writer, NULL);
    }
    free_log(log);
}

void log_flush(struct log *log)
{
    if (log == NULL)
        return;
    pthread_mutex_lock(&log->lock);
    uint64_t target = log->shared.head;
    uint64_t dropped = log_dropped(log);
    log->shared.flushers++;
    pthread_cond_signal(&log->work);
    while (log->shared.tail < target ||
           (!log->shared.failed && log->shared.dropped_reported < dropped))
        pthread_cond_wait(&log->written, &log->lock);
    log->shared.flushers--;
    pthread_mutex_unlock(&log->lock);
}

void log_set_level(struct log *log, enum log_level level)
{
    if (log != NULL)
        atomic_store_explicit(&log->level, (int)level, memory_order_relaxed);
}

bool log_enabled(const struct log *log, enum log_level level)
{
    return log != NULL && (int)level >= atomic_load_explicit(&log->level, memory_order_relaxed);
}

uint64_t log_dropped(const struct log *log)
{
    return log != NULL ? atomic_load_explicit(&log->dropped, memory_order_relaxed) : 0;
}

enum log_level log_level_from_name(const char *name)
{
    static const struct {
        const char *name;
        enum log_level level;
    } levels[] = {
        {"debug", LOG_LEVEL_DEBUG},    {"info", LOG_LEVEL_INFO},   {"warning", LOG_LEVEL_WARNING},
        {"warn", LOG_LEVEL_WARNING},   {"error", LOG_LEVEL_ERROR}, {"critical", LOG_LEVEL_CRITICAL},
        {"fatal", LOG_LEVEL_CRITICAL},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(levels); i++) {
        if (strcasecmp(name, levels[i].name) == 0)
            return levels[i].level;
    }
    return LOG_LEVEL_INFO;
}

static void copy_into_ring_locked(struct log *log, const char *bytes, size_t length)
{
    size_t start = (size_t)(log->shared.head % log->ring_bytes);
    size_t first = log->ring_bytes - start < length ? log->ring_bytes - start : length;
    memcpy(log->ring + start, bytes, first);
    memcpy(log->ring, bytes + first, length - first);
    log->shared.head += length;
}

/* `line` is NULL for an event that could not be put into words. */
static void enqueue(struct log *log, const struct strbuf *line)
{
    pthread_mutex_lock(&log->lock);
    bool was_urgent = is_urgent_locked(log);
    size_t room = log->ring_bytes - (size_t)(log->shared.head - log->shared.tail);
    if (line != NULL && line->length <= room)
        copy_into_ring_locked(log, line->data, line->length);
    else
        drop_locked(log, 1);
    bool wake = log->shared.writer_waits || (!was_urgent && is_urgent_locked(log));
    if (wake)
        pthread_cond_signal(&log->work);
    pthread_mutex_unlock(&log->lock);
}

/* For a line that did not fit the stack. */
static void write_long(struct log *log, const struct log_record *record)
{
    struct strbuf line CLEANUP(strbuf_finish);
    strbuf_init(&line, LONG_LINE_BYTES);
    log_line_append(&line, log->format, record, SIZE_MAX);
    if (strbuf_failed(&line)) {
        strbuf_clear(&line);
        log_line_append(&line, log->format, record, CUT_VALUE_BYTES);
    }
    enqueue(log, strbuf_failed(&line) ? NULL : &line);
}

void log_write(struct log *log, enum log_level level, const char *file, int line,
               const char *function, const struct log_field *fields)
{
    char memory[SHORT_LINE_BYTES] UNCLEARED;
    struct strbuf text;
    const struct log_record record = {
        .level = level,
        .wall_us = time_wall_us(log->time),
        .file = file,
        .line = line,
        .function = function,
        .fields = fields,
    };
    strbuf_init_fixed(&text, memory, sizeof(memory));
    log_line_append(&text, log->format, &record, SIZE_MAX);
    if (strbuf_failed(&text))
        write_long(log, &record);
    else
        enqueue(log, &text);
}
