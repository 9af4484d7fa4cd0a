/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A call of GnuTLS' by libmicrohttpd, corrected (connection_https.c, up to 0.9.75 at least).
 *
 * gnutls_record_recv(): says GNUTLS_E_AGAIN not only when nothing more has arrived, but also when
 * it has read what is no data, such as new keys. libmicrohttpd takes either for an empty socket and
 * waits for epoll to tell of more, which it does of new bytes only: a request that arrived together
 * with new keys would get its answer when the client sends something else, or never.
 *
 * Threads: any.
 */
#ifndef HTTP_MHD_GNUTLS_H
#define HTTP_MHD_GNUTLS_H

/* Makes sure that the call of mhd_gnutls.c is the one in use; call before the server starts. */
void mhd_gnutls_install(void);

#endif
