/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the time comes from, so that a test can move it.
 *
 * Rooms that need a clock get a `const struct time_source *` at create and never call
 * clock_gettime() themselves.
 *
 * Threads: any.
 */
#ifndef BASE_TIME_SOURCE_H
#define BASE_TIME_SOURCE_H

#include <stdint.h>

struct time_source {
    /* Since some fixed moment; never goes back. For ages and durations. */
    int64_t (*monotonic_ns)(void *context);
    /* Since 1970-01-01T00:00:00Z. For labels, logs and what outlives the process. */
    int64_t (*wall_us)(void *context);
    void *context;
};

/* The machine's own clocks (CLOCK_MONOTONIC, CLOCK_REALTIME). */
extern const struct time_source time_source_system;

int64_t time_monotonic_ns(const struct time_source *time);
int64_t time_monotonic_ms(const struct time_source *time);
int64_t time_wall_us(const struct time_source *time);
int64_t time_wall_ms(const struct time_source *time);
int64_t time_wall_s(const struct time_source *time);

#endif
