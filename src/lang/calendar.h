/* calendar.h - working time.
 *
 * A calendar says in its own time zone when work is done: spans per weekday, and days that are
 * exceptions. All arithmetic is done on instants through the zone's rules (ICU), never by steps of
 * 86 400 s, never through the process's TZ. Calendars are immutable and safe to use from any
 * thread.
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

/* From its description in a process file:
 *   office: {zone: Europe/Paris, hours: {mon-fri: ["08:00-12:00", "13:00-18:00"]}, closed:
 * [2026-12-25]} Faults are described with problem(), field = the path inside the description. */
enum rc calendar_read(struct ctx *cx, const char *name, const struct yaml *node,
                      const struct calendar **ret);

const char *calendar_name(const struct calendar *c);

/* The instant at which so much working time after `from` has passed: the earliest such instant.
 * Adding nothing gives `from` moved to the next working instant. INT64_MAX when the calendar never
 * opens. */
int64_t calendar_add(const struct calendar *c, int64_t from, int64_t working_us);

/* n working days later: the same wall-clock time on the n-th following day that has working time,
 * moved into that day's hours. */
int64_t calendar_add_days(const struct calendar *c, int64_t from, int64_t days);

int64_t calendar_between(const struct calendar *c, int64_t from, int64_t to); /* working time */

/* When a span that starts at `from` is over; c may be NULL for spans of plain time. */
int64_t span_end(const struct calendar *c, struct span s, int64_t from);

/* "5 working days", "4 working hours", "90 min", "2 h", "3 days" (of 24 h), "1 week". */
bool span_parse(const char *text, struct span *ret);

#endif
