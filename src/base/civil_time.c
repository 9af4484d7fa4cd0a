/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Days are counted in years that begin on 1 March: leap days then fall on a year's last day, and
 * the lengths of the months before them follow one linear formula.
 */
#include "base/civil_time.h"

#include <string.h>

enum {
    DAYS_PER_400_YEARS = 146097,
    DAYS_FROM_0000_03_01_TO_1970 = 719468,
    MINUTES_PER_HOUR = 60,
    HOURS_PER_DAY = 24,
    MICROSECONDS_PER_SECOND = 1000000,
    /* Positions within YYYY-MM-DDThh:mm:ss. */
    DATE_TIME_LENGTH = 19,
};

/* What four digits can say: 0001-01-01T00:00:00Z to 9999-12-31T23:59:59Z. */
static const int64_t first_second = INT64_C(-62135596800);
static const int64_t last_second = INT64_C(253402300799);

static int64_t floor_divide(int64_t dividend, int64_t divisor)
{
    int64_t quotient = dividend / divisor;
    return dividend % divisor < 0 ? quotient - 1 : quotient;
}

static int64_t clamp_to_four_digit_years(int64_t unix_s)
{
    if (unix_s < first_second)
        return first_second;
    return unix_s > last_second ? last_second : unix_s;
}

struct civil_date civil_date_of(int64_t unix_s)
{
    int64_t days = floor_divide(clamp_to_four_digit_years(unix_s), SECONDS_PER_DAY) +
                   DAYS_FROM_0000_03_01_TO_1970;
    int64_t era = floor_divide(days, DAYS_PER_400_YEARS);
    int64_t day_of_era = days - era * DAYS_PER_400_YEARS;
    int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t month_from_march = (5 * day_of_year + 2) / 153;
    bool is_january_or_february = month_from_march >= 10;
    return (struct civil_date){
        .year = (int)(era * 400 + year_of_era + (is_january_or_february ? 1 : 0)),
        .month = (int)(month_from_march + (is_january_or_february ? -9 : 3)),
        .day = (int)(day_of_year - (153 * month_from_march + 2) / 5 + 1),
    };
}

int64_t civil_midnight(int year, int month, int day)
{
    int64_t months = (int64_t)year * 12 + month - 3; /* since March of the year 0 */
    int64_t march_year = floor_divide(months, 12);
    int64_t month_from_march = months - march_year * 12;
    int64_t era = floor_divide(march_year, 400);
    int64_t year_of_era = march_year - era * 400;
    int64_t day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return (era * DAYS_PER_400_YEARS + day_of_era - DAYS_FROM_0000_03_01_TO_1970) * SECONDS_PER_DAY;
}

static int days_in_month(int year, int month)
{
    return (int)((civil_midnight(year, month + 1, 1) - civil_midnight(year, month, 1)) /
                 SECONDS_PER_DAY);
}

static bool read_digits(const char *text, int count, int *ret_value)
{
    int value = 0;
    for (int i = 0; i < count; i++) {
        if (text[i] < '0' || text[i] > '9')
            return false;
        value = value * 10 + (text[i] - '0');
    }
    *ret_value = value;
    return true;
}

/* Reads YYYY-MM-DD, a T (or t), hh:mm:ss. Seconds may be 60; the caller decides whether they may
 * here. */
static bool read_date_time(const char *text, int64_t *ret_unix_s, int *ret_second)
{
    int year;
    int month;
    int day;
    int hour;
    int minute;
    int second;
    bool well_formed =
        read_digits(text, 4, &year) && text[4] == '-' && read_digits(text + 5, 2, &month) &&
        text[7] == '-' && read_digits(text + 8, 2, &day) && (text[10] == 'T' || text[10] == 't') &&
        read_digits(text + 11, 2, &hour) && text[13] == ':' && read_digits(text + 14, 2, &minute) &&
        text[16] == ':' && read_digits(text + 17, 2, &second);
    if (!well_formed || year < 1 || month < 1 || month > 12 || day < 1 ||
        day > days_in_month(year, month))
        return false;
    if (hour >= HOURS_PER_DAY || minute >= MINUTES_PER_HOUR || second > SECONDS_PER_MINUTE)
        return false;
    *ret_unix_s = civil_midnight(year, month, day) + (int64_t)hour * SECONDS_PER_HOUR +
                  (int64_t)minute * SECONDS_PER_MINUTE + second;
    *ret_second = second;
    return true;
}

bool rfc3339_parse_z(const char *text, size_t length, int64_t *ret_unix_s)
{
    int second;
    if (length != DATE_TIME_LENGTH + 1 || text[10] != 'T' || text[DATE_TIME_LENGTH] != 'Z')
        return false;
    return read_date_time(text, ret_unix_s, &second) && second < SECONDS_PER_MINUTE;
}

/* Reads `Z`, `z`, `+hh:mm` or `-hh:mm`, and nothing behind it. */
static bool read_offset(const char *text, size_t length, int64_t *ret_offset_s)
{
    int hours;
    int minutes;
    if (length == 1 && (text[0] == 'Z' || text[0] == 'z')) {
        *ret_offset_s = 0;
        return true;
    }
    if (length != 6 || (text[0] != '+' && text[0] != '-') || text[3] != ':')
        return false;
    if (!read_digits(text + 1, 2, &hours) || !read_digits(text + 4, 2, &minutes) ||
        hours >= HOURS_PER_DAY || minutes >= MINUTES_PER_HOUR)
        return false;
    int64_t offset_s = (int64_t)hours * SECONDS_PER_HOUR + (int64_t)minutes * SECONDS_PER_MINUTE;
    *ret_offset_s = text[0] == '-' ? -offset_s : offset_s;
    return true;
}

static size_t fraction_length(const char *text, size_t length)
{
    size_t used = 1;
    if (length == 0 || text[0] != '.')
        return 0;
    while (used < length && text[used] >= '0' && text[used] <= '9')
        used++;
    return used > 1 ? used : 0; /* a point without digits is left for the offset to refuse */
}

bool rfc3339_parse(const char *text, size_t length, int64_t *ret_unix_s)
{
    int64_t unix_s;
    int64_t offset_s;
    int second;
    if (length < DATE_TIME_LENGTH + 1 || !read_date_time(text, &unix_s, &second))
        return false;
    size_t used = DATE_TIME_LENGTH;
    used += fraction_length(text + used, length - used);
    if (!read_offset(text + used, length - used, &offset_s))
        return false;
    unix_s -= offset_s;
    /* A leap second ends a UTC day, nothing else; it is the first second of the next one here. */
    if (second == SECONDS_PER_MINUTE && unix_s % SECONDS_PER_DAY != 0)
        return false;
    *ret_unix_s = unix_s;
    return true;
}

/* Writes `value`, below 100, and returns the position behind it; what follows likewise. */
static char *write_pair(char *out, unsigned value)
{
    out[0] = (char)('0' + value / 10);
    out[1] = (char)('0' + value % 10);
    return out + 2;
}

static char *write_month(char *out, struct civil_date date)
{
    out = write_pair(out, (unsigned)date.year / 100);
    out = write_pair(out, (unsigned)date.year % 100);
    *out++ = '-';
    return write_pair(out, (unsigned)date.month);
}

static char *write_time(char *out, int64_t unix_s)
{
    unsigned second_of_day =
        (unsigned)(unix_s - floor_divide(unix_s, SECONDS_PER_DAY) * SECONDS_PER_DAY);
    out = write_pair(out, second_of_day / SECONDS_PER_HOUR);
    *out++ = ':';
    out = write_pair(out, second_of_day / SECONDS_PER_MINUTE % MINUTES_PER_HOUR);
    *out++ = ':';
    return write_pair(out, second_of_day % SECONDS_PER_MINUTE);
}

static char *write_date_time(char *out, int64_t unix_s)
{
    struct civil_date date = civil_date_of(unix_s);
    out = write_month(out, date);
    *out++ = '-';
    out = write_pair(out, (unsigned)date.day);
    *out++ = 'T';
    return write_time(out, unix_s);
}

void rfc3339_format(int64_t unix_s, char text[RFC3339_TEXT_MAX])
{
    char *end = write_date_time(text, clamp_to_four_digit_years(unix_s));
    *end++ = 'Z';
    *end = '\0';
}

void rfc3339_format_us(int64_t unix_us, char text[RFC3339_TEXT_MAX])
{
    int64_t unix_s = floor_divide(unix_us, MICROSECONDS_PER_SECOND);
    unsigned fraction_us = (unsigned)(unix_us - unix_s * MICROSECONDS_PER_SECOND);
    char *end = write_date_time(text, clamp_to_four_digit_years(unix_s));
    if (fraction_us != 0) {
        *end++ = '.';
        end = write_pair(end, fraction_us / 10000);
        end = write_pair(end, fraction_us / 100 % 100);
        end = write_pair(end, fraction_us % 100);
    }
    *end++ = 'Z';
    *end = '\0';
}

void http_date_format(int64_t unix_s, char text[RFC3339_TEXT_MAX])
{
    static const char weekdays[][5] = {"Thu,", "Fri,", "Sat,", "Sun,", "Mon,", "Tue,", "Wed,"};
    static const char months[][6] = {" Jan ", " Feb ", " Mar ", " Apr ", " May ", " Jun ",
                                     " Jul ", " Aug ", " Sep ", " Oct ", " Nov ", " Dec "};
    int64_t second = clamp_to_four_digit_years(unix_s);
    struct civil_date date = civil_date_of(second);
    int64_t days = floor_divide(second, SECONDS_PER_DAY);
    char *end = stpcpy(text, weekdays[days - floor_divide(days, 7) * 7]);
    *end++ = ' ';
    end = write_pair(end, (unsigned)date.day);
    end = stpcpy(end, months[date.month - 1]);
    end = write_pair(end, (unsigned)date.year / 100);
    end = write_pair(end, (unsigned)date.year % 100);
    *end++ = ' ';
    (void)stpcpy(write_time(end, second), " GMT");
}

void civil_format_month(int64_t unix_s, char text[RFC3339_TEXT_MAX])
{
    char *end = write_month(text, civil_date_of(unix_s));
    *end = '\0';
}
