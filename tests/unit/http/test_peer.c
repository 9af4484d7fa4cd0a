/* SPDX-License-Identifier: Apache-2.0 */
/* Whom limits take for one client. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h needs those above */
#include <arpa/inet.h>
#include <cmocka.h>
#include <netinet/in.h>
#include <string.h>

#include "peer.h"

static struct http_peer peer_at(const char *text)
{
    union {
        struct sockaddr any;
        struct sockaddr_in ipv4;
        struct sockaddr_in6 ipv6;
    } address;

    memset(&address, 0, sizeof(address));
    if (inet_pton(AF_INET, text, &address.ipv4.sin_addr) == 1) {
        address.ipv4.sin_family = AF_INET;
    } else {
        assert_int_equal(inet_pton(AF_INET6, text, &address.ipv6.sin6_addr), 1);
        address.ipv6.sin6_family = AF_INET6;
    }
    return peer_of(&address.any);
}

static void client_is_an_ipv4_address_or_an_ipv6_network(void **state)
{
    static const struct {
        const char *one;
        const char *other;
        bool is_same;
    } cases[] = {
        {"192.0.2.1", "192.0.2.1", true},
        {"192.0.2.1", "192.0.2.2", false},
        {"192.0.2.1", "::ffff:192.0.2.1", true},
        {"::ffff:192.0.2.1", "::ffff:192.0.2.2", false},
        {"2001:db8::1", "2001:db8::1", true},
        {"2001:db8:0:1::1", "2001:db8:0:1:ffff:ffff:ffff:ffff", true},
        {"2001:db8:0:1::1", "2001:db8:0:2::1", false},
        {"::1", "127.0.0.1", false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct http_peer one = peer_at(cases[i].one);
        struct http_peer other = peer_at(cases[i].other);

        assert_int_equal(memcmp(&one, &other, sizeof(one)) == 0, cases[i].is_same);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(client_is_an_ipv4_address_or_an_ipv6_network),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
