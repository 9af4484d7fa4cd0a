/* SPDX-License-Identifier: Apache-2.0 */
/* Accept, Accept-Encoding and If-None-Match of any content: an answer, and where the grammar leaves
 * no choice, the right one. */
#include <stdbool.h>

#include "base/strbuf.h"
#include "framing.h"
#include "fuzz.h"
#include "http/negotiate.h"

static const char etag[] = "\"0123456789abcdef-gz\"";

/* The first member decides, whatever follows it. */
static void check_first_member(const char *rest)
{
    struct strbuf list;
    strbuf_init(&list, SIZE_MAX);
    strbuf_append_format(&list, "W/%s,%s", etag, rest);
    FUZZ_CHECK(http_etag_matches(strbuf_text(&list), etag));
    strbuf_finish(&list);
}

/* A match needs the tag itself in the list, or an asterisk alone. */
static void check_match(const char *value)
{
    if (http_etag_matches(value, etag))
        FUZZ_CHECK(strstr(value, etag) != NULL || strchr(value, '*') != NULL);
}

/* Gzip is sent only to who names it or everything, and to nobody who says `q=0` to both alone. */
static void check_accepts(const char *value)
{
    if (http_accepts_gzip(value))
        FUZZ_CHECK(strcasestr(value, "gzip") != NULL || strchr(value, '*') != NULL);
}

/* A type is preferred only by who names it. */
static void check_prefers(const char *value)
{
    if (http_prefers_type(value, "application/problem+json", "application/json"))
        FUZZ_CHECK(strcasestr(value, "application/problem+json") != NULL);
}

static void check_request_id(const char *value)
{
    size_t length = framing_request_id_length(value);
    FUZZ_CHECK(length <= REQUEST_ID_MAX && length <= strlen(value));
    for (size_t i = 0; i < length; i++)
        FUZZ_CHECK(value[i] > ' ' && value[i] < 0x7f && value[i] != '"' && value[i] != '\\');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *value = fuzz_copy(data, size, 1);
    check_accepts(value);
    check_match(value);
    check_prefers(value);
    check_first_member(value);
    check_request_id(value);
    free(value);
    return 0;
}
