/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signals, taken by the main thread alone: SIGTERM and SIGINT stop, SIGHUP has settings read anew,
 * SIGPIPE and SIGXFSZ do nothing. While the settings are read, a stopping signal ends the process;
 * what comes while the service is starting waits until it has started.
 *
 * Threads: main. Call signals_block() before any other thread starts: threads inherit the mask.
 */
#ifndef APP_SIGNALS_H
#define APP_SIGNALS_H

#include <stdint.h>

#include "base/attrs.h"

/* While the settings are read: SIGTERM and SIGINT end the process at once, also as process 1 of a
 * container, which has no default actions to rely on. */
void signals_begin(void);

/* From now on signals_wait() takes them. */
void signals_block(void);

enum signals_event { SIGNALS_NONE, SIGNALS_STOP, SIGNALS_REREAD };

/* Waits for a signal, `limit_ms` at most. SIGNALS_STOP comes before anything else that waits. */
enum signals_event signals_wait(int64_t limit_ms) NODISCARD;

/* From now on SIGTERM and SIGINT end the process at once, with status 128 + the signal's number. */
void signals_exit_on_next(void);

/* Waits; a stopping signal meanwhile ends the process, see above. */
void signals_pause_ms(int64_t duration_ms);

#endif
