/* SPDX-License-Identifier: Apache-2.0 */
#include "base/time_source.h"

#include <time.h>

static const int64_t nanoseconds_per_second = INT64_C(1000000000);
static const int64_t nanoseconds_per_millisecond = 1000000;
static const int64_t microseconds_per_second = 1000000;
static const int64_t microseconds_per_millisecond = 1000;

static int64_t clock_ns(clockid_t clock)
{
    struct timespec now = {0};
    (void)clock_gettime(clock, &now); /* cannot fail for the two clocks used here */
    return (int64_t)now.tv_sec * nanoseconds_per_second + now.tv_nsec;
}

static int64_t system_monotonic_ns(void *context)
{
    (void)context;
    return clock_ns(CLOCK_MONOTONIC);
}

static int64_t system_wall_us(void *context)
{
    (void)context;
    return clock_ns(CLOCK_REALTIME) / 1000;
}

const struct time_source time_source_system = {
    .monotonic_ns = system_monotonic_ns,
    .wall_us = system_wall_us,
    .context = NULL,
};

int64_t time_monotonic_ns(const struct time_source *time)
{
    return time->monotonic_ns(time->context);
}

int64_t time_monotonic_ms(const struct time_source *time)
{
    return time_monotonic_ns(time) / nanoseconds_per_millisecond;
}

int64_t time_wall_us(const struct time_source *time)
{
    return time->wall_us(time->context);
}

int64_t time_wall_ms(const struct time_source *time)
{
    return time_wall_us(time) / microseconds_per_millisecond;
}

int64_t time_wall_s(const struct time_source *time)
{
    return time_wall_us(time) / microseconds_per_second;
}
