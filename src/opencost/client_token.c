/* SPDX-License-Identifier: Apache-2.0 */
#include "client_token.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Tokens of Kubernetes are 1 to 2 KB. */
enum { TOKEN_MAX_BYTES = 16 * 1024 };

struct client_token {
    char *path;
    struct log *log;
    struct stat seen; /* the file as it was when last opened; all zero before */
    bool has_warned;  /* since the file was last readable: one line a fault, not one a request */
    char text[TOKEN_MAX_BYTES + 1]; /* empty: none yet */
};

struct client_token *client_token_create(const char *path, struct log *log)
{
    struct client_token *token = calloc(1, sizeof *token);
    if (token == NULL)
        return NULL;
    token->log = log;
    token->path = strdup(path);
    if (token->path == NULL) {
        free(token);
        return NULL;
    }
    return token;
}

void client_token_destroy(struct client_token *token)
{
    if (token == NULL)
        return;
    explicit_bzero(token->text, sizeof token->text);
    free(token->path);
    free(token);
}

static bool is_same_file(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
           a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

/* Bytes read, at most `size`, or -1 (and errno). */
static ssize_t read_all(int fd, char *buffer, size_t size)
{
    size_t length = 0;
    while (length < size) {
        ssize_t count = read(fd, buffer + length, size - length);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return -1;
        if (count == 0)
            break;
        length += (size_t)count;
    }
    return (ssize_t)length;
}

/* What is wrong with the token, or NULL. Trims line ends off. */
static const char *check(char *text, size_t length)
{
    if (length > TOKEN_MAX_BYTES)
        return "longer than a token can be";
    while (length > 0 && (text[length - 1] == '\n' || text[length - 1] == '\r'))
        length--;
    text[length] = '\0';
    if (length == 0)
        return "empty";
    for (size_t i = 0; i < length; i++) {
        /* A line end in the middle would let the file write headers of its own. */
        if (text[i] <= ' ' || text[i] > '~')
            return "holds characters that no token has";
    }
    return NULL;
}

/* What is wrong with the file, or NULL. `fault` is room for the words. */
static const char *load(struct client_token *token, int fd, char fault[128])
{
    char text[TOKEN_MAX_BYTES + 1];
    ssize_t length = read_all(fd, text, sizeof text);
    if (length < 0)
        return strerror_r(errno, fault, 128);
    const char *problem = check(text, (size_t)length);
    if (problem == NULL)
        memcpy(token->text, text, strlen(text) + 1);
    explicit_bzero(text, sizeof text);
    return problem;
}

/* The same, for the whole way from the path. */
static const char *refresh(struct client_token *token, char fault[128])
{
    struct stat now;
    if (stat(token->path, &now) == 0 && is_same_file(&now, &token->seen) && !token->has_warned)
        return NULL;
    /* Non-blocking, lest a FIFO in the file's place holds up the loop. */
    int fd = open(token->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return strerror_r(errno, fault, 128);
    const char *problem = fstat(fd, &token->seen) != 0    ? strerror_r(errno, fault, 128)
                          : !S_ISREG(token->seen.st_mode) ? "not a regular file"
                                                          : load(token, fd, fault);
    close(fd);
    return problem;
}

const char *client_token_text(struct client_token *token)
{
    if (token == NULL)
        return NULL;
    char fault[128];
    const char *problem = refresh(token, fault);
    if (problem != NULL && !token->has_warned)
        log_warning(token->log, LOG_EVENT("opencost.token_unreadable"),
                    LOG_STR("path", token->path), LOG_STR("error", problem),
                    LOG_BOOL("keeps_last", token->text[0] != '\0'));
    token->has_warned = problem != NULL;
    return token->text[0] != '\0' ? token->text : NULL;
}
