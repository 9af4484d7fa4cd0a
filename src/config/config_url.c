/* SPDX-License-Identifier: Apache-2.0 */
#include "config_url.h"

#include <string.h>
#include <strings.h>

#include "base/ascii.h"
#include "base/parse.h"

enum { PORT_MAX = 65535 };

static bool holds_only(struct text text, bool (*is_allowed)(char c))
{
    for (size_t i = 0; i < text.length; i++) {
        if (!is_allowed(text.data[i]))
            return false;
    }
    return true;
}

static bool is_scheme_char(char c)
{
    return ascii_is_letter(c) || ascii_is_digit(c) || c == '+' || c == '-' || c == '.';
}

static bool is_host_char(char c)
{
    return ascii_is_letter(c) || ascii_is_digit(c) || c == '-' || c == '.' || c == '_';
}

static bool is_ipv6_char(char c)
{
    return ascii_hex_value(c) >= 0 || c == ':' || c == '.';
}

/* Printable ASCII that may stand in a URL before its query. */
static bool is_url_char(char c)
{
    return c > ' ' && c < 0x7F && strchr("\"<>\\^`{|}?#", c) == NULL;
}

/* What lies before `position`; all of it when that is NULL. */
static struct text before(struct text text, const char *position)
{
    return position != NULL ? (struct text){text.data, (size_t)(position - text.data)} : text;
}

/* What begins at `position`. */
static struct text from(struct text text, const char *position)
{
    return (struct text){position, (size_t)(text.data + text.length - position)};
}

static const char *find(struct text text, char c)
{
    return text.length > 0 ? memchr(text.data, c, text.length) : NULL;
}

static const char *find_last(struct text text, char c)
{
    return text.length > 0 ? memrchr(text.data, c, text.length) : NULL;
}

/* Cuts `scheme://` off. */
static bool split_scheme(struct text *url, struct text *ret_scheme)
{
    const char *colon = find(*url, ':');
    if (colon == NULL)
        return false;
    struct text rest = from(*url, colon);
    *ret_scheme = before(*url, colon);
    if (rest.length < 3 || memcmp(rest.data, "://", 3) != 0)
        return false;
    *url = from(rest, rest.data + 3);
    return true;
}

static bool is_port(struct text port)
{
    int64_t value;
    return parse_digits(port.data, port.length, PORT_MAX, &value) && value > 0;
}

bool config_url_is_authority(struct text authority)
{
    struct text host = authority;
    const char *port_colon = find_last(authority, ':');
    if (authority.length > 0 && authority.data[0] == '[') {
        const char *bracket = find(authority, ']');
        if (bracket == NULL)
            return false;
        host = (struct text){authority.data + 1, (size_t)(bracket - authority.data - 1)};
        struct text rest = from(authority, bracket + 1);
        bool has_port = rest.length > 0;
        return find(host, ':') != NULL && holds_only(host, is_ipv6_char) &&
               (!has_port || (rest.data[0] == ':' && is_port(from(rest, rest.data + 1))));
    }
    if (port_colon != NULL) {
        host = before(authority, port_colon);
        if (!is_port(from(authority, port_colon + 1)))
            return false;
    }
    return host.length > 0 && holds_only(host, is_host_char);
}

bool config_url_is_valid(struct text url)
{
    struct text scheme;
    if (!split_scheme(&url, &scheme) || !holds_only(url, is_url_char))
        return false;
    bool is_http = (scheme.length == 4 && strncasecmp(scheme.data, "http", 4) == 0) ||
                   (scheme.length == 5 && strncasecmp(scheme.data, "https", 5) == 0);
    struct text authority = before(url, find(url, '/'));
    const char *at_sign = find_last(authority, '@');
    return is_http &&
           config_url_is_authority(at_sign != NULL ? from(authority, at_sign + 1) : authority);
}

bool config_origin_is_valid(struct text origin)
{
    struct text scheme;
    if (text_equals(origin, TEXT("*")))
        return true;
    return split_scheme(&origin, &scheme) && scheme.length > 0 && ascii_is_letter(scheme.data[0]) &&
           holds_only(scheme, is_scheme_char) && config_url_is_authority(origin);
}

void config_url_append_masked(struct text url, struct strbuf *out)
{
    static const char mask[] = "***";
    struct text scheme;
    struct text rest = url;
    if (split_scheme(&rest, &scheme)) {
        strbuf_append(out, scheme.data, scheme.length);
        strbuf_append_text(out, "://");
    }
    const char *at_sign = find_last(rest, '@');
    if (at_sign != NULL) {
        strbuf_append_text(out, mask);
        rest = from(rest, at_sign);
    }
    size_t visible = 0;
    while (visible < rest.length && rest.data[visible] != '?' && rest.data[visible] != '#')
        visible++;
    strbuf_append(out, rest.data, visible);
    if (visible < rest.length) {
        strbuf_append(out, rest.data + visible, 1);
        strbuf_append_text(out, mask);
    }
}
