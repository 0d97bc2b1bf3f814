#include "lang/zone.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/ctx.h"
#include "base/file.h"
#include "base/str.h"
#include "base/time.h"

#define ZONE_FOLDER "/usr/share/zoneinfo/"

enum {
    FILE_MOST = 256 * 1024,
    LAST_YEAR = 2150,        /* rules for the future are spelt out so far */
    OFFSET_MOST = 26 * 3600, /* seconds; RFC 8536 3.2 */
};

/* From `at` on the wall clock is offset_us ahead of UTC. */
struct shift {
    int64_t at, offset_us;
};

struct zone {
    const char *name;
    const struct shift *shifts; /* ascending; the first at INT64_MIN */
    int count;
};

/* ---- asking -----------------------------------------------------------------------------------
 */

const char *zone_name(const struct zone *z)
{
    return z->name;
}

/* The last shift that is not after `at`. */
static int shift_at(const struct zone *z, int64_t at)
{
    int low = 0, high = z->count;
    while (high - low > 1) {
        const int middle = (low + high) / 2;
        if (z->shifts[middle].at <= at)
            low = middle;
        else
            high = middle;
    }
    return low;
}

static int64_t next_at(const struct zone *z, int i)
{
    return i + 1 < z->count ? z->shifts[i + 1].at : INT64_MAX;
}

int64_t zone_wall(const struct zone *z, int64_t at)
{
    return at + z->shifts[shift_at(z, at)].offset_us;
}

int64_t zone_begin(const struct zone *z, int64_t wall)
{
    for (int i = shift_at(z, wall - OFFSET_MOST * US_PER_S);; i++) {
        const int64_t at = wall - z->shifts[i].offset_us;
        if (at < z->shifts[i].at)
            return z->shifts[i].at;
        if (at < next_at(z, i))
            return at;
    }
}

int64_t zone_end(const struct zone *z, int64_t wall)
{
    for (int i = shift_at(z, wall + OFFSET_MOST * US_PER_S);; i--) {
        const int64_t at = wall - z->shifts[i].offset_us;
        if (at > next_at(z, i))
            return next_at(z, i);
        if (at > z->shifts[i].at)
            return at;
    }
}

/* ---- rules for the years to come --------------------------------------------------------------
 *
 * As POSIX writes them in TZ, with the widening of RFC 8536 3.3.1: CET-1CEST,M3.5.0,M10.5.0/3
 */

struct rule {
    char kind; /* 'J': day 1-365 without 29 February; 'D': day 0-365; 'M': month, week, weekday */
    int month, week, day;
    int64_t seconds; /* on the wall clock before the change, from midnight */
};

struct rules {
    int64_t offset, dst_offset; /* seconds ahead of UTC */
    bool has_dst;
    struct rule to_dst, from_dst;
};

struct reader {
    const char *at;
    bool is_bad;
};

static bool take(struct reader *r, char c)
{
    if (*r->at != c)
        return false;
    r->at++;
    return true;
}

static int64_t number(struct reader *r, int64_t least, int64_t most)
{
    int64_t n = 0;
    const char *start = r->at;
    while (*r->at >= '0' && *r->at <= '9' && n <= 9999)
        n = n * 10 + (*r->at++ - '0');
    if (r->at == start || n < least || n > most)
        r->is_bad = true;
    return n;
}

static void zone_abbreviation(struct reader *r)
{
    const char *start = r->at;
    if (take(r, '<')) {
        r->at += strcspn(r->at, ">");
        if (!take(r, '>'))
            r->is_bad = true;
    } else {
        while (isalpha((unsigned char)*r->at))
            r->at++;
    }
    if (r->at == start)
        r->is_bad = true;
}

/* [+-]hh[:mm[:ss]] in seconds */
static int64_t clock_time(struct reader *r, int64_t most_hours)
{
    const bool is_negative = take(r, '-');
    if (!is_negative)
        take(r, '+');
    int64_t seconds = number(r, 0, most_hours) * 3600;
    if (take(r, ':'))
        seconds += number(r, 0, 59) * 60;
    if (take(r, ':'))
        seconds += number(r, 0, 59);
    return is_negative ? -seconds : seconds;
}

static struct rule change_day(struct reader *r)
{
    struct rule rule = {.kind = 'D', .seconds = 2 * 3600};
    if (take(r, 'M')) {
        rule.kind = 'M';
        rule.month = (int)number(r, 1, 12);
        r->is_bad |= !take(r, '.');
        rule.week = (int)number(r, 1, 5);
        r->is_bad |= !take(r, '.');
        rule.day = (int)number(r, 0, 6);
    } else if (take(r, 'J')) {
        rule.kind = 'J';
        rule.day = (int)number(r, 1, 365);
    } else {
        rule.day = (int)number(r, 0, 365);
    }
    if (take(r, '/'))
        rule.seconds = clock_time(r, 167);
    return rule;
}

static bool rules_read(const char *text, struct rules *ret)
{
    struct reader r = {.at = text};
    struct rules rules = {0};
    zone_abbreviation(&r);
    rules.offset = -clock_time(&r, 24);
    rules.has_dst = *r.at != '\0';
    if (rules.has_dst) {
        zone_abbreviation(&r);
        rules.dst_offset = *r.at == ',' ? rules.offset + 3600 : -clock_time(&r, 24);
        r.is_bad |= !take(&r, ',');
        rules.to_dst = change_day(&r);
        r.is_bad |= !take(&r, ',');
        rules.from_dst = change_day(&r);
    }
    *ret = rules;
    return !r.is_bad && !*r.at;
}

/* Days since 1970 on which the rule applies in that year. */
static int64_t rule_day(const struct rule *r, int year)
{
    const int64_t first = time_days_from_civil(year, 1, 1);
    const int64_t march = time_days_from_civil(year, 3, 1);
    if (r->kind == 'D')
        return first + r->day;
    if (r->kind == 'J')
        return r->day <= 59 ? first + r->day - 1 : march + r->day - 60;
    const int64_t of_month = time_days_from_civil(year, r->month, 1);
    const int64_t next_month = r->month == 12 ? time_days_from_civil(year + 1, 1, 1)
                                              : time_days_from_civil(year, r->month + 1, 1);
    const int64_t weekday = ((of_month + 4) % 7 + 7) % 7; /* 1970-01-01 was a Thursday, 4 */
    int64_t day = of_month + (r->day - weekday + 7) % 7 + (r->week - 1) * 7;
    while (day >= next_month)
        day -= 7;
    return day;
}

static int64_t rule_at(const struct rule *r, int year, int64_t offset_before)
{
    return (rule_day(r, year) * 86400 + r->seconds - offset_before) * US_PER_S;
}

/* ---- reading ----------------------------------------------------------------------------------
 */

static void add_shift(struct arena *a, struct list *shifts, int64_t at, int64_t offset_us)
{
    const struct shift *last =
        shifts->count ? (struct shift *)shifts->at + shifts->count - 1 : NULL;
    if (last && (at <= last->at || offset_us == last->offset_us))
        return;
    *(struct shift *)list_add(a, shifts, sizeof(struct shift)) = (struct shift){at, offset_us};
}

static void add_years(struct arena *a, struct list *shifts, const struct rules *r)
{
    const struct shift *last = (struct shift *)shifts->at + shifts->count - 1;
    int64_t year = 1970;
    int month, day;
    if (last->at > 0)
        time_civil_from_days(last->at / US_PER_DAY, &year, &month, &day);
    const int64_t offset = r->offset * US_PER_S, dst_offset = r->dst_offset * US_PER_S;
    for (; r->has_dst && year <= LAST_YEAR; year++) {
        const int64_t to = rule_at(&r->to_dst, (int)year, r->offset);
        const int64_t from = rule_at(&r->from_dst, (int)year, r->dst_offset);
        if (from < to)
            add_shift(a, shifts, from, offset);
        add_shift(a, shifts, to, dst_offset);
        if (from >= to)
            add_shift(a, shifts, from, offset);
    }
}

struct counts {
    uint32_t utc, standard, leap, times, types, chars;
};

static uint64_t big_endian(const uint8_t *p, int bytes)
{
    uint64_t n = 0;
    for (int i = 0; i < bytes; i++)
        n = n << 8 | p[i];
    return n;
}

enum { HEADER = 44, TYPE = 6, COUNT_MOST = 10000 };

static bool read_header(const uint8_t *p, size_t len, struct counts *ret)
{
    if (len < HEADER || memcmp(p, "TZif", 4) != 0 || p[4] < '2')
        return false;
    uint32_t n[6];
    for (int i = 0; i < ARRAY_LEN(n); i++) {
        n[i] = (uint32_t)big_endian(p + 20 + i * 4, 4);
        if (n[i] > COUNT_MOST)
            return false;
    }
    *ret = (struct counts){n[0], n[1], n[2], n[3], n[4], n[5]};
    return true;
}

static size_t block_size(const struct counts *n, size_t time_size)
{
    return n->times * (time_size + 1) + n->types * TYPE + n->chars + n->leap * (time_size + 4) +
           n->standard + n->utc;
}

static bool read_block(struct arena *a, const uint8_t *p, const struct counts *n,
                       struct list *shifts)
{
    const uint8_t *index = p + (size_t)n->times * 8, *types = index + n->times;
    int64_t before = INT64_MIN;
    for (uint32_t i = 0; i <= n->times; i++) {
        const uint32_t type = i == 0 ? 0 : index[i - 1];
        const int64_t at = i == 0 ? INT64_MIN : (int64_t)big_endian(p + (i - 1) * 8, 8);
        if (type >= n->types)
            return false;
        const int32_t offset = (int32_t)(uint32_t)big_endian(types + type * TYPE, 4);
        const bool is_in_order = i == 0 || at > before;
        if (!is_in_order || offset < -OFFSET_MOST || offset > OFFSET_MOST)
            return false;
        before = at;
        /* "Since the beginning" is written as an instant before the universe. */
        if (i == 0)
            add_shift(a, shifts, INT64_MIN, offset * US_PER_S);
        else if (at > INT64_MIN / US_PER_S && at < INT64_MAX / US_PER_S)
            add_shift(a, shifts, at * US_PER_S, offset * US_PER_S);
    }
    return true;
}

static bool read_footer(struct arena *a, const char *p, size_t len, struct list *shifts)
{
    const char *end = len > 1 && *p == '\n' ? memchr(p + 1, '\n', len - 1) : NULL;
    if (!end)
        return false;
    if (end == p + 1)
        return true; /* no rules */
    struct rules rules;
    if (!rules_read(arena_strndup(a, p + 1, (size_t)(end - p) - 1), &rules))
        return false;
    add_years(a, shifts, &rules);
    return true;
}

/* Two blocks: the first, with times of 32 bits, is for programs of the last century. */
static bool read_file(struct arena *a, const uint8_t *p, size_t len, struct list *shifts)
{
    struct counts n;
    if (!read_header(p, len, &n))
        return false;
    const size_t skip = HEADER + block_size(&n, 4);
    if (skip > len || !read_header(p + skip, len - skip, &n))
        return false;
    p += skip + HEADER;
    len -= skip + HEADER;
    const size_t size = block_size(&n, 8);
    return n.leap == 0 && n.types > 0 && size <= len && read_block(a, p, &n, shifts) &&
           read_footer(a, (const char *)p + size, len - size, shifts);
}

enum rc zone_read(struct ctx *cx, const char *name, const void *bytes, size_t len,
                  const struct zone **ret)
{
    struct list shifts = {0};
    if (!read_file(cx->arena, bytes, len, &shifts))
        return fail(cx, E_MALFORMED, NULL, "the data of time zone %s cannot be read", name);
    struct zone *z = arena_alloc(cx->arena, sizeof(*z));
    *z = (struct zone){arena_strdup(cx->arena, name), shifts.at, shifts.count};
    *ret = z;
    return OK;
}

/* Names of zones begin with a capital; the folder holds other things too, the server's own zone
 * among them. */
static bool is_name(const char *s)
{
    if (*s < 'A' || *s > 'Z' || strlen(s) > 64)
        return false;
    for (; *s; s++)
        if (!isalnum((unsigned char)*s) && !strchr("_+-/", *s))
            return false;
    return true;
}

enum rc zone_load(struct ctx *cx, const char *name, const struct zone **ret)
{
    static const struct shift no_shift = {INT64_MIN, 0};
    static const struct zone utc = {"UTC", &no_shift, 1};
    if (str_equal(name, "UTC")) {
        *ret = &utc;
        return OK;
    }
    if (!is_name(name))
        return fail(cx, E_INVALID, NULL, "there is no time zone %s (as in Europe/Paris)", name);
    char *bytes;
    size_t len;
    const char *path = arena_printf(cx->arena, ZONE_FOLDER "%s", name);
    const enum rc rc = file_read(cx, path, FILE_MOST, &bytes, &len);
    if (rc == E_NOT_FOUND)
        return fail(cx, E_INVALID, NULL, "there is no time zone %s in " ZONE_FOLDER, name);
    TRY(rc);
    return zone_read(cx, name, bytes, len, ret);
}

enum rc zone_release(struct ctx *cx, const char **ret)
{
    static const char prefix[] = "# version ";
    char *text;
    TRY(file_read(cx, ZONE_FOLDER "tzdata.zi", FILE_MOST, &text, NULL));
    *ret = "";
    if (str_starts(text, prefix)) {
        const char *start = text + sizeof(prefix) - 1;
        *ret = arena_strndup(cx->arena, start, strcspn(start, "\n"));
    }
    return OK;
}
