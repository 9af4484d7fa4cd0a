/* SPDX-License-Identifier: Apache-2.0 */
#include "demo_load.h"

#include "base/civil_time.h"

enum { HOURS_PER_DAY = 24, DAYS_PER_WEEK = 7, MONTHS_PER_YEAR = 12 };

/* Factors in percent; each list averages about 100. */
struct swing {
    int by_hour[HOURS_PER_DAY];
    int by_weekday[DAYS_PER_WEEK]; /* Sunday first */
    int by_month[MONTHS_PER_YEAR]; /* on the 1st; days between lie on a straight line */
    int growth_per_100_days;
};

/* People shop in the evening, at the weekend and before Christmas. */
static const struct swing shoppers = {
    .by_hour = {55,  40,  32,  28,  30,  40,  60,  80,  95,  105, 110, 115,
                120, 118, 112, 110, 115, 125, 140, 155, 165, 155, 120, 85},
    .by_weekday = {122, 88, 90, 92, 95, 100, 118},
    .by_month = {118, 90, 86, 90, 94, 96, 94, 92, 96, 102, 108, 124},
    .growth_per_100_days = 16,
};

/* Nearly nothing at night and at weekends, less in August. */
static const struct swing office = {
    .by_hour = {12,  10,  10,  10,  10,  12,  25, 70, 180, 230, 250, 240,
                170, 220, 250, 245, 220, 150, 70, 40, 30,  24,  18,  14},
    .by_weekday = {12, 135, 142, 140, 138, 120, 14},
    .by_month = {90, 104, 106, 104, 102, 104, 98, 84, 96, 108, 108, 100},
    .growth_per_100_days = 4,
};

static double percent(int value)
{
    return value / 100.0;
}

static double season_at(const struct swing *swing, int64_t time_s)
{
    const struct civil_date date = civil_date_of(time_s);
    const double this_month = percent(swing->by_month[date.month - 1]);
    const double next_month = percent(swing->by_month[date.month % MONTHS_PER_YEAR]);
    return this_month + (next_month - this_month) * (date.day - 1) / 31.0;
}

double demo_load_at(enum demo_load load, int64_t time_s, int64_t birth_s)
{
    if (load == DEMO_LOAD_STEADY)
        return 1.0;

    const struct swing *swing = load == DEMO_LOAD_SHOPPERS ? &shoppers : &office;
    const int64_t hour = time_s / SECONDS_PER_HOUR % HOURS_PER_DAY;
    const int64_t weekday = (time_s / SECONDS_PER_DAY + 4) % DAYS_PER_WEEK;
    const int64_t age_days = (time_s - birth_s) / SECONDS_PER_DAY;
    const double growth = 1.0 + percent(swing->growth_per_100_days) * (double)age_days / 100.0;
    return percent(swing->by_hour[hour]) * percent(swing->by_weekday[weekday]) *
           season_at(swing, time_s) * growth;
}
