/* SPDX-License-Identifier: Apache-2.0 */
#include "log_line.h"

#include <stdbool.h>
#include <string.h>

#include "base/civil_time.h"
#include "base/json_text.h"
#include "base/text.h"
#include "base/utf8.h"

enum { CONSOLE_LEVEL_WIDTH = 7, DELETE = 0x7F, LAST_C1_CONTROL = 0x9F };

static const char *const level_names[] = {
    [LOG_LEVEL_DEBUG] = "debug", [LOG_LEVEL_INFO] = "info",         [LOG_LEVEL_WARNING] = "warning",
    [LOG_LEVEL_ERROR] = "error", [LOG_LEVEL_CRITICAL] = "critical",
};

static const char *const level_names_console[] = {
    [LOG_LEVEL_DEBUG] = "DEBUG", [LOG_LEVEL_INFO] = "INFO",         [LOG_LEVEL_WARNING] = "WARNING",
    [LOG_LEVEL_ERROR] = "ERROR", [LOG_LEVEL_CRITICAL] = "CRITICAL",
};

static struct text field_text(const struct log_field *field)
{
    return (struct text){
        .data = field->text,
        .length = field->length == SIZE_MAX ? strlen(field->text) : field->length,
    };
}

static void append_hundredths(struct strbuf *out, int64_t hundredths)
{
    int64_t rest = hundredths % 100;
    if (hundredths < 0) {
        strbuf_append_char(out, '-');
        rest = -rest;
    }
    int64_t whole = hundredths / 100;
    strbuf_append_int(out, whole < 0 ? -whole : whole);
    strbuf_append(out, (const char[]){'.', (char)('0' + rest / 10), (char)('0' + rest % 10)}, 3);
}

/* For people, quotes are noise; they are needed where a value could be taken for several, or where
 * control characters must not reach the terminal. */
static bool needs_quotes(struct text value)
{
    size_t i = 0;
    while (i < value.length) {
        uint32_t character;
        i += utf8_next(value.data + i, value.length - i, &character);
        if (character == UTF8_INVALID || character <= ' ' || character == '"' ||
            (character >= DELETE && character <= LAST_C1_CONTROL))
            return true;
    }
    return value.length == 0;
}

struct line {
    struct strbuf *out;
    enum log_format format;
    size_t value_limit;
    bool was_cut;
};

static void append_string(struct line *line, struct text value)
{
    if (value.length > line->value_limit) {
        value.length = utf8_cut(value.data, line->value_limit);
        line->was_cut = true;
    }
    if (line->format == LOG_FORMAT_JSON || needs_quotes(value))
        json_append_string_ascii(line->out, value.data, value.length);
    else
        strbuf_append(line->out, value.data, value.length);
}

static void append_text_value(struct line *line, const struct log_field *field)
{
    if (field->text == NULL) {
        strbuf_append_text(line->out, "null");
        return;
    }
    struct text value = field_text(field);
    if (field->kind == LOG_FIELD_RAW && value.length <= line->value_limit)
        json_append_spaced_ascii(line->out, value.data, value.length);
    else
        append_string(line, value);
}

static void append_value(struct line *line, const struct log_field *field)
{
    switch (field->kind) {
    case LOG_FIELD_INTEGER:
        strbuf_append_int(line->out, field->integer);
        break;
    case LOG_FIELD_BOOLEAN:
        strbuf_append_text(line->out, field->integer != 0 ? "true" : "false");
        break;
    case LOG_FIELD_HUNDREDTHS:
        append_hundredths(line->out, field->integer);
        break;
    case LOG_FIELD_STRING:
    case LOG_FIELD_RAW:
        append_text_value(line, field);
        break;
    case LOG_FIELD_EVENT:
    case LOG_FIELD_END:
        break;
    }
}

/* For people, without the quotes and the colon. */
static void append_console_key(struct strbuf *out, struct text key)
{
    strbuf_append_char(out, ' ');
    strbuf_append(out, key.data + 1, key.length - sizeof("\"\": ") + 1);
    strbuf_append_char(out, '=');
}

static void append_pair(struct line *line, const struct log_field *field)
{
    if (line->format == LOG_FORMAT_CONSOLE) {
        append_console_key(line->out, field->key);
        append_value(line, field);
        return;
    }
    strbuf_append(line->out, field->key.data, field->key.length);
    append_value(line, field);
    strbuf_append(line->out, ", ", 2);
}

static void append_own_fields(struct line *line, const struct log_field *fields)
{
    for (const struct log_field *field = fields; field->kind != LOG_FIELD_END; field++) {
        if (field->kind != LOG_FIELD_EVENT)
            append_pair(line, field);
    }
    if (line->was_cut)
        append_pair(line, &LOG_BOOL("truncated", true));
}

static struct text event_of(const struct log_field *fields)
{
    for (const struct log_field *field = fields; field->kind != LOG_FIELD_END; field++) {
        if (field->kind == LOG_FIELD_EVENT)
            return field_text(field);
    }
    return TEXT("");
}

static void append_json(struct line *line, const struct log_record *record)
{
    char timestamp[RFC3339_TEXT_MAX];
    struct strbuf *out = line->out;
    rfc3339_format_us(record->wall_us, timestamp);
    strbuf_append_char(out, '{');
    append_own_fields(line, record->fields);
    strbuf_append_text(out, "\"event\": ");
    append_string(line, event_of(record->fields));
    strbuf_append_text(out, ", \"level\": \"");
    strbuf_append_text(out, level_names[record->level]);
    strbuf_append_text(out, "\", \"timestamp\": \"");
    strbuf_append_text(out, timestamp);
    /* File and function are C's own names: nothing in them to escape, or to cut. */
    strbuf_append_text(out, "\", \"filename\": \"");
    strbuf_append_text(out, record->file);
    strbuf_append_text(out, "\", \"lineno\": ");
    strbuf_append_int(out, record->line);
    strbuf_append_text(out, ", \"func_name\": \"");
    strbuf_append_text(out, record->function);
    strbuf_append_text(out, "\"}\n");
}

/* `hh:mm:ss.mmm LEVEL   event key=value ...`: the day and the place in the source are for machines.
 */
static void append_console(struct line *line, const struct log_record *record)
{
    enum { TIME_OF_DAY_AT = 11, TIME_OF_DAY_LENGTH = 8, MICROSECONDS_PER_SECOND = 1000000 };
    char timestamp[RFC3339_TEXT_MAX];
    struct strbuf *out = line->out;
    rfc3339_format_us(record->wall_us, timestamp);
    int64_t fraction_us = record->wall_us % MICROSECONDS_PER_SECOND;
    int64_t ms = (fraction_us < 0 ? fraction_us + MICROSECONDS_PER_SECOND : fraction_us) / 1000;
    const char fraction[] = {'.', (char)('0' + ms / 100), (char)('0' + ms / 10 % 10),
                             (char)('0' + ms % 10), ' '};
    struct text level = text_of(level_names_console[record->level]);
    strbuf_append(out, timestamp + TIME_OF_DAY_AT, TIME_OF_DAY_LENGTH);
    strbuf_append(out, fraction, sizeof(fraction));
    strbuf_append(out, level.data, level.length);
    for (size_t width = level.length; width < CONSOLE_LEVEL_WIDTH; width++)
        strbuf_append_char(out, ' ');
    strbuf_append_char(out, ' ');
    append_string(line, event_of(record->fields));
    append_own_fields(line, record->fields);
    strbuf_append_char(out, '\n');
}

void log_line_append(struct strbuf *out, enum log_format format, const struct log_record *record,
                     size_t value_limit)
{
    struct line line = {.out = out, .format = format, .value_limit = value_limit};
    if (format == LOG_FORMAT_JSON)
        append_json(&line, record);
    else
        append_console(&line, record);
}
