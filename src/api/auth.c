/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Judging takes no lock: a thread counts itself among the readers while it looks at the tokens in
 * force. Tokens that were replaced are freed by a later upkeep that finds no reader, as one might
 * still look at them.
 *
 * All threads see these steps in one order (they are sequentially consistent): a reader that was
 * not counted when upkeep looked comes after the exchange, and finds the new tokens.
 */
#include "auth.h"

#include <gnutls/crypto.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "base/watched_file.h"

enum { FILE_MAX_BYTES = 1 << 20, TOKENS_MAX = 256, TOKEN_MAX_BYTES = 4096 };

struct token {
    size_t length;
    char user[AUTH_USER_MAX];
    unsigned char bytes[TOKEN_MAX_BYTES]; /* zero behind the token */
};

/* Never changes once made. */
struct token_set {
    struct token_set *older; /* when it is no longer in force */
    size_t count;
    struct token tokens[];
};

struct auth {
    struct watched_file *file;
    struct log *log;
    struct error fault; /* why the file cannot be used, ERR_NONE: it can; one line each */
    _Atomic(struct token_set *) tokens;
    atomic_uint readers;
    struct token_set *replaced; /* upkeep's, while there may be readers of them */
};

static void token_set_destroy(struct token_set *set)
{
    if (set == NULL)
        return;
    explicit_bzero(set->tokens, set->count * sizeof(set->tokens[0]));
    free(set);
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static struct text trimmed(struct text line)
{
    while (line.length > 0 && is_blank(line.data[line.length - 1]))
        line.length--;
    while (line.length > 0 && is_blank(line.data[0])) {
        line.data++;
        line.length--;
    }
    return line;
}

/* The next line, trimmed; `rest` is left with what is behind it. */
static struct text take_line(struct text *rest)
{
    const char *end = memchr(rest->data, '\n', rest->length);
    struct text line = {rest->data, end != NULL ? (size_t)(end - rest->data) : rest->length};
    size_t taken = line.length + (end != NULL);
    rest->data += taken;
    rest->length -= taken;
    return trimmed(line);
}

/* The reason why `line` is no token, or NULL. */
static const char *fault_of(struct text line)
{
    if (line.length > TOKEN_MAX_BYTES)
        return "is longer than a token can be";
    for (size_t i = 0; i < line.length; i++) {
        if (line.data[i] <= ' ' || line.data[i] > '~')
            return "holds characters that no token has";
    }
    return NULL;
}

/* 32 bits tell tokens apart for who has them, and are no help in guessing a random one. */
static void name_user(struct text token, char user[AUTH_USER_MAX])
{
    unsigned char digest[32];
    if (gnutls_hash_fast(GNUTLS_DIG_SHA256, token.data, token.length, digest) != 0)
        memset(digest, 0, sizeof(digest));
    (void)snprintf(user, AUTH_USER_MAX, "sha256:%02x%02x%02x%02x", digest[0], digest[1], digest[2],
                   digest[3]);
}

static void token_init(struct token *token, struct text text)
{
    token->length = text.length;
    memcpy(token->bytes, text.data, text.length);
    name_user(text, token->user);
}

/* Appends the tokens of `text`, or only counts them where `set` is NULL. */
static bool read_tokens(struct text text, struct token_set *set, size_t *ret_count,
                        struct error *reterr)
{
    size_t count = 0;
    for (unsigned number = 1; text.length > 0; number++) {
        struct text line = take_line(&text);
        if (line.length == 0 || line.data[0] == '#')
            continue;
        const char *fault = fault_of(line);
        if (fault != NULL)
            return error_set(reterr, ERR_INVALID, "line %u %s", number, fault);
        if (count == TOKENS_MAX)
            return error_set(reterr, ERR_LIMIT, "more than %d tokens", TOKENS_MAX);
        if (set != NULL)
            token_init(&set->tokens[count], line);
        count++;
    }
    *ret_count = count;
    return count > 0 || error_set(reterr, ERR_INVALID, "no token in it");
}

static struct token_set *token_set_of(struct text text, struct error *reterr)
{
    size_t count = 0;
    if (!read_tokens(text, NULL, &count, reterr))
        return NULL;
    struct token_set *set = calloc(1, sizeof(*set) + count * sizeof(set->tokens[0]));
    if (set == NULL)
        (void)error_no_memory(reterr);
    else
        (void)read_tokens(text, set, &set->count, reterr);
    return set;
}

static void free_replaced(struct auth *auth)
{
    if (auth->replaced == NULL || atomic_load(&auth->readers) != 0)
        return;
    while (auth->replaced != NULL) {
        struct token_set *set = auth->replaced;
        auth->replaced = set->older;
        token_set_destroy(set);
    }
}

/* Puts the file's tokens in place of those there are. */
static bool load(struct auth *auth, struct error *reterr)
{
    size_t length;
    char *text = watched_file_read(auth->file, FILE_MAX_BYTES, &length, reterr);
    if (text == NULL)
        return false;
    struct token_set *fresh = token_set_of((struct text){text, length}, reterr);
    watched_file_free(text, length);
    if (fresh == NULL)
        return false;
    struct token_set *old = atomic_exchange(&auth->tokens, fresh);
    if (old != NULL) {
        old->older = auth->replaced;
        auth->replaced = old;
    }
    return true;
}

struct auth *auth_create(const char *token_file, struct log *log, struct error *reterr)
{
    struct error error;
    struct auth *auth = calloc(1, sizeof(*auth));
    if (auth == NULL) {
        (void)error_no_memory(reterr);
        return NULL;
    }
    atomic_init(&auth->tokens, NULL);
    atomic_init(&auth->readers, 0);
    auth->log = log;
    auth->file = watched_file_create(token_file);
    if (auth->file == NULL) {
        (void)error_no_memory(reterr);
    } else if (!load(auth, &error)) {
        (void)error_set(reterr, error.code, "cannot use AUTH_TOKEN_FILE %s: %s", token_file,
                        error.text);
    } else {
        return auth;
    }
    auth_destroy(auth);
    return NULL;
}

void auth_destroy(struct auth *auth)
{
    if (auth == NULL)
        return;
    free_replaced(auth);
    token_set_destroy(atomic_load(&auth->tokens));
    watched_file_destroy(auth->file);
    free(auth);
}

/* What could not be used is tried again, though it is the file that was read last: want of memory
 * is no fault of the file. */
void auth_upkeep(struct auth *auth)
{
    free_replaced(auth);
    if (auth->fault.code == ERR_NONE && !watched_file_has_changed(auth->file))
        return;
    struct error error = {.code = ERR_NONE};
    bool is_loaded = load(auth, &error);
    if (is_loaded)
        log_info(auth->log, LOG_EVENT("auth.tokens_reloaded"),
                 LOG_STR("path", watched_file_path(auth->file)),
                 LOG_INT("count", atomic_load(&auth->tokens)->count));
    else if (!error_equals(&error, &auth->fault))
        log_warning(auth->log, LOG_EVENT("auth.tokens_unreadable"),
                    LOG_STR("path", watched_file_path(auth->file)), LOG_STR("error", error.text));
    auth->fault = error;
}

/* How `sent` differs from the token, 0: not at all. Takes as long as `sent` is, whatever the token:
 * behind that there is room, and zeros. */
static size_t difference(const struct token *token, struct text sent)
{
    size_t found = token->length ^ sent.length;
    for (size_t i = 0; i < sent.length; i++)
        found |= (size_t)(token->bytes[i] ^ (unsigned char)sent.data[i]);
    return found;
}

/* The token that was sent, or NULL. All are compared, so that the time does not tell which it was.
 * `volatile` keeps the compiler from stopping at the first. */
static const struct token *find(const struct token_set *set, struct text sent)
{
    volatile size_t found = 0; /* the last that is equal, counted from 1 */
    if (sent.length > TOKEN_MAX_BYTES)
        return NULL;
    for (size_t i = 0; i < set->count; i++) {
        volatile size_t differs = difference(&set->tokens[i], sent);
        size_t is_equal = differs == 0;
        found = found * (1 - is_equal) + (i + 1) * is_equal;
    }
    return found == 0 ? NULL : &set->tokens[found - 1];
}

/* What stands behind the scheme; empty where there is no such scheme, or nothing. */
static struct text token_sent(const char *authorization)
{
    static const struct text scheme = TEXT_INIT("Bearer ");
    if (authorization == NULL || strncasecmp(authorization, scheme.data, scheme.length) != 0)
        return TEXT("");
    return trimmed(text_of(authorization + scheme.length));
}

enum auth_verdict auth_judge(struct auth *auth, const char *authorization,
                             char ret_user[AUTH_USER_MAX])
{
    struct text sent = token_sent(authorization);
    if (sent.length == 0)
        return AUTH_NO_TOKEN;
    atomic_fetch_add(&auth->readers, 1);
    const struct token *token = find(atomic_load(&auth->tokens), sent);
    if (token != NULL)
        memcpy(ret_user, token->user, AUTH_USER_MAX);
    atomic_fetch_sub(&auth->readers, 1);
    return token != NULL ? AUTH_GRANTED : AUTH_WRONG_TOKEN;
}
