/* SPDX-License-Identifier: Apache-2.0 */
#include "password.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/watched_file.h"

enum { PASSWORD_MAX_BYTES = 16 * 1024 };

struct password {
    char *text; /* NULL: none, or none yet */
    struct watched_file *file;
    struct log *log;
    struct error fault; /* of the file, or ERR_NONE: one line each */
};

struct password *password_create(const char *given, const char *path, struct log *log)
{
    struct password *password = calloc(1, sizeof *password);
    if (password == NULL)
        return NULL;
    password->log = log;
    if (given != NULL)
        password->text = strdup(given);
    if (path != NULL)
        password->file = watched_file_create(path);
    if ((given != NULL && password->text == NULL) || (path != NULL && password->file == NULL)) {
        password_destroy(password);
        return NULL;
    }
    return password;
}

static void forget(struct password *password)
{
    if (password->text != NULL)
        explicit_bzero(password->text, strlen(password->text));
    free(password->text);
    password->text = NULL;
}

void password_destroy(struct password *password)
{
    if (password == NULL)
        return;
    forget(password);
    watched_file_destroy(password->file);
    free(password);
}

static bool load(struct password *password, struct error *reterr)
{
    size_t length;
    char *read = watched_file_read(password->file, PASSWORD_MAX_BYTES, &length, reterr);
    if (read == NULL)
        return false;
    size_t kept = strcspn(read, "\r\n"); /* editors end files with a line end */
    char *text = kept > 0 ? strndup(read, kept) : NULL;
    watched_file_free(read, length);
    if (text == NULL)
        return kept > 0 ? error_no_memory(reterr) : error_set(reterr, ERR_INVALID, "empty");
    forget(password);
    password->text = text;
    return true;
}

const char *password_text(struct password *password)
{
    if (password->file != NULL && watched_file_has_changed(password->file)) {
        struct error error = {.code = ERR_NONE};
        if (!load(password, &error) && !error_equals(&error, &password->fault))
            log_warning(password->log, LOG_EVENT("redis.password_unreadable"),
                        LOG_STR("path", watched_file_path(password->file)),
                        LOG_STR("error", error.text),
                        LOG_BOOL("keeps_last", password->text != NULL));
        password->fault = error;
    }
    return password->text;
}
