/* SPDX-License-Identifier: Apache-2.0 */
#include "target.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/ascii.h"
#include "base/utf8.h"

/* Room for decoding: a component is first percent-decoded, which never makes it longer, and then
 * its broken UTF-8 replaced, which makes it at most three times as long. */
enum { DECODE_FACTOR = 1 + UTF8_REPAIR_FACTOR };

bool target_capture(struct target *target, const char *sent, size_t length)
{
    size_t size = length + 1 + DECODE_FACTOR * length;

    target->block = target->inline_block;
    target->params = target->inline_params;
    target->path = "";
    if (size > sizeof(target->inline_block))
        target->block = malloc(size);
    if (target->block == NULL)
        return false;
    memcpy(target->block, sent, length);
    target->block[length] = '\0';
    target->length = length;
    target->room = target->block + length + 1;
    target->path = target->block;
    return true;
}

void target_finish(struct target *target)
{
    if (target->block != target->inline_block)
        free(target->block);
    if (target->params != target->inline_params)
        free(target->params);
    target->block = NULL;
    target->params = NULL;
}

/* A `%` that begins no escape stays as it is, as in the service we port. Returns bytes written. */
static size_t percent_decode(const char *from, size_t length, bool plus_is_space, char *to)
{
    size_t written = 0;

    for (size_t i = 0; i < length; i++) {
        char c = from[i];

        if (c == '%' && length - i > 2 && ascii_hex_value(from[i + 1]) >= 0 &&
            ascii_hex_value(from[i + 2]) >= 0) {
            c = (char)(ascii_hex_value(from[i + 1]) * 16 + ascii_hex_value(from[i + 2]));
            i += 2;
        } else if (c == '+' && plus_is_space) {
            c = ' ';
        }
        to[written++] = c;
    }
    return written;
}

enum { NEEDS_DECODING = 1, HAS_CONTROL_BYTES = 2 };

static unsigned scan(const char *text, size_t length, bool plus_is_space)
{
    unsigned found = 0;

    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)text[i];

        if (c < 0x20 || c == 0x7f)
            found |= HAS_CONTROL_BYTES;
        else if (c == '%' || c >= 0x80 || (c == '+' && plus_is_space))
            found |= NEEDS_DECODING;
    }
    return found;
}

/* False when there is a control byte in it, decoded or not. */
static bool decode(struct target *target, const char *sent, size_t length, bool plus_is_space,
                   struct text *ret_text)
{
    unsigned found = scan(sent, length, plus_is_space);
    struct text text = {.data = sent, .length = length};

    if ((found & NEEDS_DECODING) != 0) {
        text.data = target->room;
        text.length = percent_decode(sent, length, plus_is_space, target->room);
        target->room += text.length;
        found = scan(text.data, text.length, false);
        if (!utf8_is_valid(text.data, text.length)) {
            size_t repaired = utf8_repair(text.data, text.length, target->room);

            text = (struct text){.data = target->room, .length = repaired};
            target->room += repaired;
        }
    }
    *ret_text = text;
    return (found & HAS_CONTROL_BYTES) == 0;
}

/* Where the path begins: behind scheme and host of an absolute form. NULL when the target is
 * neither that nor a path. */
static char *find_path(char *sent, const char *method)
{
    static const char *const schemes[] = {"http://", "https://"};

    if (sent[0] == '/')
        return sent;
    if (strcmp(sent, "*") == 0 && strcmp(method, "OPTIONS") == 0)
        return sent;
    for (size_t i = 0; i < ARRAY_LENGTH(schemes); i++) {
        size_t length = strlen(schemes[i]);
        size_t host_length;

        if (strncasecmp(sent, schemes[i], length) != 0)
            continue;
        host_length = strcspn(sent + length, "/?");
        return host_length == 0 ? NULL : sent + length + host_length;
    }
    return NULL;
}

static size_t count_params(const char *query)
{
    size_t count = query[0] == '\0' ? 0 : 1;

    for (const char *p = strchr(query, '&'); p != NULL; p = strchr(p + 1, '&'))
        count++;
    return count;
}

/* `a=b&c`: empty pieces are skipped, a name without `=` has an empty value. */
static bool decode_params(struct target *target, const char *query, size_t *ret_count)
{
    *ret_count = 0;
    for (const char *piece = query; *piece != '\0';) {
        size_t length = strcspn(piece, "&");
        const char *equals = memchr(piece, '=', length);
        size_t name_length = equals == NULL ? length : (size_t)(equals - piece);
        const char *value = equals == NULL ? piece + length : equals + 1;
        size_t value_length = (size_t)(piece + length - value);
        struct http_param *param = &target->params[*ret_count];

        if (length > 0) {
            if (!decode(target, piece, name_length, true, &param->name) ||
                !decode(target, value, value_length, true, &param->value))
                return false;
            (*ret_count)++;
        }
        piece += length + (piece[length] == '&' ? 1 : 0);
    }
    return true;
}

static enum target_result decode_query(struct target *target, const char *query,
                                       struct http_request *request)
{
    size_t room = count_params(query);

    if (room > TARGET_MAX_PARAMS)
        return TARGET_MALFORMED;
    if (room > TARGET_INLINE_PARAMS) {
        struct http_param *params = calloc(room, sizeof(*params));

        if (params == NULL)
            return TARGET_NO_MEMORY;
        target->params = params;
    }
    request->params = target->params;
    return decode_params(target, query, &request->param_count) ? TARGET_OK : TARGET_MALFORMED;
}

enum target_result target_decode(struct target *target, const char *method,
                                 struct http_request *request)
{
    char *path = find_path(target->block, method);
    char *query;
    char *end;
    size_t length;

    if (path == NULL || memchr(target->block, ' ', target->length) != NULL)
        return TARGET_MALFORMED;
    end = target->block + target->length;
    query = memchr(path, '?', (size_t)(end - path));
    length = (size_t)((query == NULL ? end : query) - path);
    if (query != NULL)
        *query++ = '\0';
    target->path = length == 0 ? "/" : path;
    if (!decode(target, target->path, length == 0 ? 1 : length, false, &request->path))
        return TARGET_MALFORMED;
    if (query == NULL)
        return TARGET_OK;
    request->query = (struct text){.data = query, .length = (size_t)(end - query)};
    return decode_query(target, query, request);
}
