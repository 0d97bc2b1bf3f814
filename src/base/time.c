#include "base/time.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/arena.h"
#include "base/buf.h"

#define US_PER_WEEK (7 * US_PER_DAY)
#define FIRST_INSTANT (INT64_C(-719162) * US_PER_DAY) /* 0001-01-01 */
#define PAST_INSTANT (INT64_C(2932897) * US_PER_DAY)  /* 10000-01-01 */

static _Atomic int64_t shift_us;

static int64_t read_clock(clockid_t id)
{
    struct timespec ts;
    clock_gettime(id, &ts);
    return (int64_t)ts.tv_sec * US_PER_S + ts.tv_nsec / 1000;
}

int64_t clock_now(void)
{
    return read_clock(CLOCK_REALTIME) + atomic_load_explicit(&shift_us, memory_order_relaxed);
}

int64_t clock_monotonic(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

void clock_shift(int64_t by_us)
{
    atomic_store(&shift_us, by_us);
}

static int64_t floor_div(int64_t n, int64_t by)
{
    return n / by - (n % by < 0);
}

static int64_t floor_mod(int64_t n, int64_t by)
{
    return n % by + (n % by < 0 ? by : 0);
}

/* Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms": years begin in March, so that the
 * leap day is the last of a year; an era is the 400 years after which the calendar repeats. */
int64_t time_days_from_civil(int64_t year, int month, int day)
{
    const int64_t y = year - (month <= 2);
    const int64_t era = floor_div(y, 400);
    const int64_t year_of_era = y - era * 400;
    const int64_t day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    const int64_t day_of_era =
        year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

void time_civil_from_days(int64_t days, int64_t *ret_year, int *ret_month, int *ret_day)
{
    const int64_t z = days + 719468;
    const int64_t era = floor_div(z, 146097);
    const int64_t day_of_era = z - era * 146097;
    const int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    const int64_t day_of_year =
        day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    const int64_t month = (5 * day_of_year + 2) / 153;
    *ret_day = (int)(day_of_year - (153 * month + 2) / 5 + 1);
    *ret_month = (int)(month < 10 ? month + 3 : month - 9);
    *ret_year = year_of_era + era * 400 + (*ret_month <= 2);
}

/* Exactly `count` digits; moves *s behind them. */
static bool read_digits(const char **s, int count, int *ret)
{
    int n = 0;
    for (int i = 0; i < count; i++) {
        const char c = (*s)[i];
        if (c < '0' || c > '9')
            return false;
        n = n * 10 + (c - '0');
    }
    *s += count;
    *ret = n;
    return true;
}

static bool read_char(const char **s, const char *one_of)
{
    if (!**s || !strchr(one_of, **s))
        return false;
    ++*s;
    return true;
}

static int days_in_month(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    const bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return days[month - 1] + (month == 2 && is_leap);
}

static bool read_date(const char **s, int64_t *ret_days)
{
    int year, month, day;
    if (!read_digits(s, 4, &year) || !read_char(s, "-") || !read_digits(s, 2, &month) ||
        !read_char(s, "-") || !read_digits(s, 2, &day))
        return false;
    if (year < 1 || month < 1 || month > 12 || day < 1 || day > days_in_month(year, month))
        return false;
    *ret_days = time_days_from_civil(year, month, day);
    return true;
}

/* What follows a decimal point: one to `most` digits, as microseconds; further ones are cut. */
static bool read_fraction(const char **s, int most, int64_t *ret_us)
{
    int64_t us = 0;
    int64_t weight = US_PER_S;
    int count = 0;
    for (; **s >= '0' && **s <= '9' && count < most; ++*s, count++) {
        weight /= 10;
        us += (**s - '0') * weight;
    }
    *ret_us = us;
    return count > 0;
}

static bool read_time(const char **s, int64_t *ret_us)
{
    int hour, minute, second;
    if (!read_digits(s, 2, &hour) || !read_char(s, ":") || !read_digits(s, 2, &minute) ||
        !read_char(s, ":") || !read_digits(s, 2, &second))
        return false;
    if (hour > 23 || minute > 59 || second > 60)
        return false;
    int64_t us = 0;
    if (read_char(s, ".") && !read_fraction(s, 9, &us))
        return false;
    *ret_us = hour * US_PER_HOUR + minute * US_PER_MIN + second * US_PER_S + us;
    return true;
}

static bool read_offset(const char **s, int64_t *ret_us)
{
    *ret_us = 0;
    if (read_char(s, "Zz"))
        return true;
    const bool is_west = **s == '-';
    int hour, minute;
    if (!read_char(s, "+-") || !read_digits(s, 2, &hour) || !read_char(s, ":") ||
        !read_digits(s, 2, &minute) || hour > 23 || minute > 59)
        return false;
    *ret_us = (hour * US_PER_HOUR + minute * US_PER_MIN) * (is_west ? -1 : 1);
    return true;
}

bool time_parse_instant(const char *s, int64_t *ret)
{
    int64_t days, us, offset_us;
    if (!read_date(&s, &days) || !read_char(&s, "Tt "))
        return false;
    const bool is_leap_second = strlen(s) > 7 && s[6] == '6';
    if (!read_time(&s, &us) || !read_offset(&s, &offset_us) || *s)
        return false;

    const int64_t at = days * US_PER_DAY + us - offset_us;
    /* A leap second ends a day of UTC (RFC 3339, 5.7), so what follows it begins one. */
    if (is_leap_second && floor_mod(at, US_PER_DAY) >= US_PER_S)
        return false;
    if (at < FIRST_INSTANT || at >= PAST_INSTANT)
        return false;
    *ret = at;
    return true;
}

static char *write_digits(char *p, int64_t n, int width)
{
    for (int i = width - 1; i >= 0; i--) {
        p[i] = (char)('0' + n % 10);
        n /= 10;
    }
    return p + width;
}

static char *write_date(char *p, int64_t days)
{
    int64_t year;
    int month, day;
    time_civil_from_days(days, &year, &month, &day);
    if (year < 0) {
        *p++ = '-';
        year = -year;
    }
    p = write_digits(p, year, year > 99999 ? 6 : year > 9999 ? 5 : 4);
    *p++ = '-';
    p = write_digits(p, month, 2);
    *p++ = '-';
    return write_digits(p, day, 2);
}

size_t time_write_instant(int64_t at, char ret[static 32])
{
    const int64_t days = floor_div(at, US_PER_DAY);
    const int64_t us = floor_mod(at, US_PER_DAY);
    char *p = write_date(ret, days);
    *p++ = 'T';
    p = write_digits(p, us / US_PER_HOUR, 2);
    *p++ = ':';
    p = write_digits(p, us / US_PER_MIN % 60, 2);
    *p++ = ':';
    p = write_digits(p, us / US_PER_S % 60, 2);
    if (us % US_PER_S) {
        *p++ = '.';
        p = write_digits(p, us % US_PER_S, 6);
    }
    *p++ = 'Z';
    return (size_t)(p - ret);
}

const char *time_format_instant(struct arena *a, int64_t at)
{
    char text[32];
    const size_t len = time_write_instant(at, text);
    return arena_strndup(a, text, len);
}

bool time_parse_date(const char *s, int64_t *ret_days)
{
    int64_t days;
    if (!read_date(&s, &days) || *s)
        return false;
    *ret_days = days;
    return true;
}

const char *time_format_date(struct arena *a, int64_t days)
{
    char text[32];
    const char *end = write_date(text, days);
    return arena_strndup(a, text, (size_t)(end - text));
}

/* The parts of a written duration, in the order in which they must stand. */
static const struct part {
    char letter;
    bool is_time; /* stands after the T */
    int64_t us;
} parts[] = {
    {'W', false, US_PER_WEEK}, {'D', false, US_PER_DAY}, {'H', true, US_PER_HOUR},
    {'M', true, US_PER_MIN},   {'S', true, US_PER_S},
};

static bool read_number(const char **s, int64_t *ret)
{
    if (**s < '0' || **s > '9')
        return false;
    int64_t n = 0;
    for (; **s >= '0' && **s <= '9'; ++*s) {
        if (__builtin_mul_overflow(n, 10, &n) || __builtin_add_overflow(n, **s - '0', &n))
            return false;
    }
    *ret = n;
    return true;
}

/* One "12H", which must be a part at or after `least`; gives the index of the part after it. */
static bool read_part(const char **s, bool is_time, int *least, int64_t *sum_us)
{
    int64_t count, us = 0;
    if (!read_number(s, &count))
        return false;
    const bool has_fraction = read_char(s, ".");
    if (has_fraction && !read_fraction(s, 9, &us))
        return false;
    for (int i = *least; i < ARRAY_LEN(parts); i++) {
        if (parts[i].letter != **s || parts[i].is_time != is_time)
            continue;
        if (has_fraction && parts[i].us != US_PER_S)
            return false;
        ++*s;
        *least = i + 1;
        return !__builtin_mul_overflow(count, parts[i].us, &count) &&
               !__builtin_add_overflow(count, us, &count) &&
               !__builtin_add_overflow(*sum_us, count, sum_us);
    }
    return false;
}

bool time_parse_duration(const char *s, int64_t *ret_us)
{
    const bool is_negative = read_char(&s, "-");
    if (!read_char(&s, "P"))
        return false;
    int64_t us = 0;
    int next = 0;
    bool is_time = false;
    do {
        is_time = is_time || read_char(&s, "T");
        if (!read_part(&s, is_time, &next, &us))
            return false;
    } while (*s);
    *ret_us = is_negative ? -us : us;
    return true;
}

const char *time_format_duration(struct arena *a, int64_t us)
{
    struct buf b = {.arena = a};
    uint64_t left = us < 0 ? 0 - (uint64_t)us : (uint64_t)us;
    buf_puts(&b, us < 0 ? "-P" : "P");
    bool has_time = false;
    for (int i = 1; i < ARRAY_LEN(parts); i++) { /* weeks are written as days */
        const uint64_t count = left / (uint64_t)parts[i].us;
        const uint64_t rest = left % (uint64_t)parts[i].us;
        const bool is_last = parts[i].us == US_PER_S;
        left = rest;
        if (!count && !(is_last && (rest || b.len <= 2)))
            continue;
        if (parts[i].is_time && !has_time)
            buf_putc(&b, 'T');
        has_time |= parts[i].is_time;
        buf_int(&b, (int64_t)count);
        if (is_last && rest)
            buf_printf(&b, ".%06d", (int)rest);
        buf_putc(&b, parts[i].letter);
    }
    return buf_text(&b);
}

static const struct unit {
    const char *name;
    int64_t us;
} units[] = {
    {"us", 1},
    {"ms", 1000},
    {"s", US_PER_S},
    {"second", US_PER_S},
    {"seconds", US_PER_S},
    {"min", US_PER_MIN},
    {"minute", US_PER_MIN},
    {"minutes", US_PER_MIN},
    {"h", US_PER_HOUR},
    {"hour", US_PER_HOUR},
    {"hours", US_PER_HOUR},
    {"d", US_PER_DAY},
    {"day", US_PER_DAY},
    {"days", US_PER_DAY},
    {"week", US_PER_WEEK},
    {"weeks", US_PER_WEEK},
};

bool time_parse_span(const char *s, int64_t *ret_us)
{
    int64_t count;
    if (!read_number(&s, &count))
        return false;
    read_char(&s, " ");
    for (int i = 0; i < ARRAY_LEN(units); i++) {
        if (strcmp(s, units[i].name) != 0)
            continue;
        if (__builtin_mul_overflow(count, units[i].us, &count))
            return false;
        *ret_us = count;
        return true;
    }
    return false;
}
