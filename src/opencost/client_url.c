/* SPDX-License-Identifier: Apache-2.0 */
#include "client_url.h"

#include <string.h>

#include "base/ascii.h"
#include "base/strbuf.h"

/* Far above any real URL; a longer one fails like a lack of memory. */
enum { URL_MAX_BYTES = 16 * 1024 };

static char *finished(struct strbuf *url)
{
    size_t length = 0;
    char *text = strbuf_take(url, &length);
    strbuf_finish(url);
    return text;
}

static void append_base(struct strbuf *url, const char *base_url)
{
    size_t length = strlen(base_url);
    while (length > 0 && base_url[length - 1] == '/')
        length--;
    strbuf_append(url, base_url, length);
}

/* What RFC 3986 lets stand in a query value, of the characters that windows are made of. The rest
 * is escaped, `+` among it, which servers read as a space. */
static bool stands_for_itself(char c)
{
    return ascii_is_digit(c) || ascii_is_letter(c) || strchr("-._~,:", c) != NULL;
}

static void append_escaped(struct strbuf *url, const char *value)
{
    for (const char *c = value; *c != '\0'; c++) {
        if (stands_for_itself(*c))
            strbuf_append_char(url, *c);
        else
            strbuf_append_format(url, "%%%02X", (unsigned)(unsigned char)*c);
    }
}

char *client_url_allocation(const char *base_url, const char *window, bool include_idle)
{
    struct strbuf url;
    strbuf_init(&url, URL_MAX_BYTES);
    append_base(&url, base_url);
    strbuf_append_text(&url, "/allocation/compute?window=");
    append_escaped(&url, window);
    strbuf_append_text(&url, "&aggregate=" ALLOCATION_AGGREGATE "&accumulate=true");
    if (include_idle)
        strbuf_append_text(&url, "&includeIdle=true");
    return finished(&url);
}

char *client_url_health(const char *base_url)
{
    struct strbuf url;
    strbuf_init(&url, URL_MAX_BYTES);
    append_base(&url, base_url);
    strbuf_append_text(&url, "/healthz");
    return finished(&url);
}

char *client_url_masked(const char *url)
{
    const char *authority = strstr(url, "://");
    authority = authority != NULL ? authority + 3 : url;
    const char *end = authority + strcspn(authority, "/?#");
    /* The last `@`: libcurl, too, takes those before it for a part of the password. */
    const char *at = memrchr(authority, '@', (size_t)(end - authority));
    struct strbuf masked;
    strbuf_init(&masked, URL_MAX_BYTES);
    if (at == NULL) {
        strbuf_append_text(&masked, url);
    } else {
        strbuf_append(&masked, url, (size_t)(authority - url));
        strbuf_append_text(&masked, "***");
        strbuf_append_text(&masked, at);
    }
    return finished(&masked);
}
