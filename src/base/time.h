/* time.h - instants, dates and durations as numbers, and their written forms.
 *
 * An instant is int64_t microseconds since 1970 in UTC, named ..._at; a duration is microseconds,
 * named ..._us; a date is days since 1970-01-01. There is no time zone in here and none is ever
 * taken from the process: working time and zones live in lang/calendar.h.
 */
#ifndef BASE_TIME_H
#define BASE_TIME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;

#define US_PER_S INT64_C(1000000)
#define US_PER_MIN (60 * US_PER_S)
#define US_PER_HOUR (60 * US_PER_MIN)
#define US_PER_DAY (24 * US_PER_HOUR)

/* The wall clock. Only the edge and the job runner read it; everybody else takes cx->now. */
int64_t clock_now(void);
int64_t clock_monotonic(void); /* for deadlines and measurements; unrelated to the wall clock */

/* Move what clock_now() answers; tests and simulations only. 0 gives the real clock back. */
void clock_shift(int64_t by_us);

/* RFC 3339. Reading takes any offset, up to nine decimals (cut to microseconds), 'T' or space,
 * years 0001-9999; a leap second reads as the next second. Writing is UTC with Z. */
bool time_parse_instant(const char *s, int64_t *ret);
const char *time_format_instant(struct arena *a, int64_t at);
size_t time_write_instant(int64_t at, char ret[static 32]); /* length, not terminated */

bool time_parse_date(const char *s, int64_t *ret_days); /* YYYY-MM-DD, proleptic Gregorian */
const char *time_format_date(struct arena *a, int64_t days);

/* ISO 8601 durations of fixed length: PT1H30M, P2DT12H, P1W, PT0.25S, and -PT5M; years and months
 * are refused. */
bool time_parse_duration(const char *s, int64_t *ret_us);
const char *time_format_duration(struct arena *a, int64_t us);

/* Durations as people write them in files: one whole number and its unit, "90 s", "30 min", "8 h",
 * "2 days", "1 week"; the space may be left out. Units: us, ms, s, min, h, d and the full words. */
bool time_parse_span(const char *s, int64_t *ret_us);

int64_t time_days_from_civil(int64_t year, int month, int day); /* month 1-12, day 1-31 */
void time_civil_from_days(int64_t days, int64_t *ret_year, int *ret_month, int *ret_day);

#endif
