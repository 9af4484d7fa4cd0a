/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signals, taken by the main thread alone: SIGTERM and SIGINT stop, SIGHUP and SIGPIPE do nothing.
 *
 * Threads: main. Call signals_block() before any other thread starts: threads inherit the mask.
 */
#ifndef APP_SIGNALS_H
#define APP_SIGNALS_H

#include <stdint.h>

#include "base/attrs.h"

void signals_block(void);

enum signals_event { SIGNALS_NONE, SIGNALS_STOP };

/* Waits for a signal, `limit_ms` at most. */
enum signals_event signals_wait(int64_t limit_ms) NODISCARD;

/* From now on SIGTERM and SIGINT end the process at once, with status 128 + the signal's number. */
void signals_exit_on_next(void);

/* Waits; a stopping signal meanwhile ends the process, see above. */
void signals_pause_ms(int64_t duration_ms);

#endif
