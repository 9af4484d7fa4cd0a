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
        cmocka_unit_test(entity_tags_are_compared_weakly_and_read_as_a_list),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
