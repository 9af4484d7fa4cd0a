/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates: shown, renewed, refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h needs those above */
#include <cmocka.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "certificates.h"
#include "raw_client.h"
#include "support/alloc_fault.h"
#include "toy_server.h"

#define HELLO "GET /hello HTTP/1.1\r\nHost: h\r\n\r\n"

static char folder[] = "/tmp/kubecent-tls-XXXXXX";
static char cert[64];
static char key[64];
static char other_cert[64];
static char other_key[64];

static int make_folder(void **state)
{
    (void)state;
    if (mkdtemp(folder) == NULL)
        return -1;
    snprintf(cert, sizeof(cert), "%s/cert", folder);
    snprintf(key, sizeof(key), "%s/key", folder);
    snprintf(other_cert, sizeof(other_cert), "%s/other-cert", folder);
    snprintf(other_key, sizeof(other_key), "%s/other-key", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    (void)unlink(cert);
    (void)unlink(key);
    (void)unlink(other_cert);
    (void)unlink(other_key);
    return rmdir(folder);
}

static int set_up(void **state)
{
    struct toy *toy = malloc(sizeof(*toy));
    struct http_server_options options;

    assert_non_null(toy);
    certificates_write("first", cert, key);
    toy_init(toy, "x", 1);
    options = toy_options(toy);
    options.tls_cert_file = cert;
    options.tls_key_file = key;
    toy_start(toy, &options);
    *state = toy;
    return 0;
}

static int tear_down(void **state)
{
    struct toy *toy = *state;

    toy_stop(toy);
    free(toy);
    return 0;
}

struct tls_client {
    struct raw_client raw;
    gnutls_certificate_credentials_t credentials;
    gnutls_session_t session;
};

/* Returns what the handshake did. The certificate is not checked here. */
static int tls_connect(struct tls_client *client, uint16_t port)
{
    int status;

    raw_connect(&client->raw, port);
    assert_int_equal(gnutls_certificate_allocate_credentials(&client->credentials), 0);
    assert_int_equal(gnutls_init(&client->session, GNUTLS_CLIENT), 0);
    assert_int_equal(gnutls_set_default_priority(client->session), 0);
    assert_int_equal(
        gnutls_credentials_set(client->session, GNUTLS_CRD_CERTIFICATE, client->credentials), 0);
    gnutls_transport_set_int(client->session, client->raw.fd);
    do
        status = gnutls_handshake(client->session);
    while (status < 0 && gnutls_error_is_fatal(status) == 0);
    return status;
}

static void tls_close(struct tls_client *client)
{
    gnutls_deinit(client->session);
    gnutls_certificate_free_credentials(client->credentials);
    raw_close(&client->raw);
}

static void expect_name(const struct tls_client *client, const char *expected)
{
    const gnutls_datum_t *shown = gnutls_certificate_get_peers(client->session, NULL);
    gnutls_x509_crt_t certificate;
    char name[64];
    size_t size = sizeof(name);

    assert_non_null(shown);
    assert_int_equal(gnutls_x509_crt_init(&certificate), 0);
    assert_int_equal(gnutls_x509_crt_import(certificate, shown, GNUTLS_X509_FMT_DER), 0);
    assert_int_equal(gnutls_x509_crt_get_dn(certificate, name, &size), 0);
    gnutls_x509_crt_deinit(certificate);
    assert_string_equal(name + strlen("CN="), expected);
}

/* GnuTLS says GNUTLS_E_AGAIN of records without data as well: session tickets, new keys. */
enum { RECORDS_WITHOUT_DATA_MAX = 8 };

static void expect_answer(const struct tls_client *client)
{
    char answer[1024] = "";
    size_t length = 0;
    int without_data = 0;

    while (strstr(answer, "\r\n\r\nhello") == NULL) {
        ssize_t count =
            gnutls_record_recv(client->session, answer + length, sizeof(answer) - 1 - length);

        if (count == GNUTLS_E_AGAIN || count == GNUTLS_E_INTERRUPTED) {
            assert_true(++without_data < RECORDS_WITHOUT_DATA_MAX);
            continue;
        }
        assert_true(count > 0);
        length += (size_t)count;
        answer[length] = '\0';
    }
    assert_memory_equal(answer, "HTTP/1.1 200 ", strlen("HTTP/1.1 200 "));
}

static void send_hello(const struct tls_client *client)
{
    assert_int_equal(gnutls_record_send(client->session, HELLO, strlen(HELLO)), strlen(HELLO));
}

static void expect_hello(const struct tls_client *client)
{
    send_hello(client);
    expect_answer(client);
}

/* What a client says, to be sent at once. */
struct speech {
    char bytes[1024];
    size_t length;
};

static ssize_t gather(gnutls_transport_ptr_t context, const void *bytes, size_t length)
{
    struct speech *speech = context;

    assert_true(length <= sizeof(speech->bytes) - speech->length);
    memcpy(speech->bytes + speech->length, bytes, length);
    speech->length += length;
    return (ssize_t)length;
}

static void request_that_comes_with_new_keys_is_answered(void **state)
{
    const struct toy *toy = *state;
    struct tls_client client;
    struct speech speech = {.length = 0};

    assert_int_equal(tls_connect(&client, toy->port), 0);
    expect_hello(&client);
    gnutls_transport_set_ptr2(client.session, gnutls_transport_get_ptr(client.session), &speech);
    gnutls_transport_set_push_function(client.session, gather);
    for (int i = 0; i < 3; i++)
        assert_int_equal(gnutls_session_key_update(client.session, 0), 0);
    send_hello(&client);
    raw_send_bytes(&client.raw, speech.bytes, speech.length);
    expect_answer(&client);
    tls_close(&client);
}

static void expect_shown(const struct toy *toy, const char *name)
{
    struct tls_client client;

    assert_int_equal(tls_connect(&client, toy->port), 0);
    expect_name(&client, name);
    expect_hello(&client);
    tls_close(&client);
}

static void renewed_certificate_is_for_connections_to_come(void **state)
{
    struct toy *toy = *state;
    struct tls_client early;

    assert_int_equal(tls_connect(&early, toy->port), 0);
    expect_name(&early, "first");
    certificates_write("second", cert, key);
    expect_shown(toy, "first");
    http_server_upkeep(toy->server);
    expect_shown(toy, "second");
    expect_hello(&early);
    http_server_upkeep(toy->server);
    expect_hello(&early);
    tls_close(&early);
}

static void pair_that_cannot_be_used_leaves_the_certificate(void **state)
{
    struct toy *toy = *state;

    certificates_write("second", other_cert, other_key);
    assert_int_equal(rename(other_cert, cert), 0);
    http_server_upkeep(toy->server);
    expect_shown(toy, "first");
    assert_int_equal(rename(other_key, key), 0);
    http_server_upkeep(toy->server);
    expect_shown(toy, "second");

    certificates_write_text(key, "no key");
    http_server_upkeep(toy->server);
    assert_int_equal(unlink(key), 0);
    http_server_upkeep(toy->server);
    expect_shown(toy, "second");
}

/* How often the log has the event. */
static unsigned count_events(int log_fd, const char *event)
{
    static char text[8192];
    ssize_t length = pread(log_fd, text, sizeof(text) - 1, 0);
    unsigned count = 0;

    assert_true(length >= 0);
    text[length] = '\0';
    for (const char *at = strstr(text, event); at != NULL; at = strstr(at + 1, event))
        count++;
    return count;
}

static void fault_that_stays_is_told_once(void **state)
{
    struct toy toy;
    struct http_server_options options;
    struct error error;
    int log_fd = memfd_create("log", MFD_CLOEXEC);
    struct log *log = log_create(&(struct log_options){.fd = log_fd}, &error);

    (void)state;
    assert_non_null(log);
    certificates_write("first", cert, key);
    toy_init(&toy, "x", 1);
    options = toy_options(&toy);
    options.tls_cert_file = cert;
    options.tls_key_file = key;
    options.log = log;
    toy_start(&toy, &options);
    certificates_write_text(key, "no key");
    for (int i = 0; i < 3; i++)
        http_server_upkeep(toy.server);
    log_flush(log);
    assert_int_equal(count_events(log_fd, "tls.reload_failed"), 1);
    toy_stop(&toy);
    log_destroy(log);
    close(log_fd);
}

static void requests_in_plain_get_no_answer(void **state)
{
    struct toy *toy = *state;
    struct raw_client client;
    char bytes[64];

    raw_connect(&client, toy->port);
    raw_send(&client, HELLO);
    /* A TLS alert may come, which is no answer in HTTP. */
    while (recv(client.fd, bytes, sizeof(bytes), 0) > 0)
        assert_memory_not_equal(bytes, "HTTP", 4);
    raw_close(&client);
    expect_shown(toy, "first");
}

static void expect_fault(const char *setting, const char *file, const char *reason)
{
    struct toy toy;
    struct http_server_options options = toy_options(&toy);
    struct error error = {.code = ERR_NONE};
    char expected[200];

    options.tls_cert_file = cert;
    options.tls_key_file = key;
    assert_null(http_server_start(&options, &error));
    snprintf(expected, sizeof(expected), "cannot use %s %s: %s", setting, file, reason);
    assert_string_equal(error.text, expected);
}

static void faults_are_put_down_to_the_file_that_has_them(void **state)
{
    (void)state;
    certificates_write("first", cert, key);
    certificates_write("second", other_cert, other_key);
    assert_int_equal(rename(other_key, key), 0);
    expect_fault(
        "TLS_KEY_FILE", key,
        "it does not fit the certificate (The certificate and the given key do not match.)");
    certificates_write_text(key, "no key");
    expect_fault("TLS_KEY_FILE", key,
                 "no private key in it that can be read (The requested data were not available.)");
    assert_int_equal(unlink(key), 0);
    expect_fault("TLS_KEY_FILE", key, "No such file or directory");
    certificates_write_text(cert, "no certificate");
    expect_fault("TLS_CERT_FILE", cert,
                 "no certificate in it that can be read (No certificate was found.)");
    certificates_write_text(cert, "");
    expect_fault("TLS_CERT_FILE", cert,
                 "no certificate in it that can be read (No certificate was found.)");
    assert_int_equal(unlink(cert), 0);
    expect_fault("TLS_CERT_FILE", cert, "No such file or directory");
}

/* As far as GnuTLS: its parser, libtasn1 4.19, crashes without memory. */
static void starved_start_is_an_error(void **state)
{
    enum { OURS = 7 }; /* allocations before GnuTLS is asked for anything */
    struct toy toy;
    struct http_server_options options = toy_options(&toy);

    (void)state;
    if (!alloc_fault_supported())
        skip();
    certificates_write("first", cert, key);
    options.tls_cert_file = cert;
    options.tls_key_file = key;
    for (long nth = 1; nth <= OURS; nth++) {
        struct error error = {.code = ERR_NONE};
        struct http_server *server;

        alloc_fault_arm(nth);
        server = http_server_start(&options, &error);
        alloc_fault_disarm();
        assert_null(server);
        assert_int_equal(error.code, ERR_NO_MEMORY);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(renewed_certificate_is_for_connections_to_come, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(pair_that_cannot_be_used_leaves_the_certificate, set_up,
                                        tear_down),
        cmocka_unit_test(fault_that_stays_is_told_once),
        cmocka_unit_test_setup_teardown(requests_in_plain_get_no_answer, set_up, tear_down),
        cmocka_unit_test_setup_teardown(request_that_comes_with_new_keys_is_answered, set_up,
                                        tear_down),
        cmocka_unit_test(faults_are_put_down_to_the_file_that_has_them),
        cmocka_unit_test(starved_start_is_an_error),
    };

    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
