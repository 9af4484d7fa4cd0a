/* SPDX-License-Identifier: Apache-2.0 */
#include "config/redis_url.h"

#include <stdlib.h>
#include <string.h>

#include "base/ascii.h"
#include "base/parse.h"
#include "config_url.h"

enum {
    REDIS_PORT = 6379,
    SENTINEL_PORT = 26379,
    PORT_MAX = 65535,
    DATABASE_MAX = 1000000, /* Redis has 16 unless told otherwise; it says so itself */
};

struct scheme {
    struct text name;
    bool tls, is_unix, has_sentinels;
};

static const struct scheme schemes[] = {
    {.name = TEXT_INIT("redis")},
    {.name = TEXT_INIT("rediss"), .tls = true},
    {.name = TEXT_INIT("unix"), .is_unix = true},
    {.name = TEXT_INIT("redis+sentinel"), .has_sentinels = true},
    {.name = TEXT_INIT("rediss+sentinel"), .tls = true, .has_sentinels = true},
};

static const struct scheme *scheme_of(struct text name)
{
    for (size_t i = 0; i < ARRAY_LENGTH(schemes); i++) {
        if (text_equals(schemes[i].name, name))
            return &schemes[i];
    }
    return NULL;
}

/* Cuts off what lies before the first `mark`, and the mark; all of it when there is none. */
static struct text cut(struct text *rest, char mark)
{
    const char *at = rest->length > 0 ? memchr(rest->data, mark, rest->length) : NULL;
    struct text piece = *rest;
    if (at == NULL) {
        *rest = (struct text){rest->data + rest->length, 0};
        return piece;
    }
    piece.length = (size_t)(at - rest->data);
    *rest = (struct text){at + 1, rest->length - piece.length - 1};
    return piece;
}

/* Nothing is NULL. */
static enum redis_url_result decode(struct text text, char **ret_text)
{
    enum { HEX_BASE = 16 };
    if (text.length == 0)
        return REDIS_URL_OK;
    char *decoded = malloc(text.length + 1);
    size_t length = 0;
    if (decoded == NULL)
        return REDIS_URL_NO_MEMORY;
    for (size_t i = 0; i < text.length; i++) {
        char c = text.data[i];
        if (c == '%') {
            int high = i + 2 < text.length ? ascii_hex_value(text.data[i + 1]) : -1;
            int low = i + 2 < text.length ? ascii_hex_value(text.data[i + 2]) : -1;
            int byte = high < 0 || low < 0 ? 0 : high * HEX_BASE + low;
            c = (char)(unsigned char)byte;
            i += 2;
        }
        if (c == '\0') { /* half an escape, or a NUL, which no C string holds */
            explicit_bzero(decoded, length);
            free(decoded);
            return REDIS_URL_INVALID;
        }
        decoded[length++] = c;
    }
    decoded[length] = '\0';
    *ret_text = decoded;
    return REDIS_URL_OK;
}

static enum redis_url_result copy(struct text text, char **ret_copy)
{
    *ret_copy = strndup(text.data, text.length);
    return *ret_copy != NULL ? REDIS_URL_OK : REDIS_URL_NO_MEMORY;
}

static enum redis_url_result read_database(struct text text, struct redis_url *url)
{
    if (text.length == 0)
        return REDIS_URL_OK;
    return parse_digits(text.data, text.length, DATABASE_MAX, &url->database) ? REDIS_URL_OK
                                                                              : REDIS_URL_INVALID;
}

/* Takes `user:password@` off the front. A password may hold any character but these; `@` as %40
 * or as it is, since the last one counts. */
static enum redis_url_result read_credentials(struct text *rest, struct redis_url *url)
{
    const char *at_sign = rest->length > 0 ? memrchr(rest->data, '@', rest->length) : NULL;
    if (at_sign == NULL)
        return REDIS_URL_OK;
    struct text password = {rest->data, (size_t)(at_sign - rest->data)};
    *rest = (struct text){at_sign + 1, rest->length - password.length - 1};
    struct text user = cut(&password, ':');
    enum redis_url_result result = decode(user, &url->user);
    return result == REDIS_URL_OK ? decode(password, &url->password) : result;
}

static enum redis_url_result read_host(struct text authority, uint16_t port,
                                       struct redis_host *host)
{
    if (!config_url_is_authority(authority))
        return REDIS_URL_INVALID;
    struct text name = authority;
    if (name.data[0] == '[') {
        name = (struct text){authority.data + 1, authority.length - 1};
        struct text bracketed = cut(&name, ']');
        authority = name;
        name = bracketed;
    } else {
        name = cut(&authority, ':');
    }
    /* What is left is a port, behind its colon if the host was in brackets. */
    if (authority.length > 0 && authority.data[0] == ':')
        (void)cut(&authority, ':');
    int64_t given = port;
    if (authority.length > 0 && !parse_digits(authority.data, authority.length, PORT_MAX, &given))
        return REDIS_URL_INVALID;
    host->port = (uint16_t)given;
    return copy(name, &host->name);
}

static enum redis_url_result read_hosts(struct text list, const struct scheme *scheme,
                                        struct redis_url *url)
{
    size_t count = 1;
    for (size_t i = 0; i < list.length; i++)
        count += list.data[i] == ',' ? 1 : 0;
    if (count > 1 && !scheme->has_sentinels)
        return REDIS_URL_INVALID;
    url->hosts = calloc(count, sizeof(*url->hosts));
    if (url->hosts == NULL)
        return REDIS_URL_NO_MEMORY;
    url->host_count = count;
    enum redis_url_result result = REDIS_URL_OK;
    for (size_t i = 0; i < count && result == REDIS_URL_OK; i++)
        result = read_host(cut(&list, ','), scheme->has_sentinels ? SENTINEL_PORT : REDIS_PORT,
                           &url->hosts[i]);
    return result;
}

static enum redis_url_result read_network(struct text rest, const struct scheme *scheme,
                                          struct redis_url *url)
{
    struct text hosts = cut(&rest, '/');
    enum redis_url_result result = read_hosts(hosts, scheme, url);
    if (result != REDIS_URL_OK || !scheme->has_sentinels)
        return result == REDIS_URL_OK ? read_database(rest, url) : result;
    struct text master = cut(&rest, '/');
    if (master.length == 0)
        return REDIS_URL_INVALID;
    result = decode(master, &url->master);
    return result == REDIS_URL_OK ? read_database(rest, url) : result;
}

static enum redis_url_result read_unix(struct text rest, struct redis_url *url)
{
    static const struct text db = TEXT_INIT("db=");
    struct text path = cut(&rest, '?');
    if (path.length < 2 || path.data[0] != '/')
        return REDIS_URL_INVALID;
    if (rest.length > 0) {
        if (rest.length <= db.length || memcmp(rest.data, db.data, db.length) != 0)
            return REDIS_URL_INVALID;
        rest = (struct text){rest.data + db.length, rest.length - db.length};
    }
    enum redis_url_result result = read_database(rest, url);
    return result == REDIS_URL_OK ? decode(path, &url->unix_path) : result;
}

static bool is_printable(struct text text)
{
    for (size_t i = 0; i < text.length; i++) {
        if (text.data[i] <= ' ' || text.data[i] > '~')
            return false;
    }
    return true;
}

enum redis_url_result redis_url_parse(struct text text, struct redis_url *ret_url)
{
    static const struct text slashes = TEXT_INIT("//");
    struct redis_url url = {0};
    struct text rest = text;
    const struct scheme *scheme = scheme_of(cut(&rest, ':'));
    if (scheme == NULL || !is_printable(text) || rest.length < slashes.length ||
        memcmp(rest.data, slashes.data, slashes.length) != 0)
        return REDIS_URL_INVALID;
    rest = (struct text){rest.data + slashes.length, rest.length - slashes.length};
    url.tls = scheme->tls;
    enum redis_url_result result = read_credentials(&rest, &url);
    if (result == REDIS_URL_OK)
        result = scheme->is_unix ? read_unix(rest, &url) : read_network(rest, scheme, &url);
    if (result == REDIS_URL_OK)
        *ret_url = url;
    else
        redis_url_finish(&url);
    return result;
}

void redis_url_finish(struct redis_url *url)
{
    if (url->password != NULL)
        explicit_bzero(url->password, strlen(url->password));
    for (size_t i = 0; i < url->host_count; i++)
        free(url->hosts[i].name);
    free(url->hosts);
    free(url->unix_path);
    free(url->master);
    free(url->user);
    free(url->password);
    *url = (struct redis_url){0};
}
