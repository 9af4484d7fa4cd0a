/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Structured log lines on standard output: one event, one line, stable keys.
 *
 *     log_info(log, LOG_EVENT("cache.set"), LOG_STR("key", key), LOG_INT("ttl_seconds", ttl));
 *
 * JSON form (keys as structlog wrote them in the service we port): the event's own fields first,
 * then `event`, `level`, `timestamp` (UTC, microseconds), `filename`, `lineno`, `func_name`;
 * separators ", " and ": ", non-ASCII as \uXXXX. Console form, for people: time, level, event,
 * key=value.
 *
 * Lines are handed to a writer thread through a bounded buffer, so that a slow reader of our output
 * never blocks a server thread. What does not fit is dropped, counted, and the count is logged
 * (`log.dropped`) as soon as there is room again. log_flush() waits until all is written,
 * log_destroy() for a few seconds at most. Lines leave whole, never interleaved.
 *
 * Threads: any, except log_create() and log_destroy(). `log` may be NULL: then nothing is logged.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attrs.h"
#include "base/error.h"
#include "base/text.h"
#include "base/time_source.h"

enum log_level {
    LOG_LEVEL_DEBUG,
    LOG_LEVEL_INFO,
    LOG_LEVEL_WARNING,
    LOG_LEVEL_ERROR,
    LOG_LEVEL_CRITICAL
};

enum log_format { LOG_FORMAT_JSON, LOG_FORMAT_CONSOLE };

enum log_field_kind {
    LOG_FIELD_END,
    LOG_FIELD_EVENT,
    LOG_FIELD_STRING, /* NULL is logged as null */
    LOG_FIELD_INTEGER,
    LOG_FIELD_BOOLEAN,
    LOG_FIELD_HUNDREDTHS, /* `integer` counts hundredths: 123 is logged as 1.23 */
    LOG_FIELD_RAW,        /* `text` is compact JSON already (an array of errors) */
};

struct log_field {
    enum log_field_kind kind;
    struct text key; /* as JSON has it: quoted, with a colon and a blank behind */
    const char *text;
    size_t length; /* of `text`; SIZE_MAX means NUL-terminated */
    int64_t integer;
};

/* Keys are literals and need no escapes, so they are put into shape by the preprocessor. */
#define LOG_KEY(key_) TEXT_INIT("\"" key_ "\": ")

#define LOG_EVENT(name_)                                                                           \
    ((struct log_field){.kind = LOG_FIELD_EVENT, .text = (name_), .length = SIZE_MAX})
#define LOG_STR(key_, text_)                                                                       \
    ((struct log_field){                                                                           \
        .kind = LOG_FIELD_STRING, .key = LOG_KEY(key_), .text = (text_), .length = SIZE_MAX})
/* Ends the fields where the text is NULL: it and what follows are left out. */
#define LOG_STR_OR_END(key_, text_)                                                                \
    ((struct log_field){.kind = (text_) == NULL ? LOG_FIELD_END : LOG_FIELD_STRING,                \
                        .key = LOG_KEY(key_),                                                      \
                        .text = (text_),                                                           \
                        .length = SIZE_MAX})
#define LOG_STRN(key_, text_, n_)                                                                  \
    ((struct log_field){                                                                           \
        .kind = LOG_FIELD_STRING, .key = LOG_KEY(key_), .text = (text_), .length = (n_)})
#define LOG_INT(key_, value_)                                                                      \
    ((struct log_field){                                                                           \
        .kind = LOG_FIELD_INTEGER, .key = LOG_KEY(key_), .integer = (int64_t)(value_)})
#define LOG_BOOL(key_, value_)                                                                     \
    ((struct log_field){                                                                           \
        .kind = LOG_FIELD_BOOLEAN, .key = LOG_KEY(key_), .integer = (value_) ? 1 : 0})
#define LOG_HUNDREDTHS(key_, n_)                                                                   \
    ((struct log_field){                                                                           \
        .kind = LOG_FIELD_HUNDREDTHS, .key = LOG_KEY(key_), .integer = (int64_t)(n_)})
#define LOG_JSON(key_, text_)                                                                      \
    ((struct log_field){                                                                           \
        .kind = LOG_FIELD_RAW, .key = LOG_KEY(key_), .text = (text_), .length = SIZE_MAX})

struct log;

struct log_options {
    enum log_level level; /* lines below it are not written */
    enum log_format format;
    int fd;                         /* where lines go; borrowed, not closed */
    size_t buffer_bytes;            /* 0: a sane default */
    int64_t end_limit_ms;           /* for log_destroy(); 0: a sane default */
    const struct time_source *time; /* borrowed; NULL: the system's */
};

/* Starts the writer thread. NULL when out of memory or threads. */
struct log *log_create(const struct log_options *options, struct error *reterr) NODISCARD;

/* Writes what is left and joins the writer, if that can be done within `end_limit_ms`. A reader who
 * has stopped reading may hold the writer up for ever: then the writer is left alone with what it
 * has, and ends when it can, or with the process. Accepts NULL. */
void log_destroy(struct log *log);

/* Returns when every line logged before the call has been written (or the descriptor has failed).
 */
void log_flush(struct log *log);

void log_set_level(struct log *log, enum log_level level);
bool log_enabled(const struct log *log, enum log_level level) NODISCARD;

/* Lines lost so far because the buffer was full. */
uint64_t log_dropped(const struct log *log) NODISCARD;

/* A level by its name in any case; an unknown name means INFO, as in the service we port. */
enum log_level log_level_from_name(const char *name) NODISCARD;

/* Call through the macros. `fields` ends with LOG_FIELD_END. */
void log_write(struct log *log, enum log_level level, const char *file, int line,
               const char *function, const struct log_field *fields);

#define LOG_AT(log_, level_, ...)                                                                  \
    do {                                                                                           \
        if (log_enabled((log_), (level_)))                                                         \
            log_write((log_), (level_), __FILE_NAME__, __LINE__, __func__,                         \
                      (const struct log_field[]){__VA_ARGS__, {.kind = LOG_FIELD_END}});           \
    } while (0)

#define log_debug(log_, ...)    LOG_AT(log_, LOG_LEVEL_DEBUG, __VA_ARGS__)
#define log_info(log_, ...)     LOG_AT(log_, LOG_LEVEL_INFO, __VA_ARGS__)
#define log_warning(log_, ...)  LOG_AT(log_, LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_error(log_, ...)    LOG_AT(log_, LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_critical(log_, ...) LOG_AT(log_, LOG_LEVEL_CRITICAL, __VA_ARGS__)

#endif
