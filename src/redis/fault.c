/* SPDX-License-Identifier: Apache-2.0 */
#include "redis/fault.h"

#include <stdarg.h>
#include <stdio.h>

void fault_set(struct fault *fault, enum fault_reason reason, const char *format, ...)
{
    va_list arguments;
    fault->reason = reason;
    va_start(arguments, format);
    (void)vsnprintf(fault->text, sizeof fault->text, format, arguments);
    va_end(arguments);
    for (char *c = fault->text; *c != '\0'; c++) {
        if ((unsigned char)*c < ' ' || *c == 0x7F)
            *c = ' ';
    }
}

const char *fault_reason_name(enum fault_reason reason)
{
    static const char *const names[FAULT_REASONS] = {
        [FAULT_CONNECT] = "connect",     [FAULT_TLS] = "tls",
        [FAULT_TIMEOUT] = "timeout",     [FAULT_AUTH] = "auth",
        [FAULT_FULL] = "full",           [FAULT_READ_ONLY] = "read_only",
        [FAULT_LOADING] = "loading",     [FAULT_REFUSED] = "refused",
        [FAULT_PROTOCOL] = "protocol",   [FAULT_TOO_LARGE] = "too_large",
        [FAULT_FOREIGN] = "foreign",     [FAULT_BUSY] = "busy",
        [FAULT_NO_MEMORY] = "no_memory",
    };
    return names[reason];
}
