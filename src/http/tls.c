/* SPDX-License-Identifier: Apache-2.0 */
#include "tls.h"

#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <microhttpd.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/shared.h"
#include "base/watched_file.h"

enum { FILE_MAX_BYTES = 1 << 20 };

/* TLS 1.2 and 1.3, with keys of the session's own and ciphers that authenticate. */
static const char priorities[] =
    "SECURE128:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:-KX-ALL:+ECDHE-ECDSA:+ECDHE-RSA:"
    "-CIPHER-ALL:+AES-256-GCM:+AES-128-GCM:+CHACHA20-POLY1305:%SERVER_PRECEDENCE";

struct tls_credentials {
    struct shared shared;
    gnutls_certificate_credentials_t certificate;
};

struct tls {
    struct watched_file *cert;
    struct watched_file *key;
    struct log *log;
    struct error fault; /* why the files cannot be used, ERR_NONE: they can; one line each */
    struct {
        pthread_mutex_t lock;
        struct tls_credentials *credentials;
    } current;
};

static void credentials_destroy(struct shared *shared)
{
    struct tls_credentials *credentials = CONTAINER_OF(shared, struct tls_credentials, shared);

    gnutls_certificate_free_credentials(credentials->certificate);
    free(credentials);
}

/* NULL only when out of memory. */
static struct tls_credentials *credentials_create(void)
{
    struct tls_credentials *credentials = calloc(1, sizeof(*credentials));

    if (credentials == NULL)
        return NULL;
    if (gnutls_certificate_allocate_credentials(&credentials->certificate) != GNUTLS_E_SUCCESS) {
        free(credentials);
        return NULL;
    }
    shared_init(&credentials->shared, credentials_destroy);
    return credentials;
}

void tls_credentials_release(struct tls_credentials *credentials)
{
    if (credentials != NULL)
        shared_release(&credentials->shared);
}

/* What the two files hold. */
struct pair {
    gnutls_x509_crt_t *chain;
    unsigned count;
    gnutls_x509_privkey_t key;
};

static void pair_finish(struct pair *pair)
{
    for (unsigned i = 0; i < pair->count; i++)
        gnutls_x509_crt_deinit(pair->chain[i]);
    gnutls_free(pair->chain);
    if (pair->key != NULL)
        gnutls_x509_privkey_deinit(pair->key);
}

/* Always false. */
static bool set_status(struct error *reterr, const char *setting, const struct watched_file *file,
                       const char *problem, int status)
{
    if (status == GNUTLS_E_MEMORY_ERROR)
        return error_no_memory(reterr);
    return error_set(reterr, ERR_INVALID, "cannot use %s %s: %s (%s)", setting,
                     watched_file_path(file), problem, gnutls_strerror(status));
}

/* To be freed with watched_file_free(). */
static bool read_file(struct watched_file *file, const char *setting, gnutls_datum_t *ret_text,
                      struct error *reterr)
{
    struct error error;
    size_t length = 0;
    char *text = watched_file_read(file, FILE_MAX_BYTES, &length, &error);

    if (text == NULL)
        return error_set(reterr, error.code, "cannot use %s %s: %s", setting,
                         watched_file_path(file), error.text);
    *ret_text = (gnutls_datum_t){.data = (unsigned char *)text, .size = (unsigned)length};
    return true;
}

static bool read_chain(struct watched_file *file, struct pair *pair, struct error *reterr)
{
    gnutls_datum_t text = {.data = NULL};
    int status;

    if (!read_file(file, "TLS_CERT_FILE", &text, reterr))
        return false;
    status =
        gnutls_x509_crt_list_import2(&pair->chain, &pair->count, &text, GNUTLS_X509_FMT_PEM, 0);
    watched_file_free((char *)text.data, text.size);
    return status >= 0 || set_status(reterr, "TLS_CERT_FILE", file,
                                     "no certificate in it that can be read", status);
}

static bool read_key(struct watched_file *file, struct pair *pair, struct error *reterr)
{
    gnutls_datum_t text = {.data = NULL};
    int status;

    if (!read_file(file, "TLS_KEY_FILE", &text, reterr))
        return false;
    status = gnutls_x509_privkey_init(&pair->key);
    if (status == GNUTLS_E_SUCCESS)
        status = gnutls_x509_privkey_import2(pair->key, &text, GNUTLS_X509_FMT_PEM, NULL, 0);
    watched_file_free((char *)text.data, text.size);
    return status == GNUTLS_E_SUCCESS ||
           set_status(reterr, "TLS_KEY_FILE", file, "no private key in it that can be read",
                      status);
}

/* NULL on failure. */
static struct tls_credentials *credentials_of(const struct tls *tls, const struct pair *pair,
                                              struct error *reterr)
{
    struct tls_credentials *credentials = credentials_create();
    int status;

    if (credentials == NULL) {
        (void)error_no_memory(reterr);
        return NULL;
    }
    /* Copies what it is given. */
    status = gnutls_certificate_set_x509_key(credentials->certificate, pair->chain,
                                             (int)pair->count, pair->key);
    if (status >= 0)
        return credentials;
    (void)set_status(reterr, "TLS_KEY_FILE", tls->key, "it does not fit the certificate", status);
    tls_credentials_release(credentials);
    return NULL;
}

/* Puts what the files hold in the place of the credentials there are. */
static bool load(struct tls *tls, struct error *reterr)
{
    struct pair pair = {.chain = NULL};
    struct tls_credentials *fresh = NULL;
    struct tls_credentials *old;

    if (read_chain(tls->cert, &pair, reterr) && read_key(tls->key, &pair, reterr))
        fresh = credentials_of(tls, &pair, reterr);
    pair_finish(&pair);
    if (fresh == NULL)
        return false;
    pthread_mutex_lock(&tls->current.lock);
    old = tls->current.credentials;
    tls->current.credentials = fresh;
    pthread_mutex_unlock(&tls->current.lock);
    tls_credentials_release(old);
    return true;
}

struct tls *tls_create(const char *cert_file, const char *key_file, struct log *log,
                       struct error *reterr)
{
    struct tls *tls = calloc(1, sizeof(*tls));

    if (tls == NULL || pthread_mutex_init(&tls->current.lock, NULL) != 0) {
        free(tls);
        (void)error_no_memory(reterr);
        return NULL;
    }
    tls->log = log;
    tls->cert = watched_file_create(cert_file);
    tls->key = watched_file_create(key_file);
    if (tls->cert == NULL || tls->key == NULL)
        (void)error_no_memory(reterr);
    else if (load(tls, reterr))
        return tls;
    tls_destroy(tls);
    return NULL;
}

void tls_destroy(struct tls *tls)
{
    if (tls == NULL)
        return;
    tls_credentials_release(tls->current.credentials);
    pthread_mutex_destroy(&tls->current.lock);
    watched_file_destroy(tls->cert);
    watched_file_destroy(tls->key);
    free(tls);
}

/* Two files are replaced one after the other: in between they do not match, which is a fault that
 * the next upkeep finds mended. A file that changed while it was read has changed at the next, too,
 * and files that could not be used are tried again anyway: want of memory is no fault of theirs. */
void tls_upkeep(struct tls *tls)
{
    struct error error = {.code = ERR_NONE};
    bool is_loaded;

    if (tls->fault.code == ERR_NONE && !watched_file_has_changed(tls->cert) &&
        !watched_file_has_changed(tls->key))
        return;
    is_loaded = load(tls, &error);
    if (is_loaded)
        log_info(tls->log, LOG_EVENT("tls.reloaded"),
                 LOG_STR("path", watched_file_path(tls->cert)));
    else if (!error_equals(&error, &tls->fault))
        log_warning(tls->log, LOG_EVENT("tls.reload_failed"), LOG_STR("error", error.text));
    tls->fault = error;
}

static gnutls_session_t session_of(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);

    return info == NULL ? NULL : info->tls_session;
}

/* NOLINTBEGIN(readability-non-const-parameter): the parameters are GnuTLS' */
/* libmicrohttpd wants to know where certificates come from. Its own credentials have none: they are
 * used only by a connection that could not be given others, and that is to fail. */
static int refuse(gnutls_session_t session, const gnutls_datum_t *authorities, int authority_count,
                  const gnutls_pk_algorithm_t *algorithms, int algorithm_count,
                  gnutls_pcert_st **ret_chain, unsigned *ret_chain_length,
                  gnutls_privkey_t *ret_key)
{
    (void)session;
    (void)authorities;
    (void)authority_count;
    (void)algorithms;
    (void)algorithm_count;
    (void)ret_chain;
    (void)ret_chain_length;
    (void)ret_key;
    return -1;
}
/* NOLINTEND(readability-non-const-parameter) */

void tls_options(struct MHD_OptionItem *ret_options)
{
    const union {
        gnutls_certificate_retrieve_function2 *function;
        void *pointer; /* what POSIX says can hold a function's address too */
    } callback = {.function = refuse};

    ret_options[0] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)priorities};
    ret_options[1] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_CERT_CALLBACK, 0, callback.pointer};
}

struct tls_credentials *tls_begin(struct tls *tls, struct MHD_Connection *connection)
{
    struct tls_credentials *credentials;

    pthread_mutex_lock(&tls->current.lock);
    credentials = tls->current.credentials;
    (void)shared_hold(&credentials->shared);
    pthread_mutex_unlock(&tls->current.lock);
    /* In place of the library's, which has none to show. Only fails for want of memory; then there
     * is no handshake. */
    if (gnutls_credentials_set(session_of(connection), GNUTLS_CRD_CERTIFICATE,
                               credentials->certificate) != GNUTLS_E_SUCCESS) {
        tls_credentials_release(credentials);
        return NULL;
    }
    return credentials;
}

void tls_send(struct MHD_Connection *connection, const void *bytes, size_t length)
{
    (void)gnutls_record_send(session_of(connection), bytes, length);
}
