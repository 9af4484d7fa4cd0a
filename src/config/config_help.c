/* SPDX-License-Identifier: Apache-2.0 */
/* The settings as --help shows them: names on the left, wrapped text on the right. */
#include <string.h>

#include "base/text.h"
#include "config/config.h"
#include "config_values.h"

enum { LINE_WIDTH = 80, TEXT_COLUMN = 26, PARAGRAPH_LIMIT = 4096 };

static void append_spaces(struct strbuf *out, size_t count)
{
    for (size_t i = 0; i < count; i++)
        strbuf_append_char(out, ' ');
}

/* `column` is where the line stands so far. Words are kept whole. */
static void append_wrapped(struct strbuf *out, size_t column, const char *paragraph)
{
    const char *word = paragraph;
    bool is_first = true;
    while (*word != '\0') {
        size_t length = strcspn(word, " ");
        if (!is_first && column + 1 + length > LINE_WIDTH) {
            strbuf_append_char(out, '\n');
            append_spaces(out, TEXT_COLUMN);
            column = TEXT_COLUMN;
        } else if (!is_first) {
            strbuf_append_char(out, ' ');
            column++;
        }
        strbuf_append(out, word, length);
        column += length;
        word += length;
        word += strspn(word, " ");
        is_first = false;
    }
    strbuf_append_char(out, '\n');
}

static void append_setting(const struct setting_info *setting, struct strbuf *out)
{
    struct strbuf paragraph CLEANUP(strbuf_finish);
    strbuf_init(&paragraph, PARAGRAPH_LIMIT);
    strbuf_append_text(&paragraph, setting->help);
    if (setting->type == SETTING_INTEGER)
        strbuf_append_format(&paragraph, " (%lld to %lld, default %s)", (long long)setting->min,
                             (long long)setting->max, setting->default_value);
    else if (setting->default_value[0] != '\0')
        strbuf_append_format(&paragraph, " (default %s)", setting->default_value);
    strbuf_append_text(out, "  ");
    strbuf_append_text(out, setting->name);
    /* The text of a name that reaches into its column begins where it can. */
    size_t column = 2 + strlen(setting->name);
    size_t gap = column + 2 <= TEXT_COLUMN ? TEXT_COLUMN - column : 2;
    append_spaces(out, gap);
    append_wrapped(out, column + gap, strbuf_text(&paragraph));
}

void config_help(struct strbuf *out)
{
    size_t count;
    const struct setting_info *settings = config_settings(&count);
    const char *group = "";
    for (size_t i = 0; i < count; i++) {
        if (strcmp(settings[i].group, group) != 0) {
            group = settings[i].group;
            strbuf_append_format(out, "%s%s:\n", i > 0 ? "\n" : "", group);
        }
        append_setting(&settings[i], out);
    }
}
