/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h needs those above */
#include <cmocka.h>

#include "base/attrs.h"
#include "http/negotiate.h"

static void gzip_is_taken_when_accepted_and_not_less_wanted_than_identity(void **state)
{
    static const struct {
        const char *header;
        bool gzip;
    } cases[] = {
        {NULL, false},
        {"", false},
        {"gzip", true},
        {"GZip", true},
        {"x-gzip", true},
        {"gzip, deflate, br, zstd", true},
        {"deflate, br", false},
        {"identity", false},
        {"*", true},
        {"*;q=0", false},
        {"gzip;q=0", false},
        {"gzip;q=0.000", false},
        {"gzip;q=0.001", true},
        {"gzip;q=0, *", false}, /* what is named does not fall under `*` */
        {"br;q=1.0, gzip;q=0.8, *;q=0.1", true},
        {"gzip;q=0.5", true}, /* identity is not named: it is the last resort */
        {"gzip;q=0.5, identity", false},
        {"gzip;q=0.5, identity;q=0.5", true},
        {"gzip;q=0.5, *;q=0.8", false}, /* identity falls under `*` */
        {"identity;q=0, gzip;q=0.1", true},
        {"identity;q=0", false}, /* nothing acceptable is left: as it is, then */
        {"gzip ; Q=1 \t, br", true},
        {" , ,gzip,", true},
        {"gzip;q=1.000", true},
        {"gzip;q=1.001", false}, /* malformed from here on */
        {"gzip;q=0.1234", false},
        {"gzip;q=2", false},
        {"gzip;q=", false},
        {"gzip;q=-1", false},
        {"gzip;level=6", false},
        {"gzip;", false},
        {"gzip deflate", false},
        {"gzip, ;q=1", false},
        {"\"gzip\"", false},
        {"gzipped", false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        if (http_accepts_gzip(cases[i].header) != cases[i].gzip)
            fail_msg("wrong about `%s`", cases[i].header == NULL ? "(none)" : cases[i].header);
    }
}

static void a_type_is_preferred_when_named_and_not_less_wanted_than_the_usual_one(void **state)
{
    static const struct {
        const char *header;
        bool problem;
    } cases[] = {
        {NULL, false},
        {"", false},
        {"*/*", false}, /* anything means what is usual */
        {"application/*", false},
        {"application/json", false},
        {"application/json, text/plain, */*", false},
        {"application/problem+json", true},
        {"Application/Problem+JSON", true},
        {"application/problem+json, application/json", true}, /* who names it can read it */
        {"application/json, application/problem+json;q=1.0", true},
        {"application/json, application/problem+json;q=0.9", false},
        {"application/json;q=0.9, application/problem+json", true},
        {"application/problem+json;q=0.5, */*;q=0.1", true},
        {"application/problem+json;q=0.5, */*", false},
        {"application/problem+json;q=0.5, */*, application/json;q=0.4", true}, /* by name first */
        {"application/json;q=0.4, application/problem+json;q=0.5, application/*", true},
        {"application/problem+json;q=0.5, application/*;q=0.6, */*;q=0.1", false},
        {"application/problem+json;q=0, */*", false},
        {"application/problem+json;charset=utf-8;q=0.3", true},
        {"application/problem+json ; a=\"x,\\\"y;q=0\" ; Q=0.3 , text/html", true},
        {" , ,application/problem+json,", true},
        {"application/problem+json2", false},
        {"application/problem", false},
        {"*/problem+json", false},
        {"applications/*;q=0.1, application/problem+json;q=0.1, application/json;q=0.2", false},
        {"application/problem+json, text", false}, /* malformed from here on */
        {"application/problem+json, text/", false},
        {"application/problem+json, /html", false},
        {"application/problem+json;q", false},
        {"application/problem+json;q=2", false},
        {"application/problem+json;a=", false},
        {"application/problem+json;a=\"", false},
        {"application/problem+json;a=\"\\", false},
        {"application/problem+json text/html", false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        if (http_prefers_type(cases[i].header, "application/problem+json", "application/json") !=
            cases[i].problem)
            fail_msg("wrong about `%s`", cases[i].header == NULL ? "(none)" : cases[i].header);
    }
}

static void entity_tags_are_compared_weakly_and_read_as_a_list(void **state)
{
    static const struct {
        const char *header;
        const char *etag;
        bool matches;
    } cases[] = {
        {NULL, "\"a\"", false},
        {"", "\"a\"", false},
        {"\"a\"", "\"a\"", true},
        {"\"A\"", "\"a\"", false},
        {"W/\"a\"", "\"a\"", true},
        {"\"a\"", "W/\"a\"", true},
        {"w/\"a\"", "\"a\"", false}, /* W is case-sensitive */
        {"\"b\", \"a\"", "\"a\"", true},
        {"\"b\" ,W/\"c\",\t\"a\" ", "\"a\"", true},
        {"\"b,\", \"a\"", "\"a\"", true}, /* a comma inside quotes separates nothing */
        {"\"x, \"a\"\"", "\"a\"", false}, /* malformed */
        {"\"b\" \"a\"", "\"a\"", false},
        {"*", "\"a\"", true},
        {" * ", "\"a\"", true},
        {"*, \"b\"", "\"a\"", false},
        {"a", "\"a\"", false},
        {"\"a", "\"a\"", false},
        {"\"ab\"", "\"a\"", false},
        {"\"a-gzip\"", "\"a\"", false},
        {",,\"a\"", "\"a\"", true},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        if (http_etag_matches(cases[i].header, cases[i].etag) != cases[i].matches)
            fail_msg("wrong about `%s`", cases[i].header == NULL ? "(none)" : cases[i].header);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gzip_is_taken_when_accepted_and_not_less_wanted_than_identity),
        cmocka_unit_test(a_type_is_preferred_when_named_and_not_less_wanted_than_the_usual_one),
        cmocka_unit_test(entity_tags_are_compared_weakly_and_read_as_a_list),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
