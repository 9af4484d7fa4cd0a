/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The length of an answer's head, which decides where the pages of a file that follows it lie in
 * the stream.
 *
 * Who reads a large body does so by some power of two, mostly. Where the file's pages begin at
 * multiples of their size, counted from the head's first byte, a read of 8 KB finds two of them;
 * elsewhere it finds parts of three, each of which the kernel checks before it copies. So a file
 * has the body's first byte where the head ends (body_file.h), and heads have one length, though
 * their figures and the client's origin differ: those of answers with a body over HTTP/1.1, while
 * the connection stays open.
 *
 * Threads: any.
 */
#ifndef HTTP_HEAD_PADDING_H
#define HTTP_HEAD_PADDING_H

#include <stddef.h>

#include "http/exchange.h"

enum { PADDED_HEAD_BYTES = 512 };

/* Adds a header without meaning, X-Padding, for a head of PADDED_HEAD_BYTES: that of a 200 with a
 * body of `body_length`, these headers, and no more of libmicrohttpd's own than Content-Length.
 * Nothing where there is no room for it. */
void head_pad(struct http_headers *headers, size_t body_length);

#endif
