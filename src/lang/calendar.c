#include "lang/calendar.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/ctx.h"
#include "base/str.h"
#include "base/time.h"
#include "base/yaml.h"
#include "lang/process.h"
#include "lang/zone.h"

enum { WEEK = 7, FAR_DAYS = 36525 };
#define FAR_US (FAR_DAYS * US_PER_DAY)

/* Wall-clock time from the day's midnight; end is past 24 h where a span goes over midnight. */
struct hours {
    int64_t begin_us, end_us;
};

struct day_plan {
    const struct hours *hours; /* ascending, apart from each other */
    int count;
};

/* Days that are not like their weekday. */
enum when { ON_DATE, EVERY_YEAR, FROM_EASTER };
struct exception {
    enum when when;
    int64_t day; /* ON_DATE: days since 1970; EVERY_YEAR: month * 100 + day; FROM_EASTER: days */
    struct day_plan plan;
};

struct calendar {
    const char *name;
    const struct zone *zone;
    struct day_plan week[WEEK];   /* Monday first */
    struct exception *exceptions; /* by when, day; */
    int exception_count;
    bool has_yearly;
};

const char *calendar_name(const struct calendar *c)
{
    return c->name;
}

const char *calendar_zone(const struct calendar *c)
{
    return zone_name(c->zone);
}

/* ---- days -------------------------------------------------------------------------------------
 */

static int64_t floor_day(int64_t wall)
{
    return wall / US_PER_DAY - (wall % US_PER_DAY < 0);
}

static int weekday(int64_t day) /* Monday is 0 */
{
    return (int)(((day + 3) % WEEK + WEEK) % WEEK);
}

/* Easter Sunday of the western churches, after J.-M. Oudin (1940). */
static int64_t easter(int64_t year)
{
    const int64_t century = year / 100, golden = year % 19;
    const int64_t k = (century - 17) / 25;
    int64_t i = (century - century / 4 - (century - k) / 3 + 19 * golden + 15) % 30;
    i -= (i / 28) * (1 - (i / 28) * (29 / (i + 1)) * ((21 - golden) / 11));
    const int64_t j = (year + year / 4 + i + 2 - century + century / 4) % 7;
    const int64_t from_march_28 = i - j;
    return time_days_from_civil(year, 3, 28) + from_march_28;
}

static int compare_exceptions(const void *a, const void *b)
{
    const struct exception *x = a, *y = b;
    if (x->when != y->when)
        return x->when < y->when ? -1 : 1;
    return (x->day > y->day) - (x->day < y->day);
}

static const struct day_plan *exception_at(const struct calendar *c, enum when when, int64_t day)
{
    const struct exception key = {.when = when, .day = day};
    const struct exception *e = c->exception_count > 0
                                    ? bsearch(&key, c->exceptions, (size_t)c->exception_count,
                                              sizeof(key), compare_exceptions)
                                    : NULL;
    return e ? &e->plan : NULL;
}

static const struct day_plan *plan_of(const struct calendar *c, int64_t day)
{
    const struct day_plan *plan = exception_at(c, ON_DATE, day);
    if (!plan && c->has_yearly) {
        int64_t year;
        int month, day_of_month;
        time_civil_from_days(day, &year, &month, &day_of_month);
        plan = exception_at(c, EVERY_YEAR, month * 100 + day_of_month);
        if (!plan)
            plan = exception_at(c, FROM_EASTER, day - easter(year));
    }
    return plan ? plan : &c->week[weekday(day)];
}

/* Whether clocks ever showed that day. */
static bool exists(const struct calendar *c, int64_t day)
{
    return zone_begin(c->zone, day * US_PER_DAY) < zone_begin(c->zone, (day + 1) * US_PER_DAY);
}

/* ---- walking through working time -------------------------------------------------------------
 */

struct walk {
    const struct calendar *c;
    int64_t day, last_day;
    const struct day_plan *plan; /* of the day */
    int next;                    /* of its hours */
    int64_t covered;             /* all before is walked through: nights reach into mornings */
};

static void walk_day(struct walk *w, int64_t day)
{
    static const struct day_plan nothing;
    w->day = day;
    w->next = 0;
    w->plan = plan_of(w->c, day);
    if (w->plan->count > 0 && !exists(w->c, day))
        w->plan = &nothing;
}

/* What begins two days earlier may still reach here: a night after which clocks went back. */
static struct walk walk_from(const struct calendar *c, int64_t from)
{
    struct walk w = {.c = c, .covered = from};
    const int64_t day = floor_day(zone_wall(c->zone, from));
    w.last_day = day + FAR_DAYS;
    walk_day(&w, day - 2);
    return w;
}

struct interval {
    int64_t begin, end;
};

/* The next stretch of working time, none of it walked through before. Begins ascend: what the wall
 * shows later begins no earlier. False at the end of what we look at. */
static bool walk_next(struct walk *w, struct interval *ret)
{
    for (;;) {
        while (w->next == w->plan->count) {
            if (w->day >= w->last_day)
                return false;
            walk_day(w, w->day + 1);
        }
        const struct hours *h = &w->plan->hours[w->next++];
        const int64_t midnight = w->day * US_PER_DAY;
        const int64_t end = zone_end(w->c->zone, midnight + h->end_us);
        if (end <= w->covered)
            continue;
        const int64_t begin = zone_begin(w->c->zone, midnight + h->begin_us);
        *ret = (struct interval){begin > w->covered ? begin : w->covered, end};
        w->covered = end;
        if (ret->begin < ret->end)
            return true;
    }
}

/* Instants that a clock can have been set to; beyond, arithmetic might overflow. */
static bool is_sane(int64_t at)
{
    return at > -FAR_US && at < 30 * FAR_US;
}

int64_t calendar_add(const struct calendar *c, int64_t from, int64_t working_us)
{
    assert(working_us >= 0);
    if (!is_sane(from))
        return INT64_MAX;
    struct walk w = walk_from(c, from);
    struct interval i;
    int64_t left = working_us;
    while (walk_next(&w, &i)) {
        if (left <= i.end - i.begin)
            return i.begin + left;
        left -= i.end - i.begin;
    }
    return INT64_MAX;
}

int64_t calendar_between(const struct calendar *c, int64_t from, int64_t to)
{
    if (!is_sane(from) || to <= from)
        return 0;
    struct walk w = walk_from(c, from);
    struct interval i;
    int64_t sum = 0;
    while (walk_next(&w, &i) && i.begin < to)
        sum += (i.end < to ? i.end : to) - i.begin;
    return sum;
}

static bool is_working_day(const struct calendar *c, int64_t day)
{
    return plan_of(c, day)->count > 0 && exists(c, day);
}

/* The wall-clock time nearest to this one in the hours of its day, not before it if there is one.
 */
static int64_t move_into(const struct day_plan *plan, int64_t time_us)
{
    for (int i = 0; i < plan->count; i++) {
        if (time_us < plan->hours[i].begin_us)
            return plan->hours[i].begin_us;
        if (time_us <= plan->hours[i].end_us)
            return time_us;
    }
    return plan->hours[plan->count - 1].end_us;
}

int64_t calendar_add_days(const struct calendar *c, int64_t from, int64_t days)
{
    if (days <= 0)
        return calendar_add(c, from, 0);
    if (!is_sane(from))
        return INT64_MAX;
    const int64_t wall = zone_wall(c->zone, from), first = floor_day(wall);
    const int64_t time_us = wall - first * US_PER_DAY;
    for (int64_t day = first + 1; day <= first + FAR_DAYS; day++) {
        if (!is_working_day(c, day) || --days > 0)
            continue;
        const struct day_plan *plan = plan_of(c, day);
        const int64_t moved = day * US_PER_DAY + move_into(plan, time_us);
        const bool is_end = moved - day * US_PER_DAY == plan->hours[plan->count - 1].end_us;
        return is_end ? zone_end(c->zone, moved) : zone_begin(c->zone, moved);
    }
    return INT64_MAX;
}

/* ---- reading ----------------------------------------------------------------------------------
 */

/* Where we are in the description, for messages. */
struct place {
    struct ctx *cx;
    const char *path;
};

static struct place place_of(struct ctx *cx, const char *section, const char *key)
{
    return (struct place){cx, arena_printf(cx->arena, "%s.%s", section, key)};
}

static bool read_two(const char *s, int most, int *ret)
{
    if (s[0] < '0' || s[0] > '9' || s[1] < '0' || s[1] > '9')
        return false;
    *ret = (s[0] - '0') * 10 + s[1] - '0';
    return *ret <= most;
}

/* "08:00" */
static bool read_clock(const char *s, int64_t *ret_us)
{
    int hours, minutes;
    if (!read_two(s, 24, &hours) || s[2] != ':' || !read_two(s + 3, 59, &minutes) ||
        (hours == 24 && minutes > 0))
        return false;
    *ret_us = hours * US_PER_HOUR + minutes * US_PER_MIN;
    return true;
}

static bool read_span(const char *s, struct hours *ret)
{
    if (strlen(s) != strlen("08:00-12:00") || s[5] != '-' || !read_clock(s, &ret->begin_us) ||
        !read_clock(s + 6, &ret->end_us))
        return false;
    if (ret->end_us < ret->begin_us)
        ret->end_us += US_PER_DAY;
    return ret->begin_us < US_PER_DAY && ret->end_us != ret->begin_us;
}

static int compare_hours(const void *a, const void *b)
{
    const struct hours *x = a, *y = b;
    return (x->begin_us > y->begin_us) - (x->begin_us < y->begin_us);
}

static struct day_plan read_plan(struct place at, const struct yaml *node)
{
    struct list hours = {0};
    const int count = node->kind == YAML_LIST ? node->count : 1;
    const struct yaml *items = node->kind == YAML_LIST ? node->items : node;
    for (int i = 0; i < count; i++) {
        struct hours h;
        if (items[i].kind == YAML_SCALAR && read_span(items[i].text, &h))
            *(struct hours *)list_add(at.cx->arena, &hours, sizeof(h)) = h;
        else
            problem(at.cx, at.path, "invalid", "%s is not a span of hours as in \"08:00-12:00\"",
                    items[i].kind == YAML_SCALAR ? items[i].text : "this");
    }
    struct hours *h = hours.at;
    if (hours.count > 1)
        qsort(h, (size_t)hours.count, sizeof(*h), compare_hours);
    for (int i = 1; i < hours.count; i++)
        if (h[i].begin_us < h[i - 1].end_us)
            problem(at.cx, at.path, "invalid", "spans of one day overlap");
    return (struct day_plan){h, hours.count};
}

static const char *const weekdays[] = {"mon", "tue", "wed", "thu", "fri", "sat", "sun", NULL};

static int read_weekday(const char *s, size_t len)
{
    for (int i = 0; len == 3 && weekdays[i]; i++)
        if (!strncmp(s, weekdays[i], 3))
            return i;
    return -1;
}

/* "sat" or "mon-fri"; also over the week's end, "sat-mon". */
static bool read_weekdays(const char *s, int *ret_first, int *ret_last)
{
    const char *dash = strchr(s, '-');
    *ret_first = read_weekday(s, dash ? (size_t)(dash - s) : strlen(s));
    *ret_last = dash ? read_weekday(dash + 1, strlen(dash + 1)) : *ret_first;
    return *ret_first >= 0 && *ret_last >= 0;
}

static void read_week(struct ctx *cx, const struct yaml *node, struct calendar *c)
{
    bool is_given[WEEK] = {false};
    for (int i = 0; i < node->count; i++) {
        const char *key = node->pairs[i].key.text;
        const struct place at = place_of(cx, "hours", key);
        int first, last;
        if (!read_weekdays(key, &first, &last)) {
            problem(cx, at.path, "invalid", "%s is not a weekday as in mon or mon-fri", key);
            continue;
        }
        const struct day_plan plan = read_plan(at, &node->pairs[i].value);
        for (int day = first;; day = (day + 1) % WEEK) {
            if (is_given[day])
                problem(cx, at.path, "invalid", "%s has its hours twice", weekdays[day]);
            is_given[day] = true;
            c->week[day] = plan;
            if (day == last)
                break;
        }
    }
}

/* "12-25", as it is every year */
static bool read_month_day(const char *s, int64_t *ret)
{
    int month, day;
    if (strlen(s) != 5 || s[2] != '-' || !read_two(s, 12, &month) || !read_two(s + 3, 31, &day))
        return false;
    static const int days[] = {0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    *ret = month * 100 + day;
    return day > 0 && day <= days[month];
}

/* "easter", "easter + 1", "easter - 2" */
static bool read_easter(const char *s, int64_t *ret)
{
    if (!str_starts(s, "easter"))
        return false;
    s += strlen("easter");
    *ret = 0;
    if (!*s)
        return true;
    s += strspn(s, " ");
    const bool is_before = *s == '-';
    if (!is_before && *s != '+')
        return false;
    s += 1 + strspn(s + 1, " ");
    if (*s < '0' || *s > '9' || !str_to_int(s, ret) || *ret > 200)
        return false;
    *ret = is_before ? -*ret : *ret;
    return true;
}

static bool read_day(const char *s, struct exception *ret)
{
    if (time_parse_date(s, &ret->day))
        ret->when = ON_DATE;
    else if (read_month_day(s, &ret->day))
        ret->when = EVERY_YEAR;
    else if (read_easter(s, &ret->day))
        ret->when = FROM_EASTER;
    else
        return false;
    return true;
}

static void add_exception(struct place at, const char *text, struct day_plan plan,
                          struct list *exceptions)
{
    struct exception e = {.plan = plan};
    if (!read_day(text, &e)) {
        problem(at.cx, at.path, "invalid", "%s is not a day as in 2026-12-25, 12-25 or easter + 1",
                text);
        return;
    }
    const struct exception *others = exceptions->at;
    for (int i = 0; i < exceptions->count; i++)
        if (compare_exceptions(&others[i], &e) == 0)
            problem(at.cx, at.path, "invalid", "%s is given twice", text);
    *(struct exception *)list_add(at.cx->arena, exceptions, sizeof(e)) = e;
}

static void read_closed(struct ctx *cx, const struct yaml *node, struct list *exceptions)
{
    const struct place at = {cx, "closed"};
    for (int i = 0; i < node->count; i++) {
        const struct yaml *item = &node->items[i];
        if (item->kind == YAML_SCALAR)
            add_exception(at, item->text, (struct day_plan){0}, exceptions);
        else
            problem(cx, at.path, "invalid", "each item of closed is a day");
    }
}

static void read_open(struct ctx *cx, const struct yaml *node, struct list *exceptions)
{
    for (int i = 0; i < node->count; i++) {
        const char *key = node->pairs[i].key.text;
        const struct place at = place_of(cx, "open", key);
        add_exception(at, key, read_plan(at, &node->pairs[i].value), exceptions);
    }
}

static void read_zone(struct ctx *cx, const struct yaml *node, struct calendar *c)
{
    if (zone_load(cx, node->text, &c->zone) == OK)
        return;
    const char *text = cx->err.text;
    problem(cx, "zone", "invalid", "%s", text);
}

static const struct {
    const char *name;
    enum yaml_kind kind;
    const char *shape;
    bool is_required;
} members[] = {
    {"zone", YAML_SCALAR, "the name of a time zone as in Europe/Paris", true},
    {"hours", YAML_MAP, "a map of weekdays to spans, {mon-fri: [\"08:00-12:00\"]}", true},
    {"closed", YAML_LIST, "a list of days", false},
    {"open", YAML_MAP, "a map of days to spans", false},
};
enum { MEMBERS = ARRAY_LEN(members) };

static bool check_shape(struct ctx *cx, const struct yaml *node)
{
    const int before = cx->err.problems.count;
    const char *names[MEMBERS + 1] = {NULL};
    for (int i = 0; i < MEMBERS; i++) {
        const struct yaml *member = yaml_get(node, members[i].name);
        names[i] = members[i].name;
        if (member && member->kind != members[i].kind)
            problem(cx, members[i].name, "invalid", "%s is %s", members[i].name, members[i].shape);
        if (!member && members[i].is_required)
            problem(cx, members[i].name, "required", "a calendar has %s: %s", members[i].name,
                    members[i].shape);
    }
    for (int i = 0; node->kind == YAML_MAP && i < node->count; i++) {
        const char *key = node->pairs[i].key.text, *near = str_nearest(key, names);
        if (!str_in(key, names))
            problem(cx, key, "unknown_field", "a calendar has no %s%s%s%s", key,
                    near ? " (did you mean " : "", near ? near : "", near ? "?)" : "");
    }
    return cx->err.problems.count == before;
}

enum rc calendar_read(struct ctx *cx, const char *name, const struct yaml *node,
                      const struct calendar **ret)
{
    const int before = cx->err.problems.count;
    if (!check_shape(cx, node))
        return problems_rc(cx);
    struct calendar *c = arena_alloc(cx->arena, sizeof(*c));
    struct list exceptions = {0};
    c->name = arena_strdup(cx->arena, name);
    read_zone(cx, yaml_get(node, "zone"), c);
    read_week(cx, yaml_get(node, "hours"), c);
    if (yaml_get(node, "closed"))
        read_closed(cx, yaml_get(node, "closed"), &exceptions);
    if (yaml_get(node, "open"))
        read_open(cx, yaml_get(node, "open"), &exceptions);
    if (cx->err.problems.count > before)
        return problems_rc(cx);
    c->exceptions = exceptions.at;
    c->exception_count = exceptions.count;
    if (exceptions.count > 0)
        qsort(c->exceptions, (size_t)exceptions.count, sizeof(*c->exceptions), compare_exceptions);
    for (int i = 0; i < exceptions.count; i++)
        c->has_yearly |= c->exceptions[i].when != ON_DATE;
    *ret = c;
    return OK;
}

/* ---- lengths of time --------------------------------------------------------------------------
 */

static const struct {
    const char *name, *plural;
    enum span_unit unit;
    int64_t factor;
} units[] = {
    {"s", "s", SPAN_US, US_PER_S},
    {"sec", "sec", SPAN_US, US_PER_S},
    {"second", "seconds", SPAN_US, US_PER_S},
    {"min", "min", SPAN_US, US_PER_MIN},
    {"minute", "minutes", SPAN_US, US_PER_MIN},
    {"h", "h", SPAN_US, US_PER_HOUR},
    {"hour", "hours", SPAN_US, US_PER_HOUR},
    {"day", "days", SPAN_US, US_PER_DAY},
    {"week", "weeks", SPAN_US, 7 * US_PER_DAY},
    {"working min", "working min", SPAN_WORKING_US, US_PER_MIN},
    {"working minute", "working minutes", SPAN_WORKING_US, US_PER_MIN},
    {"working h", "working h", SPAN_WORKING_US, US_PER_HOUR},
    {"working hour", "working hours", SPAN_WORKING_US, US_PER_HOUR},
    {"working day", "working days", SPAN_WORKING_DAYS, 1},
};

bool span_parse(const char *text, struct span *ret)
{
    const size_t digits = strspn(text, "0123456789");
    char number[16];
    if (digits == 0 || digits >= sizeof(number))
        return false;
    memcpy(number, text, digits);
    number[digits] = '\0';
    int64_t n;
    const char *unit = text + digits + strspn(text + digits, " ");
    if (!str_to_int(number, &n) || n == 0)
        return false;
    for (int i = 0; i < ARRAY_LEN(units); i++) {
        if (!str_equal(unit, units[i].name) && !str_equal(unit, units[i].plural))
            continue;
        const int64_t most = units[i].unit == SPAN_WORKING_DAYS ? FAR_DAYS : FAR_US;
        if (n > most / units[i].factor)
            return false;
        *ret = (struct span){units[i].unit, n * units[i].factor};
        return true;
    }
    return false;
}

int64_t span_end(const struct calendar *c, struct span s, int64_t from)
{
    switch (s.unit) {
    case SPAN_US:
        return from > INT64_MAX - s.n ? INT64_MAX : from + s.n;
    case SPAN_WORKING_US:
        return calendar_add(c, from, s.n);
    case SPAN_WORKING_DAYS:
        return calendar_add_days(c, from, s.n);
    }
    BUG("no such unit of a span");
}
