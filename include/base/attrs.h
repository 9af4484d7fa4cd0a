/* SPDX-License-Identifier: Apache-2.0 */
/* Compiler attributes the project relies on (GCC and Clang), under short names. */
#ifndef BASE_ATTRS_H
#define BASE_ATTRS_H

#include <stddef.h>

/* The result must be looked at: ignoring it is a compile error under -Werror. */
#define NODISCARD __attribute__((warn_unused_result))

/* Let the compiler check printf-style arguments; `text` and `first` are argument positions
 * from 1. */
#define PRINTF_LIKE(text, first) __attribute__((format(printf, text, first)))

/* Bind `function(&variable)` to the end of the variable's scope. */
#define CLEANUP(function) __attribute__((cleanup(function)))

/* A large buffer on a hot path, which is written before it is read: it need not be cleared first,
 * as release builds do with what is on the stack. */
#define UNCLEARED __attribute__((uninitialized))

#define ARRAY_LENGTH(array) (sizeof(array) / sizeof((array)[0]))

/* The struct of type `type` whose member `member` is at `pointer`. */
#define CONTAINER_OF(pointer, type, member)                                                        \
    ((type *)(void *)((char *)(pointer)-offsetof(type, member)))

#endif
