/* SPDX-License-Identifier: Apache-2.0 */
/* .env text: names and values that are strings, warnings in the order of the lines, and the same
 * from the same text. */
#include <stdbool.h>

#include "base/strbuf.h"
#include "config/dotenv.h"
#include "fuzz.h"

struct transcript {
    struct strbuf text;
    size_t last_line, line_count;
};

static bool note_pair(void *context, const char *name, const char *value)
{
    struct transcript *transcript = context;
    FUZZ_CHECK(name[0] != '\0');
    strbuf_append_text(&transcript->text, name);
    strbuf_append_char(&transcript->text, value != NULL ? '=' : ';');
    strbuf_append_text(&transcript->text, value != NULL ? value : "");
    return true;
}

static void note_warning(void *context, size_t line, const char *problem)
{
    struct transcript *transcript = context;
    FUZZ_CHECK(line >= 1 && line <= transcript->line_count && line >= transcript->last_line);
    transcript->last_line = line;
    strbuf_append_text(&transcript->text, problem);
}

static const char *environment(void *context, const char *name)
{
    (void)context;
    return strcmp(name, "E") == 0 ? "from-env" : NULL;
}

static size_t count_lines(const char *text, size_t length)
{
    size_t lines = 1;
    for (size_t i = 0; i < length; i++)
        lines += text[i] == '\n' || text[i] == '\r';
    return lines;
}

/* Sixteen bytes of text are expanded to 1 MiB at most, a value's limit: some input can ask for much
 * work, so what is delivered in all is limited here, not judged. */
static bool read_text(const char *text, size_t length, struct transcript *transcript)
{
    *transcript = (struct transcript){.line_count = count_lines(text, length)};
    strbuf_init(&transcript->text, 4 << 20);
    return dotenv_read(text, length, environment, NULL, note_pair, note_warning, transcript);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct transcript first, second;
    char *text = fuzz_copy(data, size, 0);
    bool ok = read_text(text, size, &first);
    FUZZ_CHECK(read_text(text, size, &second) == ok);
    FUZZ_CHECK(strcmp(strbuf_text(&first.text), strbuf_text(&second.text)) == 0);
    strbuf_finish(&first.text);
    strbuf_finish(&second.text);
    free(text);
    return 0;
}
