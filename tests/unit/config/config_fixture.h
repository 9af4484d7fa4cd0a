/* SPDX-License-Identifier: Apache-2.0 */
/* An environment of the test's own, and .env files for the time of a test. Include behind cmocka.h.
 */
#ifndef UNIT_CONFIG_FIXTURE_H
#define UNIT_CONFIG_FIXTURE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/config.h"

/* Ended by a NULL name. */
struct variable {
    const char *name;
    const char *value;
};

static inline const char *fixture_getenv(void *context, const char *name)
{
    for (const struct variable *variable = context; variable->name != NULL; variable++) {
        if (strcmp(variable->name, name) == 0)
            return variable->value;
    }
    return NULL;
}

struct env_file_path {
    char text[64];
};

/* A file of that content; fixture_remove() ends it. */
static inline struct env_file_path fixture_file(const char *content, size_t length)
{
    struct env_file_path path = {"/tmp/kubecent-test-XXXXXX"};
    int fd = mkstemp(path.text);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, content, length), length);
    close(fd);
    return path;
}

static inline void fixture_remove(const struct env_file_path *path)
{
    assert_int_equal(unlink(path->text), 0);
}

/* Loads from these variables and an empty .env file. */
static inline struct config *fixture_load(struct variable *variables, struct config_report *report)
{
    return config_load("/dev/null", fixture_getenv, variables, report);
}

/* Loads from one variable. */
static inline struct config *fixture_load_one(const char *name, const char *value,
                                              struct config_report *report)
{
    struct variable variables[] = {{name, value}, {NULL, NULL}};
    return fixture_load(variables, report);
}

/* True when some line of the list holds `part`. */
static inline bool fixture_has_line(const struct string_list *list, const char *part)
{
    for (size_t i = 0; i < list->count; i++) {
        if (strstr(list->items[i], part) != NULL)
            return true;
    }
    return false;
}

#endif
