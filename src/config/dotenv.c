/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One binding after the other: find where it ends, decode quotes and escapes, then put variables in
 * the place of ${NAME}. A binding that makes no sense costs the line it begins on; reading goes on
 * with the next line, also when a quote was never closed.
 */
#include "config/dotenv.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
#include "base/text.h"

enum { VALUE_LIMIT = 1024 * 1024 };

struct variable {
    char *name;
    char *value; /* NULL for a name without `=` */
};

struct reader {
    const char *at;
    const char *end;
    size_t line; /* of `at`, from 1 */
    config_getenv_fn *lookup;
    void *lookup_context;
    dotenv_pair_fn *pair;
    dotenv_warning_fn *warning;
    void *context;
    struct variable *variables; /* those of earlier lines; the last of a name counts */
    size_t variable_count;
};

/* What stands on the right of `=`, before variables are put in. */
struct raw_value {
    struct text text;
    char quote; /* ' or ", or 0 for a bare value */
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\v' || c == '\f';
}

static bool is_line_end(char c)
{
    return c == '\n' || c == '\r';
}

static bool at_line_end(const struct reader *reader)
{
    return reader->at == reader->end || is_line_end(*reader->at);
}

static bool at_char(const struct reader *reader, char c)
{
    return reader->at < reader->end && *reader->at == c;
}

static void skip_blanks(struct reader *reader)
{
    while (reader->at < reader->end && is_blank(*reader->at))
        reader->at++;
}

static void skip_rest_of_line(struct reader *reader)
{
    while (!at_line_end(reader))
        reader->at++;
}

/* Moves to `target`, counting the lines in between. CR LF is one line end. */
static void advance_to(struct reader *reader, const char *target)
{
    for (; reader->at < target; reader->at++) {
        char c = *reader->at;
        bool is_first_of_two = c == '\r' && reader->at + 1 < reader->end && reader->at[1] == '\n';
        if (is_line_end(c) && !is_first_of_two)
            reader->line++;
    }
}

static void skip_blank_lines(struct reader *reader)
{
    const char *target = reader->at;
    while (target < reader->end && (is_blank(*target) || is_line_end(*target)))
        target++;
    advance_to(reader, target);
}

/* `export` counts as such only with a blank behind it. */
static void skip_export(struct reader *reader)
{
    static const struct text word = TEXT_INIT("export");
    size_t left = (size_t)(reader->end - reader->at);
    if (left > word.length && memcmp(reader->at, word.data, word.length) == 0 &&
        is_blank(reader->at[word.length])) {
        reader->at += word.length;
        skip_blanks(reader);
    }
}

/* A name goes up to `=`, `#` or a space; in single quotes it may hold those. */
static bool read_name(struct reader *reader, struct text *ret_name)
{
    bool is_quoted = at_char(reader, '\'');
    const char *start = is_quoted ? reader->at + 1 : reader->at;
    const char *stop = start;
    while (stop < reader->end && !is_line_end(*stop) &&
           (is_quoted ? *stop != '\'' : *stop != '=' && *stop != '#' && !is_blank(*stop)))
        stop++;
    bool is_closed = !is_quoted || (stop < reader->end && *stop == '\'');
    if (stop == start || !is_closed)
        return false;
    *ret_name = (struct text){start, (size_t)(stop - start)};
    reader->at = is_quoted ? stop + 1 : stop;
    return true;
}

/* The closing quote of the value that begins behind `start`; NULL when there is none. */
static const char *find_closing_quote(const char *start, const char *end, char quote)
{
    const char *p = start;
    while (p < end && *p != quote)
        p += *p == '\\' && p + 1 < end ? 2 : 1;
    return p < end ? p : NULL;
}

static bool read_quoted(struct reader *reader, struct raw_value *ret_value)
{
    char quote = *reader->at;
    const char *start = reader->at + 1;
    const char *close = find_closing_quote(start, reader->end, quote);
    if (close == NULL)
        return false;
    *ret_value = (struct raw_value){{start, (size_t)(close - start)}, quote};
    advance_to(reader, close + 1);
    return true;
}

/* Up to the end of the line or to a `#` behind a blank; `start` may lie behind blanks. */
static void read_bare(struct reader *reader, struct raw_value *ret_value)
{
    const char *start = reader->at;
    skip_rest_of_line(reader);
    const char *stop = start;
    while (stop < reader->at && !(*stop == '#' && is_blank(stop[-1])))
        stop++;
    while (stop > start && is_blank(stop[-1]))
        stop--;
    *ret_value = (struct raw_value){{start, (size_t)(stop - start)}, 0};
}

/* `reader` stands behind `=`. */
static bool read_value(struct reader *reader, struct raw_value *ret_value)
{
    skip_blanks(reader);
    if (!at_char(reader, '\'') && !at_char(reader, '"')) {
        read_bare(reader, ret_value);
        return true;
    }
    return read_quoted(reader, ret_value);
}

/* What an escape stands for in that kind of quotes; 0 when it is two plain characters. */
static char unescaped(char c, char quote)
{
    static const char letters[] = "abfnrtv";
    static const char meanings[] = "\a\b\f\n\r\t\v";
    if (c == '\\' || c == '\'')
        return c;
    if (quote != '"')
        return '\0';
    if (c == '"')
        return c;
    const char *letter = c != '\0' ? strchr(letters, c) : NULL;
    return (char)(letter != NULL ? meanings[letter - letters] : '\0');
}

/* Reads one character of a value, or what stands for one, and returns where the next begins. A line
 * end, which only quotes can hold, is a line feed however the file ends its lines. */
static const char *decode_one(const char *p, const char *end, char quote, char *ret_meaning)
{
    bool is_pair = quote != '\0' && p + 1 < end;
    *ret_meaning = '\0';
    if (is_pair && *p == '\\')
        *ret_meaning = unescaped(p[1], quote);
    if (*ret_meaning != '\0')
        return p + 2;
    *ret_meaning = *p;
    if (*p != '\r')
        return p + 1;
    *ret_meaning = '\n';
    return p + (is_pair && p[1] == '\n' ? 2 : 1);
}

static void decode_value(struct raw_value value, struct strbuf *out)
{
    const char *p = value.text.data;
    const char *end = p + value.text.length;
    while (p < end) {
        char meaning;
        p = decode_one(p, end, value.quote, &meaning);
        strbuf_append_char(out, meaning);
    }
}

/* Earlier lines come before the environment. */
static const char *find_variable(const struct reader *reader, const char *name)
{
    for (size_t i = reader->variable_count; i > 0; i--) {
        const struct variable *variable = &reader->variables[i - 1];
        if (strcmp(variable->name, name) == 0)
            return variable->value != NULL ? variable->value : "";
    }
    return reader->lookup(reader->lookup_context, name);
}

struct reference {
    struct text name;
    struct text fallback;
    const char *behind;
};

/* Reads `${NAME}` or `${NAME:-default}` at `p`. */
static bool read_reference(const char *p, const char *end, struct reference *ret_reference)
{
    if (end - p < 3 || p[0] != '$' || p[1] != '{')
        return false;
    const char *close = memchr(p, '}', (size_t)(end - p));
    if (close == NULL)
        return false;
    const char *name = p + 2;
    const char *colon = memchr(name, ':', (size_t)(close - name));
    if (colon != NULL && colon[1] != '-')
        return false;
    const char *name_end = colon != NULL ? colon : close;
    const char *fallback = colon != NULL ? colon + 2 : close;
    *ret_reference = (struct reference){
        .name = {name, (size_t)(name_end - name)},
        .fallback = {fallback, (size_t)(close - fallback)},
        .behind = close + 1,
    };
    return true;
}

static bool append_reference(const struct reader *reader, const struct reference *reference,
                             struct strbuf *out)
{
    char *name = strndup(reference->name.data, reference->name.length);
    if (name == NULL)
        return false;
    const char *value = find_variable(reader, name);
    free(name);
    if (value != NULL)
        strbuf_append_text(out, value);
    else
        strbuf_append(out, reference->fallback.data, reference->fallback.length);
    return true;
}

/* What is put in is not looked at again. */
static bool expand(const struct reader *reader, const struct strbuf *text, struct strbuf *out)
{
    const char *p = strbuf_text(text);
    const char *end = p + text->length;
    struct reference reference;
    while (p < end) {
        if (read_reference(p, end, &reference)) {
            if (!append_reference(reader, &reference, out))
                return false;
            p = reference.behind;
        } else {
            strbuf_append_char(out, *p++);
        }
    }
    return true;
}

/* New; NULL when out of memory. */
static char *cook(const struct reader *reader, struct raw_value value)
{
    struct strbuf decoded CLEANUP(strbuf_finish);
    struct strbuf expanded CLEANUP(strbuf_finish);
    strbuf_init(&decoded, VALUE_LIMIT);
    strbuf_init(&expanded, VALUE_LIMIT);
    decode_value(value, &decoded);
    strbuf_append_text(&expanded, "");
    if (strbuf_failed(&decoded) || !expand(reader, &decoded, &expanded))
        return NULL;
    return strbuf_take(&expanded, NULL);
}

/* Takes both strings, also on failure. */
static bool remember(struct reader *reader, char *name, char *value)
{
    struct variable *more =
        realloc(reader->variables, (reader->variable_count + 1) * sizeof(*reader->variables));
    if (more == NULL) {
        free(name);
        free(value);
        return false;
    }
    reader->variables = more;
    reader->variables[reader->variable_count++] = (struct variable){name, value};
    return true;
}

/* `value` is NULL for a name without `=`. */
static bool deliver(struct reader *reader, struct text name, const struct raw_value *value)
{
    char *name_text = strndup(name.data, name.length);
    char *value_text = value != NULL ? cook(reader, *value) : NULL;
    if (name_text == NULL || (value != NULL && value_text == NULL)) {
        free(name_text);
        free(value_text);
        return false;
    }
    return remember(reader, name_text, value_text) &&
           reader->pair(reader->context, name_text, value_text);
}

static bool holds_nul(struct text text)
{
    return text.length > 0 && memchr(text.data, '\0', text.length) != NULL;
}

/* Reads name and value at `reader->at`. NULL when all is well, else what is wrong; the reader may
 * then stand anywhere on the line. */
static const char *read_binding(struct reader *reader, struct text *ret_name,
                                struct raw_value *ret_value, bool *ret_has_value)
{
    skip_export(reader);
    if (!read_name(reader, ret_name))
        return "no name in front of `=`, line skipped";
    skip_blanks(reader);
    *ret_has_value = at_char(reader, '=');
    if (*ret_has_value) {
        reader->at++;
        if (!read_value(reader, ret_value))
            return "unterminated quote, line skipped";
    } else if (!at_line_end(reader) && !at_char(reader, '#')) {
        return "no `=` behind the name, line skipped";
    }
    if (holds_nul(*ret_name) || (*ret_has_value && holds_nul(ret_value->text)))
        return "a NUL character, line skipped";
    return NULL;
}

static bool read_line(struct reader *reader)
{
    struct text name;
    struct raw_value value;
    bool has_value;
    size_t line = reader->line;
    const char *problem = read_binding(reader, &name, &value, &has_value);
    if (problem != NULL) {
        reader->warning(reader->context, line, problem);
        skip_rest_of_line(reader);
        return true;
    }
    skip_blanks(reader);
    if (!at_line_end(reader) && !at_char(reader, '#'))
        reader->warning(reader->context, reader->line, "text behind the closing quote, ignored");
    skip_rest_of_line(reader);
    return deliver(reader, name, has_value ? &value : NULL);
}

static void forget_variables(struct reader *reader)
{
    for (size_t i = 0; i < reader->variable_count; i++) {
        free(reader->variables[i].name);
        free(reader->variables[i].value);
    }
    free(reader->variables);
}

bool dotenv_read(const char *text, size_t length, config_getenv_fn *lookup, void *lookup_context,
                 dotenv_pair_fn *pair, dotenv_warning_fn *warning, void *context)
{
    static const struct text byte_order_mark = TEXT_INIT("\xEF\xBB\xBF");
    struct reader reader = {
        .at = text,
        .end = text + length,
        .line = 1,
        .lookup = lookup,
        .lookup_context = lookup_context,
        .pair = pair,
        .warning = warning,
        .context = context,
    };
    bool ok = true;
    if (length >= byte_order_mark.length &&
        memcmp(text, byte_order_mark.data, byte_order_mark.length) == 0)
        reader.at += byte_order_mark.length;
    skip_blank_lines(&reader);
    while (ok && reader.at < reader.end) {
        if (at_char(&reader, '#'))
            skip_rest_of_line(&reader);
        else
            ok = read_line(&reader);
        skip_blank_lines(&reader);
    }
    forget_variables(&reader);
    return ok;
}
