/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/attrs.h"
#include "base/strbuf.h"
#include "config/redis_url.h"
#include "support/alloc_fault.h"

static void append_part(struct strbuf *out, const char *name, const char *value)
{
    if (value != NULL)
        strbuf_append_format(out, " %s=%s", name, value);
}

/* All of it on one line. */
static void describe(const struct redis_url *url, struct strbuf *out)
{
    strbuf_append_text(out, url->tls ? "tls" : "plain");
    append_part(out, "path", url->unix_path);
    for (size_t i = 0; i < url->host_count; i++)
        strbuf_append_format(out, " %s|%u", url->hosts[i].name, (unsigned)url->hosts[i].port);
    append_part(out, "master", url->master);
    append_part(out, "user", url->user);
    append_part(out, "password", url->password);
    strbuf_append_format(out, " db=%lld", (long long)url->database);
}

static void good_urls_come_apart(void **state)
{
    static const struct {
        const char *url, *parts;
    } cases[] = {
        {"redis://h", "plain h|6379 db=0"},
        {"redis://h/", "plain h|6379 db=0"},
        {"redis://h:1/15", "plain h|1 db=15"},
        {"redis://10.0.0.7:65535", "plain 10.0.0.7|65535 db=0"},
        {"redis://[::1]:7000/2", "plain ::1|7000 db=2"},
        {"redis://[fe80::1]", "plain fe80::1|6379 db=0"},
        {"rediss://cache.example:6380/1", "tls cache.example|6380 db=1"},
        {"redis://u:p@h", "plain h|6379 user=u password=p db=0"},
        {"redis://:p@h", "plain h|6379 password=p db=0"},
        {"redis://u@h", "plain h|6379 user=u db=0"},
        {"redis://u:a%40b%2fc%3A%25@h", "plain h|6379 user=u password=a@b/c:% db=0"},
        {"redis://u:a@b:c/d?e@h:5", "plain h|5 user=u password=a@b:c/d?e db=0"},
        {"unix:///run/redis.sock", "plain path=/run/redis.sock db=0"},
        {"unix:///a%20b?db=3", "plain path=/a b db=3"},
        {"unix://u:p@/run/redis.sock", "plain path=/run/redis.sock user=u password=p db=0"},
        {"redis+sentinel://a/main", "plain a|26379 master=main db=0"},
        {"redis+sentinel://u:p@a:1,b,[::1]:3/main/4",
         "plain a|1 b|26379 ::1|3 master=main user=u password=p db=4"},
        {"rediss+sentinel://a:1/main/", "tls a|1 master=main db=0"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct redis_url url;
        struct strbuf parts CLEANUP(strbuf_finish);
        strbuf_init(&parts, 1000);
        assert_int_equal(redis_url_parse(text_of(cases[i].url), &url), REDIS_URL_OK);
        describe(&url, &parts);
        assert_string_equal(strbuf_text(&parts), cases[i].parts);
        redis_url_finish(&url);
    }
}

static void bad_urls_are_refused(void **state)
{
    static const char *const cases[] = {
        "",
        "redis",
        "redis:",
        "redis:/h",
        "redis://",
        "redis://:6379",
        "redis:///0",
        "REDIS://h",
        "http://h",
        "valkey+tls://h",
        "redis://h:0",
        "redis://h:65536",
        "redis://h:port",
        "redis://h:",
        "redis://h/x",
        "redis://h/-1",
        "redis://h/0/1",
        "redis://h/1000001",
        "redis://h?db=1",
        "redis://h#f",
        "redis://a,b",
        "redis://h h",
        "redis://h\n",
        "redis://[::1",
        "redis://[::1]x",
        "redis://[]:1",
        "redis://u:p%@h",
        "redis://u:p%4@h",
        "redis://u:p%zz@h",
        "redis://u:p%00@h",
        "unix://",
        "unix:///",
        "unix://run/redis.sock",
        "unix:///run/redis.sock?db=",
        "unix:///run/redis.sock?db=x",
        "unix:///run/redis.sock?dB=1",
        "redis+sentinel://a",
        "redis+sentinel://a/",
        "redis+sentinel://a,/main",
        "redis+sentinel://,a/main",
        "redis+sentinel:///main",
        "redis+sentinel://a/main/x",
        "redis+sentinel://a/main/0/1",
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct redis_url url;
        enum redis_url_result result = redis_url_parse(text_of(cases[i]), &url);
        if (result != REDIS_URL_INVALID)
            fail_msg("accepted: %s", cases[i]);
    }
}

static void parsing_survives_any_failing_allocation(void **state)
{
    static const struct text url_text = TEXT_INIT("rediss+sentinel://user:password@a:1,b:2/main/3");
    (void)state;
    if (!alloc_fault_supported())
        skip();
    long nth = 1;
    for (bool was_hit = true; was_hit; nth++) {
        struct redis_url url;
        alloc_fault_arm(nth);
        enum redis_url_result result = redis_url_parse(url_text, &url);
        was_hit = alloc_fault_hit();
        alloc_fault_disarm();
        assert_int_equal(result, was_hit ? REDIS_URL_NO_MEMORY : REDIS_URL_OK);
        if (!was_hit)
            redis_url_finish(&url);
    }
    assert_true(nth > 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_urls_come_apart),
        cmocka_unit_test(bad_urls_are_refused),
        cmocka_unit_test(parsing_survives_any_failing_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
