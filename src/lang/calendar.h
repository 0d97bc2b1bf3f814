/* calendar.h - working time.
 *
 * A calendar says in its own time zone when work is done: spans per weekday, and days that are
 * exceptions. All arithmetic is done on instants through the zone's rules (zone.h), never by steps
 * of 86 400 s, never through the process's TZ. Calendars are immutable and safe to use from any
 * thread.
 *
 *   office:
 *     zone: Europe/Paris
 *     hours:
 *       mon-fri: ["08:00-12:00", "13:00-18:00"]
 *       sat: ["22:00-06:00"]                    # over midnight; belongs to Saturday
 *     closed: [2026-05-15, 12-25, easter + 1]   # once; every year; from Easter Sunday
 *     open: {2026-05-16: ["09:00-12:00"], 12-24: ["08:00-12:00"]}   # instead of the weekday's
 *
 * A date with its year goes before one without, `open` before `closed`. A day that is closed or
 * has other hours concerns what begins on it: a night that began the day before goes on.
 *
 * WHERE CLOCKS CHANGE a span begins at its first existing instant and ends at the last occurrence
 * of its end: 00:00-24:00 is 23 hours long in spring and 25 in autumn. A day that the zone left out
 * (Pacific/Apia, 2011-12-30) has no hours.
 */
#ifndef LANG_CALENDAR_H
#define LANG_CALENDAR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/rc.h"

struct calendar;
struct ctx;
struct yaml;
struct span;

/* From its description in a process file. Every fault is described with problem(), field = the path
 * inside the description ("hours.mon-fri"), and E_INVALID returned. Lives in the arena of cx. */
enum rc calendar_read(struct ctx *cx, const char *name, const struct yaml *node,
                      const struct calendar **ret);

const char *calendar_name(const struct calendar *c);
const char *calendar_zone(const struct calendar *c); /* "Europe/Paris" */

/* The instant at which so much working time (>= 0) after `from` has passed: the earliest such
 * instant. Adding nothing gives `from` moved to the next working instant. INT64_MAX when that is
 * more than a hundred years away, as it is when the calendar never opens. */
int64_t calendar_add(const struct calendar *c, int64_t from, int64_t working_us);

/* n working days later: the same wall-clock time on the n-th following day that has working time,
 * moved into that day's hours; to their end when it is later than they are. INT64_MAX as above. */
int64_t calendar_add_days(const struct calendar *c, int64_t from, int64_t days);

/* Working time from `from` to `to`; 0 when to is not later. Counts no further than a hundred years.
 */
int64_t calendar_between(const struct calendar *c, int64_t from, int64_t to);

/* When a span that starts at `from` is over; c may be NULL for spans of plain time. */
int64_t span_end(const struct calendar *c, struct span s, int64_t from);

/* "5 working days", "4 working hours", "90 min", "2 h", "30 s", "3 days" (of 24 h), "1 week"; a
 * whole number from 1 on, at most a hundred years. */
bool span_parse(const char *text, struct span *ret);

#endif
