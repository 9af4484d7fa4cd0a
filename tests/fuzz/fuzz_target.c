/* SPDX-License-Identifier: Apache-2.0 */
/* Request targets: what is accepted is clean text without control bytes, and says the same when it
 * is spelled in escapes throughout. */
#include <stdbool.h>

#include "base/strbuf.h"
#include "base/utf8.h"
#include "fuzz.h"
#include "target.h"

static void check_clean(struct text text)
{
    FUZZ_CHECK(utf8_is_valid(text.data, text.length));
    for (size_t i = 0; i < text.length; i++)
        FUZZ_CHECK((unsigned char)text.data[i] >= 0x20 && text.data[i] != 0x7f);
}

static void spell_in_escapes(struct strbuf *out, struct text text)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < text.length; i++) {
        unsigned char c = (unsigned char)text.data[i];
        const char escape[] = {'%', digits[c >> 4], digits[c & 15]};
        strbuf_append(out, escape, sizeof(escape));
    }
}

/* `/?` and all parameters, each byte of them escaped. */
static void respell(const struct http_request *request, struct strbuf *out)
{
    strbuf_append_text(out, "/?");
    for (size_t i = 0; i < request->param_count; i++) {
        if (i > 0)
            strbuf_append_char(out, '&');
        spell_in_escapes(out, request->params[i].name);
        strbuf_append_char(out, '=');
        spell_in_escapes(out, request->params[i].value);
    }
}

static void check_respelled(const struct http_request *request)
{
    struct strbuf spelled;
    struct target target;
    struct http_request again = {.method = "GET"};
    strbuf_init(&spelled, SIZE_MAX);
    respell(request, &spelled);
    FUZZ_CHECK(target_capture(&target, strbuf_text(&spelled), spelled.length));
    FUZZ_CHECK(target_decode(&target, "GET", &again) == TARGET_OK);
    FUZZ_CHECK(again.param_count == request->param_count);
    for (size_t i = 0; i < again.param_count; i++) {
        FUZZ_CHECK(text_equals(again.params[i].name, request->params[i].name));
        FUZZ_CHECK(text_equals(again.params[i].value, request->params[i].value));
    }
    target_finish(&target);
    strbuf_finish(&spelled);
}

static void check_accepted(const struct http_request *request, const char *method)
{
    bool is_asterisk = text_equals(request->path, TEXT("*"));
    check_clean(request->path);
    FUZZ_CHECK(is_asterisk ? strcmp(method, "OPTIONS") == 0 : request->path.data[0] == '/');
    FUZZ_CHECK(request->param_count <= TARGET_MAX_PARAMS);
    for (size_t i = 0; i < request->param_count; i++) {
        const struct http_param *param = &request->params[i];
        check_clean(param->name);
        check_clean(param->value);
    }
    check_respelled(request);
}

static void decode_for(const char *method, const char *sent, size_t length)
{
    struct target target;
    struct http_request request = {.method = method};
    FUZZ_CHECK(target_capture(&target, sent, length));
    if (target_decode(&target, method, &request) == TARGET_OK)
        check_accepted(&request, method);
    target_finish(&target);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    /* The server hands over what comes before the first NUL. */
    char *sent = fuzz_copy(data, size, 1);
    size_t length = strlen(sent);
    decode_for("GET", sent, length);
    decode_for("OPTIONS", sent, length);
    free(sent);
    return 0;
}
