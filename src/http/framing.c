/* SPDX-License-Identifier: Apache-2.0 */
#include "framing.h"

#include <string.h>
#include <strings.h>

#include "base/parse.h"

#define ALPHANUMERIC "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

/* RFC 9110, 5.6.2. Letters first: header names are checked on every request. */
static bool is_token_byte(char c)
{
    char lower = (char)(c | 0x20);

    return (lower >= 'a' && lower <= 'z') || c == '-' || (c >= '0' && c <= '9') ||
           (c != '\0' && strchr("!#$%&'*+.^_`|~", c) != NULL);
}

static bool is_token(const char *text, size_t length)
{
    if (length == 0)
        return false;
    for (size_t i = 0; i < length; i++) {
        if (!is_token_byte(text[i]))
            return false;
    }
    return true;
}

static bool name_is(const char *name, size_t length, const char *literal, size_t literal_length)
{
    return length == literal_length && strncasecmp(name, literal, length) == 0;
}

#define NAME_IS(name, length, literal) name_is((name), (length), (literal), sizeof(literal) - 1)

static void note_first(const char **slot, const char *value)
{
    if (*slot == NULL)
        *slot = value;
}

/* libmicrohttpd takes a line to end at its first NUL, and puts NUL in the place of line ends, which
 * are LF or CR LF. Others may read on (`chunked`, a NUL and more is another coding to them), so
 * there must be nothing else before what comes next. */
static bool follows(const char *line_end, const char *next, unsigned line_ends)
{
    static const char ends[4];
    uintptr_t distance = (uintptr_t)next - (uintptr_t)line_end;

    return distance >= line_ends && distance <= (uintptr_t)2 * line_ends &&
           memcmp(line_end, ends, distance) == 0;
}

static enum MHD_Result look_at_header(void *context, enum MHD_ValueKind kind, const char *name,
                                      size_t name_length, const char *value, size_t value_length)
{
    struct request_head *head = context;

    (void)kind;
    /* A blank before the colon leaves it in the name; a folded line leaves its text there. */
    if (!is_token(name, name_length) || value == NULL ||
        memchr(value, '\r', value_length) != NULL || !follows(head->line_end, name, 1)) {
        head->malformed = true;
        return MHD_NO;
    }
    head->line_end = value + value_length;
    if (NAME_IS(name, name_length, "Host")) {
        head->hosts++;
    } else if (NAME_IS(name, name_length, "Accept-Encoding")) {
        note_first(&head->accept_encoding, value);
    } else if (NAME_IS(name, name_length, "If-None-Match")) {
        note_first(&head->if_none_match, value);
    } else if (NAME_IS(name, name_length, "X-Request-ID")) {
        note_first(&head->request_id, value);
    } else if (NAME_IS(name, name_length, "traceparent")) {
        note_first(&head->traceparent, value);
    } else if (NAME_IS(name, name_length, "Content-Length")) {
        head->content_lengths++;
        note_first(&head->content_length, value);
    } else if (NAME_IS(name, name_length, "Transfer-Encoding")) {
        head->transfer_encodings++;
        note_first(&head->transfer_encoding, value);
    }
    return MHD_YES;
}

static size_t length_without_blanks(const char *value)
{
    size_t length = strlen(value);

    while (length > 0 && (value[length - 1] == ' ' || value[length - 1] == '\t'))
        length--;
    return length;
}

static bool framing_is_clear(struct request_head *head, bool is_http_1_0)
{
    if (head->transfer_encodings > 0) {
        size_t length = length_without_blanks(head->transfer_encoding);

        return head->transfer_encodings == 1 && head->content_lengths == 0 && !is_http_1_0 &&
               NAME_IS(head->transfer_encoding, length, "chunked");
    }
    if (head->content_lengths == 0)
        return true;
    return head->content_lengths == 1 &&
           parse_digits(head->content_length, length_without_blanks(head->content_length),
                        INT64_MAX, &head->body_bytes);
}

/* The last line has an empty one behind it. `method` stands where the head begins. */
static bool ends_with_head(const struct request_head *head, struct MHD_Connection *connection,
                           const char *method)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);

    return info != NULL && follows(head->line_end, method + info->header_size, 2);
}

bool framing_examine(struct MHD_Connection *connection, const char *method, const char *version,
                     struct request_head *ret_head)
{
    bool is_http_1_0 = strcmp(version, MHD_HTTP_VERSION_1_0) == 0;

    *ret_head = (struct request_head){.line_end = version + strlen(version)};
    MHD_get_connection_values_n(connection, MHD_HEADER_KIND, look_at_header, ret_head);
    if (ret_head->malformed || !is_token(method, strlen(method)) ||
        !ends_with_head(ret_head, connection, method))
        return false;
    if (ret_head->hosts > 1 || (ret_head->hosts == 0 && !is_http_1_0))
        return false;
    return framing_is_clear(ret_head, is_http_1_0);
}

size_t framing_request_id_length(const char *value)
{
    size_t length = length_without_blanks(value);

    return length <= REQUEST_ID_MAX && strspn(value, ALPHANUMERIC "._~:/+=@-") == length ? length
                                                                                         : 0;
}
