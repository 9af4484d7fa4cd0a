/* SPDX-License-Identifier: Apache-2.0 */
#include "names.h"

static bool contains(struct text name, struct text word)
{
    return name.length >= word.length &&
           memmem(name.data, name.length, word.data, word.length) != NULL;
}

/* Names in Kubernetes hold no underscores, so one quick look settles nearly all of them. */
static bool may_be_special(struct text name)
{
    return name.length > 0 && memchr(name.data, '_', name.length) != NULL;
}

bool name_is_special(struct text name)
{
    static const struct text words[] = {
        {.data = "__idle__", .length = 8},         {.data = "__unmounted__", .length = 13},
        {.data = "__unallocated__", .length = 15}, {.data = "__shared__", .length = 10},
        {.data = "__external__", .length = 12},
    };

    if (!may_be_special(name))
        return false;
    for (size_t i = 0; i < ARRAY_LENGTH(words); i++)
        if (contains(name, words[i]))
            return true;
    return false;
}

bool name_is_idle(struct text name)
{
    return may_be_special(name) && contains(name, TEXT(IDLE_NAME));
}

bool name_is_unmounted_volumes(struct text name)
{
    static const char suffix[] = "-unmounted-pvcs";
    const size_t length = sizeof(suffix) - 1;
    return name.length > length && memcmp(name.data + name.length - length, suffix, length) == 0;
}
