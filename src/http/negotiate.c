/* SPDX-License-Identifier: Apache-2.0 */
#include "http/negotiate.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

enum {
    WEIGHT_UNSET = -1,
    WEIGHT_FULL = 1000, /* weights are counted in thousandths: three decimals are the grammar's */
};

static const char *skip_blanks(const char *p)
{
    return p + strspn(p, " \t");
}

/* Length of the token (RFC 9110, 5.6.2) at `p`. */
static size_t token_length(const char *p)
{
    return strspn(p, "!#$%&'*+-.^_`|~0123456789"
                     "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");
}

/* Reads `0`, `0.123`, `1` or `1.000`; moves *at behind it. */
static bool read_weight(const char **at, int *ret_weight)
{
    const char *p = *at;
    int weight;
    int scale = WEIGHT_FULL / 10;

    if (*p != '0' && *p != '1')
        return false;
    weight = (*p++ - '0') * WEIGHT_FULL;
    if (*p == '.') {
        for (p++; *p >= '0' && *p <= '9' && scale > 0; p++, scale /= 10)
            weight += (*p - '0') * scale;
    }
    if (weight > WEIGHT_FULL)
        return false;
    *at = p;
    *ret_weight = weight;
    return true;
}

/* Reads one `coding [;q=weight]`; moves *at behind it. */
static bool read_coding(const char **at, const char **ret_name, size_t *ret_length, int *ret_weight)
{
    const char *p = *at;

    *ret_name = p;
    *ret_length = token_length(p);
    *ret_weight = WEIGHT_FULL;
    if (*ret_length == 0)
        return false;
    p = skip_blanks(p + *ret_length);
    if (*p == ';') {
        p = skip_blanks(p + 1);
        if ((*p != 'q' && *p != 'Q') || p[1] != '=')
            return false;
        p += 2;
        if (!read_weight(&p, ret_weight))
            return false;
        p = skip_blanks(p);
    }
    *at = p;
    return *p == ',' || *p == '\0';
}

static bool name_is(const char *name, size_t length, const char *literal)
{
    return length == strlen(literal) && strncasecmp(name, literal, length) == 0;
}

bool http_accepts_gzip(const char *accept_encoding)
{
    const char *p = accept_encoding;
    int gzip = WEIGHT_UNSET;
    int identity = WEIGHT_UNSET;
    int any = WEIGHT_UNSET;

    if (p == NULL)
        return false;
    for (;;) {
        const char *name;
        size_t length;
        int weight;

        p += strspn(p, " \t,"); /* empty list members are allowed */
        if (*p == '\0')
            break;
        if (!read_coding(&p, &name, &length, &weight))
            return false;
        if (name_is(name, length, "gzip") || name_is(name, length, "x-gzip"))
            gzip = weight;
        else if (name_is(name, length, "identity"))
            identity = weight;
        else if (name_is(name, length, "*"))
            any = weight;
    }
    if (gzip == WEIGHT_UNSET)
        gzip = any;
    if (identity == WEIGHT_UNSET)
        identity = any; /* still unset: acceptable, but less wanted than anything named */
    return gzip > 0 && gzip >= identity;
}

/* Length of the quoted string at `p`, 0 when it does not end. */
static size_t quoted_length(const char *p)
{
    size_t length = 1;

    while (p[length] != '"') {
        if (p[length] == '\\')
            length++;
        if (p[length] == '\0')
            return 0;
        length++;
    }
    return length + 1;
}

/* Reads the `name=value` of one parameter; moves *at behind it. A weight is kept. */
static bool read_parameter(const char **at, int *ret_weight)
{
    const char *p = *at;
    size_t name_length = token_length(p);
    size_t value_length;

    if (name_length == 0 || p[name_length] != '=')
        return false;
    if (name_is(p, name_length, "q")) {
        p += name_length + 1;
        if (!read_weight(&p, ret_weight))
            return false;
        *at = p;
        return true;
    }
    p += name_length + 1;
    value_length = *p == '"' ? quoted_length(p) : token_length(p);
    *at = p + value_length;
    return value_length > 0;
}

struct media_range {
    const char *name; /* `type/subtype`, either of which may be `*` */
    size_t length;
    int weight;
};

/* Reads one `type/subtype *(;parameter)`; moves *at behind it. */
static bool read_media_range(const char **at, struct media_range *ret_range)
{
    const char *p = *at;
    size_t type_length = token_length(p);
    size_t subtype_length;

    if (type_length == 0 || p[type_length] != '/')
        return false;
    subtype_length = token_length(p + type_length + 1);
    *ret_range = (struct media_range){
        .name = p, .length = type_length + 1 + subtype_length, .weight = WEIGHT_FULL};
    p = skip_blanks(p + ret_range->length);
    while (*p == ';') {
        p = skip_blanks(p + 1);
        if (!read_parameter(&p, &ret_range->weight))
            return false;
        p = skip_blanks(p);
    }
    *at = p;
    return subtype_length > 0 && (*p == ',' || *p == '\0');
}

/* How exactly the range means `type`: 3 by name, 2 by its first half, 1 as anything, 0 not. */
static int range_closeness(const struct media_range *range, const char *type)
{
    size_t half = strcspn(type, "/") + 1;

    if (name_is(range->name, range->length, type))
        return 3;
    if (range->length == half + 1 && range->name[half] == '*' &&
        strncasecmp(range->name, type, half) == 0)
        return 2;
    return name_is(range->name, range->length, "*/*") ? 1 : 0;
}

bool http_prefers_type(const char *accept, const char *type, const char *usual)
{
    const char *p = accept;
    int wanted = WEIGHT_UNSET;
    int other = WEIGHT_UNSET;
    int other_closeness = 0;

    if (p == NULL)
        return false;
    for (;;) {
        struct media_range range;
        int closeness;

        p += strspn(p, " \t,"); /* empty list members are allowed */
        if (*p == '\0')
            break;
        if (!read_media_range(&p, &range))
            return false;
        if (name_is(range.name, range.length, type))
            wanted = range.weight;
        closeness = range_closeness(&range, usual);
        if (closeness > 0 && closeness >= other_closeness) {
            other = range.weight;
            other_closeness = closeness;
        }
    }
    return wanted > 0 && wanted >= other;
}

bool http_etag_matches(const char *if_none_match, const char *etag)
{
    const char *p = if_none_match;
    const char *opaque = strncmp(etag, "W/", 2) == 0 ? etag + 2 : etag;
    size_t opaque_length = strlen(opaque);

    if (p == NULL)
        return false;
    p = skip_blanks(p);
    if (*p == '*')
        return *skip_blanks(p + 1) == '\0';
    for (;;) {
        const char *end;

        p += strspn(p, " \t,");
        if (strncmp(p, "W/", 2) == 0)
            p += 2;
        if (*p != '"')
            return false; /* the end, or no entity tag: what follows cannot be trusted */
        end = strchr(p + 1, '"');
        if (end == NULL)
            return false;
        end++;
        if ((size_t)(end - p) == opaque_length && memcmp(p, opaque, opaque_length) == 0)
            return true;
        p = skip_blanks(end);
        if (*p != ',' && *p != '\0')
            return false;
    }
}
