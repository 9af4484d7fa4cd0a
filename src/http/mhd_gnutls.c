/* SPDX-License-Identifier: Apache-2.0 */
/* The function comes before GnuTLS' own for the whole program, as those of mhd_epoll.c do. */
#include "mhd_gnutls.h"

#include <gnutls/gnutls.h>
#include <stdbool.h>
#include <sys/socket.h>

/* Whoever has more to say without data in it is served when epoll has something new. */
enum { RECORDS_WITHOUT_DATA_MAX = 16 };

static bool has_more(gnutls_session_t session)
{
    char byte;

    return recv(gnutls_transport_get_int(session), &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
}

/* gnutls_record_recv_seq() does the same, and tells a record's number besides. */
ssize_t gnutls_record_recv(gnutls_session_t session, void *data, size_t data_size)
{
    unsigned char number[8];
    ssize_t count = gnutls_record_recv_seq(session, data, data_size, number);

    for (int i = 0; i < RECORDS_WITHOUT_DATA_MAX; i++) {
        if (count != GNUTLS_E_AGAIN || !has_more(session))
            break;
        count = gnutls_record_recv_seq(session, data, data_size, number);
    }
    return count;
}

/* A call to anything in this file makes the linker take all of it out of the library. */
void mhd_gnutls_install(void)
{
}
