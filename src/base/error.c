/* SPDX-License-Identifier: Apache-2.0 */
#include "base/error.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

/* Wide enough that a cut is seen, small enough for the stack. */
enum { DRAFT_BYTES = sizeof(((struct error *)NULL)->text) + 4 };

static void copy_as_one_line(char *target, size_t target_bytes, const char *draft)
{
    size_t length = strlen(draft);
    if (length >= target_bytes)
        length = utf8_cut(draft, target_bytes - 1);
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)draft[i];
        target[i] = (char)(c < ' ' || c == 0x7F ? ' ' : c);
    }
    target[length] = '\0';
}

bool error_set(struct error *reterr, enum error_code code, const char *format, ...)
{
    char draft[DRAFT_BYTES];
    va_list arguments;
    if (reterr == NULL)
        return false;
    draft[0] = '\0';
    va_start(arguments, format);
    (void)vsnprintf(draft, sizeof(draft), format, arguments);
    va_end(arguments);
    reterr->code = code;
    reterr->http_status = 0;
    copy_as_one_line(reterr->text, sizeof(reterr->text), draft);
    return false;
}

bool error_no_memory(struct error *reterr)
{
    static const char text[] = "out of memory";
    if (reterr == NULL)
        return false;
    reterr->code = ERR_NO_MEMORY;
    reterr->http_status = 0;
    memcpy(reterr->text, text, sizeof(text));
    return false;
}

bool error_equals(const struct error *a, const struct error *b)
{
    return a->code == b->code && strcmp(a->text, b->text) == 0;
}

const char *error_code_name(enum error_code code)
{
    static const char *const names[] = {
        [ERR_NONE] = "none",
        [ERR_NO_MEMORY] = "no_memory",
        [ERR_INVALID] = "invalid",
        [ERR_IO] = "io",
        [ERR_LIMIT] = "limit",
        [ERR_BUSY] = "busy",
        [ERR_DEADLINE] = "deadline",
        [ERR_SHUTDOWN] = "shutdown",
        [ERR_UPSTREAM_CONNECT] = "upstream_connect",
        [ERR_UPSTREAM_TLS] = "upstream_tls",
        [ERR_UPSTREAM_TIMEOUT] = "upstream_timeout",
        [ERR_UPSTREAM_STATUS] = "upstream_status",
        [ERR_UPSTREAM_REJECTED] = "upstream_rejected",
        [ERR_UPSTREAM_REFUSED] = "upstream_refused",
        [ERR_UPSTREAM_BODY] = "upstream_body",
        [ERR_UPSTREAM_TOO_LARGE] = "upstream_too_large",
        [ERR_UPSTREAM_UNAVAILABLE] = "upstream_unavailable",
    };
    size_t index = (size_t)code;
    return index < ARRAY_LENGTH(names) ? names[index] : "unknown";
}
