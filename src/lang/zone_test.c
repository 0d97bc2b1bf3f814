#include "lang/zone.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/arena.h"
#include "base/ctx.h"
#include "base/test.h"
#include "base/time.h"

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

static void finds_begin_and_end(void **state)
{
    (void)state;
    static const struct {
        const char *zone, *wall, *begin, *end;
    } cases[] = {
        {"UTC", "2026-03-29T02:30:00Z", "2026-03-29T02:30:00Z", "2026-03-29T02:30:00Z"},
        {"Europe/Paris", "2026-01-05T09:00:00Z", "2026-01-05T08:00:00Z", "2026-01-05T08:00:00Z"},
        /* the missing hour, its first and its last instant */
        {"Europe/Paris", "2026-03-29T02:00:00Z", "2026-03-29T01:00:00Z", "2026-03-29T01:00:00Z"},
        {"Europe/Paris", "2026-03-29T02:30:00Z", "2026-03-29T01:00:00Z", "2026-03-29T01:00:00Z"},
        {"Europe/Paris", "2026-03-29T03:00:00Z", "2026-03-29T01:00:00Z", "2026-03-29T01:00:00Z"},
        /* the hour that comes twice */
        {"Europe/Paris", "2026-10-25T02:00:00Z", "2026-10-25T00:00:00Z", "2026-10-25T00:00:00Z"},
        {"Europe/Paris", "2026-10-25T02:30:00Z", "2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z"},
        {"Europe/Paris", "2026-10-25T03:00:00Z", "2026-10-25T02:00:00Z", "2026-10-25T02:00:00Z"},
        /* half an hour */
        {"Australia/Lord_Howe", "2026-04-05T01:45:00Z", "2026-04-04T14:45:00Z",
         "2026-04-04T15:15:00Z"},
        /* at midnight */
        {"America/Sao_Paulo", "2018-11-04T00:00:00Z", "2018-11-04T03:00:00Z",
         "2018-11-04T03:00:00Z"},
        {"America/Sao_Paulo", "2018-02-18T00:00:00Z", "2018-02-18T03:00:00Z",
         "2018-02-18T03:00:00Z"},
        /* a day that never was */
        {"Pacific/Apia", "2011-12-30T12:00:00Z", "2011-12-30T10:00:00Z", "2011-12-30T10:00:00Z"},
        /* a law newer than many programs, and rules for the years that no file lists */
        {"Africa/Cairo", "2023-04-28T00:30:00Z", "2023-04-27T22:00:00Z", "2023-04-27T22:00:00Z"},
        {"Europe/Paris", "2149-07-01T12:00:00Z", "2149-07-01T10:00:00Z", "2149-07-01T10:00:00Z"},
        {"America/New_York", "2100-07-01T12:00:00Z", "2100-07-01T16:00:00Z",
         "2100-07-01T16:00:00Z"},
        {"Australia/Sydney", "2100-01-01T12:00:00Z", "2100-01-01T01:00:00Z",
         "2100-01-01T01:00:00Z"},
        {"Africa/Casablanca", "2100-01-01T12:00:00Z", "2100-01-01T11:00:00Z",
         "2100-01-01T11:00:00Z"},
    };
    for (int i = 0; i < ARRAY_LEN(cases); i++) {
        const struct zone *z = NULL;
        assert_int_equal(zone_load(&cx, cases[i].zone, &z), OK);
        assert_string_equal(zone_name(z), cases[i].zone);
        const int64_t wall = at(cases[i].wall);
        assert_string_equal(time_format_instant(cx.arena, zone_begin(z, wall)),
                            time_format_instant(cx.arena, at(cases[i].begin)));
        assert_string_equal(time_format_instant(cx.arena, zone_end(z, wall)),
                            time_format_instant(cx.arena, at(cases[i].end)));
    }
}

/* The C library reads the same files with code of its own. */
static void agrees_with_libc(void **state)
{
    (void)state;
    static const char *const zones[] = {
        "Europe/Paris",      "America/New_York",     "Africa/Cairo",      "Asia/Tehran",
        "America/Sao_Paulo", "Australia/Lord_Howe",  "Africa/Casablanca", "Pacific/Apia",
        "Asia/Kolkata",      "America/Scoresbysund", "Europe/Dublin",     "Antarctica/Troll",
    };
    uint64_t seed = 5;
    for (int i = 0; i < ARRAY_LEN(zones); i++) {
        const struct zone *z = NULL;
        assert_int_equal(zone_load(&cx, zones[i], &z), OK);
        setenv("TZ", zones[i], 1);
        tzset();
        for (int n = 0; n < 5000; n++) {
            const time_t t = next_random(&seed) % (time_t)(170LL * 365 * 86400 / 3) * 3;
            struct tm tm;
            localtime_r(&t, &tm);
            assert_int_equal(zone_wall(z, t * US_PER_S), (t + tm.tm_gmtoff) * US_PER_S);
        }
    }
    unsetenv("TZ");
    tzset();
}

static void refuses(void **state)
{
    (void)state;
    static const char *const names[] = {
        "",         "Europe/Pariss", "localtime", "../../../etc/passwd", "Europe/../UTC",
        "/etc/UTC", "tzdata.zi",     "Europe",    "posix/Europe/Paris",
    };
    const struct zone *z = NULL;
    for (int i = 0; i < ARRAY_LEN(names); i++) {
        assert_int_not_equal(zone_load(&cx, names[i], &z), OK);
        assert_null(z);
        assert_non_null(cx.err.text);
    }
    assert_int_equal(zone_read(&cx, "X", "TZif2", 5, &z), E_MALFORMED);
    const char *release = NULL;
    assert_int_equal(zone_release(&cx, &release), OK);
    assert_true(strlen(release) == 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(finds_begin_and_end, setup, teardown),
        cmocka_unit_test_setup_teardown(agrees_with_libc, setup, teardown),
        cmocka_unit_test_setup_teardown(refuses, setup, teardown),
    };
    return cmocka_run_group_tests_name("zone", tests, NULL, NULL);
}
