/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h needs those above */
#include <cmocka.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "auth.h"
#include "base/log.h"
#include "support/alloc_fault.h"

enum { LONGEST = 4096, MOST = 256 };

static char file[] = "/tmp/kubecent-tokens-XXXXXX";

static int make_file(void **state)
{
    (void)state;
    int fd = mkstemp(file);
    return fd < 0 ? -1 : close(fd);
}

static int remove_file(void **state)
{
    (void)state;
    return unlink(file);
}

/* As those do who take care: a new file takes the place of the old. */
static void replace_bytes(const char *text, size_t length)
{
    char fresh[sizeof(file) + 4];
    snprintf(fresh, sizeof(fresh), "%s.new", file);
    FILE *stream = fopen(fresh, "w");
    assert_non_null(stream);
    assert_int_equal(fwrite(text, 1, length, stream), length);
    assert_int_equal(fclose(stream), 0);
    assert_int_equal(rename(fresh, file), 0);
}

static void replace(const char *text)
{
    replace_bytes(text, strlen(text));
}

static struct auth *auth_with(const char *text)
{
    struct error error;
    replace(text);
    struct auth *auth = auth_create(file, NULL, &error);
    if (auth == NULL)
        fail_msg("%s", error.text);
    return auth;
}

static enum auth_verdict verdict_on(struct auth *auth, const char *authorization)
{
    char user[AUTH_USER_MAX];
    return auth_judge(auth, authorization, user);
}

static void one_token_of_the_file_is_enough(void **state)
{
    static const struct {
        const char *authorization;
        enum auth_verdict verdict;
    } cases[] = {
        {"Bearer alpha", AUTH_GRANTED},
        {"Bearer beta.b-_~+/==", AUTH_GRANTED},
        {"Bearer gamma", AUTH_GRANTED},
        {"bearer alpha", AUTH_GRANTED},
        {"BEARER   alpha  ", AUTH_GRANTED},
        {"Bearer alphA", AUTH_WRONG_TOKEN},
        {"Bearer alph", AUTH_WRONG_TOKEN},
        {"Bearer alphaa", AUTH_WRONG_TOKEN},
        {"Bearer alpha beta", AUTH_WRONG_TOKEN},
        {"Bearer alpha,", AUTH_WRONG_TOKEN},
        {"Bearer #comment", AUTH_WRONG_TOKEN},
        {"Bearer \xff", AUTH_WRONG_TOKEN},
        {NULL, AUTH_NO_TOKEN},
        {"", AUTH_NO_TOKEN},
        {"Bearer", AUTH_NO_TOKEN},
        {"Bearer ", AUTH_NO_TOKEN},
        {"Bearer \t ", AUTH_NO_TOKEN},
        {"Basic YWxwaGE6", AUTH_NO_TOKEN},
        {"alpha", AUTH_NO_TOKEN},
        {"Bearers alpha", AUTH_NO_TOKEN},
        {" Bearer alpha", AUTH_NO_TOKEN},
    };
    (void)state;
    struct auth *auth =
        auth_with("# tokens\n\nalpha\n  beta.b-_~+/==\t \r\n#comment\n \t\r\ngamma");
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        if (verdict_on(auth, cases[i].authorization) != cases[i].verdict)
            fail_msg("%s", cases[i].authorization);
    }
    auth_destroy(auth);
}

/* As sha256sum gives them. */
static void users_are_told_apart_by_the_digests_of_their_tokens(void **state)
{
    static const struct {
        const char *authorization;
        const char *user;
    } cases[] = {
        {"Bearer alpha", "sha256:8ed3f6ad"},
        {"Bearer beta", "sha256:f44e64e7"},
        {"bearer  gamma ", "sha256:be9d587d"},
    };
    (void)state;
    struct auth *auth = auth_with("alpha\nbeta\ngamma\nalpha\n");
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        char user[AUTH_USER_MAX] = "";
        assert_int_equal(auth_judge(auth, cases[i].authorization, user), AUTH_GRANTED);
        assert_string_equal(user, cases[i].user);
    }
    char nobody[AUTH_USER_MAX] = "nobody";
    assert_int_equal(auth_judge(auth, "Bearer delta", nobody), AUTH_WRONG_TOKEN);
    assert_string_equal(nobody, "nobody");
    auth_destroy(auth);
}

static void long_tokens_are_compared_to_their_end(void **state)
{
    char token[LONGEST + 2];
    char authorization[sizeof(token) + sizeof("Bearer ")];
    (void)state;
    memset(token, 'x', LONGEST);
    token[LONGEST] = '\0';
    struct auth *auth = auth_with(token);
    snprintf(authorization, sizeof(authorization), "Bearer %s", token);
    assert_int_equal(verdict_on(auth, authorization), AUTH_GRANTED);
    token[LONGEST - 1] = 'y';
    snprintf(authorization, sizeof(authorization), "Bearer %s", token);
    assert_int_equal(verdict_on(auth, authorization), AUTH_WRONG_TOKEN);
    memset(token, 'x', LONGEST + 1);
    token[LONGEST + 1] = '\0';
    snprintf(authorization, sizeof(authorization), "Bearer %s", token);
    assert_int_equal(verdict_on(auth, authorization), AUTH_WRONG_TOKEN);
    auth_destroy(auth);
}

static void expect_refused(const char *words)
{
    char expected[200];
    struct error error;
    assert_null(auth_create(file, NULL, &error));
    snprintf(expected, sizeof(expected), "cannot use AUTH_TOKEN_FILE %s: %s", file, words);
    assert_string_equal(error.text, expected);
}

static void file_that_lets_nobody_in_is_refused_and_said_why(void **state)
{
    static const struct {
        const char *text;
        const char *words;
    } cases[] = {
        {"", "no token in it"},
        {"\n \n# only a comment\n", "no token in it"},
        {"alpha\nbe ta\n", "line 2 holds characters that no token has"},
        {"# one\n\nalph\xc3\xa4\n", "line 3 holds characters that no token has"},
    };
    char many[LONGEST + 2];
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        replace(cases[i].text);
        expect_refused(cases[i].words);
    }
    replace_bytes("al\0pha", 6);
    expect_refused("line 1 holds characters that no token has");
    memset(many, 'x', sizeof(many));
    replace_bytes(many, LONGEST + 1);
    expect_refused("line 1 is longer than a token can be");
    for (size_t i = 0; i < 2 * (MOST + 1); i++)
        many[i] = i % 2 == 0 ? 'x' : '\n';
    replace_bytes(many, (size_t)2 * MOST);
    struct auth *most = auth_create(file, NULL, NULL);
    assert_non_null(most);
    auth_destroy(most);
    replace_bytes(many, (size_t)2 * (MOST + 1));
    expect_refused("more than 256 tokens");

    struct error error;
    assert_null(auth_create("/nonexistent", NULL, &error));
    assert_string_equal(error.text,
                        "cannot use AUTH_TOKEN_FILE /nonexistent: No such file or directory");
}

/* How often the log has the event. */
static unsigned count_events(int log_fd, const char *event)
{
    static char text[8192];
    unsigned count = 0;
    ssize_t length = pread(log_fd, text, sizeof(text) - 1, 0);
    assert_true(length >= 0);
    text[length] = '\0';
    for (const char *at = strstr(text, event); at != NULL; at = strstr(at + 1, event))
        count++;
    return count;
}

static void fault_that_stays_is_told_once(void **state)
{
    struct error error;
    int log_fd = memfd_create("log", MFD_CLOEXEC);
    struct log *log = log_create(&(struct log_options){.fd = log_fd}, &error);
    (void)state;
    assert_non_null(log);
    replace("old");
    struct auth *auth = auth_create(file, log, &error);
    assert_non_null(auth);
    replace("a b");
    for (int i = 0; i < 3; i++)
        auth_upkeep(auth);
    log_flush(log);
    assert_int_equal(count_events(log_fd, "auth.tokens_unreadable"), 1);
    replace("new");
    for (int i = 0; i < 3; i++)
        auth_upkeep(auth);
    log_flush(log);
    assert_int_equal(count_events(log_fd, "auth.tokens_reloaded"), 1);
    auth_destroy(auth);
    log_destroy(log);
    close(log_fd);
}

static void changed_file_counts_from_the_next_upkeep_on(void **state)
{
    (void)state;
    struct auth *auth = auth_with("old");
    replace("new\nother");
    assert_int_equal(verdict_on(auth, "Bearer old"), AUTH_GRANTED);
    auth_upkeep(auth);
    assert_int_equal(verdict_on(auth, "Bearer old"), AUTH_WRONG_TOKEN);
    assert_int_equal(verdict_on(auth, "Bearer new"), AUTH_GRANTED);
    assert_int_equal(verdict_on(auth, "Bearer other"), AUTH_GRANTED);
    auth_upkeep(auth);
    assert_int_equal(verdict_on(auth, "Bearer new"), AUTH_GRANTED);
    auth_destroy(auth);
}

static void file_that_cannot_be_used_leaves_the_tokens_as_they_are(void **state)
{
    static const char *const texts[] = {"", "be ta", NULL};
    (void)state;
    struct auth *auth = auth_with("old");
    for (size_t i = 0; i < ARRAY_LENGTH(texts); i++) {
        if (texts[i] != NULL)
            replace(texts[i]);
        else
            assert_int_equal(unlink(file), 0);
        auth_upkeep(auth);
        assert_int_equal(verdict_on(auth, "Bearer old"), AUTH_GRANTED);
    }
    replace("new");
    auth_upkeep(auth);
    assert_int_equal(verdict_on(auth, "Bearer new"), AUTH_GRANTED);
    auth_destroy(auth);
}

static atomic_bool over;

static void *keep_asking(void *context)
{
    unsigned long answers = 0;
    while (!atomic_load(&over)) {
        if (verdict_on(context, "Bearer steady") != AUTH_GRANTED)
            return NULL;
        answers++;
    }
    return answers > 0 ? context : NULL;
}

static void token_that_stays_is_granted_while_others_come_and_go(void **state)
{
    pthread_t threads[2];
    (void)state;
    struct auth *auth = auth_with("steady");
    atomic_store(&over, false);
    for (size_t i = 0; i < ARRAY_LENGTH(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, keep_asking, auth), 0);
    for (int i = 0; i < 200; i++) {
        replace(i % 2 == 0 ? "other\nsteady" : "steady");
        auth_upkeep(auth);
    }
    atomic_store(&over, true);
    for (size_t i = 0; i < ARRAY_LENGTH(threads); i++) {
        void *result = NULL;
        assert_int_equal(pthread_join(threads[i], &result), 0);
        assert_ptr_equal(result, auth);
    }
    auth_destroy(auth);
}

static void every_failed_allocation_is_an_error(void **state)
{
    bool hit = true;
    long failures = 0;
    (void)state;
    if (!alloc_fault_supported())
        skip();
    replace("alpha");
    for (long nth = 1; hit; nth++) {
        struct error error = {.code = ERR_NONE};
        alloc_fault_arm(nth);
        struct auth *auth = auth_create(file, NULL, &error);
        hit = alloc_fault_hit();
        alloc_fault_disarm();
        assert_int_equal(auth == NULL, hit);
        assert_int_equal(error.code == ERR_NO_MEMORY, hit);
        failures += hit;
        auth_destroy(auth);
    }
    assert_true(failures >= 4);
}

/* The file is then no other than the one that was looked at, but it has not been taken. */
static void tokens_that_found_no_memory_are_taken_later(void **state)
{
    bool hit = true;
    long failures = 0;
    (void)state;
    if (!alloc_fault_supported())
        skip();
    for (long nth = 1; hit; nth++) {
        struct auth *auth = auth_with("old");
        replace("new");
        alloc_fault_arm(nth);
        auth_upkeep(auth);
        hit = alloc_fault_hit();
        alloc_fault_disarm();
        assert_int_equal(verdict_on(auth, "Bearer old"), hit ? AUTH_GRANTED : AUTH_WRONG_TOKEN);
        auth_upkeep(auth);
        assert_int_equal(verdict_on(auth, "Bearer old"), AUTH_WRONG_TOKEN);
        assert_int_equal(verdict_on(auth, "Bearer new"), AUTH_GRANTED);
        failures += hit;
        auth_destroy(auth);
    }
    assert_true(failures >= 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_token_of_the_file_is_enough),
        cmocka_unit_test(users_are_told_apart_by_the_digests_of_their_tokens),
        cmocka_unit_test(long_tokens_are_compared_to_their_end),
        cmocka_unit_test(file_that_lets_nobody_in_is_refused_and_said_why),
        cmocka_unit_test(fault_that_stays_is_told_once),
        cmocka_unit_test(changed_file_counts_from_the_next_upkeep_on),
        cmocka_unit_test(file_that_cannot_be_used_leaves_the_tokens_as_they_are),
        cmocka_unit_test(token_that_stays_is_granted_while_others_come_and_go),
        cmocka_unit_test(every_failed_allocation_is_an_error),
        cmocka_unit_test(tokens_that_found_no_memory_are_taken_later),
    };

    return cmocka_run_group_tests(tests, make_file, remove_file);
}
