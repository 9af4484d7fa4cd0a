/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signals, taken by the main thread alone: SIGTERM and SIGINT stop, SIGHUP and SIGPIPE do nothing.
 *
 * Threads: main. Call signals_block() before any other thread starts: threads inherit the mask.
 */
#ifndef APP_SIGNALS_H
#define APP_SIGNALS_H

#include <stdint.h>

void signals_block(void);

/* Returns at the first SIGTERM or SIGINT. */
void signals_wait_for_stop(void);

/* From now on SIGTERM and SIGINT end the process at once, with status 128 + the signal's number. */
void signals_exit_on_next(void);

/* Waits; a stopping signal meanwhile ends the process, see above. */
void signals_pause_ms(int64_t duration_ms);

#endif
