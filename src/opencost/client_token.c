/* SPDX-License-Identifier: Apache-2.0 */
#include "client_token.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/watched_file.h"

/* Tokens of Kubernetes are 1 to 2 KB. */
enum { TOKEN_MAX_BYTES = 16 * 1024 };

struct client_token {
    struct watched_file *file;
    struct log *log;
    struct error fault;             /* of the file, or ERR_NONE: one line each, not one a request */
    char text[TOKEN_MAX_BYTES + 1]; /* empty: none yet */
};

struct client_token *client_token_create(const char *path, struct log *log)
{
    struct client_token *token = calloc(1, sizeof(*token));
    if (token == NULL)
        return NULL;
    token->log = log;
    token->file = watched_file_create(path);
    if (token->file == NULL) {
        free(token);
        return NULL;
    }
    return token;
}

void client_token_destroy(struct client_token *token)
{
    if (token == NULL)
        return;
    explicit_bzero(token->text, sizeof(token->text));
    watched_file_destroy(token->file);
    free(token);
}

/* Trims line ends off. False, with the reason, when what is left is no token. */
static bool check(char *text, size_t length, struct error *reterr)
{
    while (length > 0 && (text[length - 1] == '\n' || text[length - 1] == '\r'))
        length--;
    text[length] = '\0';
    if (length == 0)
        return error_set(reterr, ERR_INVALID, "empty");
    for (size_t i = 0; i < length; i++) {
        /* A line end in the middle would let the file write headers of its own. */
        if (text[i] <= ' ' || text[i] > '~')
            return error_set(reterr, ERR_INVALID, "holds characters that no token has");
    }
    return true;
}

static bool load(struct client_token *token, struct error *reterr)
{
    size_t length;
    char *text = watched_file_read(token->file, TOKEN_MAX_BYTES, &length, reterr);
    if (text == NULL)
        return false;
    bool is_token = check(text, length, reterr);
    if (is_token)
        memcpy(token->text, text, strlen(text) + 1);
    watched_file_free(text, length);
    return is_token;
}

const char *client_token_text(struct client_token *token)
{
    if (token == NULL)
        return NULL;
    if (watched_file_has_changed(token->file)) {
        struct error error = {.code = ERR_NONE};
        if (!load(token, &error) && !error_equals(&error, &token->fault))
            log_warning(token->log, LOG_EVENT("opencost.token_unreadable"),
                        LOG_STR("path", watched_file_path(token->file)),
                        LOG_STR("error", error.text),
                        LOG_BOOL("keeps_last", token->text[0] != '\0'));
        token->fault = error;
    }
    return token->text[0] != '\0' ? token->text : NULL;
}
