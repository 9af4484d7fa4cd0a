/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The certificate that the server shows, and its renewal while connections go on.
 *
 * Each connection is given the credentials of the moment it begins, and keeps them to its end:
 * GnuTLS holds on to a pointer. So a renewed certificate is for new connections, and the old one is
 * freed with the last of its own.
 *
 * Logs: tls.reloaded, tls.reload_failed.
 *
 * Threads: any, except create, destroy and upkeep: one at a time.
 */
#ifndef HTTP_TLS_H
#define HTTP_TLS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attrs.h"
#include "base/error.h"
#include "base/log.h"

struct MHD_Connection;
struct MHD_OptionItem;
struct tls;
struct tls_credentials;

/* Reads both files: PEM, a chain from the server's own certificate on, and the key to it. `log` is
 * borrowed. */
struct tls *tls_create(const char *cert_file, const char *key_file, struct log *log,
                       struct error *reterr) NODISCARD;

/* Accepts NULL. */
void tls_destroy(struct tls *tls);

/* Reads the files again if one has changed. What cannot be used leaves the certificate as it is. */
void tls_upkeep(struct tls *tls);

enum { TLS_OPTIONS = 2 };

/* Fills in what libmicrohttpd must be told besides MHD_USE_TLS: TLS_OPTIONS items. */
void tls_options(struct MHD_OptionItem *ret_options);

/* For a connection that begins, before its handshake. To be released when it is closed. NULL: it
 * has none, and its handshake will fail. */
struct tls_credentials *tls_begin(struct tls *tls, struct MHD_Connection *connection) NODISCARD;

/* Accepts NULL. */
void tls_credentials_release(struct tls_credentials *credentials);

/* Sends what can be sent at once. */
void tls_send(struct MHD_Connection *connection, const void *bytes, size_t length);

#endif
