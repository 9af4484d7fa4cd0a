/* SPDX-License-Identifier: Apache-2.0 */
#include "env_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/strbuf.h"
#include "config/dotenv.h"
#include "string_list.h"

enum { FILE_BYTES_MAX = 1024 * 1024, ERROR_TEXT_BYTES = 128 };

struct env_file {
    const char *path;
    char **values;
    struct config_report *report;
    bool no_memory;
};

/* A file that was asked for may be a pipe, and is waited for. What happens to be called .env must
 * not hold us up: -1 with errno EINVAL when it is a device, a pipe or the like. */
static int open_file(const char *path, bool was_asked_for)
{
    struct stat status;
    if (was_asked_for)
        return open(path, O_RDONLY | O_CLOEXEC);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 || (fstat(fd, &status) == 0 && (S_ISREG(status.st_mode) || S_ISDIR(status.st_mode))))
        return fd;
    close(fd);
    errno = EINVAL;
    return -1;
}

/* Reads all of the file. False with errno set; EFBIG when it is unreasonably long. */
static bool read_file(const char *path, bool was_asked_for, struct strbuf *text)
{
    char piece[4096];
    int fd = open_file(path, was_asked_for);
    if (fd < 0)
        return false;
    ssize_t length = read(fd, piece, sizeof(piece));
    while (length > 0 && !strbuf_failed(text)) {
        strbuf_append(text, piece, (size_t)length);
        length = read(fd, piece, sizeof(piece));
    }
    int problem = errno;
    close(fd);
    errno = strbuf_failed(text) ? EFBIG : problem;
    return length >= 0 && !strbuf_failed(text);
}

static bool find_setting(const char *name, size_t *ret_position)
{
    size_t count;
    const struct setting_info *settings = config_settings(&count);
    for (size_t i = 0; i < count; i++) {
        if (strcmp(settings[i].name, name) == 0) {
            *ret_position = i;
            return true;
        }
    }
    return false;
}

/* The last line of a name wins, also when it has no value and so unsets the name. */
static bool take_pair(void *context, const char *name, const char *value)
{
    struct env_file *file = context;
    size_t position;
    if (!find_setting(name, &position))
        return string_list_add_format(&file->report->warnings, "%s: unknown setting %s, ignoring",
                                      file->path, name);
    free(file->values[position]);
    file->values[position] = value != NULL ? strdup(value) : NULL;
    return value == NULL || file->values[position] != NULL;
}

static void take_warning(void *context, size_t line, const char *problem)
{
    struct env_file *file = context;
    if (!string_list_add_format(&file->report->warnings, "%s:%zu: %s", file->path, line, problem))
        file->no_memory = true;
}

/* A file that was asked for must be there; .env may be absent, and is a convenience otherwise. */
static bool report_unreadable(const struct env_file *file, bool was_asked_for, int problem)
{
    char memory[ERROR_TEXT_BYTES];
    const char *reason = strerror_r(problem, memory, sizeof(memory));
    if (was_asked_for)
        return string_list_add_format(&file->report->errors, "%s: cannot be read: %s", file->path,
                                      reason);
    if (problem == ENOENT)
        return true;
    return string_list_add_format(&file->report->warnings, "%s: cannot be read: %s, ignoring",
                                  file->path, reason);
}

bool env_file_read(const char *path, config_getenv_fn *lookup, void *lookup_context, char **values,
                   struct config_report *report)
{
    struct strbuf text CLEANUP(strbuf_finish);
    struct env_file file = {
        .path = path != NULL ? path : ".env", .values = values, .report = report};
    strbuf_init(&text, FILE_BYTES_MAX);
    if (!read_file(file.path, path != NULL, &text))
        return report_unreadable(&file, path != NULL, errno);
    return dotenv_read(strbuf_text(&text), text.length, lookup, lookup_context, take_pair,
                       take_warning, &file) &&
           !file.no_memory;
}
