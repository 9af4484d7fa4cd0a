/* SPDX-License-Identifier: Apache-2.0 */
/*
 * REDIS_URL taken apart:
 *
 *     redis://[user:password@]host[:port][/db]                         port 6379, db 0
 *     rediss://...                                                     the same over TLS
 *     unix://[user:password@]/path[?db=N]
 *     redis+sentinel://[user:password@]host[:port],.../master[/db]     port 26379; rediss+sentinel
 *
 * User and password may be absent, either of them, and are percent-decoded; they are Redis', not
 * the Sentinels'.
 *
 * Threads: plain data.
 */
#ifndef CONFIG_REDIS_URL_H
#define CONFIG_REDIS_URL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attrs.h"
#include "base/text.h"

struct redis_host {
    char *name; /* an IPv6 address without its brackets */
    uint16_t port;
};

struct redis_url {
    bool tls;
    char *unix_path;          /* NULL: `hosts` */
    struct redis_host *hosts; /* Redis, or the Sentinels */
    size_t host_count;
    char *master; /* the name the Sentinels know it by; NULL: no Sentinels */
    char *user;   /* NULL: none, as is the password */
    char *password;
    int64_t database;
};

enum redis_url_result { REDIS_URL_OK, REDIS_URL_INVALID, REDIS_URL_NO_MEMORY };

/* Needs redis_url_finish() after REDIS_URL_OK only. */
enum redis_url_result redis_url_parse(struct text text, struct redis_url *ret_url) NODISCARD;

/* Wipes the password. Accepts a zeroed struct. */
void redis_url_finish(struct redis_url *url);

#endif
