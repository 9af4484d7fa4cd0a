/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates that vouch for themselves, for tests. */
#ifndef TESTS_HTTP_CERTIFICATES_H
#define TESTS_HTTP_CERTIFICATES_H

/* Writes a new certificate for `name` and its key, each in PEM, into files that are replaced whole.
 */
void certificates_write(const char *name, const char *cert_file, const char *key_file);

/* Replaces the file by one with this text. */
void certificates_write_text(const char *file, const char *text);

#endif
