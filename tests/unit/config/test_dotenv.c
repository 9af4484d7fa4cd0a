/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
#include "base/text.h"
#include "config/dotenv.h"
#include "support/alloc_fault.h"

/* What was read, as text: `name=[value]` or `name` for each pair, `!line` for each warning, each
 * followed by a space. */
struct transcript {
    struct strbuf text;
    bool refuse; /* the receiver is out of memory */
};

static bool note_pair(void *context, const char *name, const char *value)
{
    struct transcript *transcript = context;
    strbuf_append_text(&transcript->text, name);
    if (value != NULL)
        strbuf_append_format(&transcript->text, "=[%s]", value);
    strbuf_append_char(&transcript->text, ' ');
    return !transcript->refuse && !strbuf_failed(&transcript->text);
}

static void note_warning(void *context, size_t line, const char *problem)
{
    struct transcript *transcript = context;
    assert_non_null(problem);
    strbuf_append_format(&transcript->text, "!%zu ", line);
}

static const char *environment(void *context, const char *name)
{
    (void)context;
    if (strcmp(name, "E") == 0)
        return "from-env";
    return strcmp(name, "EMPTY") == 0 ? "" : NULL;
}

static bool read_text(struct text text, struct transcript *transcript)
{
    /* A copy of exactly that length, so that memory checkers see a step beyond it. */
    char *copy = malloc(text.length > 0 ? text.length : 1);
    if (copy == NULL)
        return false;
    memcpy(copy, text.data, text.length);
    bool ok =
        dotenv_read(copy, text.length, environment, NULL, note_pair, note_warning, transcript);
    free(copy);
    return ok;
}

struct grammar_case {
    struct text text;
    const char *transcript;
};

static void expect_transcripts(const struct grammar_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct transcript transcript = {.refuse = false};
        strbuf_init(&transcript.text, 10000);
        assert_true(read_text(cases[i].text, &transcript));
        if (strcmp(strbuf_text(&transcript.text), cases[i].transcript) != 0)
            fail_msg("%s\nread as: %s\nexpected: %s", cases[i].text.data,
                     strbuf_text(&transcript.text), cases[i].transcript);
        strbuf_finish(&transcript.text);
    }
}

#define EXPECT(cases) expect_transcripts(cases, ARRAY_LENGTH(cases))

static void names_and_bare_values_lose_the_spaces_around_them(void **state)
{
    static const struct grammar_case cases[] = {
        {TEXT_INIT("K=v"), "K=[v] "},           {TEXT_INIT("K=v\n"), "K=[v] "},
        {TEXT_INIT("  K = v  \n"), "K=[v] "},   {TEXT_INIT("\tK\t=\tv\t"), "K=[v] "},
        {TEXT_INIT("export K=v"), "K=[v] "},    {TEXT_INIT("  export   K = v"), "K=[v] "},
        {TEXT_INIT("export\tK=v"), "K=[v] "},   {TEXT_INIT("exportK=v"), "exportK=[v] "},
        {TEXT_INIT("export=v"), "export=[v] "}, {TEXT_INIT("'K'=v"), "K=[v] "},
        {TEXT_INIT("'a b#='=v"), "a b#==[v] "}, {TEXT_INIT("k.x-y=1"), "k.x-y=[1] "},
        {TEXT_INIT("K=v=w"), "K=[v=w] "},       {TEXT_INIT("K==v"), "K=[=v] "},
    };
    (void)state;
    EXPECT(cases);
}

static void a_hash_begins_a_comment_only_after_a_space(void **state)
{
    static const struct grammar_case cases[] = {
        {TEXT_INIT("K=a b c"), "K=[a b c] "},     {TEXT_INIT("K=a#b"), "K=[a#b] "},
        {TEXT_INIT("K=#b"), "K=[#b] "},           {TEXT_INIT("K=http://x/#f"), "K=[http://x/#f] "},
        {TEXT_INIT("K=300  # note"), "K=[300] "}, {TEXT_INIT("K=300\t# note"), "K=[300] "},
        {TEXT_INIT("K=300 #"), "K=[300] "},       {TEXT_INIT("K=a #b #c"), "K=[a] "},
        {TEXT_INIT("K= # note"), "K=[] "},        {TEXT_INIT("K # note"), "K "},
    };
    (void)state;
    EXPECT(cases);
}

static void quotes_keep_spaces_and_decode_their_own_escapes(void **state)
{
    static const struct grammar_case cases[] = {
        {TEXT_INIT("K=\"a\\nb\""), "K=[a\nb] "},
        {TEXT_INIT("K='a\\nb'"), "K=[a\\nb] "},
        {TEXT_INIT("K=a\\nb"), "K=[a\\nb] "},
        {TEXT_INIT("K=\"  a  \""), "K=[  a  ] "},
        {TEXT_INIT("K='  a # b '"), "K=[  a # b ] "},
        {TEXT_INIT("K=\"\""), "K=[] "},
        {TEXT_INIT("K=''"), "K=[] "},
        {TEXT_INIT("K='it\\'s'"), "K=[it's] "},
        {TEXT_INIT("K=\"say \\\"hi\\\"\""), "K=[say \"hi\"] "},
        {TEXT_INIT("K=\"it's\""), "K=[it's] "},
        {TEXT_INIT("K='say \"hi\"'"), "K=[say \"hi\"] "},
        {TEXT_INIT("K=a'b"), "K=[a'b] "},
        {TEXT_INIT("K=a\"b\""), "K=[a\"b\"] "},
        {TEXT_INIT("K=\"\\a\\b\\f\\r\\t\\v\\\\\\'\""), "K=[\a\b\f\r\t\v\\'] "},
        {TEXT_INIT("K='\\\\'"), "K=[\\] "},
        {TEXT_INIT("K=\"\\x\\u0041\\ \""), "K=[\\x\\u0041\\ ] "},
        {TEXT_INIT("K='\\\"'"), "K=[\\\"] "},
    };
    (void)state;
    EXPECT(cases);
}

static void quotes_may_span_lines_and_what_follows_them_is_comment(void **state)
{
    static const struct grammar_case cases[] = {
        {TEXT_INIT("K=\"a\nb\"\nL=2"), "K=[a\nb] L=[2] "},
        {TEXT_INIT("K='a\n\n=b\n'\nL=2"), "K=[a\n\n=b\n] L=[2] "},
        {TEXT_INIT("K=\"a\" # note\nL=2"), "K=[a] L=[2] "},
        {TEXT_INIT("K='a'# note\nL=2"), "K=[a] L=[2] "},
        {TEXT_INIT("K=\"a\" # don't\nL=2"), "K=[a] L=[2] "},
        /* Text without a hash is left out as well, but said to be. */
        {TEXT_INIT("K='a' note\nL=2"), "!1 K=[a] L=[2] "},
        {TEXT_INIT("K='a\nb' note\nL=2"), "!2 K=[a\nb] L=[2] "},
    };
    (void)state;
    EXPECT(cases);
}

static void variables_come_from_earlier_lines_then_the_environment(void **state)
{
    static const struct grammar_case cases[] = {
        {TEXT_INIT("P=90\nK=http://h:${P}/"), "P=[90] K=[http://h:90/] "},
        {TEXT_INIT("K=${P}\nP=90"), "K=[] P=[90] "},
        {TEXT_INIT("K=${E}"), "K=[from-env] "},
        {TEXT_INIT("E=file\nK=${E}"), "E=[file] K=[file] "},
        {TEXT_INIT("P=1\nP=2\nK=${P}"), "P=[1] P=[2] K=[2] "},
        {TEXT_INIT("K=${P:-d}"), "K=[d] "},
        {TEXT_INIT("K=${P:-}"), "K=[] "},
        {TEXT_INIT("K=${P:-a:-b c}"), "K=[a:-b c] "},
        {TEXT_INIT("K=${E:-d}"), "K=[from-env] "},
        {TEXT_INIT("K=${EMPTY:-d}"), "K=[] "}, /* set, though empty */
        {TEXT_INIT("E\nK=${E:-d}"), "E K=[] "},
        {TEXT_INIT("K=\"${E}\"\nL='${E}'"), "K=[from-env] L=[from-env] "},
        {TEXT_INIT("K=${E}${E}-${E}"), "K=[from-envfrom-env-from-env] "},
        {TEXT_INIT("P=${E\nK=1"), "P=[${E] K=[1] "},
        {TEXT_INIT("K=$E $ {E} ${E:d} $${E}"), "K=[$E $ {E} ${E:d} $from-env] "},
        {TEXT_INIT("K=a$"), "K=[a$] "},
        {TEXT_INIT("K=a${"), "K=[a${] "},
        {TEXT_INIT("K=${}"), "K=[] "},
        /* What a variable holds is not looked at again. */
        {TEXT_INIT("P='$'\nQ=${P}{E}\nK=${Q}"), "P=[$] Q=[${E}] K=[${E}] "},
    };
    (void)state;
    EXPECT(cases);
}

static void a_line_without_sense_is_skipped_and_the_next_is_read(void **state)
{
    static const struct grammar_case cases[] = {
        {TEXT_INIT("=x\nL=2"), "!1 L=[2] "},
        {TEXT_INIT("K='open\nL=2"), "!1 L=[2] "},
        {TEXT_INIT("A=1\n\nK=\"open\nL=2\nM=3"), "A=[1] !3 L=[2] M=[3] "},
        {TEXT_INIT("K='open\\'\nL=2"), "!1 L=[2] "},
        {TEXT_INIT("K=\"a\\"), "!1 "},
        {TEXT_INIT("K='"), "!1 "},
        {TEXT_INIT("two words\nL=2"), "!1 L=[2] "},
        {TEXT_INIT("two words=1\nL=2"), "!1 L=[2] "},
        {TEXT_INIT("'K=1\nL=2"), "!1 L=[2] "},
        {TEXT_INIT("''=1\nL=2"), "!1 L=[2] "},
        {TEXT_INIT("export =1\nL=2"), "!1 L=[2] "},
        {TEXT_INIT("K=a\0b\nL=2"), "!1 L=[2] "},
        {TEXT_INIT("K\0=a\nL=2"), "!1 L=[2] "},
        {TEXT_INIT("K='a\0b'\nL=2"), "!1 L=[2] "},
    };
    (void)state;
    EXPECT(cases);
}

static void an_empty_value_is_set_and_a_bare_name_is_not(void **state)
{
    static const struct grammar_case cases[] = {
        {TEXT_INIT("K="), "K=[] "},
        {TEXT_INIT("K=\nL=2"), "K=[] L=[2] "},
        {TEXT_INIT("K=   \nL=2"), "K=[] L=[2] "},
        {TEXT_INIT("K"), "K "},
        {TEXT_INIT("K  \nL=2"), "K L=[2] "},
        {TEXT_INIT("export K"), "K "},
        {TEXT_INIT("K=1\nK=2\nK"), "K=[1] K=[2] K "},
    };
    (void)state;
    EXPECT(cases);
}

static void line_ends_blank_lines_comments_and_a_mark_do_not_matter(void **state)
{
    static const struct grammar_case cases[] = {
        {TEXT_INIT(""), ""},
        {TEXT_INIT("\n\n \t \r\n"), ""},
        {TEXT_INIT("# K=v\n  # L=2"), ""},
        {TEXT_INIT("#"), ""},
        {TEXT_INIT("K=1\r\nL=2\r\n"), "K=[1] L=[2] "},
        {TEXT_INIT("K=1\rL=2"), "K=[1] L=[2] "},
        {TEXT_INIT("K='1'\r\nL=\r\nM=3"), "K=[1] L=[] M=[3] "},
        {TEXT_INIT("K='1\r\n2'\r\n=x"), "K=[1\n2] !3 "},
        {TEXT_INIT("K=\"1\r2\n\r\n3\\r\r\"\n=x"), "K=[1\n2\n\n3\r\n] !6 "},
        {TEXT_INIT("\r\n\r\n=x"), "!3 "},
        {TEXT_INIT("\n\r\n\r=x"), "!4 "},
        {TEXT_INIT("\xEF\xBB\xBFK=v"), "K=[v] "},
        {TEXT_INIT("\xEF\xBB\xBF\n# c\nK=v"), "K=[v] "},
        {TEXT_INIT("\xEF\xBB\xBF"), ""},
        {TEXT_INIT("K=f\xC3\xBCr"), "K=[f\xC3\xBCr] "},
    };
    (void)state;
    EXPECT(cases);
}

static void reading_stops_when_the_receiver_has_no_memory(void **state)
{
    struct transcript transcript = {.refuse = true};
    (void)state;
    strbuf_init(&transcript.text, 1000);
    assert_false(read_text(TEXT("K=1\nL=2"), &transcript));
    assert_string_equal(strbuf_text(&transcript.text), "K=[1] ");
    strbuf_finish(&transcript.text);
}

static void reading_survives_any_failing_allocation(void **state)
{
    static const char text[] = "P=1\nK=\"${P} ${E:-x}\"\nN\n=y\n";
    (void)state;
    if (!alloc_fault_supported())
        skip();
    for (long nth = 1;; nth++) {
        struct transcript transcript = {.refuse = false};
        strbuf_init(&transcript.text, 1000);
        strbuf_append_text(&transcript.text, "");
        alloc_fault_arm(nth);
        bool ok = dotenv_read(text, sizeof(text) - 1, environment, NULL, note_pair, note_warning,
                              &transcript);
        bool hit = alloc_fault_hit();
        alloc_fault_disarm();
        /* Only shrinking a block may fail without harm; then all is there. */
        if (ok)
            assert_string_equal(strbuf_text(&transcript.text), "P=[1] K=[1 from-env] N !4 ");
        strbuf_finish(&transcript.text);
        if (!hit) {
            assert_true(ok);
            assert_true(nth > 5);
            break;
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_and_bare_values_lose_the_spaces_around_them),
        cmocka_unit_test(a_hash_begins_a_comment_only_after_a_space),
        cmocka_unit_test(quotes_keep_spaces_and_decode_their_own_escapes),
        cmocka_unit_test(quotes_may_span_lines_and_what_follows_them_is_comment),
        cmocka_unit_test(variables_come_from_earlier_lines_then_the_environment),
        cmocka_unit_test(a_line_without_sense_is_skipped_and_the_next_is_read),
        cmocka_unit_test(an_empty_value_is_set_and_a_bare_name_is_not),
        cmocka_unit_test(line_ends_blank_lines_comments_and_a_mark_do_not_matter),
        cmocka_unit_test(reading_stops_when_the_receiver_has_no_memory),
        cmocka_unit_test(reading_survives_any_failing_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
