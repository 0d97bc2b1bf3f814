#include "lang/calendar.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "base/ctx.h"
#include "base/test.h"
#include "base/time.h"
#include "base/yaml.h"
#include "lang/process.h"

static struct ctx cx;

static int setup(void **state)
{
    (void)state;
    cx = (struct ctx){.arena = arena_create()};
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_destroy(cx.arena);
    return 0;
}

static int64_t at(const char *text)
{
    int64_t ret;
    assert_true(time_parse_instant(text, &ret));
    return ret;
}

static const struct calendar *calendar(const char *text)
{
    const struct yaml *root = NULL;
    assert_int_equal(yaml_parse(&cx, "test", text, strlen(text), &root), OK);
    const struct calendar *c = NULL;
    const enum rc rc = calendar_read(&cx, "test", root, &c);
    if (rc != OK)
        print_message("%s: %s\n", text, ((struct problem *)cx.err.problems.at)->text);
    assert_int_equal(rc, OK);
    return c;
}

#define OFFICE "{zone: Europe/Paris, hours: {mon-fri: [\"08:00-12:00\", \"13:00-18:00\"]}}"
#define DAY_AND_NIGHT(zone) "{zone: " zone ", hours: {mon-sun: \"00:00-24:00\"}}"
#define NIGHTS "{zone: Europe/Paris, hours: {mon-sun: [\"22:00-06:00\"]}}"

static void counts_between(void **state)
{
    (void)state;
    static const struct {
        const char *calendar, *from, *to;
        int minutes;
    } cases[] = {
        /* a week, a weekend, a lunch */
        {OFFICE, "2026-01-05T00:00:00+01:00", "2026-01-12T00:00:00+01:00", 45 * 60},
        {OFFICE, "2026-01-09T17:00:00+01:00", "2026-01-12T09:00:00+01:00", 120},
        {OFFICE, "2026-01-05T12:10:00+01:00", "2026-01-05T12:50:00+01:00", 0},
        {OFFICE, "2026-01-05T11:00:00+01:00", "2026-01-05T14:00:00+01:00", 120},
        {OFFICE, "2026-01-05T14:00:00+01:00", "2026-01-05T11:00:00+01:00", 0},
        /* whole days when clocks change */
        {DAY_AND_NIGHT("Europe/Paris"), "2026-03-29T00:00:00+01:00", "2026-03-30T00:00:00+02:00",
         23 * 60},
        {DAY_AND_NIGHT("Europe/Paris"), "2026-10-25T00:00:00+02:00", "2026-10-26T00:00:00+01:00",
         25 * 60},
        {DAY_AND_NIGHT("America/New_York"), "2026-03-08T00:00:00-05:00",
         "2026-03-09T00:00:00-04:00", 23 * 60},
        {DAY_AND_NIGHT("Africa/Cairo"), "2024-04-26T01:00:00+03:00", "2024-04-27T00:00:00+03:00",
         23 * 60},
        {DAY_AND_NIGHT("Africa/Cairo"), "2024-10-31T00:00:00+03:00", "2024-11-01T00:00:00+02:00",
         25 * 60},
        {DAY_AND_NIGHT("Asia/Tehran"), "2022-03-22T01:00:00+04:30", "2022-03-23T00:00:00+04:30",
         23 * 60},
        {DAY_AND_NIGHT("Australia/Lord_Howe"), "2026-04-05T00:00:00+11:00",
         "2026-04-06T00:00:00+10:30", 24 * 60 + 30},
        {DAY_AND_NIGHT("America/Sao_Paulo"), "2018-11-04T01:00:00-02:00",
         "2018-11-05T00:00:00-02:00", 23 * 60},
        {DAY_AND_NIGHT("America/Sao_Paulo"), "2018-02-17T00:00:00-02:00",
         "2018-02-18T00:00:00-03:00", 25 * 60},
        {DAY_AND_NIGHT("Africa/Casablanca"), "2026-02-15T00:00:00+01:00",
         "2026-02-16T00:00:00+00:00", 25 * 60}, /* Ramadan begins */
        {DAY_AND_NIGHT("Pacific/Apia"), "2011-12-29T00:00:00-10:00", "2012-01-01T00:00:00+14:00",
         48 * 60},
        /* only Fridays, and the Friday never was */
        {"{zone: Pacific/Apia, hours: {fri: [\"00:00-24:00\"]}}", "2011-12-24T00:00:00-10:00",
         "2012-01-06T00:00:00+14:00", 0},
        /* begins in the missing hour; ends in it; is in it */
        {"{zone: Europe/Paris, hours: {sun: [\"02:30-04:00\"]}}", "2026-03-29T00:00:00+01:00",
         "2026-03-30T00:00:00+02:00", 60},
        {"{zone: Europe/Paris, hours: {sun: [\"01:00-02:30\"]}}", "2026-03-29T00:00:00+01:00",
         "2026-03-30T00:00:00+02:00", 60},
        {"{zone: Europe/Paris, hours: {sun: [\"02:10-02:50\"]}}", "2026-03-29T00:00:00+01:00",
         "2026-03-30T00:00:00+02:00", 0},
        /* ends in the hour that comes twice; begins in it; the next joins it, none counts twice */
        {"{zone: Europe/Paris, hours: {sun: [\"01:00-02:30\"]}}", "2026-10-25T00:00:00+02:00",
         "2026-10-26T00:00:00+01:00", 150},
        {"{zone: Europe/Paris, hours: {sun: [\"02:30-04:00\"]}}", "2026-10-25T00:00:00+02:00",
         "2026-10-26T00:00:00+01:00", 150},
        {"{zone: Europe/Paris, hours: {sun: [\"01:00-02:30\", \"02:30-04:00\"]}}",
         "2026-10-25T00:00:00+02:00", "2026-10-26T00:00:00+01:00", 240},
        /* nights; the night in which clocks change; nights that overlap mornings */
        {NIGHTS, "2026-01-05T21:00:00+01:00", "2026-01-06T07:00:00+01:00", 480},
        {NIGHTS, "2026-01-06T03:00:00+01:00", "2026-01-06T07:00:00+01:00", 180},
        {NIGHTS, "2026-03-28T21:00:00+01:00", "2026-03-29T07:00:00+02:00", 420},
        {NIGHTS, "2026-10-24T21:00:00+02:00", "2026-10-25T07:00:00+01:00", 540},
        {"{zone: UTC, hours: {mon: [\"22:00-06:00\"], tue: [\"05:00-08:00\"]}}",
         "2026-01-05T00:00:00Z", "2026-01-08T00:00:00Z", 600},
        {"{zone: UTC, hours: {sat-mon: [\"22:00-00:00\"]}}", "2026-01-05T00:00:00Z",
         "2026-01-12T00:00:00Z", 360},
        /* exceptions: once, every year, by Easter; with other hours; over all */
        {"{zone: UTC, hours: {mon-fri: [\"09:00-17:00\"]}, closed: [2026-12-25, 01-01]}",
         "2026-12-21T00:00:00Z", "2027-01-04T00:00:00Z", 8 * 480},
        {"{zone: UTC, hours: {mon-fri: [\"09:00-17:00\"]}, closed: [easter - 2, easter + 1]}",
         "2026-03-30T00:00:00Z", "2026-04-13T00:00:00Z", 8 * 480},
        {"{zone: UTC, hours: {mon-fri: [\"09:00-17:00\"]}, closed: [easter + 39]}",
         "2027-05-06T00:00:00Z", "2027-05-07T00:00:00Z", 0},
        {"{zone: UTC, hours: {mon-fri: [\"09:00-17:00\"]}, open: {2026-05-16: [\"09:00-12:00\"],"
         " 12-24: [\"08:00-12:00\"]}}",
         "2026-05-16T00:00:00Z", "2026-05-17T00:00:00Z", 180},
        {"{zone: UTC, hours: {mon-fri: [\"09:00-17:00\"]}, open: {2026-05-16: [\"09:00-12:00\"],"
         " 12-24: [\"08:00-12:00\"]}}",
         "2026-12-24T00:00:00Z", "2026-12-25T00:00:00Z", 240},
        {"{zone: UTC, hours: {mon-fri: [\"22:00-06:00\"]}, closed: [2026-01-06]}",
         "2026-01-05T00:00:00Z", "2026-01-07T22:00:00Z", 480}, /* Monday's night goes on */
        {"{zone: UTC, hours: {}}", "2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z", 0},
    };
    for (int i = 0; i < ARRAY_LEN(cases); i++) {
        const struct calendar *c = calendar(cases[i].calendar);
        const int64_t us = calendar_between(c, at(cases[i].from), at(cases[i].to));
        if (us != cases[i].minutes * US_PER_MIN)
            print_message("%s from %s\n", cases[i].calendar, cases[i].from);
        assert_int_equal(us / US_PER_MIN, cases[i].minutes);
        assert_int_equal(us % US_PER_MIN, 0);
    }
}

static void adds(void **state)
{
    (void)state;
    static const struct {
        const char *calendar, *from, *span, *want; /* want NULL: never */
    } cases[] = {
        {OFFICE, "2026-01-05T09:00:00+01:00", "2 working hours", "2026-01-05T11:00:00+01:00"},
        {OFFICE, "2026-01-05T09:00:00+01:00", "3 working hours", "2026-01-05T12:00:00+01:00"},
        {OFFICE, "2026-01-05T11:00:00+01:00", "90 working min", "2026-01-05T13:30:00+01:00"},
        {OFFICE, "2026-01-09T17:00:00+01:00", "4 working hours", "2026-01-12T11:00:00+01:00"},
        {OFFICE, "2026-01-09T17:00:00+01:00", "1 working hour", "2026-01-09T18:00:00+01:00"},
        {OFFICE, "2026-01-10T17:00:00+01:00", "45 working hours", "2026-01-16T18:00:00+01:00"},
        {OFFICE, "2026-03-27T17:00:00+01:00", "2 working hours", "2026-03-30T09:00:00+02:00"},
        {DAY_AND_NIGHT("Europe/Paris"), "2026-03-28T12:00:00+01:00", "24 working hours",
         "2026-03-29T13:00:00+02:00"},
        /* working days keep the time of day, or come as near to it as the hours allow */
        {OFFICE, "2026-01-05T09:00:00+01:00", "5 working days", "2026-01-12T09:00:00+01:00"},
        {OFFICE, "2026-01-09T17:00:00+01:00", "1 working day", "2026-01-12T17:00:00+01:00"},
        {OFFICE, "2026-01-10T09:00:00+01:00", "1 working day", "2026-01-12T09:00:00+01:00"},
        {OFFICE, "2026-01-05T07:00:00+01:00", "1 working day", "2026-01-06T08:00:00+01:00"},
        {OFFICE, "2026-01-05T12:30:00+01:00", "1 working day", "2026-01-06T13:00:00+01:00"},
        {OFFICE, "2026-01-05T22:00:00+01:00", "1 working day", "2026-01-06T18:00:00+01:00"},
        {OFFICE, "2026-03-27T09:00:00+01:00", "1 working day", "2026-03-30T09:00:00+02:00"},
        {DAY_AND_NIGHT("Europe/Paris"), "2026-03-28T02:30:00+01:00", "1 working day",
         "2026-03-29T03:00:00+02:00"},
        {"{zone: UTC, hours: {mon-fri: [\"09:00-17:00\"]}, closed: [2026-01-07]}",
         "2026-01-06T10:00:00Z", "1 working day", "2026-01-08T10:00:00Z"},
        {"{zone: Pacific/Apia, hours: {mon-sun: [\"09:00-17:00\"]}}", "2011-12-29T10:00:00-10:00",
         "1 working day", "2011-12-31T10:00:00+14:00"},
        /* plain time does not ask the calendar */
        {OFFICE, "2026-03-28T12:00:00+01:00", "1 day", "2026-03-29T13:00:00+02:00"},
        {OFFICE, "2026-01-09T17:00:00+01:00", "90 min", "2026-01-09T18:30:00+01:00"},
        {"{zone: UTC, hours: {}}", "2026-01-09T17:00:00Z", "1 working min", NULL},
        {"{zone: UTC, hours: {}}", "2026-01-09T17:00:00Z", "1 working day", NULL},
        {"{zone: UTC, hours: {}, open: {2026-02-01: [\"10:00-11:00\"]}}", "2026-01-09T17:00:00Z",
         "1 working hour", "2026-02-01T11:00:00Z"},
    };
    for (int i = 0; i < ARRAY_LEN(cases); i++) {
        const struct calendar *c = calendar(cases[i].calendar);
        struct span span;
        assert_true(span_parse(cases[i].span, &span));
        const int64_t end = span_end(c, span, at(cases[i].from));
        if (cases[i].want)
            assert_string_equal(time_format_instant(cx.arena, end),
                                time_format_instant(cx.arena, at(cases[i].want)));
        else
            assert_true(end == INT64_MAX);
    }
}

static void adds_nothing(void **state)
{
    (void)state;
    const struct calendar *c = calendar(OFFICE);
    const int64_t open = at("2026-01-05T09:00:00+01:00");
    assert_int_equal(calendar_add(c, open, 0), open);
    assert_int_equal(calendar_add(c, at("2026-01-05T12:00:00+01:00"), 0),
                     at("2026-01-05T13:00:00+01:00"));
    assert_int_equal(calendar_add_days(c, at("2026-01-10T12:00:00+01:00"), 0),
                     at("2026-01-12T08:00:00+01:00"));
    assert_true(calendar_add(c, INT64_MAX, 1) == INT64_MAX);
    assert_string_equal(calendar_name(c), "test");
    assert_string_equal(calendar_zone(c), "Europe/Paris");
}

static void knows_easter(void **state)
{
    (void)state;
    static const char *const sundays[] = {
        "1981-04-19", "2000-04-23", "2008-03-23", "2024-03-31",
        "2025-04-20", "2026-04-05", "2038-04-25", "2049-04-18",
    };
    const struct calendar *c =
        calendar("{zone: UTC, hours: {}, open: {easter: [\"00:00-24:00\"]}}");
    for (int i = 0; i < ARRAY_LEN(sundays); i++) {
        const int64_t day = at(arena_printf(cx.arena, "%sT00:00:00Z", sundays[i]));
        assert_int_equal(calendar_between(c, day - 20 * US_PER_DAY, day), 0);
        assert_int_equal(calendar_between(c, day - US_PER_DAY, day + 2 * US_PER_DAY), US_PER_DAY);
    }
}

static void refuses(void **state)
{
    (void)state;
    static const struct {
        const char *text, *field;
    } cases[] = {
        {"{}", "zone"},
        {"[]", "zone"},
        {"{zone: UTC}", "hours"},
        {"{zone: Mars/Base, hours: {}}", "zone"},
        {"{zone: [UTC], hours: {}}", "zone"},
        {"{zone: UTC, hours: {}, holidays: []}", "holidays"},
        {"{zone: UTC, hours: {monday: []}}", "hours.monday"},
        {"{zone: UTC, hours: {mon-fri-sat: []}}", "hours.mon-fri-sat"},
        {"{zone: UTC, hours: {mon: [], sun-tue: []}}", "hours.sun-tue"},
        {"{zone: UTC, hours: {mon: [8-12]}}", "hours.mon"},
        {"{zone: UTC, hours: {mon: [[]]}}", "hours.mon"},
        {"{zone: UTC, hours: {mon: [\"08:00-08:00\"]}}", "hours.mon"},
        {"{zone: UTC, hours: {mon: [\"08:60-09:00\"]}}", "hours.mon"},
        {"{zone: UTC, hours: {mon: [\"08:00-24:30\"]}}", "hours.mon"},
        {"{zone: UTC, hours: {mon: [\"24:00-08:00\"]}}", "hours.mon"},
        {"{zone: UTC, hours: {mon: [\"08:00-12:00\", \"11:00-13:00\"]}}", "hours.mon"},
        {"{zone: UTC, hours: {}, closed: [Christmas]}", "closed"},
        {"{zone: UTC, hours: {}, closed: [02-30]}", "closed"},
        {"{zone: UTC, hours: {}, closed: [easter monday]}", "closed"},
        {"{zone: UTC, hours: {}, closed: [easter + 1000]}", "closed"},
        {"{zone: UTC, hours: {}, closed: [{}]}", "closed"},
        {"{zone: UTC, hours: {}, closed: [12-25, 12-25]}", "closed"},
        {"{zone: UTC, hours: {}, closed: [12-25], open: {12-25: []}}", "open.12-25"},
        {"{zone: UTC, hours: {}, open: {12-25: [x]}}", "open.12-25"},
    };
    for (int i = 0; i < ARRAY_LEN(cases); i++) {
        const struct yaml *root = NULL;
        const struct calendar *c = NULL;
        fail_clear(&cx);
        assert_int_equal(yaml_parse(&cx, "test", cases[i].text, strlen(cases[i].text), &root), OK);
        assert_int_equal(calendar_read(&cx, "test", root, &c), E_INVALID);
        assert_null(c);
        const struct problem *first = cx.err.problems.at;
        assert_string_equal(first->field, cases[i].field);
    }
}

static void parses_spans(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum span_unit unit;
        int64_t n; /* 0: refused */
    } cases[] = {
        {"5 working days", SPAN_WORKING_DAYS, 5},
        {"1 working day", SPAN_WORKING_DAYS, 1},
        {"4 working hours", SPAN_WORKING_US, 4 * US_PER_HOUR},
        {"90 min", SPAN_US, 90 * US_PER_MIN},
        {"2 h", SPAN_US, 2 * US_PER_HOUR},
        {"2h", SPAN_US, 2 * US_PER_HOUR},
        {"30 s", SPAN_US, 30 * US_PER_S},
        {"3 days", SPAN_US, 3 * US_PER_DAY},
        {"1 week", SPAN_US, 7 * US_PER_DAY},
        {"", SPAN_US, 0},
        {"5", SPAN_US, 0},
        {"0 days", SPAN_US, 0},
        {"-1 day", SPAN_US, 0},
        {"1.5 h", SPAN_US, 0},
        {"5 working weeks", SPAN_US, 0},
        {"1 month", SPAN_US, 0},
        {"2 days ", SPAN_US, 0},
        {"99999999999999999999 s", SPAN_US, 0},
        {"9223372036854 s", SPAN_US, 0},
        {"40000 working days", SPAN_US, 0},
    };
    for (int i = 0; i < ARRAY_LEN(cases); i++) {
        struct span span = {0};
        assert_int_equal(span_parse(cases[i].text, &span), cases[i].n > 0);
        assert_int_equal(span.n, cases[i].n);
        if (cases[i].n > 0)
            assert_int_equal(span.unit, cases[i].unit);
    }
    assert_int_equal(span_end(NULL, (struct span){SPAN_US, 5}, 10), 15);
}

/* ---- against a walk minute by minute ----------------------------------------------------------
 *
 * With the C library's idea of the zone: a span begins at the first minute at which the wall shows
 * its begin or later, and ends after the last minute at which the wall shows less than its end.
 */

enum { WINDOW = 24 * 1440, MOST_SPANS = 3 };

struct minutes {
    int64_t first;        /* minutes since 1970 */
    int64_t wall[WINDOW]; /* the same, on the wall */
    bool works[WINDOW];
};

struct week {
    int begin[7][MOST_SPANS], end[7][MOST_SPANS]; /* minutes of the day */
    int count[7];
};

static void fill_walls(struct minutes *m, const char *zone, int64_t first)
{
    setenv("TZ", zone, 1);
    tzset();
    m->first = first;
    for (int i = 0; i < WINDOW; i++) {
        const time_t t = (time_t)((first + i) * 60);
        struct tm tm;
        localtime_r(&t, &tm);
        m->wall[i] = first + i + tm.tm_gmtoff / 60;
    }
}

static void mark(struct minutes *m, int64_t wall_begin, int64_t wall_end)
{
    int begin = 0, end = WINDOW;
    while (begin < WINDOW && m->wall[begin] < wall_begin)
        begin++;
    while (end > 0 && m->wall[end - 1] >= wall_end)
        end--;
    for (int i = begin; i < end; i++)
        m->works[i] = true;
}

static void mark_week(struct minutes *m, const struct week *w)
{
    memset(m->works, 0, sizeof(m->works));
    const int64_t first = m->wall[0] / 1440, last = m->wall[WINDOW - 1] / 1440;
    for (int64_t day = first - 1; day <= last; day++) {
        bool exists = day < first;
        for (int i = 0; i < WINDOW && !exists; i++)
            exists = m->wall[i] / 1440 == day;
        const int weekday = (int)((day + 3) % 7);
        for (int i = 0; exists && i < w->count[weekday]; i++)
            mark(m, day * 1440 + w->begin[weekday][i], day * 1440 + w->end[weekday][i]);
    }
}

static void random_week(uint64_t *seed, struct week *w)
{
    static const int steps[] = {60, 30, 15, 1};
    memset(w, 0, sizeof(*w));
    for (int day = 0; day < 7; day++) {
        const int step = steps[next_random(seed) % 4];
        int from = 0;
        const int want = (int)(next_random(seed) % (MOST_SPANS + 1));
        for (int i = 0; i < want && from < 1440 - step; i++) {
            const int begin =
                from + (int)(next_random(seed) % (unsigned)(1440 - from) / step * step);
            const int room = (i == want - 1 ? 1440 + begin : 1440) - begin;
            const int len = step + (int)(next_random(seed) % (unsigned)room / step * step);
            if (begin >= 1440 || len >= room)
                break;
            w->begin[day][i] = begin;
            w->end[day][i] = begin + len;
            w->count[day] = i + 1;
            from = begin + len;
        }
    }
}

static const struct calendar *calendar_of(const char *zone, const struct week *w)
{
    static const char *const days[] = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};
    struct buf b = {.arena = cx.arena};
    buf_printf(&b, "zone: %s\nhours:\n", zone);
    for (int day = 0; day < 7; day++) {
        buf_printf(&b, "  %s: [", days[day]);
        for (int i = 0; i < w->count[day]; i++) {
            const int begin = w->begin[day][i];
            const int end = w->end[day][i] > 1440 ? w->end[day][i] - 1440 : w->end[day][i];
            buf_printf(&b, "%s\"%02d:%02d-%02d:%02d\"", i ? ", " : "", begin / 60, begin % 60,
                       end / 60, end % 60);
        }
        buf_puts(&b, "]\n");
    }
    return calendar(buf_text(&b));
}

static int64_t walked_between(const struct minutes *m, int from, int to)
{
    int64_t sum = 0;
    for (int i = from; i < to; i++)
        sum += m->works[i];
    return sum;
}

/* The minute at which so much work is done, or -1 when that is outside of the window. */
static int64_t walked_add(const struct minutes *m, int from, int64_t minutes)
{
    for (int i = from; i < WINDOW; i++) {
        if (m->works[i] && minutes-- == 0)
            return i;
        if (m->works[i] && minutes == 0)
            return i + 1;
    }
    return -1;
}

static void agrees_with_a_walk(void **state)
{
    (void)state;
    static const struct {
        const char *zone, *around; /* what is to be in the window */
    } windows[] = {
        {"Europe/Paris", "2026-03-29T01:00:00Z"},
        {"Europe/Paris", "2026-10-25T01:00:00Z"},
        {"America/New_York", "2026-11-01T06:00:00Z"},
        {"Africa/Cairo", "2024-04-25T22:00:00Z"},
        {"Africa/Cairo", "2024-10-31T21:00:00Z"},
        {"Asia/Tehran", "2022-03-21T20:30:00Z"},
        {"Asia/Tehran", "2022-09-21T19:30:00Z"},
        {"Australia/Lord_Howe", "2026-04-04T15:00:00Z"},
        {"Australia/Lord_Howe", "2026-10-03T15:30:00Z"},
        {"America/Sao_Paulo", "2018-02-18T02:00:00Z"},
        {"America/Sao_Paulo", "2018-11-04T03:00:00Z"},
        {"Africa/Casablanca", "2026-02-15T02:00:00Z"},
        {"Pacific/Apia", "2011-12-30T10:00:00Z"},
        {"Antarctica/Troll", "2026-03-29T01:00:00Z"}, /* two hours */
        {"Asia/Kathmandu", "2026-03-29T01:00:00Z"},
    };
    struct minutes *m = arena_alloc(cx.arena, sizeof(*m));
    uint64_t seed = 11;
    for (int i = 0; i < ARRAY_LEN(windows); i++) {
        const int64_t middle = at(windows[i].around) / US_PER_MIN;
        fill_walls(m, windows[i].zone, middle - WINDOW / 2);
        for (int n = 0; n < 40; n++) {
            struct week w;
            random_week(&seed, &w);
            const struct calendar *c = calendar_of(windows[i].zone, &w);
            mark_week(m, &w);
            for (int k = 0; k < 40; k++) {
                /* Far enough from the begin for all nights to be known. */
                const int from = 3 * 1440 + (int)(next_random(&seed) % (WINDOW - 6 * 1440));
                const int to = from + (int)(next_random(&seed) % (unsigned)(WINDOW - 1440 - from));
                const int64_t from_at = (m->first + from) * US_PER_MIN;
                const int64_t between = calendar_between(c, from_at, (m->first + to) * US_PER_MIN);
                assert_int_equal(between, walked_between(m, from, to) * US_PER_MIN);

                const int64_t minutes = next_random(&seed) % 3000;
                const int64_t added = walked_add(m, from, minutes);
                if (added >= 0 && added < WINDOW - 1440)
                    assert_int_equal(calendar_add(c, from_at, minutes * US_PER_MIN),
                                     (m->first + added) * US_PER_MIN);
            }
        }
    }
    unsetenv("TZ");
    tzset();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(counts_between, setup, teardown),
        cmocka_unit_test_setup_teardown(adds, setup, teardown),
        cmocka_unit_test_setup_teardown(adds_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(knows_easter, setup, teardown),
        cmocka_unit_test_setup_teardown(refuses, setup, teardown),
        cmocka_unit_test_setup_teardown(parses_spans, setup, teardown),
        cmocka_unit_test_setup_teardown(agrees_with_a_walk, setup, teardown),
    };
    return cmocka_run_group_tests_name("calendar", tests, NULL, NULL);
}
